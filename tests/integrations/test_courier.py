"""The courier against servers that behave badly; all of them on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from chalicelib.integrations import courier
from chalicelib.integrations.courier import Answer, Courier
from tests.receiver import receiving

HERE = ("127.0.0.1",)


@contextmanager
def speaking(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does ``script`` with each connection; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    script(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def says(*pieces: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return script


def posted(url: str, seconds: float = 2.0, addresses: tuple[str, ...] = HERE) -> Answer:
    return Courier(seconds).post(url, addresses, {"webhook-id": "one"}, b'{"a":1}')


def test_a_post_is_whole_and_goes_to_the_address_it_was_given() -> None:
    with receiving() as receiver:
        port = receiver.url.split(":")[2]
        answer = posted(f"http://no-such-name.invalid:{port}a/b?c=d")
    assert answer == Answer(200)
    [got] = receiver.got
    assert (got.path, got.raw, got.id) == ("/a/b?c=d", b'{"a":1}', "one")
    assert got.headers["host"] == f"no-such-name.invalid:{port.rstrip('/')}"
    assert got.headers["connection"] == "close"


def test_the_next_address_is_tried() -> None:
    with receiving() as receiver:
        assert posted(receiver.url, addresses=("127.0.0.2", "::1", "127.0.0.1")).status == 200
    assert len(receiver.got) == 1


def test_redirects_and_proxies_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with receiving([302, 307]) as receiver:
        assert [posted(receiver.url).status, posted(receiver.url).status] == [302, 307]
    assert {one.path for one in receiver.got} == {"/"}


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], Answer(204)),
        ([b"HTTP/1.1 200\r\n\r\n"], Answer(200)),
        ([b"HTTP/1.0 410 Gone\nServer: x\n\n"], Answer(410)),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 201 Made\r\nA: b\r\n\r\n"], Answer(201)),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"], Answer(200)),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], Answer(error="The answer is no HTTP.")),
        ([b"HTTP/1.1 999 ?\r\n\r\n"], Answer(error="The answer is no HTTP.")),
        ([b"HTTP/1.1 200 OK\r\n"], Answer(error="The connection was closed without an answer.")),
        ([], Answer(error="The connection was closed without an answer.")),
        ([b"HTTP/1.1 200 OK\r\nA: ", b"x" * 40_000],
         Answer(error="The answer's head is too large.")),
    ],
)  # fmt: skip
def test_answers(pieces: list[bytes], answer: Answer) -> None:
    with speaking(says(*pieces)) as url:
        assert posted(url) == answer


def test_a_large_body_is_not_read() -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            for number in range(10_000):
                connection.sendall(b"x" * 65536)
                sent.append(number)

    with speaking(flood) as url:
        assert posted(url).status == 200
    assert len(sent) < 1000


@pytest.mark.parametrize("drips", [False, True])
def test_one_deadline_covers_everything(drips: bool) -> None:
    pieces = [bytes([one]) for one in b"HTTP/1.1 200 OK\r\n" * 9] if drips else []

    def slow(connection: socket.socket) -> None:
        says(*pieces, pause=0.05)(connection)
        time.sleep(0 if drips else 2)

    with speaking(slow) as url:
        began = time.monotonic()
        answer = posted(url, seconds=0.4)
        assert 0.3 < time.monotonic() - began < 1.5
    assert answer == Answer(error="No answer within 0.4 seconds.", late=True)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert posted(f"http://127.0.0.1:{port}/") == Answer(error="The connection was refused.")
    assert posted(f"http://127.0.0.1:{port}/", addresses=()).error == "It could not be reached."


def test_tls_is_for_the_name_and_judged() -> None:
    names: list[str | None] = []

    class Context(ssl.SSLContext):
        """Notes the name that the handshake is for."""

        def wrap_socket(self, sock: socket.socket, **given: object) -> ssl.SSLSocket:  # type: ignore[override]
            names.append(str(given["server_hostname"]))
            return super().wrap_socket(sock, **given)  # type: ignore[arg-type]

    default = courier._default_tls()
    assert default.verify_mode == ssl.CERT_REQUIRED and default.check_hostname
    with speaking(says(b"HTTP/1.1 200 OK\r\n\r\n")) as url:
        tls = Context(ssl.PROTOCOL_TLS_CLIENT)
        answer = Courier(2.0, tls=lambda: tls).post(
            url.replace("http://127.0.0.1", "https://lender.example"), HERE, {}, b""
        )
    assert answer.error == "No TLS connection could be made."
    assert names == ["lender.example"]


def test_headers_cannot_be_split() -> None:
    with receiving() as receiver, pytest.raises(ValueError, match="line break"):
        Courier(1.0).post(receiver.url, HERE, {"webhook-id": "a\r\nX: b"}, b"")
    assert receiver.got == []
