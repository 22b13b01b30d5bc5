"""`python -m nous_billing.mock`, and the page of the contract."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser

import httpx
import pytest

from nous_billing.mock import command
from nous_billing.mock.openapi import load_document
from nous_billing.mock.page import render
from tests.child import Child


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_introduces_itself_serves_logs_and_ends_cleanly(ending):
    started = [
        sys.executable,
        "-u",
        "-m",
        "nous_billing.mock",
        "--card",
        "9995",
        "--role",
        "ADMIN",
        "--settle-after",
        "0",
    ]
    with Child(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        introduction = ""
        while "/api/billing/charge" not in introduction:
            introduction += process.stdout.readline()
        url = re.search(r"export NOUS_PORTAL_BASE_URL=(\S+)", introduction)[1]
        token = re.search(r"export NOUS_TOKEN=(\S+)", introduction)[1]
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            state = client.get("/api/billing/state").json()
            charge = client.post("/api/billing/charge", json={"amountUsd": 50}, headers={"Idempotency-Key": "k"})
            status = client.get(f"/api/billing/charge/{charge.json()['chargeId']}").json()
        process.send_signal(ending)
        output, errors = process.communicate(timeout=5)
    assert process.returncode == 0
    assert (state["org"]["role"], state["card"]["last4"]) == ("ADMIN", "9995")
    assert status == {"status": "failed", "reason": "card_declined"}
    assert re.search(r"^POST /api/billing/charge 202 \d+ ms$", output, re.MULTILINE)
    assert token not in output
    assert errors == ""


def test_the_shell_lines_work_as_they_are_printed(tmp_path):
    started = [sys.executable, "-u", "-m", "nous_billing.mock"]
    with Child(started, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        while not any("/api/billing/charge" in line for line in lines):
            lines.append(process.stdout.readline())
        script = "\n".join(line.strip() for line in lines if line.startswith("  "))
        shell = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=10)
        process.terminate()
    assert '"balanceUsd":"100"' in shell.stdout
    assert '"chargeId":"ch_' in shell.stdout


@pytest.fixture
def refused(monkeypatch, capsys):
    """Run the command, in this process, with options with which it does not serve; its exit code and what it wrote."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(logging, "raiseExceptions", True)

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["mock", *options])
        try:
            ending = command.main()
        except SystemExit as left:
            ending = left.code
        return ending, *capsys.readouterr()

    return run


@pytest.mark.parametrize(("port", "ending"), [(None, 1), ("70000", 2)])
def test_an_unusable_port_is_reported_in_one_line(portal, port, ending, refused):
    port = port or portal.url.rpartition(":")[2]
    ended, _, errors = refused("--host-port", port)
    assert ended == ending
    assert re.fullmatch(rf"Cannot use port {port} of 127.0.0.1: .+\n", errors)


def test_the_help_says_what_the_cards_do(refused):
    ended, text, _ = refused("--help")
    assert ended == 0
    for word in ("--port", "--host", "--seed", "--cors", "--card", "--role", "--settle-after", "card_declined", "0500"):
        assert word in text


def start(*options, **more):
    return Child(
        [sys.executable, "-m", "nous_billing.mock", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def test_a_seed_file_fixes_tokens_and_a_reset_keeps_the_one_that_was_printed(tmp_path):
    seed = tmp_path / "seed.json"
    # As editors on Windows write it: with a byte order mark.
    text = '{"organisations": [{"name": "New", "balanceUsd": 0.10}], "people": [{"name": "Eve"}]}'
    seed.write_text(text, encoding="utf-8-sig")
    with start("--seed", str(seed), "--token", "eve-token") as process:
        introduction = "".join(process.stdout.readline() for _ in range(5))
        url = introduction.split()[4]
        assert "NOUS_TOKEN=eve-token" in introduction
        headers = {"Authorization": "Bearer eve-token"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            client.post("/_mock/reset")
            assert client.get("/api/billing/state").json()["balanceUsd"] == "0.1"
            client.post("/_mock/faults", json={"kind": "stall"})
            with pytest.raises(httpx.ReadTimeout):
                client.get("/api/billing/state", timeout=0.1)
            process.terminate()
            output, errors = process.communicate(timeout=5)
    assert (process.returncode, errors) == (0, "")
    assert "POST /_mock/reset 200" in output


@pytest.mark.parametrize(
    ("options", "text", "said"),
    [
        ([], None, "No such file"),
        ([], "{", "Expecting property name"),
        ([], "null", "null is not of type"),
        pytest.param([], "[" * 100_000, "This is not JSON.", id="deep"),
        ([], '{"organisations": []}', "people"),
        (["--role", "ADMIN"], "{}", "Leave them out."),
        (["--port", "70000"], '{"organisations": [{"name": "A"}], "people": [{"name": "P"}]}', "use port 70000"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(tmp_path, options, text, said, refused):
    seed = tmp_path / "seed.json"
    if text is not None:
        seed.write_text(text)
    ending, output, errors = refused("--seed", str(seed), *options)
    assert (ending, output) == (2, "")
    assert re.fullmatch(rf"Cannot .*{re.escape(said)}.*\n", errors)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--card", "42"], "card.last4"),
        (["--settle-after", "-1"], "settleAfter"),
        *((["--settle-after", seconds], "--settle-after is a number of seconds") for seconds in ("nan", "inf")),
        (["--token", "a b"], "accessToken"),
        # What an unset variable leaves.
        *(([name, ""], f"{name} is blank") for name in ("--host", "--card", "--role", "--token")),
    ],
)
def test_an_option_that_cannot_be_is_said_in_one_line(option, said, refused):
    ending, output, errors = refused(*option)
    assert (ending, output) == (2, "")
    assert re.fullmatch(rf"Cannot start with these options: .*{said}.*\n", errors)


@pytest.mark.parametrize(
    ("options", "ending", "said"),
    [
        (["--bogus"], 2, "unrecognized arguments: --bogus"),
        (["--card", "42"], 2, "card.last4"),
        (["--cors", "http://localhost:5173/"], 2, "write it like http://localhost:5173"),
        (["--cors", "localhost:5173"], 2, "write it like http://localhost:5173"),
        (["--port", "1", "--host", "192.0.2.1"], 1, "Cannot use port 1 of 192.0.2.1"),
    ],
)
def test_a_program_is_told_in_json_what_keeps_it_from_starting(options, ending, said, refused):
    ended, output, errors = refused("--json", *options)
    told = json.loads(output)["error"]
    assert (ended, told["exit_code"], told["outcome_unknown"]) == (ending, ending, False)
    assert said in told["message"]
    assert said in errors


@pytest.mark.parametrize(
    ("typed", "streams", "ending", "out", "said"),
    [
        *((f"{json}--port 0", ">/dev/full", 1, "", "cannot be written") for json in ("", "--json ")),
        ("--help", ">/dev/full", 1, "", "cannot be written"),
        ("--help", "> >(true)", 1, "", ""),
        *(("--json --bogus", streams, 2, "", "unrecognized arguments") for streams in (">/dev/full", ">&-")),
        *(("--json --card 42", streams, 2, "", "Cannot start") for streams in (">/dev/full", ">&-")),
        *(("--bogus", streams, 2, "", "") for streams in ("2>/dev/full", "2>&-")),
        *(("--card 42", streams, 2, "", "") for streams in ("2>/dev/full", "2>&-")),
    ],
)
def test_a_stream_that_takes_nothing_ends_with_a_code_that_is_documented(typed, streams, ending, out, said):
    script = f'unset PYTHONUNBUFFERED; exec "$0" -m nous_billing.mock {typed} {streams}'
    done = subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, said in done.stderr) == (ending, out, True)
    assert not re.search("Traceback|Exception", done.stderr)


def test_a_name_that_a_terminal_cannot_show_is_escaped(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text('{"organisations": [{"name": "Zo\\u00eb"}], "people": [{"name": "P"}]}')
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with start("--host", "0.0.0.0", "--seed", str(seed), env=env) as process:
        assert "Zo\\xeb" in process.stdout.readline() + process.stdout.readline()
        process.terminate()


def test_another_host_than_loopback_is_a_warning_and_a_pipe_that_is_closed_is_not(tmp_path):
    with start("--host", "0.0.0.0") as process:
        url = process.stdout.readline().split()[4]
        process.stdout.close()
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{url}/billing", trust_env=False).status_code == 200
        process.terminate()
        assert process.wait(5) == 0
        assert process.stderr.read() == (
            "Warning: the mock listens on 0.0.0.0. Whoever reaches this machine can use and control it.\n"
        )


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_loads_ends_it_cleanly(ending):
    code = f"""
import os, runpy, sys
class Loading:
    def find_spec(self, name, *_):
        if name == "starlette":
            os.kill(os.getpid(), {ending.value})
sys.meta_path.insert(0, Loading())
runpy.run_module("nous_billing.mock", run_name="__main__")
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=10)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


class Page(HTMLParser):
    """What a page says, links to and loads."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.open, self.text, self.tags = [], [], [], "", set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        self.open += [] if tag in self.VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_the_page_shows_the_whole_contract(api, path):
    reply = api.client.get(path)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(reply.text)
    document = load_document()
    for template, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {template}" in page.text
            assert operation["operationId"] in page.ids
            assert operation["summary"] in page.text
    for name, schema in document["components"]["schemas"].items():
        assert f"schema-{name}" in page.ids
        for field in schema.get("properties", {}):
            assert field in page.text
    for shown in (
        "Idempotency-Key",
        "billing:manage",
        "decimal places at most 2",
        "Retry-After",
        "409",
        "cli_billing_disabled",
    ):
        assert shown in page.text
    assert "**" not in page.text
    assert "`" not in page.text


def test_the_page_is_self_contained_and_whole(api):
    page = Page(api.client.get("/").text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    for link in page.links:
        assert link in {"/openapi.json", "data:,"} or (link.startswith("#") and link[1:] in page.ids)
    assert 'name="viewport"' in api.client.get("/").text


def test_what_the_contract_says_is_escaped():
    document = load_document()
    document["info"]["title"] = "<b>&"
    document["components"]["schemas"]["Money"]["description"] = "<script>alert(1)</script> `<i>`"
    text = render(document)
    assert "<script>" not in text
    assert "&lt;b&gt;&amp;" in text
    assert "<code>&lt;i&gt;</code>" in text


def test_the_contract_is_served(api):
    assert api.client.get("/openapi.json").json() == load_document()
