"""The rehearsal at GoCardless's sandbox, played at the simulator; what is compared, and refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from local import gocardless_rehearsal, gocardless_sandbox
from local.gocardless_rehearsal import Rehearsal, Unexpected, rehearse
from local.gocardless_sandbox import BASE, TOKEN, main, report, simulated, transport
from local.gocardless_shapes import Answer, differences, kind, shape_of
from tests.ministack import free_port


def said(env: dict[str, str]) -> tuple[int, list[str]]:
    lines: list[str] = []
    return main(env, lines.append), lines


def test_without_a_token_it_is_skipped_in_one_line_and_asks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gocardless_sandbox, "at_sandbox", _never)
    monkeypatch.setattr(gocardless_sandbox, "at_simulator", _never)
    for env in ({}, {TOKEN: ""}, {TOKEN: "  "}):
        code, lines = said(env)
        assert code == 0
        assert len(lines) == 1
        assert lines[0].startswith(f"skipped: {TOKEN} is not set")


def _never(*_: object) -> list[Answer]:
    raise AssertionError("somebody was asked")


@pytest.mark.parametrize(
    "token", ["live_not-a-real-token", "not-a-real-token", "sandbox_a b", "sandbox_a\nX-Evil: 1"]
)
def test_what_is_no_sandbox_token_is_refused_and_not_shown(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gocardless_sandbox, "at_sandbox", _never)
    assert said({TOKEN: token}) == (1, [])
    told = capsys.readouterr().err
    assert "holds no sandbox token" in told
    assert token not in told
    assert len(told.splitlines()) == 1


def test_the_host_cannot_be_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gocardless_sandbox, "at_sandbox", _never)
    assert gocardless_sandbox.HOST == "https://api-sandbox.gocardless.com"
    env = {TOKEN: "sandbox_not-a-real-token", BASE: "https://api.gocardless.com"}
    assert said(env) == (1, [])
    assert "BASE may be simulator" in capsys.readouterr().err


def test_the_very_steps_run_at_the_simulator_and_do_not_differ() -> None:
    code, lines = said({BASE: "simulator"})
    assert code == 0, lines
    assert "  the mandate is activated" in lines
    assert lines.index("  the bank refuses it") < lines.index("  it is asked for again")
    assert "  it arrives and is charged back" in lines
    assert lines[-1].endswith("the simulator's have the shapes of the sandbox's.")


def test_a_token_is_sent_to_the_sandbox_alone_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gocardless_sandbox, "HOST", f"http://127.0.0.1:{free_port()}")
    token = "sandbox_not-a-real-token"
    code, lines = said({TOKEN: token})
    told = capsys.readouterr().err
    assert code == 1
    assert told.startswith("a billing request: POST /billing_requests")
    assert token not in "".join(lines) + told


def test_the_sandbox_s_part_is_the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the host and the token of a simulator, nothing else changed."""
    with simulated() as (url, token):
        monkeypatch.setattr(gocardless_sandbox, "HOST", url)
        monkeypatch.setattr(gocardless_sandbox, "token_of", lambda _: token)
        code, lines = said({TOKEN: token})
    assert code == 0, lines
    assert token not in "".join(lines)
    assert lines[0] == f"at {url}"


def rehearsal(url: str, token: str, **more: Callable[[float], None] | float) -> Rehearsal:
    told = transport()
    return Rehearsal(url, token, "rehearsal-1", lambda _: None, told, **more)  # type: ignore[arg-type]


def test_a_cause_that_the_platform_would_not_retry_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gocardless_rehearsal, "RETRIED_CAUSES", frozenset({"insufficient_funds"}))
    wrong = pytest.raises(Unexpected, match=r"its cause, .*is refer_to_payer")
    with simulated() as (url, token), wrong:
        rehearse(rehearsal(url, token))


def test_an_event_that_never_comes_is_not_waited_for_for_ever() -> None:
    slept: list[float] = []
    with simulated() as (url, token):
        act = rehearsal(url, token, patience=0.0, pause=7.0, sleep=slept.append)
        act.transport.step = "waiting"
        with pytest.raises(Unexpected, match="waiting: no event payments confirmed came"):
            act.waits("payments", "confirmed", "PM1")
    assert slept == []


# --- shapes ---------------------------------------------------------------------------------------


def answer(body: object, step: str = "s", status: int = 200) -> Answer:
    return Answer(step, "GET /payments", status, body)


def compared(ours: object, theirs: object) -> list[str]:
    return [f"{d.path}: {d.simulator} / {d.sandbox}"
            for d in differences([answer(ours)], [answer(theirs)])]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "null"), (True, "boolean"), (3, "integer"), (Decimal("1.5"), "number"), ("x", "text"),
     ("2026-01-05", "date"), ("2026-01-05T10:00:00.000Z", "instant"), ([], "empty list"),
     ({"a": 1}, "object")],
)  # fmt: skip
def test_kinds(value: object, expected: str) -> None:
    assert kind(value) == expected


def test_equal_shapes_with_other_values_do_not_differ() -> None:
    ours = {"payments": {"id": "PM1", "amount": 1, "metadata": {"a": "b"}, "links": {"m": "MD1"}}}
    theirs = {"payments": {"id": "PM9", "amount": 7, "metadata": {"c": "d"}, "links": {"m": "MD"}}}
    assert compared(ours, theirs) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"a": 1}, {"a": "1"}, ["a: integer / text"]),
        ({"a": 1}, {"a": 1, "b": None}, ["b: does not have it / null"]),
        ({"a": {"x": 1}}, {"a": None}, ["a: object / null"]),
        ({"a": [{"x": 1}, {"x": None}]}, {"a": [{"x": 2}]}, ["a[].x: integer or null / integer"]),
        ({"a": [{"x": 1}]}, {"a": []}, []),
        ({"a": {"x": [{"y": 1}]}}, {"a": {"x": "y"}}, ["a.x: list / text"]),
        ({"d": "2026-01-05"}, {"d": "soon"}, ["d: date / text"]),
    ],
)
def test_what_differs_is_told_by_its_path(ours: object, theirs: object, expected: object) -> None:
    assert compared(ours, theirs) == expected


def test_events_are_compared_with_their_own_kind() -> None:
    def events(*rows: tuple[str, str, object]) -> dict[str, object]:
        return {"events": [{"resource_type": kind, "action": action, "details": details}
                           for kind, action, details in rows]}  # fmt: skip

    ours = events(("payments", "failed", {"cause": "x"}), ("payments", "confirmed", {"a": 1}))
    theirs = events(("payments", "confirmed", {"a": 2}), ("payments", "failed", {"cause": "y"}))
    assert compared(ours, theirs) == []
    more = events(("payments", "confirmed", {"a": 3}), ("payments", "failed", {"reason_code": "z"}))
    assert [line.split(":")[0] for line in compared(ours, more)] == [
        "events[payments.failed].details.cause", "events[payments.failed].details.reason_code",
    ]  # fmt: skip


def test_status_and_answers_that_are_missing_differ() -> None:
    ours = [answer({}, "one"), answer({}, "two")]
    found = differences(ours, [answer({}, "one", 201)])
    assert [(d.path, d.simulator, d.sandbox) for d in found] == [
        ("status", "200", "201"), ("the whole answer", "asked", "never asked"),
    ]  # fmt: skip
    assert report(2, found)[0] == "2 answers compared, 2 differences:"
    assert str(found[0]).startswith("one (GET /payments): status: simulator 200, sandbox 201")


def test_no_value_of_an_answer_is_in_a_shape() -> None:
    shape = shape_of({"customers": {"email": "ada@example.com", "metadata": {"its": "secret"}}})
    assert shape == {
        "customers": frozenset({"object"}),
        "customers.email": frozenset({"text"}),
        "customers.metadata": frozenset({"object"}),
    }
