"""The HTTP front: reads requests, lets them be answered, misbehaves where a fault says so."""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from local.gocardless import api, errors, pages, signatures
from local.gocardless.control import Control, Order
from local.gocardless.errors import ApiError, Json
from local.gocardless.faults import Faults
from local.gocardless.organisation import Organisation
from local.gocardless.webhooks import Sender
from local.gocardless.world import World, new_id
from local.network import BACKLOG

log = logging.getLogger("local")

VERSION = "2015-07-06"
LARGEST_BODY_BYTES = 1_000_000
IDLE_SECONDS = 75
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
HTML_502 = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)


@dataclass
class Simulator:
    """Everything behind the front; ``hold_seconds`` is how long a ``timeout`` fault is silent."""

    world: World
    faults: Faults
    sender: Sender
    hold_seconds: float = 12.5
    rate_limit: int = 10_000
    nonces: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.control = Control(self.world, self.faults, self.sender)
        self._minutes: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._lock = threading.Lock()

    def remaining(self, org: Organisation, wall: float) -> int:
        """Counts a request; how many are left of this minute, -1 when it was one too many."""
        minute = int(wall // 60)
        with self._lock:
            known, count = self._minutes[org.head.partner]
            count = count + 1 if known == minute else 1
            self._minutes[org.head.partner] = (minute, count)
        return max(self.rate_limit - count, -1)


@dataclass(frozen=True, slots=True)
class Response:
    """What is written; ``silent`` ends the connection without a word."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False


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
            self._send(_json(413, {"error": "The body is too large, or has no length"}))
            return
        try:
            response = self._answer(path, query, raw)
        except Exception:
            log.exception("%s %s failed", self.command, path)
            response = _failed(errors.broken(), str(uuid4()))
        self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle

    def _answer(self, path: str, query: Mapping[str, str], raw: bytes) -> Response:
        simulator = self.server.simulator
        if path == "/healthz":
            return _json(200, {"status": "ok"})
        if path == "/":
            return _page(*pages.overview(simulator.world, simulator.faults))
        if found := re.fullmatch(r"/flow/([A-Z0-9]+)", path):
            return self._flow(found[1], raw)
        if path.startswith("/_control/"):
            return self._control(path, query, raw)
        return _Exchange(self, simulator, path, query, raw).answer()

    def _control(self, path: str, query: Mapping[str, str], raw: bytes) -> Response:
        host = self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")
        if host not in LOOPBACK:
            return _json(403, {"error": "The control routes are for this machine"})
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            return _json(400, {"error": "The body is not JSON"})
        partner = self.headers.get("x-partner", "")
        order = Order(self.command, path, partner, query, body)
        return _json(*self.server.simulator.control.answer(order))

    def _flow(self, identity: str, raw: bytes) -> Response:
        simulator = self.server.simulator
        org = simulator.world.of_flow(identity)
        if org is None:
            return _page(404, pages.missing())
        if self.command not in ("GET", "HEAD", "POST"):
            return Response(405, headers={"Allow": "GET, POST"})
        form = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
        posted = form if self.command == "POST" else None
        status, text, location = pages.flow(simulator.world, org, identity, posted)
        if org.waiting["events"]:
            simulator.sender.wake(org)
        if location is not None:
            return Response(303, headers={"Location": location, "Cache-Control": "no-store"})
        return _page(status, text)

    def _body(self) -> bytes | None:
        text = self.headers.get("content-length", "0").strip()
        if "transfer-encoding" in self.headers or not (text.isascii() and text.isdigit()):
            return None
        if len(text) > 9 or int(text) > LARGEST_BODY_BYTES:
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


class _Exchange:
    """One request to the API: who asks, what is wrong on purpose, what is answered and noted."""

    def __init__(
        self,
        handler: Handler,
        simulator: Simulator,
        path: str,
        query: Mapping[str, str],
        raw: bytes,
    ) -> None:
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.sent_headers = dict(handler.headers.items())
        self.method, self.target = handler.command, handler.path
        self.base_url = f"http://{self.headers.get('host') or handler.server.url[7:]}"
        self.simulator, self.path, self.query, self.raw = simulator, path, query, raw
        self.request_id = str(uuid4())
        self.wall = time.time()
        self.body: Any = None

    def answer(self) -> Response:
        """The response, as a fault leaves it."""
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        org = self.simulator.world.of_token(token)
        if org is None:
            return _failed(errors.unauthorised(), self.request_id)
        fault = self.simulator.faults.take(org.head.partner, f"{self.method} {self.path}")
        try:
            self.body = json.loads(self.raw) if self.raw else None
        except ValueError:
            self.body = errors.bad_document("The body is not JSON")
        day = org.today.isoformat()
        response, shown = self._suffer(org, fault)
        self._note(org, day, fault, response, shown)
        if org.waiting["events"]:
            self.simulator.sender.wake(org)
        return response

    def _suffer(self, org: Organisation, fault: str | None) -> tuple[Response, Any]:
        if fault == "timeout":
            time.sleep(self.simulator.hold_seconds)
            return Response(0, silent=True), None
        if fault == "429":
            return self._refuse(org, errors.too_many())
        if fault == "500":
            return self._refuse(org, errors.broken())
        if fault == "html502":
            return Response(502, HTML_502.encode(), {"Content-Type": "text/html"}), HTML_502
        try:
            answered = self._work(org)
        except ApiError as refusal:
            return self._refuse(org, refusal)
        if fault == "drop_answer":
            return Response(0, silent=True), None
        headers = self._limits(org, answered.status)
        if answered.location:
            headers["Location"] = answered.location
        if answered.body is None:
            return Response(answered.status, headers=headers), None
        return _json(answered.status, answered.body, headers), answered.body

    def _refuse(self, org: Organisation, refusal: ApiError) -> tuple[Response, Any]:
        headers = self._limits(org, refusal.status)
        return _failed(refusal, self.request_id, headers), refusal.body(self.request_id)

    def _work(self, org: Organisation) -> api.Answer:
        simulator = self.simulator
        if simulator.remaining(org, self.wall) < 0:
            raise errors.too_many()
        version = self.headers.get("gocardless-version")
        if version != VERSION:
            reason = "version_not_found" if version else "missing_version_header"
            raise errors.usage(400, reason, f"The header GoCardless-Version must be {VERSION}")
        if isinstance(self.body, ApiError):
            raise self.body
        if api.must_be_signed(self.method, self.path):
            signed = signatures.Signed(self.method, self.target, self.headers, self.raw)
            signatures.verify(signed, org.head.public_keys, simulator.nonces, self.wall)
        if found := re.fullmatch(r"/webhooks/([^/]+)/actions/retry", self.path):
            record = simulator.sender.retry(org, found[1])
            return api.Answer(200, {"webhooks": record.doc})
        call = api.Call(
            org,
            self.method,
            self.path,
            self.query,
            self.body,
            self.headers.get("idempotency-key"),
            self.base_url,
            new_id("SESS"),
        )
        if self.method == "GET":
            with simulator.world.looking(org):
                return api.answer(call)
        with simulator.world.changing(org):
            return api.answer(call)

    def _limits(self, org: Organisation, status: int) -> dict[str, str]:
        minute = int(self.wall // 60)
        with self.simulator._lock:
            _, count = self.simulator._minutes[org.head.partner]
        left = 0 if status == 429 else max(self.simulator.rate_limit - count, 0)
        headers = {
            "RateLimit-Limit": str(self.simulator.rate_limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": formatdate((minute + 1) * 60, usegmt=True),
            "X-Request-Id": self.request_id,
        }
        if status == 429:
            headers["Retry-After"] = str(int((minute + 1) * 60 - self.wall) + 1)
        return headers

    def _note(
        self, org: Organisation, day: str, fault: str | None, response: Response, shown: Any
    ) -> None:
        entry: Json = {
            "at": datetime.fromtimestamp(self.wall, UTC).isoformat().replace("+00:00", "Z"),
            "business_date": day,
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "headers": self.sent_headers,
            "json": None if isinstance(self.body, ApiError) else self.body,
            "files": {},
            "status": None if response.silent else response.status,
            "response": shown,
            "fault": fault,
        }
        self.simulator.faults.note(org.head.partner, entry)


def _json(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, separators=(",", ":"))
    return Response(status, text.encode(), {"Content-Type": "application/json", **(headers or {})})


def _failed(error: ApiError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    more = {"X-Request-Id": request_id, **(headers or {})}
    return _json(error.status, error.body(request_id), more)


def _page(status: int, text: str) -> Response:
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
