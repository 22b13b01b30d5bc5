"""A TypeScript client that is generated from the contract buys from the mock."""

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "node_modules"
NODE = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
DOCUMENTS = {"portal": "nous-portal-billing.yaml", "control": "mock-control.yaml"}
STRICT = ["--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck"]


def node(folder, script, *arguments):
    done = subprocess.run([NODE, MODULES / script, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    NODE is None or not (MODULES / "openapi-typescript").is_dir(), reason="Needs node_modules: make test sets them up."
)
def test_a_generated_typescript_client_buys_and_steers_the_clock(mock_portal, tmp_path):
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name, document in DOCUMENTS.items():
        command = "openapi-typescript/bin/cli.js"
        node(tmp_path, command, ROOT / "openapi" / document, "--output", f"{name}.d.ts", "--default-non-nullable=false")
    source = (ROOT / "tests/mock/buy.ts").read_text()
    # The one thing of node that the program uses, instead of a package of its types.
    (tmp_path / "buy.ts").write_text(f"declare const process: {{ argv: string[] }};\n{source}")
    node(tmp_path, "typescript/bin/tsc", *STRICT, "--lib", "es2022,dom,dom.iterable", "buy.ts")
    bought = subprocess.run([NODE, "buy.js", mock_portal.url], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (bought.stdout, bought.stderr) == ("ch_1 settled 192.75\n", "")
    assert [charge.amount for charge in mock_portal.organisation.charges] == [Decimal("50.25")]
