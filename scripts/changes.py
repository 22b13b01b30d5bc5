"""Say what changed in the contract since the last release, who feels it, and which version that demands.

The verdicts are redocly's, but for one thing that it cannot know: this contract announces that replies will grow. A
further value of an open enumeration and a further body of a reply break no caller.
"""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from scripts.versions import IMPACTS, demanded_version, too_low

ROOT = Path(__file__).resolve().parent.parent
RELEASED = ROOT / "released/nous-portal-billing.yaml"
CONTRACT = ROOT / "openapi/nous-portal-billing.yaml"
REDOCLY = ROOT / "node_modules/@redocly/cli/bin/cli.js"

Json = dict[str, Any]


def load(path: Path) -> Json:
    document: Json = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return document


def differences() -> list[Json]:
    command: list[str | Path] = [Path(sys.executable).with_name("node"), REDOCLY, "diff", RELEASED, CONTRACT]
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
    alternatives: Any = document
    for step in steps(change["revision"]["pointer"])[:-2]:
        alternatives = alternatives[step]
    return {"type": "string"} in alternatives


def impact(change: Json, document: Json) -> str:
    if change["impact"] == "major" and grows(change, document):
        return "minor"
    return str(change["impact"])


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
    names = [name for holder, name in pairwise(rest) if holder == "properties"]
    value = (change.get("revision") or change["base"]).get("value")
    if isinstance(value, dict) and not names:
        properties = value.get("properties", {})
        names = [
            f"{key} {properties[key]['const']}" for key in ("error", "status") if "const" in properties.get(key, {})
        ]
        if "name" in value:
            names.append(f"{value['in']} {value['name']}")
    return f"{operation}{status}{': ' * bool(names)}{'.'.join(names)}"


def sentence(change: Json, document: Json) -> str:
    where = steps(change["path"])
    judged = impact(change, document)
    kind = "BREAKING" if judged == "major" else {"modified": "changed"}.get(change["kind"], change["kind"])
    said = " ".join(verdict["message"] for verdict in change["verdicts"])
    if judged != change["impact"]:
        said += " The contract announces such growth."
    detail = said or change.get("property", "")
    return f"{kind:<9} {felt(where):<9} {judged:<6} {subject(change, where)}{'. ' * bool(detail)}{detail}"


def main() -> None:
    document, released = (load(path) for path in (CONTRACT, RELEASED))
    before, now = (str(each["info"]["version"]) for each in (released, document))
    changes = differences()
    demanded = max((impact(change, document) for change in changes), key=IMPACTS.index, default="none")
    for line in sorted(sentence(change, document) for change in changes):
        print(line)
    if not changes:
        print(f"The contract is that of the last release, {before}.")
        return
    needed = demanded_version(before, demanded)
    print(f"{len(changes)} changes since {before}. They demand a {demanded} version: {needed} or higher.")
    if too_low(now, needed):
        sys.exit(f"info.version of {CONTRACT.relative_to(ROOT)} is {now}. Set it to {needed}.")


if __name__ == "__main__":
    main()
