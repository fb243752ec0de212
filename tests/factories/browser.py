"""Headless Chromium by the WebDriver protocol (W3C), without a library, for tests of pages."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"Left": "\ue012", "Up": "\ue013", "Right": "\ue014", "Down": "\ue015", "Shift": "\ue008",
        "Tab": "\ue004", "Enter": "\ue007"}  # fmt: skip
TIMEOUT_S = 60


@dataclass(frozen=True)
class Browser:
    """A window of a running browser; `session` is the address of its session."""

    session: str

    def open(self, page: Path) -> None:
        """Load a page and wait until it has loaded."""
        _call(f"{self.session}/url", {"url": page.absolute().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of a function returns in the page."""
        return _call(f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def resize(self, width: int, height: int) -> None:
        """Size of the window in pixels."""
        _call(f"{self.session}/window/rect", {"width": width, "height": height})

    def press(self, key: str, *held: str) -> None:
        """A key, with others held down meanwhile."""
        downs = [{"type": "keyDown", "value": KEYS.get(one, one)} for one in (*held, key)]
        ups = [{"type": "keyUp", "value": one["value"]} for one in reversed(downs)]
        self._act({"type": "key", "id": "keys", "actions": [*downs, *ups]})

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Move the mouse with its button down, in pixels of the window."""
        moves = [
            {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}
            for x, y in (start, end)
        ]
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        self._act({"type": "pointer", "id": "mouse", "actions": [moves[0], down, moves[1], up]})

    def _act(self, source: dict[str, Any]) -> None:
        _call(f"{self.session}/actions", {"actions": [source]})

    def screenshot(self) -> bytes:
        """The visible part of the page as PNG."""
        return base64.b64decode(_call(f"{self.session}/screenshot"))

    def messages(self) -> list[str]:
        """What the console has had since the last call."""
        found = _call(f"{self.session}/se/log", {"type": "browser"})
        return [f"{one['level']}: {one['message']}" for one in found]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser until the block ends; the test skips where there is none."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("no chromium and chromedriver on the PATH")
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile, _server(driver) as address:
        options = {"binary": program, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }  # fmt: skip
        started = _call(f"{address}/session", {"capabilities": {"alwaysMatch": wanted}})
        browser = Browser(f"{address}/session/{started['sessionId']}")
        try:
            yield browser
        finally:
            _call(browser.session, method="DELETE")


@contextmanager
def _server(driver: str) -> Iterator[str]:
    """The address of a driver on a port that it chooses."""
    process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = (re.search(r"successfully on port (\d+)", line) for line in process.stdout)
        port = next(filter(None, lines))[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
        if process.stdout:
            process.stdout.close()


def _call(address: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
    """The value of an answer; a failure is an error of urllib that has the driver's text."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address, content, {"Content-Type": "application/json"}, method=method
    )
    # No proxy: the driver is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(error.read().decode()) from error
