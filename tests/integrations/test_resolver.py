"""The system's resolver, with a time limit."""

from __future__ import annotations

import socket
import threading

import pytest

from chalicelib.integrations.resolver import resolve


def test_this_machine() -> None:
    assert set(resolve("localhost")) <= {"127.0.0.1", "::1"}
    assert resolve("127.0.0.1") == ("127.0.0.1",)


def test_names_that_are_none() -> None:
    assert resolve("a" * 300) == ()
    assert resolve("partner..example") == ()


def test_a_resolver_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [][: answer.wait(10)])
    assert resolve("partner.example", seconds=0.01) == ()
    answer.set()
