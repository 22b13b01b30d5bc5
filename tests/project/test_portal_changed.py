"""When the portal changes: how a change is judged, and how its rehearsal is written and counted."""

import re
from pathlib import Path

import pytest

from scripts.changes import judged
from scripts.rehearsals.changes import ENDPOINT, FOLLOWING, Rehearsal
from scripts.rehearsals.edits import (
    CONTRACT,
    Append,
    Change,
    Edit,
    Field,
    Import,
    InContract,
    Method,
    Misfit,
    Row,
)
from scripts.rehearsals.run import PORTAL_PAGE, ROOT, Copy, Said, commands, demanded, rehearse, verdict, written
from scripts.versions import IMPACTS

FROZEN = Path(__file__).parent / "frozen/contract.yaml"


@pytest.mark.parametrize(
    ("old", "new", "impact", "line"),
    [
        ("", "", "", ""),
        ("size: {type: integer}\n", "size: {type: integer}\n        note: {type: string}\n", "minor", "200: note"),
        ("        name: {type: string}\n        size", "        size", "major", "200: name"),
        ("        size: {type: integer}", "        size: {type: string}", "major", "200: size"),
        ("enum: [red, green]", "enum: [red, green, blue]", "minor", "announces such growth"),
        ("enum: [flat, round]", "enum: [flat, round, long]", "major", "200: shape"),
        ("/Forbidden'\n", "/Forbidden'\n                  - $ref: '#/components/schemas/Paused'\n", "minor", "paused"),
        ("required: [name]\n", "required: [name, count]\n", "major", "POST /things"),
        (
            "schema: {$ref: '#/components/schemas/Request'}",
            "schema: {anyOf: [{$ref: '#/components/schemas/Request'}, {$ref: '#/components/schemas/Thing'}]}",
            "minor",
            "The released body is still taken.",
        ),
        ("in: query, ", "in: query, required: true, ", "major", "size"),
        ("A thing.\n      required", "One thing.\n      required", "patch", ""),
        ("offer: {type: number, x-decimal-places: 2}", "offer: {type: number, x-decimal-places: 0}", "major", "offer"),
        ("offer: {type: number, x-decimal-places: 2}", "offer: {type: number, x-decimal-places: 3}", "patch", "offer"),
        ("offer: {type: number, x-decimal-places: 2}", "offer: {type: number}", "patch", "offer"),
        ("count: {type: integer}", "count: {type: integer, x-decimal-places: 2}", "major", "POST /things: count"),
        ("price: {type: number, x-decimal-places: 2}", "price: {type: number, x-decimal-places: 0}", "major", "price"),
        ("price: {type: number, x-decimal-places: 2}", "price: {type: number}", "major", "200: price"),
        ("discount: {type: number, multipleOf: 0.01}", "discount: {type: number, x-decimal-places: 2}", "patch", ""),
        ("discount: {type: number, multipleOf: 0.01}", "discount: {type: number, x-decimal-places: 1}", "major", ""),
        ("size: {type: integer}\n", "size: {type: integer, x-decimal-places: 2}\n", "patch", "200: size"),
        ("      parameters:", "      deprecated: true\n      parameters:", "minor", "GET /things. deprecated"),
        ("in: query, ", "in: query, deprecated: true, ", "minor", "deprecated"),
        ("      parameters:", "      deprecated: false\n      parameters:", "patch", "GET /things. deprecated"),
    ],
)
def test_a_change_of_the_contract_is_judged(old: str, new: str, impact: str, line: str, tmp_path: Path) -> None:
    text = FROZEN.read_text(encoding="utf-8")
    assert old in text
    now = tmp_path / "now.yaml"
    now.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = judged(FROZEN, now)
    assert max((each for _, each in found), key=IMPACTS.index, default="") == impact
    assert not found or any(line in said and each == impact for said, each in found)
    assert all(said.startswith("BREAKING") is (each == "major") for said, each in found)


@pytest.mark.parametrize(("place", "who"), [("      parameters:", "request"), ("      responses:", "both")])
def test_who_feels_a_change_is_said(place: str, who: str, tmp_path: Path) -> None:
    now = tmp_path / "now.yaml"
    more = {"request": "{name: page, in: query, schema: {type: integer}}", "both": ""}[who]
    added = f"{place}\n        - {more}" if more else f"      deprecated: true\n{place}"
    now.write_text(FROZEN.read_text(encoding="utf-8").replace(place, added, 1), encoding="utf-8")
    ((said, _),) = judged(FROZEN, now)
    assert said.split()[1] == who


MODULE = """\
\"\"\"A module.\"\"\"

from a import b


class Thing:
    \"\"\"A thing.\"\"\"

    size: int

    def method(self) -> None:
        pass


TABLE = {
    "a": 1,
}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "nous_billing").mkdir()
    (tmp_path / "openapi").mkdir()
    (tmp_path / "nous_billing/things.py").write_text(MODULE)
    (tmp_path / "nous_billing/other.py").write_text("class Twice: ...\n\n\nTwice = 1\n\n\nclass Twice: ...\n")
    (tmp_path / CONTRACT).write_text(FROZEN.read_text(encoding="utf-8"))
    return tmp_path


THINGS = "nous_billing/things.py"


@pytest.mark.parametrize(
    ("edit", "path", "before", "added"),
    [
        (Edit(THINGS, "class Thing", "size: int", "size: str"), THINGS, "    ", "size: str\n"),
        (Append(THINGS, "X = 1\n"), THINGS, '    "a": 1,\n}\n', "\n\nX = 1\n"),
        (Import(THINGS, "import c"), THINGS, "from a import b\n", "import c\n"),
        (Method("Thing", "def more(self) -> None:\n    pass\n"), THINGS, "        pass\n", "\n    def more("),
        (Field("Thing", "name: str"), THINGS, "    size: int\n", "    name: str\n"),
        (Row("TABLE", '"b": 2,'), THINGS, '    "a": 1,\n', '    "b": 2,\n}\n'),
        (InContract(("paths", "/things"), "put: {}\n"), CONTRACT, "  /things:\n", "    put: {}\n    get:\n"),
        (InContract(("components", "schemas", "Thing", "required"), "x"), CONTRACT, "required: [", "x, name"),
        (
            InContract(("components", "schemas", "Thing", "properties", "kind", "anyOf"), "- {type: integer}"),
            CONTRACT,
            "          anyOf:\n",
            "            - {type: integer}\n            - {type: string, enum: [red",
        ),
    ],
)
def test_an_edit_finds_its_place(edit: Change, path: str, before: str, added: str, tree: Path) -> None:
    assert before + added not in (tree / path).read_text()
    edit.apply(tree)
    assert before + added in (tree / path).read_text()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Edit(THINGS, "class Thing", "color", ""), "nous_billing/things.py has no 'color' after 'class Thing'."),
        (Edit(THINGS, "class None", "size", ""), "nous_billing/things.py has no 'class None'."),
        (Append("nous_billing/none.py", ""), "There is no file none.py."),
        (Import("nous_billing/other.py", "import c"), "nous_billing/other.py has no import."),
        (Method("None", ""), "None must be defined in one module of nous_billing/. It is defined in no module."),
        (Field("Twice", ""), "It is defined in nous_billing/other.py, nous_billing/other.py."),
        (Row("Thing", ""), "It is defined in no module."),
        (InContract(("paths", "/none"), ""), f"{CONTRACT} has no mapping or list paths / /none."),
        (InContract(("paths", "/things", "get", "parameters", "7"), ""), "/ parameters / 7."),
    ],
)
def test_an_edit_that_has_no_place_says_the_file_and_what_it_lacks(edit: Change, said: str, tree: Path) -> None:
    before = {path: path.read_text() for path in tree.rglob("*.*")}
    with pytest.raises(Misfit) as caught:
        edit.apply(tree)
    assert said in str(caught.value)
    assert {path: path.read_text() for path in tree.rglob("*.*")} == before


def test_a_rehearsal_that_does_not_fit_the_project_any_more_says_which(tmp_path: Path) -> None:
    rehearsal = Rehearsal("a moved field", "minor", 1, (Edit(CONTRACT, "info:", "no such text", ""),), (), (), "")
    with pytest.raises(Misfit) as caught:
        rehearse(rehearsal, Copy(tmp_path))
    assert str(caught.value) == (
        "The rehearsal of a moved field does not fit the project any more. "
        f"{CONTRACT} has no 'no such text' after 'info:'."
    )


def test_the_page_says_how_many_lines_each_change_may_take() -> None:
    rows = re.findall(r"^\| (an? [^|]+) \| (\d+) \|", (ROOT / PORTAL_PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(lines) for name, lines in rows} == {each.name: each.lines for each in [ENDPOINT, *FOLLOWING]}


class Scripted(Copy):
    """A copy in which no command is run."""

    def __init__(self, folder: Path, said: str, content: bool) -> None:
        self.said = Said(content, said)
        super().__init__(folder)

    def run(self, *command: str, **more: str) -> Said:
        return self.said


def test_a_rehearsal_complains_of_all_that_is_not_as_it_should_be(tmp_path: Path) -> None:
    rehearsal = Rehearsal(
        "growth", "minor", 1, (), (Append("nous_billing/money.py", "A = 1\nB = 2\n"),), ("Add C.",), ""
    )
    outcome = rehearse(rehearsal, Scripted(tmp_path, "They demand a major version.", content=False))
    assert outcome.lines == 2
    assert outcome.complaints[:3] == [
        "growth: `make contract` calls it major, not minor.",
        "growth: `make contract` does not ask for it: Add C.",
        "growth: It takes 2 lines by hand, more than 1.",
    ]
    # What the commands say that were not content.
    assert {*outcome.complaints[3:]} == {"growth: They demand a major version."}


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [(["a", "b"], ["a", "", "c", "b"], 1), (["a", "b"], ["a"], 1), (["a"], ["b"], 1), (["a"], ["a"], 0)],
)
def test_lines_are_counted_as_a_person_counts(before: list[str], now: list[str], count: int) -> None:
    assert written(before, now) == count


def test_the_commands_of_a_page_and_what_the_tools_demand_are_read(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.folder / "page.md").write_text("1. Do:\n\n    ```sh\n    make a\n    make b\n    ```\n\n```sh\nmake c\n```\n")
    assert commands(copy, "page.md") == ["make a", "make b", "make c"]
    said = "2 changes since 1.0.0. They demand a minor version: 1.1.0 or higher."
    assert (verdict(said), demanded(said)) == ("minor", "1.1.0")
    assert (verdict("None."), demanded("None.")) == ("none", "")
