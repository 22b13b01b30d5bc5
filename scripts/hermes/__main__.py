"""Run released versions of Hermes with their own billing module and with the drop-in, and compare: ``make hermes``.

``--core`` runs the newest version only and writes no page, for the CI. Words choose cases.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import trustme

from .environments import FOLDER, ROOT, VERSIONS, Environment, newer_version, set_up_path
from .page import Measured, page

PAGE = ROOT / "docs/guide/hermes-compared.md"


def measure(version: str, wheel: Path, words: list[str], *, with_costs: bool) -> Measured:
    old, new = Environment(version, ours=False), Environment(version, ours=True)
    for environment in (old, new):
        environment.install(wheel)
    with ThreadPoolExecutor() as pool:
        cases = list(pool.map(lambda each: _found(each, "run", *words), (old, new)))
    # After the cases: what runs beside a measurement changes it.
    costs = _found(old, "cost", *_certificates(), old.python, new.python) if with_costs else {}
    return Measured(cases[0], cases[1], _found(old, "names"), costs)


def missing_names(measured: Measured) -> list[str]:
    from nous_billing import hermes

    return [name for name in measured.names if name not in hermes.__all__ or not hasattr(hermes, name)]


def main() -> None:
    core = "--core" in sys.argv
    words = [word for word in sys.argv[1:] if word != "--core"]
    wheels = list((ROOT / "dist").glob("*.whl"))
    if len(wheels) != 1:
        sys.exit("There must be one wheel in dist/: run `make wheel`.")
    set_up_path()
    newer = None if core else newer_version()
    versions = [VERSIONS[-1]] if core else [*VERSIONS, *([newer] if newer else [])]
    measured = {version: measure(version, wheels[0], words, with_costs=not (core or words)) for version in versions}
    problems = []
    for version, each in measured.items():
        better = sum(each.verdict(case).startswith("**better") for case in each.new)
        print(f"Hermes {version}: {len(each.new)} cases, better in {better}, worse in {len(each.worse())}.")
        problems += [f"{version}: worse in {case}: {each.new[case]}" for case in each.worse()]
        problems += [f"{version}: wrong in {case}: {each.new[case]}" for case in each.failing()]
        problems += [f"{version}: the name {name} is missing" for name in missing_names(each)]
    if problems:
        sys.exit("\n".join(problems))
    if not (core or words):
        PAGE.write_text(page(measured))
        print(f"Wrote {PAGE.relative_to(ROOT)}.")


def _certificates() -> tuple[Path, Path]:
    """Return files: the key and the certificate of a portal on this machine, and the authority that it is from."""
    portal, authority = FOLDER / "portal.pem", FOLDER / "authority.pem"
    issuer = trustme.CA()
    issuer.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(portal))
    issuer.cert_pem.write_to_path(str(authority))
    return portal, authority


def _found(environment: Environment, module: str, *arguments: str | Path) -> dict[str, Any]:
    file = environment.folder / f"{module}.json"
    environment.run(module, file, *arguments)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


if __name__ == "__main__":
    main()
