"""A partner's server for webhooks, on loopback: it keeps what it gets, and answers as told.

Every message is checked by the reference implementation of Standard Webhooks as it arrives.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

Answer = int | float | Callable[["Received"], int]


@dataclass(frozen=True)
class Received:
    """One request: its path, its headers by lower-case name, its JSON with exact numbers."""

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float
    json: Any = None

    @property
    def id(self) -> str:
        """The webhook's id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> str:
        """The event's name."""
        return str(self.json["event"])


@dataclass
class Receiver:
    """``answers`` are used up one after the other (a float: so many seconds of silence before 200),
    then it is 200; ``secrets`` are those that messages to a path must be signed with.
    """

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    got: list[Received] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def events(self) -> list[str]:
        """The names of what was received."""
        return [one.event for one in self.got]

    def take(self, request: Received) -> int:
        """Keep a request; the status of its answer."""
        for secret in self.secrets.get(request.path, ()):
            try:
                Webhook(secret).verify(request.raw, request.headers)
            except Exception as error:
                self.wrong.append(f"{request.path}: {error}")
        with self.lock:
            self.got.append(request)
            answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, float):
            self.released.wait(answer)
            return 200
        return answer if isinstance(answer, int) else answer(request)


@contextmanager
def receiving(answers: Sequence[Answer] = ()) -> Iterator[Receiver]:
    """A receiver that listens while the block lasts."""
    receiver = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            parsed = json.loads(raw, parse_float=Decimal)
            status = receiver.take(Received(self.path, headers, raw, time.monotonic(), parsed))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{receiver.url}redirected")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        """Quiet about callers that hang up."""

        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: Any) -> None:
            """A caller that does not wait is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
