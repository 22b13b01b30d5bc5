"""Publishing to a package index and installing from it, for real, on loopback."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from nous_billing.mock import MockPortal
from scripts.index_login import VARIABLES, find_login
from scripts.indexes import PASSWORD, USER, Index
from scripts.indexes.__main__ import DEVPI, QUICK, read_table
from scripts.indexes.archives import ARCHIVES
from scripts.indexes.cases import CASES, Shop
from scripts.indexes.pypiserver import OPEN, READING, pypiserver
from scripts.other_pythons import find_python
from scripts.rehearsals.run import Copy, Said

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools/bin/uv"
GIT = ["git", "-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
GOOD = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
BUY = """
import sys
import time
from pathlib import Path
import nous_billing as nb
assert Path(nb.__file__).is_relative_to(sys.prefix), nb.__file__
with nb.BillingClient(nb.StaticToken(sys.argv[2]), base_url=sys.argv[1]) as client:
    accepted = client.post_charge(amount_usd="50.25", idempotency_key=nb.new_idempotency_key())
    settled = client.wait_for_charge(accepted.charge_id, interval=0.05)
    print(settled.status, settled.amount_usd, *sys.version_info[:2])
"""


@pytest.fixture(scope="module", autouse=True)
def nobodys_credentials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the credentials of the person who runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("UV_PUBLISH_", "UV_KEYRING_", "NETRC"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project with a commit that has the tag of a prepared version."""
    copy = Copy(tmp_path_factory.mktemp("project"))
    for command in ("init -q", "add -A", "commit -qm Release", f"tag v{copy.version}"):
        assert copy.run(*GIT, *command.split()).content
    return copy


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with pypiserver(tmp_path_factory.mktemp("index"), READING, overwrite=True) as running:
        yield running


@pytest.fixture(scope="module")
def published(project: Copy, index: Index) -> Index:
    """The index with the version: what `make publish` does, the checks and the tests taken as passed."""
    proved = project.make("-o", "check", "-o", "test", "proved")
    assert proved.content, proved.text
    done = publish(project, index)
    assert done.content, done.text
    assert PASSWORD not in done.text
    return index


def publish(project: Copy, index: Index, **environment: str) -> Said:
    upload = ["-m", "scripts.publish", "--proved", "build/proved.sha256", index.url]
    return project.python(*upload, **(environment or GOOD))


def test_nothing_is_published_before_the_commit_is_tagged_and_every_check_has_passed() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.findall(r"^proved: (.*?) ##", makefile, re.MULTILINE) == ["check-tag check-release check test"]
    steps = re.findall(r"^publish:.*?\n\n", makefile, re.MULTILINE | re.DOTALL)[0]
    assert steps.index("proved") < steps.index("upload")


def test_no_check_test_or_tool_sees_the_login(project: Copy) -> None:
    # In the place of the inner make, `env` says what the checks see.
    login = dict.fromkeys([*VARIABLES, "INDEX_URL", "CHECK_URL", "MAKEFLAGS", "MAKEOVERRIDES"], "canary")
    recipe = re.findall(
        r"^publish:.*?\n\t@(env .*?)\$\(MAKE\)", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL
    )
    shown = project.run("sh", "-c", f"{recipe[0]} env".replace("\\\n", ""), HERE="here", **login).text
    assert "HERE=here" in shown
    assert "canary" not in shown


@pytest.mark.parametrize("name", VARIABLES)
def test_a_login_on_the_command_line_is_refused_before_anything_runs(name: str, project: Copy) -> None:
    refused = project.make("publish", "INDEX_URL=https://index.example/", f"{name}=canary")
    assert not refused.content
    assert f"Set {name} in the environment, not on the command line" in refused.text
    assert "canary" not in refused.text


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NETRC": "netrc"}, "netrc, line 2, cannot be understood."),
        ({"UV_KEYRING_PROVIDER": "subprocess", "UV_PUBLISH_USERNAME": USER, "PATH": ""}, "The program keyring"),
    ],
)
def test_a_login_that_cannot_be_read_is_said_without_it(
    environment: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("netrc").write_text(f"machine index.example\n{PASSWORD} login {USER}\n")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        find_login("https://index.example/")
    assert said in str(end.value)
    assert PASSWORD not in str(end.value)


def test_without_an_address_nothing_is_begun(project: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in the tests that `make publish INDEX_URL=...` runs.
    monkeypatch.setenv("INDEX_URL", "https://index.example/")
    monkeypatch.setenv("MAKEFLAGS", "-- INDEX_URL=https://index.example/")
    refused = project.make("publish")
    assert not refused.content
    assert refused.text.endswith("Say where to: make publish INDEX_URL=https://....  Stop.\n")


ODD_ADDRESS = "https://index.example/$b`touch ran`/"


@pytest.mark.parametrize(
    ("target", "url", "said"),
    [
        *[
            (target, ODD_ADDRESS, f"INDEX_URL '{ODD_ADDRESS}' cannot be used as the ")
            # The former before it runs any check.
            for target in ("publish", "upload")
        ],
        ("upload", "https://index.example/", "`make proved` builds and proves what is uploaded. Nothing was uploaded."),
    ],
)
def test_an_address_goes_to_the_letter_and_nothing_is_uploaded_unproved(
    target: str, url: str, said: str, project: Copy, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    assert project.run("git", "clone", "-q", str(project.folder), str(clone)).content
    copy = [f"BIN={ROOT / '.venv/bin'}", "SETUP="]
    for given in ([*copy, f"INDEX_URL={url}"], [*copy]):
        environment = {"INDEX_URL": url, "PYTHONPATH": str(clone)}
        refused = project.run("make", "--no-print-directory", "-C", str(clone), target, *given, **environment)
        assert not refused.content
        assert said in refused.text
        assert "Traceback" not in refused.text
    assert not (clone / "ran").exists()


# What was done to a clone, and what is said. Neither settings of a person nor marks in the index hide anything.
STATES = {
    "changed": ("echo left >> README.md", "README.md"),
    "staged": (
        "echo left >> README.md; git add README.md; git checkout -q HEAD -- README.md; git rm -q LICENSE",
        "LICENSE",
    ),
    "untracked": ("git config status.showUntrackedFiles no; touch nous_billing/leftover.py", "leftover.py"),
    "excluded": ("echo 'left*' >> .git/info/exclude; touch nous_billing/leftover.py", "leftover.py"),
    "marked unchanged": ("git update-index --assume-unchanged README.md; echo left >> README.md", "README.md"),
    "left out of the tree": ("git update-index --skip-worktree README.md; echo left >> README.md", "README.md"),
    "untagged": ("git commit -q --allow-empty -m More", "git tag v"),
    "a branch for the tag": ("git tag -d {tag}; git branch {tag}", "git tag v"),
    "tag elsewhere": ("git commit -q --allow-empty -m More; git tag -f {tag}; git reset -q --hard HEAD^", "git tag v"),
}


@pytest.mark.parametrize("state", STATES)
def test_what_is_not_the_tagged_commit_is_refused(state: str, project: Copy, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    assert project.run("git", "clone", "-q", str(project.folder), str(clone)).content
    done, said = STATES[state]
    person = {f"GIT_{role}_{what}": "tests@localhost" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **person, "PYTHONPATH": str(clone)}
    script = done.replace("{tag}", f"v{project.version}")
    subprocess.run(["sh", "-ec", script], cwd=clone, env=environment, check=True, capture_output=True)
    command = [sys.executable, "-m", "scripts.release", "--tagged"]
    told = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    assert told.returncode == 1
    assert said in told.stderr


def test_what_was_built_from_the_tag_is_on_the_index_by_its_proved_hash(published: Index, project: Copy) -> None:
    built = {path.name: path.read_bytes() for path in (project.folder / "dist").iterdir()}
    stem = f"nous_billing-{project.version}"
    assert sorted(built) == [f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"]
    assert published.files() == built


def test_what_is_not_what_was_proved_is_not_uploaded(published: Index, project: Copy) -> None:
    before = published.files()
    (archive,) = (project.folder / "dist").glob("*.tar.gz")
    content = archive.read_bytes()
    try:
        archive.write_bytes(b"other")
        refused = publish(project, published)
        unproved = project.python("-m", "scripts.proved", "build/other.sha256")
    finally:
        archive.write_bytes(content)
    assert not refused.content
    assert not unproved.content
    assert "dist/ is not what was built from the tag." in unproved.text
    assert "dist/ is not what was proved. Nothing was uploaded." in refused.text
    assert published.files() == before


@pytest.mark.parametrize("source", ["environment", "netrc", "keyring", "none"])
@pytest.mark.usefixtures("published")
def test_credentials_come_from(source: str, project: Copy, tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    if source == "environment":
        environment |= GOOD
    elif source == "netrc":
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        (tmp_path / ".netrc").chmod(0o600)
    elif source == "keyring":
        environment |= {"UV_KEYRING_PROVIDER": "subprocess", "UV_PUBLISH_USERNAME": USER}
        (tmp_path / "keyring").write_text(f"#!/bin/sh\n[ \"$1 $3\" = 'get {USER}' ] && echo {PASSWORD}\n")
        (tmp_path / "keyring").chmod(0o755)
    with pypiserver(tmp_path / "index", READING) as empty:
        done = publish(project, empty, **environment)
        assert done.content is (source != "none"), done.text
        assert len(empty.files()) == (2 if done.content else 0)
        assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "INDEX_URL"),
        ("http://index.example", "must be https"),
        ("https://me:secret@index.example", "must not carry a user name or password"),
    ],
)
def test_a_password_goes_to_no_address_in_the_clear(url: str, said: str, project: Copy) -> None:
    for urls in ([url], ["https://index.example/", url]) if url else ([url],):
        refused = project.python("-m", "scripts.publish", *urls)
        assert not refused.content
        assert said.replace("INDEX_URL", "_URL") in refused.text
        assert "secret" not in refused.text


@pytest.mark.parametrize("name", ["pypiserver, overwriting allowed", "GitLab (stub)"])
def test_publishing_never_replaces_and_never_claims_what_is_not_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "shop").mkdir()
    with QUICK[name](tmp_path / "index") as index:
        shop = Shop(tmp_path / "shop", ARCHIVES)
        for case in CASES:
            told = case.play(index, shop)
            assert told.result == case.result, (case.name, told.text)
            assert PASSWORD not in told.text
        # The public index, to which a reader may be sent on, is not asked with the login.
        assert set(index.log) <= {""}


def test_the_table_of_indexes_has_every_case_and_what_must_come_of_it() -> None:
    head, _, *rows = read_table()
    assert head.split(" | ")[1:] == [*(case.name for case in CASES[:-1]), f"{CASES[-1].name} |"]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [*QUICK, DEVPI]
    for row in rows:
        for case, result in zip(CASES, row.rstrip("| ").split(" | ")[1:], strict=True):
            assert result in {case.result, "takes any login"}


@pytest.mark.parametrize("minor", range(11, 16))
def test_what_was_published_installs_and_buys_on_python_3(
    minor: int, published: Index, tmp_path: Path, mock_portal: MockPortal
) -> None:
    python = find_python(f"3.{minor}")
    if python is None:
        pytest.skip(f"There is no Python 3.{minor} here.")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            text=True,
            timeout=300,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    # With the login for reading, and this index only: of two, pip would take the higher version of a stranger's.
    simple = f"{published.url.replace('://', f'://{USER}:{PASSWORD}@')}/simple/"
    locked: list[str | Path] = ["--constraints", ROOT / "requirements-dev.txt"]
    for name in ("pip", "uv"):
        run(UV, "venv", "--quiet", "--python", python, tmp_path / name)
        run(UV, "pip", "install", "--quiet", "--python", tmp_path / name, *locked, "pip", "-r", ROOT / "pyproject.toml")
    with_pip, with_uv = tmp_path / "pip/bin/python", tmp_path / "uv/bin/python"

    run(with_pip, "-m", "pip", "install", "--quiet", "--no-compile", "--index-url", simple, "nous-billing")
    mock_portal.settle_after = 0
    bought = run(with_pip, "-I", "-c", BUY, mock_portal.url, mock_portal.issue_token())
    assert bought == f"settled 50.25 3 {minor}\n"
    assert [charge.amount for charge in mock_portal.organisation.charges] == [Decimal("50.25")]

    # From this index the package, and from nowhere else; its dependencies by their hashes.
    run(UV, "pip", "install", "--quiet", "--python", with_uv, *locked, "-r", ROOT / "pyproject.toml", "--extra", "mock")
    run(
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        with_uv,
        "--no-deps",
        "--default-index",
        simple,
        "nous-billing[mock]",
    )
    assert run(with_uv, "-I", ROOT / "scripts/try_wheel.py") == "The wheel with its mock bought $50.\n"


@pytest.fixture
def organisation(published: Index, tmp_path: Path) -> Iterator[str]:
    """The simple page of an index as the README describes it: it has the package and its dependencies, for anybody."""
    locked = tmp_path / "locked.txt"
    compile_: list[str | Path] = [
        UV,
        "pip",
        "compile",
        ROOT / "pyproject.toml",
        "--extra",
        "mock",
        "--generate-hashes",
        "--quiet",
    ]
    subprocess.run([*compile_, "--constraints", ROOT / "requirements-dev.txt", "-o", locked], check=True)
    download: list[str | Path] = [
        "download",
        "--quiet",
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-r",
        locked,
    ]
    with pypiserver(tmp_path / "organisation", OPEN) as running:
        packages = tmp_path / "organisation/packages"
        subprocess.run([sys.executable, "-m", "pip", *download, "-d", packages], check=True)
        for name, content in published.files().items():
            (packages / name).write_bytes(content)
        yield f"{running.url}/simple/"


def test_the_readme_alone_leads_from_an_install_to_a_bought_credit_in_a_minute(
    organisation: str, tmp_path: Path
) -> None:
    user_part, _, _ = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A purchase happens once")
    blocks = re.findall(r"```sh\n(.*?)```", user_part, re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert len(commands) <= 5
    folder = tmp_path / "empty"
    folder.mkdir()
    (program,) = re.findall(r"```python\n(.*?)```", user_part, re.DOTALL)
    (folder / re.findall(r"Save this as `(\S+)`", user_part)[0]).write_text(program)
    # Nothing of this machine's pip: no other index, no folder of wheels. One shell, as a person has.
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    script = "\n".join(["set -e", *commands]).replace("https://packages.example/simple/", organisation)
    started = time.monotonic()
    done = subprocess.run(["sh", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("settled 50\n")
    assert time.monotonic() - started < 60
