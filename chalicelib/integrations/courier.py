"""One HTTP request to a stranger's server: bounded in time and size, to an address chosen before.

It speaks only as much HTTP as a webhook needs, over a socket of its own, because every promise is
then plain to see: the connection goes to the addresses given (the name serves for ``Host`` and
TLS alone), nothing is looked up again, no redirect is followed, no proxy of the environment is
asked, and one deadline covers all of it, however slowly an answer drips.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

CONNECT_SECONDS = 3.0
LARGEST_HEAD = 16 * 1024
LARGEST_REST = 16 * 1024
"""What is read of an answer's body, which nobody looks at, so that its sender can finish."""
REST_SECONDS = 0.5

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"\r?\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, or in ``error`` why there is none; ``late``: time was up."""

    status: int | None = None
    error: str | None = None
    late: bool = False


class _Late(Exception):
    """The deadline has passed."""


class Courier:
    """Posts to partners' endpoints.  ``seconds`` is how long one may take to answer, all in all."""

    def __init__(
        self,
        seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._tls = tls or _default_tls

    def post(
        self, url: str, addresses: Sequence[str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Post ``body`` to ``url`` at one of ``addresses``.  Never raises for what a server does.

        The answer counts once its head is there; its body is not kept.
        """
        deadline = self._monotonic() + self._seconds
        try:
            connection = self._connect(url, addresses, deadline)
        except _Late:
            return Answer(error="No connection in time.", late=True)
        except ssl.SSLError as error:
            return Answer(error=_tls_error(error))
        except OSError as error:
            return Answer(error=_words(error), late=isinstance(error, TimeoutError))
        with connection:
            try:
                return self._exchange(connection, _head(url, headers, body) + body, deadline)
            except (_Late, TimeoutError):
                return Answer(error=f"No answer within {self._seconds:g} seconds.", late=True)
            except OSError as error:
                return Answer(error=_words(error))

    def _connect(self, url: str, addresses: Sequence[str], deadline: float) -> socket.socket:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        last: OSError = OSError("there is no address")
        for address in addresses:
            try:
                plain = socket.create_connection(
                    (address, port), min(CONNECT_SECONDS, self._left(deadline))
                )
            except OSError as error:
                last = error
                continue
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if parts.scheme != "https":
                    return plain
                plain.settimeout(min(CONNECT_SECONDS, self._left(deadline)))
                host = (parts.hostname or "").rstrip(".")
                return self._tls().wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise
        raise last

    def _exchange(self, connection: socket.socket, request: bytes, deadline: float) -> Answer:
        connection.settimeout(self._left(deadline))
        # A server may answer, or hang up, before it has read everything.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        head = b""
        while True:
            while b"\n\r\n" not in head and b"\n\n" not in head:
                if len(head) > LARGEST_HEAD:
                    return Answer(error="The answer's head is too large.")
                connection.settimeout(self._left(deadline))
                piece = connection.recv(4096)
                if not piece:
                    return Answer(error="The connection was closed without an answer.")
                head += piece
            found = _STATUS.match(head)
            if found is None:
                return Answer(error="The answer is no HTTP.")
            status = int(found[1])
            ends = [at + len(mark) for mark in (b"\n\r\n", b"\n\n") if (at := head.find(mark)) >= 0]
            if status >= 200:
                self._rest(connection, head[: min(ends)], len(head) - min(ends))
                return Answer(status)
            head = head[min(ends) :]  # 100 Continue, 103 Early Hints: the answer is still to come

    def _rest(self, connection: socket.socket, head: bytes, have: int) -> None:
        """Let the sender finish a short body; whatever goes wrong here, the answer stands."""
        length = _LENGTH.search(head)
        wanted = min(int(length[1]) if length else LARGEST_REST, LARGEST_REST)
        deadline = self._monotonic() + REST_SECONDS
        with suppress(OSError, _Late):
            while have < wanted:
                connection.settimeout(self._left(deadline))
                piece = connection.recv(4096)
                if not piece:
                    return
                have += len(piece)

    def _left(self, deadline: float) -> float:
        left = deadline - self._monotonic()
        if left <= 0:
            raise _Late
        return left


def _head(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request's head; the URL was checked to be printable ASCII when it was registered."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = {"Host": parts.netloc, **headers, "Content-Length": str(len(body))}
    lines |= {"Connection": "close"}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    head = f"POST {path} HTTP/1.1\r\n{text}\r\n"
    if head.count("\r\n") != len(lines) + 2 or head.count("\n") != len(lines) + 2:
        raise ValueError("a header may not hold a line break")
    return head.encode("ascii")


def _tls_error(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Its TLS certificate is not valid for its name."
    return "No TLS connection could be made."


def _words(error: OSError) -> str:
    """What went wrong, without addresses."""
    if isinstance(error, TimeoutError):
        return "No connection in time."
    if isinstance(error, ConnectionRefusedError):
        return "The connection was refused."
    if isinstance(error, ConnectionError):
        return "The connection was closed without an answer."
    return "It could not be reached."


@cache
def _default_tls() -> ssl.SSLContext:
    """Certificates and names are checked; one context serves all connections."""
    return ssl.create_default_context()
