"""A real browser: headless Chromium, driven with the WebDriver protocol (W3C Recommendation) of chromedriver."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .programs import free_port

_TIMEOUT = 60.0
_OFFLINE = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
"""Chromium connects to no hosts of its own, so that the pages of the test are all it loads."""
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of a reference to an element, which the protocol fixes."""


@dataclass(frozen=True)
class Browser:
    """One window."""

    port: int
    session: str

    def open(self, url: str) -> None:
        """Load a page, and wait until it is complete."""
        self._command("POST", "/url", {"url": url})

    def click(self, selector: str) -> None:
        """Click the element with this CSS selector, and wait for the page that follows."""
        self._command("POST", f"/element/{self._find(selector)}/click", {})

    def text(self, selector: str) -> str:
        """What a person reads in an element."""
        return str(self._command("GET", f"/element/{self._find(selector)}/text"))

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body in JavaScript returns; it may return a promise."""
        return self._command("POST", "/execute/sync", {"script": script, "args": arguments})

    def show(self, width: int, *, dark: bool = False, medium: str = "screen") -> None:
        """Show the page in a window of this width, in a dark or light theme, on a medium of CSS."""
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.devtools("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", media=medium, features=[scheme])

    def picture(self) -> bytes:
        """The whole page as PNG."""
        taken = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def devtools(self, command: str, **parameters: Any) -> Any:
        """One command of the DevTools protocol."""
        return self._command("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def frame_text(self, url: str) -> str:
        """What a person reads in the first frame of a page."""
        self.open(url)
        self._command("POST", "/frame", {"id": 0})
        return self.text("body")

    @property
    def url(self) -> str:
        """The address of the page."""
        return str(self._command("GET", "/url"))

    def _find(self, selector: str) -> str:
        found = self._command("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def _command(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return request(self.port, method, f"/session/{self.session}{path}", body)


def request(port: int, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One command; raises AssertionError with the error of chromedriver."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        value = json.loads(answer.read())["value"]
    assert answer.status == 200, value
    return value


@contextmanager
def browsing(directory: Path, hosts: str = "") -> Iterator[Browser]:
    """A window whose profile is in a directory; ``hosts`` are Chromium's --host-resolver-rules, for names not in DNS.

    Skips the test without Chromium.
    """
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not (driver and chromium):
        pytest.skip("no browser: install the Debian packages chromium and chromium-driver")
    port = free_port()
    # Without a sandbox, because the lab runs as root.
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    arguments += [*_OFFLINE, f"--user-data-dir={directory}", f"--host-resolver-rules={hosts}"]
    options = {"goog:chromeOptions": {"binary": chromium, "args": arguments}, "acceptInsecureCerts": True}
    with subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert any("was started successfully" in line for line in process.stdout)
            session = request(port, "POST", "/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]
            yield Browser(port, session)
            request(port, "DELETE", f"/session/{session}")
        finally:
            process.terminate()
