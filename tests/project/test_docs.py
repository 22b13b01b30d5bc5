"""The documentation: every block of code in it runs, and the site has no loose ends."""

import contextlib
import io
import json
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

import nous_billing
from nous_billing.mock import MockPortal
from nous_billing.mock.devices import Devices
from scripts import exports, figures, site, site_pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
BIN = Path(sys.executable).parent
KINDS = ("python", "json", "sh", "toml", "text")
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
# What a line prints stands behind or below it.
PRINTED = re.compile(r"^ *print\(.*\)(?:  # |\n *# )(.+)$", re.MULTILINE)
INSTALL = "pip install --index-url https://packages.example/simple/ "
# Commands that are no targets of make.
COMMANDS = {f"{INSTALL}nous-billing", f'{INSTALL}"nous-billing[mock]"', "python -m nous_billing.mock"}
# tests/mock/test_guide.py and tests/service/test_guide.py run the commands of these pages.
RUN_ELSEWHERE = (DOCS / "guide/mock-portal.md", DOCS / "guide/services.md")
# Those that tests/project/test_publish.py takes out of the README and runs.
COMMANDS |= {"python3 -m venv .venv", ". .venv/bin/activate", "python buy.py"}
# `make rehearse-release` installs with each of these tools.
TIED = {
    "uv add nous-billing",
    "poetry source add --priority=explicit organisation https://packages.example/simple/",
    "poetry add --source organisation nous-billing",
    "uv pip install --index https://packages.example/simple/ nous-billing",
    'pipx install --index-url https://packages.example/simple/ "nous-billing[cli]"',
}
COMMANDS |= TIED


def blocks(kind: str) -> list[Any]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block[2] == kind:
                line = text.count("\n", 0, block.start()) + 1
                found.append(pytest.param(page, line, block[3], id=f"{page.relative_to(ROOT)}:{line}"))
    return found


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HERMES_PORTAL_BASE_URL", raising=False)
    # A reader may have exported what the mock printed, and have stopped it since.
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("NOUS_TOKEN", "old-token")
    for name in ("HERMES_HOME", "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    # The person of the examples approves at once.
    monkeypatch.setattr("nous_billing.mock.devices.INTERVAL", 0.01)


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mock_portal: MockPortal) -> None:
    """The reader of the README has a login of Hermes at the mock, and approves each device."""
    monkeypatch.setenv("NOUS_PORTAL_BASE_URL", mock_portal.url)
    monkeypatch.delenv("NOUS_TOKEN")
    mock_portal.settle_after = 0
    login = {
        "portal_base_url": mock_portal.url,
        "access_token": mock_portal.issue_token(),
        "expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    (tmp_path / "auth.json").write_text(json.dumps({"version": 1, "providers": {"nous": login}}))
    start = Devices.start

    def start_approved(devices: Devices, scope: str, page: str) -> dict[str, Any]:
        device = start(devices, scope, page)
        mock_portal.approve_device(device["user_code"])
        return device

    monkeypatch.setattr(Devices, "start", start_approved)


def run(page: Path, line: int, code: str, mock_portal: MockPortal) -> None:
    names: dict[str, Any] = {"__name__": "block"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        # An error names the line of the page.
        exec(compile("\n" * line + code, page, "exec"), names)
        for name, value in names.items():
            if name.startswith("test_"):
                # A test without the fixture has a portal of its own.
                value(**{each: mock_portal for each in signature(value).parameters if each == "mock_portal"})
    if shown := PRINTED.findall(code):
        assert shown == printed.getvalue().splitlines()


@pytest.mark.parametrize(("page", "line", "code"), blocks("python"))
def test_a_block_of_python_runs(
    page: Path, line: int, code: str, mock_portal: MockPortal, request: pytest.FixtureRequest
) -> None:
    # With prompts it could not be copied and run.
    assert ">>> " not in code
    if page == README:
        request.getfixturevalue("logged_in")
    run(page, line, code, mock_portal)


@pytest.mark.parametrize(("page", "line", "text"), blocks("json"))
def test_a_block_of_json_is_json(page: Path, line: int, text: str) -> None:
    assert json.loads(text)


@pytest.mark.parametrize(("page", "line", "text"), blocks("toml"))
def test_a_block_of_toml_ties_the_package_to_its_index(page: Path, line: int, text: str) -> None:
    settings = tomllib.loads(text)["tool"]["uv"]
    (index,) = settings["index"]
    assert index["explicit"] is True
    assert settings["sources"] == {"nous-billing": {"index": index["name"]}}


@pytest.mark.parametrize(("page", "line", "commands"), blocks("sh"))
def test_a_command_is_a_target_of_make_or_tested_elsewhere(page: Path, line: int, commands: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    if page in RUN_ELSEWHERE:
        return
    for command in re.sub(r" *\\\n *", " ", commands.strip()).splitlines():
        said = command.partition("  #")[0].strip()
        assert said in COMMANDS or (said.startswith("make ") and said.split()[1] in targets), said


def test_every_line_that_installs_the_package_names_its_index() -> None:
    installing = re.compile(r"(pip|pipx) install|(uv|poetry|pipenv|pdm) add|conda install")
    lines = [
        line
        for page in [*PAGES, *(ROOT / "nous_billing").rglob("*.py")]
        for line in page.read_text("utf-8").splitlines()
    ]
    found = [line for line in lines if installing.search(line) and "nous-billing" in line]
    assert len(found) > len(TIED)
    for line in found:
        # uv add follows the settings that are shown above it.
        assert re.search(r"--(index|index-url) https://|--source organisation|^uv add nous-billing$", line), line
    assert not any("--extra-index-url" in line for line in found)


@pytest.mark.parametrize(("page", "line", "text"), [block for kind in KINDS for block in blocks(kind)])
def test_a_block_fits_its_column(page: Path, line: int, text: str) -> None:
    assert [long for long in text.splitlines() if len(long) > 80] == []


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each block of Python as a reader saves it: a file of its own."""
    folder = tmp_path_factory.mktemp("programs")
    found = {}
    for number, block in enumerate(blocks("python")):
        is_test = "def test_" in block.values[2]
        found[block.id] = folder / f"{'test_' if is_test else ''}block_{number}.py"
        found[block.id].write_text(block.values[2], encoding="utf-8")
    return found


@pytest.mark.parametrize("command", [["mypy", "--strict", "."], ["pyright", "--pythonpath", sys.executable]])
def test_the_blocks_pass_strict_type_checks(command: list[str], programs: dict[str, Path]) -> None:
    names = {path.name: name for name, path in programs.items()}
    folder = next(iter(programs.values())).parent
    # Imports that are shown for themselves, and Hermes's line, which takes all names.
    settings = {"reportUnusedImport": False, "reportWildcardImportFromLibrary": False}
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict", **settings}))
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, text=True, capture_output=True)
    said = re.sub(r"(test_)?block_\d+\.py", lambda found: names[found[0]], done.stdout)
    assert done.returncode == 0, said
    assert re.search(rf"in {len(programs)} source files|^0 errors", said, re.MULTILINE), said


def test_the_tests_of_the_pages_pass_as_a_reader_runs_them(programs: dict[str, Path]) -> None:
    tests = [path for path in programs.values() if path.name.startswith("test_")]
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *tests], cwd=tests[0].parent, text=True, capture_output=True)
    assert f"{len(tests)} passed" in done.stdout, done.stdout


def test_there_is_no_block_of_another_kind() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    kinds = {block[2] for block in BLOCK.finditer(text)}
    assert kinds == set(KINDS)
    # An opening and a closing fence for each block that was found.
    assert text.count("```") == 2 * len(BLOCK.findall(text))


def test_the_figures_of_a_page_are_those_that_were_measured() -> None:
    page = figures.PAGE.read_text(encoding="utf-8")
    assert figures.filled(page, figures.RESULTS.read_text(encoding="utf-8")) == page
    assert len(figures.PLACE.findall(page)) == 5


def pages_of(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [page for part in parts for page in pages_of(part)]


def test_every_page_is_in_the_navigation() -> None:
    navigation = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    assert sorted(pages_of(navigation)) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_every_public_name_is_in_the_reference() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    shown = re.findall(r"^::: nous_billing\.(\S+)$", text, re.MULTILINE)
    modules = exports.read_table(ROOT)
    of_modules = {name for module in shown for name in modules.get(module, ())}
    alone = {name.rpartition(".")[2] for name in shown}
    assert set(nous_billing.__all__) - of_modules - alone == {"__version__"}


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<a href="other/">x</a><a href="#here" id="here">x</a><a href="https://elsewhere.example">x</a>', None),
        ('<a href="other/#part">x</a><link rel="canonical" href="https://elsewhere.example">', None),
        ('<img src="data:image/png;base64,AA==">', None),
        ('<a href="missing/">x</a>', "index.html leads nowhere with missing/"),
        ('<a href="#nowhere">x</a>', "index.html leads nowhere with #nowhere"),
        ('<a href="other/#nowhere">x</a>', "index.html leads nowhere with other/#nowhere"),
        ('<img src="missing.png">', "index.html leads nowhere with missing.png"),
        ('<script src="//cdn.example/x.js"></script>', "index.html loads //cdn.example/x.js"),
        ('<link rel="stylesheet" href="https://cdn.example/x.css">', "index.html loads https://cdn.example/x.css"),
        ('<style>@import "https://cdn.example/x.css";</style>', "index.html loads https://cdn.example/x.css"),
    ],
)
def test_a_link_that_leads_nowhere_and_a_file_from_elsewhere_are_found(
    page: str, fault: str | None, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/index.html").write_text(f'{site.POLICY}<h2 id="part">x</h2>')
    (tmp_path / "index.html").write_text(f"{site.POLICY}{page}")
    assert list(site.faults(tmp_path)) == ([] if fault is None else [fault])


def test_a_page_that_does_not_tell_the_browser_to_stay_here_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<head></head>")
    assert list(site.faults(tmp_path)) == ["index.html may load anything"]


def test_a_stylesheet_that_loads_a_font_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text('@font-face { src: url("https://fonts.example/a.woff2") }')
    assert list(site.faults(tmp_path)) == ["x.css loads https://fonts.example/a.woff2"]


SIGNATURE = '<div class="doc-signature highlight"><pre>{}</pre></div>'
RETURNS = '<p><span class="doc-section-title">Returns:</span></p> <ul>{}</ul>'


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (f"<pre>{'x' * 81}</pre>", "a line is longer than its column"),
        ("<pre><code>&gt;&gt;&gt; 1 + 1</code></pre>", "code would be copied with prompts: >>> 1 + 1"),
        ('<span title="nous_billing._secrets.Secret">Secret</span>', "nous_billing._secrets.Secret is no link"),
        ('<span title="nous_billing.x.DEFAULT_CAP">DEFAULT_CAP</span>', "nous_billing.x.DEFAULT_CAP is no link"),
        ("<li><b><code>interval, cap</code></b></li>", "interval, cap share a description"),
        (RETURNS.format("<li>bool</li><li>str</li>"), "what is returned is torn apart"),
        (SIGNATURE.format("A(message: str)") + SIGNATURE.format("B(message: str)"), "a constructor is repeated"),
        (RETURNS.format("<li>bool</li>") + SIGNATURE.format("A(message: str)"), None),
    ],
)
def test_what_a_reader_would_stumble_on_is_found(page: str, fault: str | None, tmp_path: Path) -> None:
    anchors = "".join(f'<a id="nous_billing.{name}"></a>' for name in nous_billing.__all__)
    (tmp_path / "reference/x").mkdir(parents=True)
    (tmp_path / "reference/x/index.html").write_text(anchors + page)
    (tmp_path / "contract.html").write_text(site_pages.WAY_BACK)
    items = [{"location": page, "title": words, "text": ""} for words, page in site_pages.SEARCHES.items()]
    (tmp_path / "search.json").write_text(json.dumps({"items": items}))
    found = list(site_pages.faults(tmp_path))
    assert (len(found), fault is None or f"reference/x: {fault}" in found[0]) == (fault is not None, True)


def test_a_name_without_an_entry_a_page_without_a_way_back_and_a_search_in_vain_are_found(tmp_path: Path) -> None:
    (tmp_path / "contract.html").write_text("")
    (tmp_path / "search.json").write_text(
        '{"items": [{"location": "guide/networks/", "title": "", "text": "proxies"}]}'
    )
    found = list(site_pages.faults(tmp_path))
    assert "reference: no entry for BillingClient" in found
    assert "contract.html does not lead back to the documentation" in found
    assert "search: proxy does not find guide/networks/" in found
