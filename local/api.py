"""``python -m local.api``: the application behind Chalice's own local server, on loopback.

What the framework answers by itself (an unknown route, a wrong method, a request that is no HTTP)
leaves as the application's own problem document, as it does behind API Gateway.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import socket as Socket
from typing import Any
from uuid import uuid4

from chalice.config import Config as ChaliceConfig
from chalice.local import (
    ChaliceRequestHandler,
    LocalChalice,
    LocalGateway,
    LocalGatewayException,
    ThreadedHTTPServer,
)

from chalicelib import runtime
from local import application, doorbell, metrics_file
from local.network import BACKLOG, HOST, listen

log = logging.getLogger("local")

#: As API Gateway does; the application refuses much less by itself.
LARGEST_BODY_BYTES = 10 * 1024 * 1024
IDLE_SECONDS = 75
DRAIN_SECONDS = 5.0
PROBLEM = "application/problem+json"
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CHUNK_LINE_BYTES = 1024


class Gateway(LocalGateway):
    """Chalice's local gateway; a method that no route declares reaches the application's 405."""

    def _has_user_defined_options_method(self, lambda_event: dict[str, Any]) -> bool:
        return True


class BadBody(Exception):
    """The body cannot be read; ``status`` says why, and the connection ends."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Server(ThreadedHTTPServer):
    """Serves from a socket that listens already, and knows how many requests are under way."""

    request_queue_size = BACKLOG
    daemon_threads = True
    block_on_close = False
    socket: Socket

    def __init__(self, listener: Socket, app: Any) -> None:
        super().__init__(listener.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = HOST, listener.getsockname()[1]
        self.gateway = Gateway(app, ChaliceConfig.create(chalice_stage="laptop", lambda_timeout=29))
        self._changed = threading.Condition()
        self._under_way = 0

    def count(self, change: int) -> None:
        """One request more, or less, is under way."""
        with self._changed:
            self._under_way += change
            self._changed.notify_all()

    def drained(self, seconds: float) -> bool:
        """Waits until no request is under way; whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("a connection failed")


class Handler(ChaliceRequestHandler):
    """One connection: requests in, the application's answers out."""

    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    wbufsize = -1
    server: Server

    def __init__(self, request: Any, client_address: Any, server: Server) -> None:
        self.local_gateway = server.gateway
        BaseHTTPRequestHandler.__init__(self, request, client_address, server)

    def _generic_handle(self) -> None:
        self.server.count(1)
        try:
            self._answer()
            self.wfile.flush()
        finally:
            self.server.count(-1)

    def _answer(self) -> None:
        try:
            body = self._body()
        except BadBody as bad:
            self.close_connection = True
            self._framework(bad.status, {}, None)
            return
        try:
            answer = self.local_gateway.handle_request(
                method=self.command, path=self.path, headers=dict(self.headers), body=body
            )
        except LocalGatewayException as refusal:
            self._framework(refusal.CODE, refusal.headers, refusal.body)
            return
        except Exception:
            log.exception("the application failed")
            self._framework(HTTPStatus.INTERNAL_SERVER_ERROR, {}, None)
            return
        answer = self._handle_binary(answer)
        headers = {**answer["headers"], **answer["multiValueHeaders"]}
        if answer["statusCode"] >= 400 and _content_type(headers) != PROBLEM:
            self._framework(answer["statusCode"], headers, answer["body"])
        else:
            self._send(answer["statusCode"], headers, answer["body"])

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle
    do_TRACE = _generic_handle

    def _body(self) -> bytes | None:
        coding = self.headers.get("transfer-encoding")
        if coding is not None:
            if coding.strip().lower() != "chunked" or "content-length" in self.headers:
                raise BadBody(HTTPStatus.BAD_REQUEST)
            return self._chunks()
        lengths = set(self.headers.get_all("content-length", ["0"]))
        text = lengths.pop().strip()
        if lengths or not (text.isascii() and text.isdigit()):
            raise BadBody(HTTPStatus.BAD_REQUEST)
        if len(text) > 12 or int(text) > LARGEST_BODY_BYTES:
            raise BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._exactly(int(text)) if int(text) else None

    def _chunks(self) -> bytes:
        whole = bytearray()
        while size := self._chunk_size():
            if len(whole) + size > LARGEST_BODY_BYTES:
                raise BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            whole += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise BadBody(HTTPStatus.BAD_REQUEST)
        while self.rfile.readline(_CHUNK_LINE_BYTES).strip():
            pass
        return bytes(whole)

    def _chunk_size(self) -> int:
        text = self.rfile.readline(_CHUNK_LINE_BYTES).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", text):
            raise BadBody(HTTPStatus.BAD_REQUEST)
        return int(text, 16)

    def _exactly(self, size: int) -> bytes:
        data: bytes = self.rfile.read(size)
        if len(data) != size:
            raise BadBody(HTTPStatus.BAD_REQUEST)
        return data

    def _framework(self, status: int, headers: Mapping[str, Any], body: Any) -> None:
        asked = (getattr(self, "headers", None) or {}).get("x-request-id", "")
        request_id = asked if _SANE_ID.fullmatch(asked) else str(uuid4())
        convert = _problem_converter()
        if convert is not None:
            text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
            status, headers, body = convert(int(status), dict(headers), text, request_id)
        self._send(status, headers, body)

    def _send(self, status: int, headers: Mapping[str, Any], body: str | bytes | None) -> None:
        data = body.encode("utf-8") if isinstance(body, str) else body or b""
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() in ("content-length", "connection"):
                continue
            for single in value if isinstance(value, list) else [value]:
                self.send_header(name, str(single))
        if data and "content-type" not in {name.lower() for name in headers}:
            self.send_header("Content-Type", "application/json")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and status != HTTPStatus.NO_CONTENT:
            self.wfile.write(data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the HTTP parser refuses by itself, as a problem document too."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self._framework(code, {}, None)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the application logs its requests, without the query."""


def _content_type(headers: Mapping[str, Any]) -> str:
    for name, value in headers.items():
        if name.lower() == "content-type":
            return str(value).split(";")[0].strip().lower()
    return ""


def _problem_converter() -> Any:
    """The application's ``framework_problem``; none for another application in tests."""
    if application.module_name() != "app":
        return None
    from chalicelib.handlers.problems import framework_problem

    return framework_problem


def thread_safe(app: Any) -> Any:
    """Chalice keeps the request on the app; an app that does so gets one for each thread."""
    if not isinstance(getattr(type(app), "current_request", None), property):
        app.__class__ = type("ServedApp", (LocalChalice, type(app)), {})
    return app


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="a listening socket, inherited")
    where.add_argument("--port", type=int, help="a port to listen on")
    options = parser.parse_args()
    application.log_to_stderr()
    listener = listen(options.port) if options.fd is None else Socket(fileno=options.fd)
    server = Server(listener, thread_safe(application.load()))
    doorbell.ring_from(runtime.get())
    metrics_file.collect()
    started = time.monotonic()

    def stop() -> None:
        server.shutdown()
        if not server.drained(DRAIN_SECONDS):
            log.warning("requests were cut off")
        log.info("stopped after %.0f s", time.monotonic() - started)

    application.on_stop(stop)
    log.info("serving on %s:%d", HOST, server.server_port)
    server.serve_forever(poll_interval=0.2)
    server.drained(DRAIN_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
