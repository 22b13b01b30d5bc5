"""Publishing to a package index and installing from it, for real, on loopback."""

import os
import re
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from nous_billing.mock import MockPortal
from scripts.rehearsals.run import Copy, Said

from .package_index import PASSWORD, USER, PackageIndex, find_python, package_index

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools/bin/uv"
GOOD = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD}
# Far from the checkout, and with nothing of its environment.
BUY = """
import sys
from pathlib import Path
import nous_billing as nb
assert Path(nb.__file__).is_relative_to(sys.prefix), nb.__file__
with nb.BillingClient(nb.StaticToken(sys.argv[2]), base_url=sys.argv[1]) as client:
    accepted = client.post_charge(amount_usd="50.25", idempotency_key=nb.new_idempotency_key())
    settled = client.wait_for_charge(accepted.charge_id, interval=0.05)
    print(settled.status, settled.amount_usd, *sys.version_info[:2])
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackageIndex]:
    with package_index(tmp_path_factory.mktemp("index")) as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project whose version is ready to be released."""
    return Copy(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module", autouse=True)
def nobodys_credentials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the credentials of the person who runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("UV_PUBLISH_", "UV_KEYRING_", "NETRC"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


def publish(project: Copy, index: PackageIndex, *checked: str, **environment: str) -> Said:
    """What `make publish` says, without the checks that are taken as passed."""
    passed = [argument for target in checked for argument in ("-o", target)]
    return project.make(*passed, "publish", f"INDEX_URL={index.url}", **environment)


def test_nothing_is_published_before_the_release_is_prepared_and_every_check_has_passed() -> None:
    (checks,) = re.findall(r"^publish: (.*?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert checks.split() == ["check-release", "check", "test", "build"]


def test_without_an_address_nothing_is_begun(project: Copy) -> None:
    refused = project.make("publish")
    assert not refused.content
    assert refused.text.endswith("Say where to: make publish INDEX_URL=https://....  Stop.\n")


def test_a_failed_check_keeps_the_version_from_the_index(index: PackageIndex, tmp_path: Path, project: Copy) -> None:
    copy = Copy(tmp_path)
    (copy.folder / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- All of it.\n")
    needed = f"The newest section of CHANGELOG.md must be ## [{copy.version}]"
    assert needed in publish(copy, index, "check", "test", **GOOD).text
    (copy.folder / "CHANGELOG.md").write_text((project.folder / "CHANGELOG.md").read_text())
    (copy.folder / "scripts/publish.py").write_text("import nothing_of_the_kind\n")
    checks = re.findall(r"^check: (.*?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
    failed = publish(copy, index, "test", *(check for check in checks if check != "lint"), **GOOD)
    assert not failed.content
    assert "nothing_of_the_kind` imported but unused" in failed.text
    assert index.files() == {}


@pytest.fixture(scope="module")
def published(project: Copy, index: PackageIndex) -> PackageIndex:
    """The index with the version, after all that goes wrong before."""
    wrong = publish(project, index, "check", "test", UV_PUBLISH_USERNAME=USER, UV_PUBLISH_PASSWORD="wrong")
    none = publish(project, index, "check", "test", "build")
    for refused, reason in ((wrong, "403 Forbidden"), (none, "credentials")):
        assert not refused.content
        assert reason in refused.text, refused.text
        assert "Not all was published." in refused.text
        assert "Traceback" not in refused.text
    assert index.files() == {}
    done = publish(project, index, "check", "test", "build", **GOOD)
    assert done.content, done.text
    assert PASSWORD not in done.text
    return index


def test_a_good_login_publishes_both_archives_as_they_were_built(published: PackageIndex, project: Copy) -> None:
    built = {path.name: path.read_bytes() for path in (project.folder / "dist").iterdir()}
    stem = f"nous_billing-{project.version}"
    assert sorted(built) == [f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"]
    assert {name: content for name, (_, content) in published.files().items()} == built


def test_a_version_that_is_there_is_left_alone(published: PackageIndex, project: Copy) -> None:
    before = published.files()
    again = publish(project, published, "check", "test", "build", **GOOD)
    assert again.content, again.text
    assert again.text.count("already exists") == 2
    assert published.files() == before


def test_a_version_that_is_there_with_other_bytes_is_left_alone_and_said(
    published: PackageIndex, project: Copy, tmp_path: Path
) -> None:
    before = published.files()
    other = Copy(tmp_path)
    (other.folder / "dist").mkdir()
    (other.folder / f"dist/nous_billing-{other.version}.tar.gz").write_bytes(b"other")
    refused = other.python("-m", "scripts.publish", published.url)
    assert not refused.content
    assert published.files() == before


@pytest.mark.parametrize("source", ["environment", "netrc", "keyring"])
@pytest.mark.usefixtures("published")
def test_credentials_come_from(source: str, project: Copy, tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    if source == "environment":
        environment |= GOOD
    elif source == "netrc":
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        (tmp_path / ".netrc").chmod(0o600)
    else:
        environment |= {"UV_KEYRING_PROVIDER": "subprocess", "UV_PUBLISH_USERNAME": USER}
        (tmp_path / "keyring").write_text(f"#!/bin/sh\n[ \"$1 $3\" = 'get {USER}' ] && echo {PASSWORD}\n")
        (tmp_path / "keyring").chmod(0o755)
    with package_index(tmp_path) as empty:
        done = project.python("-m", "scripts.publish", empty.url, **environment)
        assert done.content, done.text
        assert len(empty.files()) == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "INDEX_URL"),
        ("http://index.example", "must be https"),
        ("https://me:secret@index.example", "must not carry a user name or password"),
    ],
)
def test_a_password_goes_to_no_address_in_the_clear(url: str, said: str, project: Copy) -> None:
    refused = project.python("-m", "scripts.publish", url)
    assert not refused.content
    assert said in refused.text
    assert "secret" not in refused.text


@pytest.mark.parametrize("minor", range(11, 16))
def test_what_was_published_installs_and_buys_on_python_3(
    minor: int, published: PackageIndex, tmp_path: Path, mock_portal: MockPortal
) -> None:
    python = find_python(minor)
    if python is None:
        pytest.skip(f"There is no Python 3.{minor} here.")
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "COVERAGE"))
    }

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

    simple = f"{published.url}/simple/"
    for name in ("pip", "uv"):
        run(UV, "venv", "--quiet", "--seed", "--python", python, tmp_path / name)
    with_pip, with_uv = tmp_path / "pip/bin/python", tmp_path / "uv/bin/python"

    # With the dependencies there pip asks this index only: of two, it would take the higher version of a stranger's.
    run(UV, "pip", "install", "--quiet", "--python", with_pip, "-r", ROOT / "pyproject.toml")
    run(with_pip, "-m", "pip", "install", "--quiet", "--no-compile", "--index-url", simple, "nous-billing")
    mock_portal.settle_after = 0
    bought = run(with_pip, "-I", "-c", BUY, mock_portal.url, mock_portal.issue_token())
    assert bought == f"settled 50.25 3 {minor}\n"
    assert [charge.amount for charge in mock_portal.organisation.charges] == [Decimal("50.25")]

    run(UV, "pip", "install", "--quiet", "--python", with_uv, "--index", simple, "nous-billing[mock]")
    assert run(with_uv, "-I", ROOT / "scripts/try_wheel.py") == "The wheel with its mock bought $50.\n"
