"""The page about the mock portal: its commands work in their order, and its seed is one."""

import re
import subprocess
from pathlib import Path

import httpx

from nous_billing.mock import MockPortal

PAGE = Path(__file__).parents[2] / "docs/guide/mock-portal.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_each_curl_line_works_in_its_order(tmp_path):
    commands = re.findall(r"^curl (?:.*\\\n)*.*$", TEXT, re.MULTILINE)
    seed = {"organisations": [{"name": "Acme"}], "people": [{"name": "Ada"}], "tokens": [{"accessToken": "dev-token"}]}
    portal = MockPortal(seed=seed)
    with portal.serve() as url:
        for command in commands:
            local = command.replace("http://127.0.0.1:8123", url)
            done = subprocess.run(["bash", "-c", local], capture_output=True, text=True, timeout=10)
            assert (done.returncode, done.stderr) == (0, ""), command
    assert [charge.status for charge in portal.organisation.charges] == ["failed"]
    assert portal.people[-1].role == "MEMBER"
    assert portal.violations == []


def test_the_seed_of_the_page_can_be_planted_and_the_table_names_each_request():
    (seed,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    portal = MockPortal()
    with portal.serve() as url, httpx.Client(base_url=url, trust_env=False) as client:
        planted = client.post("/_mock/seed", content=seed, headers={"Content-Type": "application/json"})
        assert planted.status_code == 200
        document = client.get("/_mock/openapi.json").json()
    assert portal.owner.id == "ada"
    said = {re.sub(r"\{\w+\}", "{}", request) for request in re.findall(r"`([A-Z]+ /_mock/\S+)`", TEXT)}
    there = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert said == {re.sub(r"\{\w+\}", "{}", request) for request in there}
