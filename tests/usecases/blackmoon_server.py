"""A small Blackmoon that knows tokens and nothing else, over real HTTP on loopback.

An access token is good until it is expired or renewed; a refresh token works once.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class Tokens:
    """The only organisation's; ``number`` tells its pairs apart (``A3`` and ``R3``).

    ``former`` is the error for an access token that was good once.
    """

    url: str = ""
    number: int = 0
    expired: bool = False
    ends: str = "2026-03-16T09:00:00+0000"
    slow_seconds: float = 0.0
    lose_answer: bool = False
    former: int = 2
    refreshes: list[str] = field(default_factory=list)
    pings: list[tuple[str, bool]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, form: dict[str, str]) -> Any:
        """What is said to a request, or ``None`` for nothing at all."""
        if method == "auth.refreshTokens":
            return self._refresh(form["refreshToken"])
        with self.lock:
            good = form["accessToken"] == f"A{self.number}"
            self.pings.append((form["accessToken"], good and not self.expired))
            if not good:
                return _error(self.former, "Bad access token", form)
            if self.expired:
                return _error(5, "Access token expired", form)
            return {"success": {"message": "pong", "date": "now", "requestParameters": form}}

    def _refresh(self, token: str) -> Any:
        with self.lock:
            self.refreshes.append(token)
            if token != f"R{self.number}":
                return _error(3, "Bad refresh token", {"refreshToken": token})
            self.number += 1
            self.expired = False
            told = {
                "accessToken": f"A{self.number}",
                "refreshToken": f"R{self.number}",
                "accessTokenExpirationTime": self.ends,
            }
        time.sleep(self.slow_seconds)
        return None if self.lose_answer else {"success": told}


def _error(code: int, message: str, form: dict[str, str]) -> Any:
    return {"error": {"errorMessage": message, "errorCode": code, "requestParameters": form}}


@contextmanager
def tokens() -> Iterator[Tokens]:
    """A server of one organisation."""
    world = Tokens()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            form = dict(parse_qsl(self.rfile.read(size).decode()))
            said = world.answer(self.path.removeprefix("/"), form)
            if said is None:
                self.close_connection = True
                return
            data = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    world.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
