"""The HTTP front: reads requests, has them answered, writes the answers."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from local.network import BACKLOG
from local.simulating.control import Done, Order
from local.simulating.faults import Fault
from local.simulating.records import Json

log = logging.getLogger("local")

IDLE_SECONDS = 75
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
HTML_502 = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Response:
    """What is written; ``silent`` ends the connection without a word."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False


SILENCE = Response(0, silent=True)
BAD_GATEWAY = Response(502, HTML_502.encode(), {"Content-Type": "text/html"})


@dataclass(frozen=True, slots=True)
class Request:
    """What came; ``target`` is the path with the query, ``headers`` have lower-case names in
    ``lower``.
    """

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    base_url: str

    @property
    def lower(self) -> dict[str, str]:
        """The headers by their lower-case names."""
        return {name.lower(): value for name, value in self.headers.items()}

    def noted(
        self,
        wall: float,
        day: str,
        fault: Fault | None,
        response: Response,
        shown: Any,
        **body: Any,
    ) -> Json:
        """How ``/_control/requests`` tells of it; ``body`` is its ``json`` or ``form``."""
        return {
            "at": datetime.fromtimestamp(wall, UTC).isoformat().replace("+00:00", "Z"),
            "business_date": day,
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "headers": dict(self.headers),
            **body,
            "status": None if response.silent else response.status,
            "response": shown,
            "fault": None if fault is None else fault.kind,
        }


class Simulator(Protocol):
    """Everything behind the front."""

    @property
    def largest_body_bytes(self) -> int:
        """A longer body is not read."""

    def ordered(self, order: Order) -> Done:
        """A control call."""

    def overview(self) -> tuple[int, str]:
        """The page at ``/``."""

    def answer(self, request: Request) -> Response:
        """Everything else."""

    def broken(self) -> Response:
        """What is answered when the simulator itself fails."""


class Server(ThreadingHTTPServer):
    """Serves from a socket that listens already."""

    request_queue_size = BACKLOG
    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, simulator: Simulator) -> None:
        super().__init__(listener.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.simulator = simulator

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_name}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("a connection failed")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    wbufsize = -1
    server: Server

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.rstrip("/") or "/"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        raw = self._body()
        if raw is None:
            self.close_connection = True
            self._send(as_json(413, {"error": "The body is too large, or has no length"}))
            return
        base_url = f"http://{self.headers.get('host') or self.server.url[7:]}"
        headers = dict(self.headers.items())
        request = Request(self.command, self.path, path, query, headers, raw, base_url)
        try:
            response = self._answer(request)
        except Exception:
            log.exception("%s %s failed", self.command, path)
            response = self.server.simulator.broken()
        self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle

    def _answer(self, request: Request) -> Response:
        if request.path == "/healthz":
            return as_json(200, {"status": "ok"})
        if request.path == "/":
            return as_page(*self.server.simulator.overview())
        if request.path.startswith("/_control/"):
            return self._control(request)
        return self.server.simulator.answer(request)

    def _control(self, request: Request) -> Response:
        host = self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")
        if host not in LOOPBACK:
            return as_json(403, {"error": "The control routes are for this machine"})
        try:
            body = json.loads(request.raw) if request.raw else None
        except ValueError:
            return as_json(400, {"error": "The body is not JSON"})
        partner = self.headers.get("x-partner", "")
        order = Order(request.method, request.path, partner, request.query, body)
        return as_json(*self.server.simulator.ordered(order))

    def _body(self) -> bytes | None:
        text = self.headers.get("content-length", "0").strip()
        if "transfer-encoding" in self.headers or not (text.isascii() and text.isdigit()):
            return None
        if len(text) > 12 or int(text) > self.server.simulator.largest_body_bytes:
            return None
        return self.rfile.read(int(text))

    def _send(self, response: Response) -> None:
        if response.silent:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and response.status != 204:
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was received is under ``/_control/requests``."""


def as_json(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = json.dumps(body, separators=(",", ":"))
    return Response(status, text.encode(), {"Content-Type": "application/json", **(headers or {})})


def as_page(status: int, text: str) -> Response:
    """An HTML page that loads nothing and runs nothing."""
    return Response(
        status,
        text.encode(),
        {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "frame-ancestors 'none'; base-uri 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )
