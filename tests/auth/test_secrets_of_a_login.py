"""No token of a login is in a log, a repr, an exception or the variables of a traceback, whatever goes wrong."""

import asyncio
import errno
import gc
import json
import logging
import os
import pickle
import socket
import stat
import sys
import threading
import traceback
import types
from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest
from httpcore._backends.sync import SyncStream

from nous_billing import (
    AsyncBillingClient,
    BillingAuthError,
    BillingClient,
    BillingError,
    DefaultLogin,
    HermesLogin,
    StoredLogin,
)
from nous_billing._files import replacing as files
from nous_billing._secrets import Secret
from nous_billing.auth import login_keeper, oauth
from nous_billing.auth.device_login import device_login
from nous_billing.credentials import Credentials
from nous_billing.mock import Fault
from nous_billing.protocol.operations import Operation
from nous_billing.protocol.replies import Reply
from nous_billing.transport.driver import Driver
from tests.auth.support import asked, end_worker, iso, start_worker, state_status, until
from tests.tracers import TESTS, rich_traceback, views

pytestmark = pytest.mark.usefixtures("looks_again_at_once")


class Canaries:
    """Every token that the mock has handed out. It has no repr of its own tokens: tracebacks show variables."""

    def __init__(self, house):
        self._house = house

    def __iter__(self):
        oauth_state = self._house.portal.oauth
        yield from oauth_state._refresh_tokens
        yield from oauth_state._tokens._issued
        yield from oauth_state.devices._devices

    def __repr__(self):
        return "Canaries()"

    def assert_absent(self, text, where):
        # Of a long one only the head may be shown.
        found = [kind(token) for token in self if token[:40] in text]
        if found:
            pytest.fail(f"{where} shows {', '.join(found)}", pytrace=False)


def kind(token):
    return {"rt_": "a refresh token", "dc_": "a device code"}.get(token[:3], "an access token")


class Shut:
    """A value that a frame of a test may hold without showing it."""

    def __init__(self, value):
        self.open = lambda: value

    def __repr__(self):
        return "Shut()"


@pytest.fixture
def canaries(house):
    return Canaries(house)


@pytest.fixture
def records(caplog):
    """Every record of every logger, from DEBUG on."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, name)
    return caplog


def assert_not_logged(records, canaries):
    for record in records.records:
        canaries.assert_absent(f"{record.getMessage()} {record.args!r} {vars(record)!r}", f"A record of {record.name}")


def chain(error):
    """The exception and all that it is chained to."""
    seen, waiting = [], [error]
    while waiting:
        link = waiting.pop()
        if link is not None and link not in seen:
            seen.append(link)
            waiting += [link.__cause__, link.__context__]
    return seen


def assert_not_told(error, canaries):
    """The tokens are not in what an error reporter collects, from the frames of all packages."""
    for link in chain(error):
        canaries.assert_absent(
            f"{link} {link!r} {link.args!r} {vars(link)!r} {getattr(link, '__notes__', '')!r}", f"{type(link).__name__}"
        )
        # Chains that are not shown are collected all the same.
        shown = traceback.TracebackException(type(link), link, link.__traceback__, capture_locals=True)
        for frame in shown.stack:
            for name, value in (frame.locals or {}).items():
                canaries.assert_absent(value, f"{Path(frame.filename).name}:{frame.lineno} {frame.name}: {name}")
        for frame, line in traceback.walk_tb(link.__traceback__):
            if not frame.f_code.co_filename.startswith(TESTS):
                for name, value in frame.f_locals.items():
                    text = "\n".join(views(value))
                    canaries.assert_absent(text, f"{frame.f_code.co_qualname}:{line}: {name}")
    canaries.assert_absent(rich_traceback(error), "The traceback that rich prints")
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    canaries.assert_absent("".join(whole.format()), "The traceback")
    if isinstance(error, BillingError):
        canaries.assert_absent(pickle.dumps(error).decode("latin-1"), "The pickle")
        canaries.assert_absent(repr(vars(pickle.loads(pickle.dumps(error)))), "The unpickled error")


# Ways to go wrong; each returns the error


def ask(house, kind, source=None, **arguments):
    """Have a client or the source itself fail; the error is returned."""
    try:
        if kind == "resolve":
            (source or house.source()).resolve(**arguments)
        elif kind == "client":
            with BillingClient(source or house.source()) as client:
                client.get_billing_state()
        else:

            async def run():
                async with AsyncBillingClient(source or house.source()) as client:
                    await client.get_billing_state()

            asyncio.run(run())
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not tell
        return error
    pytest.fail("It did not fail.")


def entry_as_reply(house, **more):
    """A reply with real tokens in a place where they are of no use."""
    login = house.portal.log_in()
    return {"refresh_token": login.refresh_token, "note": login.access_token, **more}


REFRESH_FAULTS = {
    "invalid_grant": lambda house: Fault.reply(400, {"error": "invalid_grant"}),
    "invalid_grant with tokens": lambda house: Fault.reply(400, entry_as_reply(house, error="invalid_grant")),
    "reuse": lambda house: Fault.reply(400, {"error": "x", "error_description": "reused"}),
    "503": lambda house: Fault.reply(503, {}),
    "429": lambda house: Fault.reply(429, entry_as_reply(house, error="rate_limited")),
    "HTML": lambda house: Fault.html(200, acts=True),
    "drop": lambda house: Fault.drop(acts=True),
    "garbage": lambda house: Fault.raw(b"garbage\r\n\r\n"),
    "no access_token": lambda house: Fault.reply(200, entry_as_reply(house)),
    "access_token a list": lambda house: Fault.reply(200, entry_as_reply(house, access_token=["x"])),
    "tokens in a list": lambda house: Fault.reply(200, [entry_as_reply(house)]),
    "tokens below": lambda house: Fault.reply(200, {"data": entry_as_reply(house)}),
    "a bare token": lambda house: Fault.reply(200, json.dumps(house.portal.issue_token())),
    "a broken body with tokens": lambda house: Fault.reply(200, json.dumps(entry_as_reply(house))[:-1]),
    "a truncated body with tokens": lambda house: Fault.raw(
        b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n" + json.dumps(entry_as_reply(house)).encode()
    ),
    "a list as the error": lambda house: Fault.reply(400, {"error": ["invalid_grant"], **entry_as_reply(house)}),
    "an access token that cannot be one": lambda house: Fault.reply(
        200, {"access_token": f"{house.portal.issue_token()} {house.portal.issue_token()}", "refresh_token": "rt"}
    ),
}


@pytest.mark.parametrize("way", ["resolve", "client", "async"])
@pytest.mark.parametrize("row", REFRESH_FAULTS)
def test_no_failure_of_a_refresh_tells_a_token(house, canaries, records, row, way):
    house.put(left=0)
    house.portal.inject(REFRESH_FAULTS[row](house), "oauth_token")
    error = ask(house, way)
    assert isinstance(error, BillingError)
    assert_not_told(error, canaries)
    assert_not_logged(records, canaries)


@pytest.mark.parametrize("way", ["resolve", "client", "async"])
def test_a_stalled_refresh_tells_no_token(house, canaries, records, way, monkeypatch):
    monkeypatch.setattr(oauth, "_REQUEST_SECONDS", 0.1)
    house.put(left=0)
    house.portal.inject(Fault.stall(acts=True), "oauth_token")
    assert_not_told(ask(house, way), canaries)
    assert_not_logged(records, canaries)


@pytest.mark.parametrize("way", ["resolve", "client", "async"])
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_tells_no_token(house, canaries, records, step, way, monkeypatch):
    house.put(left=0)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    class FullFile:
        def __init__(self, descriptor, how):
            self.descriptor = descriptor

        def __enter__(self):
            return self

        def __exit__(self, *_):
            os.close(self.descriptor)

        def seek(self, at):
            pass

        write = full

    places = {"write": (files, "open", FullFile), "fsync": (os, "fsync", full), "replace": (Path, "replace", full)}
    place, name, replacement = places[step]
    monkeypatch.setattr(place, name, replacement, raising=False)
    source = house.source()
    error = ask(house, way, source)
    assert error.error == "login_not_saved"
    assert_not_told(error, canaries)
    canaries.assert_absent(f"{source!r} {vars(source)!r} {vars(source._keeper)!r}", "The source")
    assert_not_logged(records, canaries)


@pytest.mark.parametrize("way", ["resolve", "client", "async"])
def test_a_broken_file_tells_no_token(house, canaries, records, way):
    house.put(left=0)
    house.path.write_bytes(house.path.read_bytes()[:-5])
    assert_not_told(ask(house, way), canaries)
    canaries.assert_absent("\n".join(record.getMessage() for record in records.records), "A record")
    (aside,) = house.path.parent.glob("*.broken-1")
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600


@pytest.mark.parametrize("portals", ["a list", "a login that is a list"])
def test_a_file_of_another_shape_tells_no_token(house, canaries, portals):
    house.put(left=0)
    document = house.document()
    login = document["portals"][house.url]
    document["portals"] = [login] if portals == "a list" else {house.url: [login]}
    house.path.write_text(json.dumps(document))
    del document, login
    assert_not_told(ask(house, "resolve", house.source(portal_base_url=house.url)), canaries)


@pytest.mark.parametrize("way", ["resolve", "client", "async"])
def test_a_stored_host_that_is_not_allowed_tells_no_token(house, canaries, way):
    house.put()
    house.write({"https://portal.example": house.entry()}, active_portal="https://portal.example")
    error = ask(house, way)
    assert error.error == "invalid_base_url"
    assert_not_told(error, canaries)


@pytest.mark.parametrize("way", ["resolve", "client"])
def test_a_lock_that_is_held_tells_no_token(house, canaries, way, monkeypatch):
    monkeypatch.setattr(login_keeper, "_LOCK_SECONDS", 0.05)
    house.put(left=0)
    worker = start_worker("hold", house.path)
    try:
        assert worker.stdout.readline() == "held\n"
        assert_not_told(ask(house, way), canaries)
    finally:
        end_worker(worker)


def test_a_rejected_token_that_a_caller_names_is_not_shown(house, canaries):
    login = Shut(house.put(left=500))
    house.portal.inject(Fault.reply(503, {}), "oauth_token")
    try:
        house.source().resolve(rejected=login.open().access_token)
    except BillingError as error:
        assert_not_told(error, canaries)
    else:
        pytest.fail("It did not fail.")


@pytest.mark.parametrize("way", ["resolve", "client", "async"])
@pytest.mark.parametrize("suffix", ["\u00f6", "\n2", "\x00", "\x7f"])
def test_a_refresh_token_that_no_header_can_carry_is_neither_sent_nor_shown(house, canaries, records, suffix, way):
    login = Shut(house.put(left=0))
    house.write({house.url: {"refresh_token": login.open().refresh_token + suffix}})
    error = ask(house, way)
    assert (type(error), error.error, house.refreshes()) == (BillingAuthError, "invalid_token", [])
    assert str(error) == ("The stored refresh token is blank or has characters that a token cannot have. Log in again.")
    assert_not_told(error, canaries)
    assert_not_logged(records, canaries)


@pytest.mark.parametrize("suffix", ["\n", " \t\r\n"])
def test_white_space_around_a_refresh_token_is_dropped(house, suffix):
    house.write({house.url: {"refresh_token": house.put(left=0).refresh_token + suffix}})
    assert state_status(house.portal, house.source().resolve().access_token) == 200


@pytest.mark.parametrize("way", ["client", "async"])
def test_a_second_401_tells_no_token(house, canaries, records, way):
    house.put()
    house.portal.inject(Fault.reply(401, {"error": "invalid_token"}), "get_billing_state", times=2)
    error = ask(house, way)
    assert isinstance(error, BillingAuthError)
    assert_not_told(error, canaries)
    assert_not_logged(records, canaries)


@pytest.mark.parametrize("end", ["denied", "on_code", "cancelled", "stall", "malformed", "full disk"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_no_failure_of_a_step_up_tells_a_token(house, canaries, records, end, asynchronous, monkeypatch):
    house.put(scope="inference:invoke")
    source = house.source()

    def show(code):
        if end == "denied":
            house.portal.deny_device(code.user_code)
        elif end == "on_code":
            raise LookupError("no screen")
        else:
            house.portal.approve_device(code.user_code)

    if end == "stall":
        monkeypatch.setattr(oauth, "_REQUEST_SECONDS", 0.1)
        house.portal.inject(Fault.stall(), "oauth_device_code")
    if end == "malformed":
        house.portal.inject(Fault.reply(200, entry_as_reply(house)), "oauth_device_code")
    if end == "full disk":
        monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    cancelled = (lambda: True) if end == "cancelled" else None
    try:
        if asynchronous:
            asyncio.run(source.astep_up(show, cancelled=cancelled))
        else:
            source.step_up(show, cancelled=cancelled)
    except (BillingError, LookupError) as error:
        assert_not_told(error, canaries)
    else:
        pytest.fail("It did not fail.")
    assert_not_logged(records, canaries)


def test_a_cancelled_task_and_a_deadline_tell_no_token(house, canaries, records):
    house.put(left=0)
    house.portal.inject(Fault.drip(0.001, acts=True), "oauth_token")

    async def run():
        async with AsyncBillingClient(house.source()) as client:
            task = asyncio.create_task(client.get_billing_state())
            async with asyncio.timeout(5):
                while not house.refreshes():
                    await asyncio.sleep(0.002)
            with pytest.raises(BillingError) as late:
                await client.get_billing_state(timeout=0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as gone:
                await task
            return Shut((late.value, gone.value))

    for error in asyncio.run(run()).open():
        assert_not_told(error, canaries)
    assert_not_logged(records, canaries)


@pytest.mark.parametrize(("kind", "method"), [(socket.socket, "recv"), (SyncStream, "read")])
def test_ctrl_c_in_the_middle_of_a_reply_leaves_no_token_in_the_variables_of_frames(
    house, canaries, monkeypatch, kind, method
):
    read, is_half_read = getattr(kind, method), []

    def half(self, *arguments, **more):
        if is_half_read and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        data = read(self, *arguments, **more)
        if b"refresh_token" in data:
            is_half_read.append(True)
        return data[:-9] if is_half_read else data

    monkeypatch.setattr(kind, method, half)
    given = httpx.Client() if kind is SyncStream else None
    with given or nullcontext(), pytest.raises(KeyboardInterrupt) as caught:
        house.source(http_client=given, portal_base_url=house.url).login(
            lambda code: house.portal.approve_device(code.user_code)
        )
    assert len(list(canaries)) == 3
    assert_not_told(caught.value, canaries)


def test_a_cancelled_task_leaves_no_token_in_the_frames_of_a_given_client(house, canaries):
    house.put()
    house.portal.inject(Fault.stall(acts=True), "get_billing_state")

    async def run():
        async with httpx.AsyncClient() as http, AsyncBillingClient(house.source(), http_client=http) as client:
            task = asyncio.create_task(client.get_billing_state())
            async with asyncio.timeout(5):
                while not asked(house.portal, "get_billing_state"):
                    await asyncio.sleep(0.002)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as gone:
                await task
            return Shut(gone.value)

    assert_not_told(asyncio.run(run()).open(), canaries)


def test_a_whole_life_of_a_login_logs_no_token(house, canaries, records):
    source = house.source(portal_base_url=house.url)
    source.login(lambda code: house.portal.approve_device(code.user_code), scope="inference:invoke")
    with BillingClient(source) as client:
        client.get_billing_state()
        house.portal.clock.advance(900)
        client.get_billing_state()
        source.step_up(lambda code: house.portal.approve_device(code.user_code))
        client.post_charge(amount_usd=20, idempotency_key="k")
    source.logout()
    assert records.records
    assert_not_logged(records, canaries)


# Reprs


def reachable(*roots):
    """All objects of this package that can be reached, and the containers on the way."""
    seen, waiting = {}, list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (type, types.ModuleType, types.FunctionType, str, bytes)):
            continue
        seen[id(thing)] = thing
        ours = type(thing).__module__.startswith("nous_billing") and "mock" not in type(thing).__module__
        if ours or isinstance(thing, (dict, list, tuple)):
            waiting += gc.get_referents(thing)
    return seen.values()


def test_no_repr_of_anything_reachable_shows_a_token(house, canaries, monkeypatch):
    house.put(left=0)
    source = house.source()
    with BillingClient(source) as client, monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        with pytest.raises(BillingError):
            client.get_billing_state()
        client.get_billing_state()
        assert source._keeper.has_unsaved
        things = list(reachable(source, client, source.resolve(), source.fingerprint()))
        assert {Credentials, Driver, StoredLogin} <= {type(thing) for thing in things}
        for thing in things:
            canaries.assert_absent(repr(thing), f"The repr of a {type(thing).__name__}")


def test_the_steps_and_the_results_of_the_flows_show_no_token(house, canaries):
    login = Shut(house.put())
    flow = oauth.refresh(house.url, "hermes-cli", Secret(login.open().refresh_token), house.clock)
    step = next(flow)
    assert isinstance(step.operation, Operation)
    canaries.assert_absent(repr(step), "Send")
    body = json.dumps({"access_token": login.open().access_token, "refresh_token": login.open().refresh_token})
    reply = Reply(200, {}, body.encode(), 0.0)
    canaries.assert_absent(repr(reply), "Reply")
    with pytest.raises(StopIteration) as end:
        flow.send(reply)
    assert end.value.value.access_token == login.open().access_token
    canaries.assert_absent(repr(end.value.value), "Tokens")


def test_a_device_code_that_is_polled_with_is_not_shown(house, canaries):
    seen = []
    flow = device_login(house.url, "hermes-cli", "x", seen.append, None, house.clock)
    next(flow)
    started = Shut(house.portal.oauth.devices.start("x", house.url))
    step = flow.send(Reply(200, {}, json.dumps(started.open()).encode(), 0.0))
    house.clock.sleep(step.seconds)
    canaries.assert_absent(repr(flow.send(None)), "Send")
    canaries.assert_absent(repr(seen), "DeviceCode")


# Hermes's login


@pytest.fixture
def hermes_file(house, tmp_path, monkeypatch):
    def write(portal_base_url):
        login = house.portal.log_in()
        home = tmp_path / "hermes"
        home.mkdir(exist_ok=True)
        state = {**house.entry_for(login), "portal_base_url": portal_base_url, "expires_at": iso(2**32)}
        (home / "auth.json").write_text(json.dumps({"version": 1, "providers": {"nous": state}}))
        return state

    return write


@pytest.mark.parametrize("source", [HermesLogin, DefaultLogin])
def test_a_host_of_hermess_file_that_is_not_allowed_tells_no_token(house, canaries, hermes_file, source):
    hermes_file("https://portal.example")
    assert_not_told(ask(house, "resolve", source()), canaries)


@pytest.mark.parametrize("how", ["host", "raises", "not a token"])
def test_no_failure_of_hermess_module_tells_a_token(house, canaries, hermes_file, monkeypatch, how):
    state = Shut(hermes_file("https://portal.example" if how == "host" else house.url))

    def resolve():
        if how == "raises":
            token = state.open()["refresh_token"]
            raise RuntimeError("down" if token else "")
        return f"{state.open()['access_token']} x" if how == "not a token" else state.open()["access_token"]

    module = types.ModuleType("hermes_cli.auth")
    module.get_provider_auth_state = lambda name: {**state.open(), "expires_at": iso(1)}
    module.resolve_nous_access_token = resolve
    monkeypatch.setitem(sys.modules, "hermes_cli", types.ModuleType("hermes_cli"))
    monkeypatch.setitem(sys.modules, "hermes_cli.auth", module)
    assert_not_told(ask(house, "resolve", HermesLogin()), canaries)


# Files


def test_no_file_with_a_token_is_ever_readable_for_others(house, canaries):
    house.put(left=0)
    before = os.umask(0)
    modes = set()
    done = threading.Event()

    def watch():
        while not done.is_set():
            for path in house.path.parent.iterdir():
                try:
                    modes.add((path.name, stat.S_IMODE(path.stat().st_mode)))
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        source = house.source()
        token = Shut(None)
        for _ in range(15):
            token = Shut(source.resolve(rejected=token.open()).access_token)
            house.portal.clock.advance(30)
        until(lambda: ("login.json", 0o600) in modes)
    finally:
        done.set()
        watcher.join()
        os.umask(before)
    assert {mode for name, mode in modes if not name.endswith(".lock")} == {0o600}
