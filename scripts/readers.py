"""Have the tools of others read the contract: none may complain of it, nor of the mock that is built from it.

Prism (ajv) takes what the SDK sends, openapi-typescript and @hey-api/openapi-ts generate TypeScript that compiles, and
schemathesis, from an environment of its own, tries the mock.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nous_billing import BillingClient, BillingError, StaticToken
from nous_billing.mock import MockPortal
from scripts.indexes.pypiserver import free_port
from scripts.surface import ROOT

CONTRACT = ROOT / "openapi/nous-portal-billing.yaml"
BIN = ROOT / "readers/node_modules/.bin"
# The node of the environment, whether or not the machine has one.
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
# Each of them is refused by a multipleOf that is checked with binary floats.
AMOUNTS = ["19.99", "4.35", "2.3", "10.04", "20.29", "1000000"]
STRICT = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]


def run(folder: Path, *command: str | Path) -> str:
    # Far from the settings of the project, as a stranger would.
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, text=True, timeout=180, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} complains:\n{done.stdout}")
    return done.stdout


def generate_typescript(folder: Path) -> None:
    """Generate with two tools and compile what they made."""
    run(folder, BIN / "openapi-typescript", CONTRACT, "-o", folder / "types.d.ts")
    run(folder, BIN / "openapi-ts", "--input", CONTRACT, "--output", folder / "client")
    run(
        folder, BIN / "tsc", *STRICT, "--skipLibCheck", folder / "types.d.ts", *sorted((folder / "client").glob("*.ts"))
    )
    print("openapi-typescript, @hey-api/openapi-ts: what they generate compiles.")


def send_to_prism(folder: Path) -> None:
    """Charge each amount at Prism, which validates requests by the contract."""
    port, log = free_port(), folder / "prism.log"
    with log.open("w") as output:
        command: list[str | Path] = [
            BIN / "prism",
            "mock",
            "--errors",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            CONTRACT,
        ]
        prism = subprocess.Popen(command, env=ENVIRONMENT, stdout=output, stderr=output, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while "is listening" not in log.read_text(encoding="utf-8"):
            if time.monotonic() > end or prism.poll() is not None:
                sys.exit(f"Prism does not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.1)
        with BillingClient(StaticToken("a.token.of-nobody"), base_url=f"http://127.0.0.1:{port}") as client:
            client.get_billing_state()
            client.patch_auto_top_up(enabled=True, threshold="19.99", top_up_amount="20.29")
            for amount in AMOUNTS:
                client.post_charge(amount_usd=amount, idempotency_key=f"charge-{amount}")
    except BillingError as error:
        sys.exit(f"Prism refuses what the SDK sends: {error}\n{log.read_text(encoding='utf-8')}")
    finally:
        # The node of the environment is a program that starts another.
        os.killpg(prism.pid, signal.SIGTERM)
        prism.wait(timeout=10)
    print(f"Prism: takes what the SDK sends, and charges of {', '.join(AMOUNTS)}.")


def try_the_mock(folder: Path, schemathesis: Path) -> None:
    """Run schemathesis over the mock."""
    portal = MockPortal(settle_after=0)
    with portal.serve() as url:
        token = f"Authorization: Bearer {portal.issue_token(portal.owner, lifetime=3600)}"
        options: list[str | Path] = ["--config-file", ROOT / "openapi/schemathesis.toml"]
        checks = ["-H", token, "--max-examples", "25", "--seed", "1", "--no-color"]
        said = run(folder, schemathesis, *options, "run", f"{url}/openapi.json", *checks)
    (summary,) = re.findall(r"\d+ generated, \d+ passed", said)
    print(f"schemathesis: {summary}, against the mock.")


def main() -> None:
    schemathesis = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as name:
        generate_typescript(Path(name))
        send_to_prism(Path(name))
        try_the_mock(Path(name), schemathesis)


if __name__ == "__main__":
    main()
