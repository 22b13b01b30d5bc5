"""Say what changed in the contract since the last release, who feels it, and which version that demands.

The verdicts are redocly's, except where this contract or this project says otherwise:

- The contract announces that replies will grow: a further value of an open enumeration and a further body of a reply
  break no caller. Nor does a further body of a request, as long as the released one is still taken.
- `x-decimal-places` stands for `multipleOf`, and redocly does not know it.
- A deprecation is a minor change, as in semantic versioning.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from nous_billing.mock.openapi import exact, resolve
from scripts.document import Json, load
from scripts.versions import IMPACTS, demanded_version, too_low

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "released/nous-portal-billing.yaml"
CONTRACT = ROOT / "openapi/nous-portal-billing.yaml"
REDOCLY = ROOT / "node_modules/@redocly/cli/bin/cli.js"


def differences(before: Path, now: Path) -> list[Json]:
    command: list[str | Path] = [Path(sys.executable).with_name("node"), REDOCLY, "diff", before, now]
    done = subprocess.run(
        [*command, "--format", "json", "--fail-on", "none"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        sys.exit(f"The contracts cannot be compared:\n{done.stderr}")
    changes: list[Json] = json.loads(done.stdout)["changes"]
    return [change for change in changes if change["path"] != "#/info"]


def steps(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("#/").split("/")]


def grows(change: Json, document: Json) -> bool:
    """Whether a reply got what the contract says that replies will get."""
    where = steps(change["path"])
    if "responses" not in where or where[-2] != "anyOf":
        return False
    if change["kind"] == "added":
        return where[-3] == "schema"
    if change.get("property") != "enum" or {verdict["ruleId"] for verdict in change["verdicts"]} != {
        "enum-values-added"
    }:
        return False
    return {"type": "string"} in at(document, steps(change["revision"]["pointer"])[:-2])


def at(document: Json, where: list[str]) -> Any:
    """The value at a place, which may lie behind references."""
    value: Any = document
    for step in where:
        value = value[int(step)] if isinstance(value, list) else resolve(document, value)[step]
    return value


def still_taken(change: Json, document: Json, released: Json) -> bool:
    """Whether the released body of a request became one of several."""
    where = steps(change["path"])
    if change["kind"] != "added" or "requestBody" not in where or where[-2:] != ["schema", "anyOf"]:
        return False
    body = at(released, where[:-1])
    name = steps(body.get("$ref", "#/openapi"))
    return body in change["revision"]["value"] and at(document, name) == at(released, name)


def breaks_decimal_places(change: Json, document: Json, released: Json) -> bool:
    """Whether a number has other decimal places in a way that breaks callers, by redocly's rule for `multipleOf`.

    More places in a request are the exception: redocly does not compare the values of `multipleOf`.
    """
    if change.get("property") != "x-decimal-places":
        return False
    before, now = multiple(released, change["base"]), multiple(document, change["revision"])
    if "responses" in steps(change["path"]):
        return before is not None and now != before
    return now is not None and (before is None or now > before)


def multiple(document: Json, side: Json) -> float | None:
    """What the number on one side of a change is a multiple of, however the contract says it."""
    schema = at(exact(document), steps(side["pointer"].removesuffix("/x-decimal-places")))
    found: float | None = schema.get("multipleOf")
    return found


def verdict(change: Json, document: Json, released: Json) -> tuple[str, str]:
    """The impact of a change, and why it is not redocly's where it is not."""
    if change["impact"] == "major" and grows(change, document):
        return "minor", " The contract announces such growth."
    if change["impact"] == "major" and still_taken(change, document, released):
        return "minor", " The released body is still taken."
    if breaks_decimal_places(change, document, released):
        return "major", ""
    if change.get("property") == "deprecated" and change["revision"].get("value"):
        return "minor", ""
    return str(change["impact"]), ""


def felt(where: list[str]) -> str:
    if where[0] != "paths":
        return "-"
    for part, name in (("responses", "response"), ("requestBody", "request"), ("parameters", "request")):
        if part in where:
            return name
    return "both"


def subject(change: Json, where: list[str]) -> str:
    """The operation and the part of it, such as ``GET /api/billing/state 200: card.brand``."""
    if where[0] != "paths":
        return " ".join(where[1:])
    path, method, *rest = [*where[1:], ""]
    operation = f"{method.upper()} {path}".strip()
    status = f" {rest[rest.index('responses') + 1]}" if "responses" in rest else ""
    names = [name for holder, name in itertools.pairwise(rest) if holder == "properties"]
    value = (change.get("revision") or change["base"]).get("value")
    if isinstance(value, dict) and not names:
        properties = value.get("properties", {})
        names = [
            f"{key} {properties[key]['const']}" for key in ("error", "status") if "const" in properties.get(key, {})
        ]
        if "name" in value:
            names.append(f"{value['in']} {value['name']}")
    return f"{operation}{status}{': ' * bool(names)}{'.'.join(names)}"


def sentence(change: Json, judged: str, why: str) -> str:
    where = steps(change["path"])
    kind = "BREAKING" if judged == "major" else {"modified": "changed"}.get(change["kind"], change["kind"])
    said = " ".join(verdict["message"] for verdict in change["verdicts"]) + why
    detail = said or change.get("property", "")
    return f"{kind:<9} {felt(where):<9} {judged:<6} {subject(change, where)}{'. ' * bool(detail)}{detail}"


def judged(before: Path, now: Path) -> list[tuple[str, str]]:
    """A line for each change from one contract to another, and its impact."""
    released, document = load(before), load(now)
    found = [(change, *verdict(change, document, released)) for change in differences(before, now)]
    return sorted((sentence(change, impact, why), impact) for change, impact, why in found)


def main() -> None:
    before, now = (str(load(path)["info"]["version"]) for path in (RELEASED, CONTRACT))
    changes = judged(RELEASED, CONTRACT)
    for line, _ in changes:
        print(line)
    if not changes:
        print(f"The contract is that of the last release, {before}.")
        return
    demanded = max((impact for _, impact in changes), key=IMPACTS.index)
    needed = demanded_version(before, demanded)
    print(f"{len(changes)} changes since {before}. They demand a {demanded} version: {needed} or higher.")
    if too_low(now, needed):
        sys.exit(f"info.version of {CONTRACT.relative_to(ROOT)} is {now}. Set it to {needed}.")


if __name__ == "__main__":
    main()
