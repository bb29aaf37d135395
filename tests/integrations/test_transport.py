"""The one way out: tries, pauses, time limits, the breaker, and what may be seen of it all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.integrations.breaker import Breaker
from chalicelib.integrations.transport import (
    HIDDEN,
    Attempt,
    Call,
    CircuitOpen,
    Limits,
    NoAnswer,
    Transport,
    redacted,
)
from tests.integrations.server import Says, Told, no_sleep, provider

QUICK = Limits(connect_seconds=0.5, read_seconds=0.3, attempts=3)
OK = Says(body={"fine": True})


def transport(limits: Limits = QUICK) -> tuple[Transport, list[float], list[Attempt]]:
    pauses, sleep = no_sleep()
    heard: list[Attempt] = []
    made = Transport(limits, sleep=sleep, uniform=lambda _, high: high, heard=heard.append)
    return made, pauses, heard


def call(told: Told) -> Call:
    head = {"Authorization": "Bearer not-a-token"}
    return Call("bank", "POST /things", "POST", f"{told.url}/things", head, b"{}")


BAD = {
    "429": Says(429, {}),
    "500": Says(500, {}),
    "html 502": Says(502, "<html>"),
    "cut off": Says(cut=True),
    "too late": Says(after=0.6, body={}),
}


@pytest.mark.parametrize("first", BAD.values(), ids=list(BAD))
def test_what_may_pass_is_tried_again_with_the_same_request(first: Says) -> None:
    with provider(first, OK) as told:
        out, pauses, heard = transport()
        assert out.send(call(told)).json() == {"fine": True}
    assert len(told.asked) == len(heard) == 2
    assert told.asked[0].body == told.asked[1].body
    assert pauses == [0.5]


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 401, 403, 404, 409, 422])
def test_an_answer_that_says_something_is_the_answer(status: int) -> None:
    with provider(Says(status, {}, {"Location": "/elsewhere"})) as told:
        out, pauses, _ = transport()
        assert out.send(call(told)).status_code == status
    assert len(told.asked) == 1 and pauses == []


def test_tries_are_bounded_and_pauses_grow() -> None:
    with provider(Says(500, {})) as told:
        out, pauses, heard = transport(replace(QUICK, attempts=5, longest_pause_seconds=3.0))
        assert out.send(call(told)).status_code == 500
    assert pauses == [0.5, 1.0, 2.0, 3.0]
    assert [attempt.number for attempt in heard] == [1, 2, 3, 4, 5]


def test_jitter_is_at_most_half() -> None:
    out = Transport(QUICK, sleep=lambda _: None, uniform=lambda low, _: low)
    assert [out.pause(number) for number in (1, 2, 3)] == [0.25, 0.5, 1.0]


def test_it_waits_as_long_as_it_is_asked_to_within_bounds() -> None:
    out, _, _ = transport()
    assert out.pause(1, "2") == 2.0
    assert out.pause(1, "600") == QUICK.longest_pause_seconds
    assert out.pause(1, "soon") == 0.5


def test_no_answer_at_all_says_so() -> None:
    with provider(Says(cut=True)) as told:
        out, _, heard = transport()
        with pytest.raises(NoAnswer) as silence:
            out.send(call(told))
    assert {attempt.error for attempt in heard} == {"ConnectionError"}
    assert "not-a-token" not in str(silence.value) + repr(heard) + repr(call(told))
    with pytest.raises(NoAnswer):  # nobody listens there any more
        out.send(call(told))


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with provider(OK) as told:
        out, _, _ = transport()
        assert out.send(call(told)).status_code == 200


def test_a_provider_that_fails_on_and_on_is_left_alone_for_a_while() -> None:
    now = [0.0]
    limits = replace(QUICK, attempts=1, breaker_failures=3, breaker_seconds=10)
    with provider(*[Says(500, {})] * 3, OK) as told:
        heard: list[Attempt] = []
        out = Transport(
            limits, sleep=lambda _: None, uniform=max, monotonic=lambda: now[0], heard=heard.append
        )
        for _ in range(3):
            assert out.send(call(told)).status_code == 500
        with pytest.raises(CircuitOpen):
            out.send(call(told))
        assert [one.error for one in heard] == [None, None, None, "CircuitOpen"]
        other = replace(call(told), provider="another")
        assert out.send(other).status_code == 200
        assert len(told.asked) == 4
        now[0] = 10.0
        assert out.send(call(told)).status_code == 200
        assert out.send(call(told)).status_code == 200


def test_a_half_open_breaker_tries_one_at_a_time() -> None:
    now = [0.0]
    breaker = Breaker(2, 5.0, lambda: now[0])
    for _ in range(2):
        assert breaker.allows()
        breaker.report(False)
    assert not breaker.allows()
    now[0] = 5.0
    assert breaker.allows() and not breaker.allows()
    breaker.report(False)
    assert not breaker.allows()
    now[0] = 10.0
    assert breaker.allows()
    breaker.report(True)
    assert breaker.allows() and breaker.allows()


def test_a_refusal_does_not_count_against_the_provider() -> None:
    limits = replace(QUICK, attempts=1, breaker_failures=1)
    with provider(Says(422, {}), Says(429, {}), OK) as told:
        out, _, _ = transport(limits)
        assert [out.send(call(told)).status_code for _ in range(3)] == [422, 429, 200]


def test_only_what_is_known_to_be_harmless_is_shown() -> None:
    data = {
        "id": "PM1",
        "status": "failed",
        "account_number": "55779911",
        "links": {"mandate": "MD1", "odd": {"email": "a@example.com"}},
        "customers": [{"email": "a@example.com", "created_at": "2026-01-01"}],
        "Authorization": "Bearer not-a-token",
        "novelty": "unheard of",
    }
    shown = redacted(data)
    assert shown["id"] == "PM1" and shown["status"] == "failed"
    assert shown["links"] == {"mandate": "MD1", "odd": HIDDEN}
    assert shown["customers"] == [{"email": HIDDEN, "created_at": "2026-01-01"}]
    assert shown["account_number"] == shown["Authorization"] == shown["novelty"] == HIDDEN


def test_what_must_not_be_repeated_blindly_is_sent_once() -> None:
    with provider(Says(500, {}), OK) as told:
        out, pauses, _ = transport()
        assert out.send(replace(call(told), attempts=1)).status_code == 500
    assert len(told.asked) == 1 and pauses == []


def test_whether_a_request_can_have_arrived() -> None:
    with provider(Says(cut=True)) as told:
        out, _, _ = transport(replace(QUICK, attempts=1, breaker_failures=2))
        request = call(told)
        with pytest.raises(NoAnswer) as cut:
            out.send(request)
    with pytest.raises(NoAnswer) as nobody:
        out.send(request)
    with pytest.raises(CircuitOpen) as open_circuit:
        out.send(request)
    assert [one.value.sent for one in (cut, nobody, open_circuit)] == [True, False, False]
