"""Pictures of pages by a Chromium without a window.  A tool for docs/pictures, used by no test.

It is spoken to over its debugging pipe (``--remote-debugging-pipe``: JSON ended by NUL), because
the command line alone emulates neither a phone nor ``prefers-color-scheme: dark`` faithfully.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_STARTER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""  # Chromium reads descriptor 3 and writes descriptor 4


@dataclass(slots=True)
class Browser:
    """One page of a running Chromium."""

    to: BinaryIO
    from_: BinaryIO
    session: str = ""
    sent: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of *method* of the DevTools protocol."""
        self.sent += 1
        request = {"id": self.sent, "method": method, "params": params}
        request |= {"sessionId": self.session} if self.session else {}
        self.to.write(json.dumps(request).encode() + b"\0")
        self.to.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self.sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self.from_.fileno(), 1 << 16)
            if not read:
                raise RuntimeError("Chromium has ended")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def picture(self, html: str, *, width: int, height: int, dark: bool, scale: float) -> bytes:
        """The page *html* as PNG, on a screen *width* CSS pixels wide: *height* of it at most."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        screen = {"width": width, "deviceScaleFactor": scale, "mobile": width < 500}
        self.ask("Emulation.setDeviceMetricsOverride", height=100, **screen)
        frame = self.ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self.ask("Page.setDocumentContent", frameId=frame, html=html)
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        if size["width"] > width:
            raise RuntimeError(f"the page is {size['width']} wide, the screen {width}")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            height=min(height, round(size["height"])),
            **screen,
        )
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    """A Chromium for as long as the block lasts."""
    to, from_ = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        flags += ["--hide-scrollbars", "--font-render-hinting=none", "--disable-gpu"]
        flags += ["--no-sandbox"] if os.geteuid() == 0 else []
        ends = (to[0], from_[1])
        command = [sys.executable, "-c", _STARTER, *map(str, ends), program, *flags]
        process = subprocess.Popen(command, pass_fds=ends, stderr=subprocess.DEVNULL)
        for end in ends:
            os.close(end)
        with os.fdopen(to[1], "wb") as writer, os.fdopen(from_[0], "rb") as reader:
            try:
                yield _opened(Browser(to=writer, from_=reader))
            finally:
                process.terminate()
                process.wait(20)


def _opened(found: Browser) -> Browser:
    target = found.ask("Target.createTarget", url="about:blank")["targetId"]
    session = found.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    found.session = session
    return found
