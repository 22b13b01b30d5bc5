"""A headless Chromium, driven over its DevTools protocol through two pipes: no package, no port."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
DEADLINE = 20.0


def find() -> str | None:
    """The path of a Chromium, if this machine has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """One tab. At first no script of a page runs."""

    def __init__(self, commands: int, replies: int) -> None:
        self._commands = commands
        self._replies = os.fdopen(replies, "rb", buffering=0)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.allow_scripts(False)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (reply := self._read()).get("id") != self._number:
            pass
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        result: dict[str, Any] = reply["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._replies], [], [], DEADLINE)
            if not ready:
                raise TimeoutError("Chromium does not answer.")
            part = self._replies.read(65536)
            if not part:
                raise RuntimeError("Chromium has ended.")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Let Chromium end."""
        self._session = None
        self.call("Browser.close")
        self._replies.close()

    def allow_scripts(self, allow: bool) -> None:
        """Let scripts run in the pages, and ours wait for something."""
        self.call("Emulation.setScriptExecutionDisabled", value=not allow)

    def look(self, width: int, *, dark: bool = False) -> None:
        """Show pages in a window of this width, as a phone up to 500 px."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width <= 500,
        )

    def open(self, url: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self._wait_for_next(lambda: self.call("Page.navigate", url=url))

    def run(self, script: str) -> Any:
        """The value of a script of ours in the page."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a script says true."""
        ends = time.monotonic() + DEADLINE
        while not self._holds(condition):
            if time.monotonic() > ends:
                raise TimeoutError(f"{condition} does not hold in:\n{self.text}")
            time.sleep(0.02)

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.run(condition))
        except RuntimeError:
            # The page was just replaced.
            return False

    @property
    def text(self) -> str:
        """What a person reads."""
        text: str = self.run("document.body.innerText")
        return text

    def press(self, label: str) -> None:
        """Press the button with this label like a person, and wait for the next page."""
        self._wait_for_next(lambda: self._click("button", label))

    def _wait_for_next(self, act: Callable[[], object]) -> None:
        self.run("window.here = true")
        act()
        self.wait_for("!window.here && document.readyState === 'complete'")

    def tick(self, label: str) -> None:
        """Tick the box whose label begins so."""
        self._click("label", label)

    def _click(self, kind: str, label: str) -> None:
        find = f"[...document.querySelectorAll('{kind}')].find(e => e.innerText.startsWith({json.dumps(label)}))"
        self.run(f"{find}.scrollIntoView({{block: 'center'}})")
        place = self.run(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({find}.getBoundingClientRect())")
        for event in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=event, x=place[0], y=place[1], button="left", clickCount=1)

    def picture(self) -> bytes:
        """The whole page as a PNG."""
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data: str = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        return base64.b64decode(data)


@contextmanager
def chromium(path: str) -> Iterator[Tab]:
    """A tab of a new Chromium with a profile of its own, which ends with the block."""
    commands_in, commands_out = os.pipe()
    replies_in, replies_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [
            "--headless",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "--no-first-run",
            "--disable-gpu",
        ]
        # In containers: no sandbox for root, and little shared memory. It opens pages of this machine only.
        flags += ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server", "--disable-background-networking"]
        flags += ["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb"]
        flags += ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
        # The protocol is spoken over the descriptors 3 and 4.
        shell = f'exec "$0" "$@" 3<&{commands_in} 4>&{replies_out}'
        process = subprocess.Popen(
            ["bash", "-c", shell, path, *flags],
            pass_fds=(commands_in, replies_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands_in)
        os.close(replies_out)
        try:
            tab = Tab(commands_out, replies_in)
            yield tab
            tab.close()
        finally:
            process.terminate()
            process.wait(DEADLINE)
            os.close(commands_out)
