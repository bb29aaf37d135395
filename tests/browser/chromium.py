"""A headless Chromium, spoken to over its DevTools pipe: no driver, no port, no other library.

Every URL that the browser asks for is seen.  ``BACKBONE_NEEDS_BROWSER`` makes its absence a failure
instead of a skip.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NEEDED = "BACKBONE_NEEDS_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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
    "--window-size=1400,1000",
    "--remote-debugging-pipe",
)
ANSWER_SECONDS = 60.0


class Page:
    """One tab: what it shows, and everything that it asked for."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Network", "Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        """One command and its result; events on the way are noted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._note(answer)

    def opens(self, url: str) -> Page:
        """Goes to ``url``."""
        failed = self.send("Page.navigate", url=url).get("errorText")
        assert not failed, failed
        return self

    def says(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str, seconds: float = 30.0) -> Any:
        """Looks until the expression is true, and gives its value."""
        deadline = time.monotonic() + seconds
        while not (value := self.says(expression)):
            assert time.monotonic() < deadline, f"never so: {expression}\n{self.complaints}"
            time.sleep(0.05)
        return value

    def photograph(self, path: Path) -> None:
        """What is to be seen now, as a PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], ANSWER_SECONDS)
            assert ready, "the browser does not answer"
            more = os.read(self._answers, 1 << 20)
            assert more, "the browser has ended"
            self._unread += more
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        if event["method"] == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])
        elif event["method"] == "Network.webSocketCreated":
            self.requests.append(details["url"])
        elif event["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(details["exceptionDetails"]))
        elif event["method"] == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.complaints.append(f"{details['entry']['text']} {details['entry'].get('url')}")


def find() -> str:
    """The browser's path; without one the test is skipped, or fails where one is needed."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    reason = f"no browser: none of {', '.join(NAMES)} is installed"
    if os.environ.get(NEEDED):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser with an empty profile; ended with the block."""
    path = find()
    read_commands, commands = os.pipe()
    answers, write_answers = os.pipe()
    with (profile.parent / f"{profile.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,
            start_new_session=True,
            preexec_fn=_as_three_and_four(read_commands, write_answers),
        )
    os.close(read_commands)
    os.close(write_answers)
    try:
        yield Page(commands, answers)
    finally:
        os.close(commands)  # the browser ends with its pipe
        os.close(answers)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _as_three_and_four(commands: int, answers: int) -> Callable[[], None]:
    """The pipe's ends where the browser looks for them."""

    def move() -> None:
        first, second = os.dup(commands), os.dup(answers)  # neither is 3 or 4 by chance
        os.dup2(first, 3, inheritable=True)
        os.dup2(second, 4, inheritable=True)

    return move
