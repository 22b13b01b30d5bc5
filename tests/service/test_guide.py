"""The commands of the guide, run as they are but for the addresses."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.processes import ROOT, free_port, until

PAGE = ROOT / "docs/guide/services.md"


def commands():
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [command for block in blocks for command in re.sub(r" *\\\n *", " ", block).splitlines()]


@pytest.mark.usefixtures("quiet")
def test_the_commands_of_the_guide_work(service, tmp_path):
    customer = service.customer()
    ports = {port: str(free_port()) for port in ("8001", "8002")}
    environment = {
        **{name: value for name, value in os.environ.items() if "PROXY" not in name.upper()},
        **service.environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NOUS_TOKEN": customer.token,
    }
    replies, serving = [], []

    def run(command):
        done = subprocess.run(["bash", "-c", command], env=environment, cwd=ROOT, capture_output=True, timeout=60)
        return done.stdout.decode()

    def reply(command):
        return until(lambda: run(command))

    try:
        for command in commands():
            for port, free in ports.items():
                command = command.replace(port, free)
            if command.startswith("export DATABASE_URL="):
                assert re.fullmatch(r'export DATABASE_URL="postgresql\+psycopg://\w+@localhost/\w+"', command)
            elif command.startswith("curl"):
                replies.append(reply(command))
                environment.setdefault("KEY", json.loads(replies[0])["key"])
            elif "add_person" in command:
                assert run(command) == "ada buys for Acme.\n"
            else:
                with (tmp_path / f"{len(serving)}.log").open("wb") as log:
                    serving.append(
                        subprocess.Popen(
                            ["bash", "-c", f"exec env {command}"],
                            env=environment,
                            cwd=ROOT,
                            stdout=log,
                            stderr=subprocess.STDOUT,
                        )
                    )
            if len(replies) == 3:
                service.time_passes()
        assert [process.poll() for process in serving] == [None] * 4
    finally:
        for process in serving:
            process.kill()
            process.wait()
    assert {json.loads(each)["outcome"] for each in replies[:3]} == {"not_known"}
    assert "event: paid" in replies[3]
    assert len(customer.charges) == 1
