"""Write what is made from the contract, or with --check compare it with what is there.

Made from it are the generated client and, as JSON, the mock's copies of the contract and of its own control interface.
"""

import argparse
import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.document import load

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi/nous-portal-billing.yaml"
CONFIG = ROOT / "openapi/openapi-python-client.yaml"
TEMPLATES = ROOT / "openapi/templates"
CLIENT = ROOT / "generated/nous_portal_api"
# What the mock is built from, each with the document that it is a copy of.
COPIES = {
    ROOT / "nous_billing/mock/contract.json": CONTRACT,
    ROOT / "nous_billing/mock/control.json": ROOT / "openapi/mock-control.yaml",
}
DIFF_LINES = 20


def generate_client(target: Path, contract: Path = CONTRACT, templates: Path | None = TEMPLATES) -> None:
    """Run the generator. Without ``templates`` it uses its own only, which ours are compared with."""
    bin_dir = Path(sys.executable).parent
    for tool in ("openapi-python-client", "ruff"):
        # The generator exits 0 without ruff and leaves its output unformatted.
        if not (bin_dir / tool).is_file():
            sys.exit(f"{tool} is missing in {bin_dir}")
    # As JSON, which no tool reads otherwise than another.
    copy = target.with_suffix(".json")
    copy.write_bytes(as_json(contract))
    command: list[str | Path] = [bin_dir / "openapi-python-client", "generate", "--path", copy, "--config", CONFIG]
    command += ["--meta", "none", "--output-path", target, "--overwrite", "--fail-on-warning"]
    command += ["--custom-template-path", templates] if templates else []
    environment = {**os.environ, "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"The generator failed:\n{done.stdout}")


def as_json(source: Path) -> bytes:
    document = load(source)
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def files_of(folder: Path) -> dict[Path, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder): path.read_bytes() for path in found}


def differences(name: str, is_there: bytes | None, should_be: bytes | None) -> str:
    if is_there is None:
        return f"{name}: is missing"
    if should_be is None:
        return f"{name}: is left over, the generator makes no such file"
    old, new = (data.decode(errors="backslashreplace").splitlines() for data in (is_there, should_be))
    diff = list(difflib.unified_diff(old, new, "as it is", "as generated", lineterm="", n=1))
    more = [f"... {len(diff) - DIFF_LINES} more lines"] if len(diff) > DIFF_LINES else []
    return "\n".join([f"{name}: differs", *diff[:DIFF_LINES], *more])


def check(new: Path) -> None:
    there, should = (
        {CLIENT.relative_to(ROOT) / path: data for path, data in files_of(folder).items()} for folder in (CLIENT, new)
    )
    there |= {copy.relative_to(ROOT): copy.read_bytes() for copy in COPIES if copy.is_file()}
    should |= {copy.relative_to(ROOT): as_json(source) for copy, source in COPIES.items()}
    wrong = [path for path in sorted(there.keys() | should.keys()) if there.get(path) != should.get(path)]
    if wrong:
        print("\n".join(differences(str(path), there.get(path), should.get(path)) for path in wrong))
        sys.exit(f"{len(wrong)} files are not what the contract gives. Run: make generate")
    print(f"{len(should)} files are what the contract gives.")


def write(new: Path) -> None:
    shutil.rmtree(CLIENT, ignore_errors=True)
    shutil.copytree(new, CLIENT, ignore=shutil.ignore_patterns("__pycache__"))
    for copy, source in COPIES.items():
        copy.write_bytes(as_json(source))
    print(f"Wrote {', '.join(str(path.relative_to(ROOT)) for path in (CLIENT, *COPIES))}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The name of the folder is the name of the package.
        new = Path(folder) / CLIENT.name
        generate_client(new)
        (check if arguments.check else write)(new)


if __name__ == "__main__":
    main()
