"""A provider made of what it is told to answer, over real HTTP on loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """An answer; ``after`` seconds of silence, or the connection cut (``cut``)."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    cut: bool = False


@dataclass
class Told:
    """A server that gives its ``answers`` in turn, then goes on with the last."""

    answers: list[Says]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def next(self) -> Says:
        """What it says now."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def provider(*answers: Says) -> Iterator[Told]:
    """A server that answers so."""
    told = Told(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(size)
            told.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            says = told.next()
            time.sleep(says.after)
            if says.cut:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            text = says.body if isinstance(says.body, str) else json.dumps(says.body)
            data = text.encode()
            try:
                self.send_response(says.status)
                for name, value in says.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


def no_sleep() -> tuple[list[float], Callable[[float], None]]:
    """Pauses that only take note."""
    pauses: list[float] = []
    return pauses, pauses.append
