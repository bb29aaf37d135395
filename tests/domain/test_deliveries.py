"""The schedule, what waits for what, and what disables an endpoint."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Reference

from chalicelib.domain import deliveries, webhooks
from chalicelib.domain.deliveries import (
    DELIVERED,
    FAILED,
    PENDING,
    RETRIES,
    Attempt,
    Delivery,
    Lane,
    Webhook,
)
from chalicelib.domain.errors import Refused
from chalicelib.domain.webhooks import Endpoint, Subscriptions

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def row(id: str = "w", loan: str | None = "loan", order: int = 0, **more: object) -> Webhook:
    given = {"recorded_at": NOW, "due": NOW, **more}
    return Webhook(id, "loan_is_late", "e", 1, loan=loan, order=order, **given)  # type: ignore[arg-type]


def test_the_documented_schedule_is_ten_attempts_over_three_days() -> None:
    one, at, pauses = row(), NOW, []
    while one.status == PENDING:
        one = deliveries.attempted(one, Attempt(at, 500), 0)
        pauses += [one.due - at] if one.due else []
        at = one.due or at
    assert [pause.total_seconds() for pause in pauses] == [
        5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400,
    ]  # fmt: skip
    assert (one.status, one.tries, one.due) == (FAILED, 10, None)
    assert len(one.deliveries) == 10 and one.deliveries[-1].next_attempt_at is None


@given(st.integers(0, 8), st.floats(0, 1))
def test_jitter_only_makes_pauses_longer(tries: int, chance: float) -> None:
    after = deliveries.attempted(row(tries=tries), Attempt(NOW, None, "x"), chance)
    assert after.due is not None
    assert RETRIES[tries] <= after.due - NOW <= RETRIES[tries] * 1.1 + SECOND


@pytest.mark.parametrize(
    ("status", "after"),
    [(200, DELIVERED), (204, DELIVERED), (299, DELIVERED), (199, PENDING), (301, PENDING),
     (308, PENDING), (400, PENDING), (404, PENDING), (409, PENDING), (500, PENDING),
     (410, FAILED), (None, PENDING)],
)  # fmt: skip
def test_what_an_answer_means(status: int | None, after: str) -> None:
    assert deliveries.attempted(row(), Attempt(NOW, status), 0.5).status == after


def test_what_happens_while_the_sandbox_s_clock_moves_is_tried_three_times_at_once() -> None:
    one = row(hurried=True, watched=True)
    for _ in range(2):
        one = deliveries.attempted(one, Attempt(NOW, 500), 0)
        assert (one.due, one.awaited) == (NOW, deliveries.AWAITED)
    one = deliveries.attempted(one, Attempt(NOW, 500), 0)
    assert (one.due, one.awaited) == (NOW + timedelta(minutes=30), None)
    late = deliveries.attempted(row(hurried=True, watched=True), Attempt(NOW, late=True), 0)
    assert (late.due, late.awaited) == (NOW + 5 * SECOND, None)


def test_a_row_remembers_its_last_attempts() -> None:
    one = row()
    for _ in range(30):
        one = deliveries.attempted(replace(one, tries=0), Attempt(NOW, 500), 0)
    assert len(one.deliveries) == deliveries.LOG_KEPT


def test_asked_for_again_a_row_has_a_schedule_of_its_own() -> None:
    for status in (DELIVERED, FAILED, PENDING):
        again = deliveries.again(row(status=status, tries=10, due=None), True, NOW)
        assert (again.status, again.tries, again.due) == (PENDING, 0, NOW)
    with pytest.raises(Refused) as refusal:
        deliveries.again(row(), False, NOW)
    assert refusal.value.code == "invalid_status"


def test_of_each_loan_the_earliest_goes_first() -> None:
    rows = [row("b2", "b", 1), row("a2", "a", 3), row("a1", "a", 0), row("n1", None, 5),
            row("n2", None, 4), row("b1", "b", 0, recorded_at=NOW - SECOND)]  # fmt: skip
    chosen = deliveries.wave(rows, Lane("e", "p"), 8)
    assert [one.id for one in chosen.send] == ["b1", "a1", "n2", "n1"]
    assert [one.id for one in deliveries.wave(rows, Lane("e", "p"), 2).send] == ["b1", "a1"]


def test_later_events_of_a_loan_wait_where_the_receiver_answers() -> None:
    lane = Lane("e", "p")
    first, second = row("one"), row("two", order=1)
    for expected in (True, True, False):
        first = deliveries.attempted(first, Attempt(NOW, 500), 0)
        lane = deliveries.after_wave(lane, [first])
        assert (lane.held == {"loan": "one"}) is expected
    lane = deliveries.after_wave(Lane("e", "p"), [replace(first, tries=1)])
    chosen = deliveries.wave([second], lane, 8)
    assert (chosen.send, chosen.wait) == ((), (second,))
    assert deliveries.wave([replace(second, hurried=True)], lane, 8).wait == ()
    done = deliveries.attempted(first, Attempt(NOW, 200), 0)
    assert deliveries.after_wave(lane, [done]).held == {}


def test_nobody_waits_for_a_receiver_that_does_not_answer() -> None:
    silent = deliveries.attempted(row(), Attempt(NOW, None, "refused"), 0)
    assert deliveries.after_wave(Lane("e", "p"), [silent]).held == {}


def test_what_a_lane_remembers_is_bounded() -> None:
    rows = [
        deliveries.attempted(row(str(n), loan=str(n)), Attempt(NOW, 500), 0) for n in range(600)
    ]
    assert len(deliveries.after_wave(Lane("e", "p"), rows).held) == deliveries.MOST_HELD


@pytest.mark.parametrize(
    ("status", "taken_at", "ends"),
    [
        (410, NOW + SECOND, True),
        (500, None, True),
        (500, NOW - SECOND, True),
        (500, NOW + SECOND, False),
    ],
)
def test_what_disables_an_endpoint(status: int, taken_at: datetime | None, ends: bool) -> None:
    failed = row(status=FAILED, deliveries=(Delivery(NOW, status),))
    assert deliveries.ends_endpoint(failed, Lane("e", "p", taken_at=taken_at)) is ends
    assert not deliveries.ends_endpoint(replace(failed, status=DELIVERED), Lane("e", "p"))


def test_what_was_asked_for_again_counts_from_then_on() -> None:
    old = tuple(Delivery(NOW + day * DAY, 500) for day in range(10))
    new = tuple(Delivery(NOW + day * DAY, 500) for day in range(100, 110))
    failed = row(status=FAILED, deliveries=old + new, tries=10)
    since = Lane("e", "p", taken_at=NOW + 50 * DAY)
    assert deliveries.ends_endpoint(failed, since), "nothing was taken in its second schedule"
    assert not deliveries.ends_endpoint(failed, replace(since, taken_at=NOW + 101 * DAY))


def test_a_lane_wakes_when_its_holder_s_time_is_over_or_something_is_due() -> None:
    lane = Lane("e", "p", next_due=NOW)
    assert lane.wakes == NOW
    mine = deliveries.taken(lane, "me", NOW, timedelta(minutes=1))
    assert mine.wakes == NOW + timedelta(minutes=1)
    assert mine.is_held(NOW + 59 * SECOND) and not mine.is_held(NOW + 60 * SECOND)
    free = deliveries.released(mine, None)
    assert (free.wakes, free.is_held(NOW)) == (None, False)


def test_who_listens() -> None:
    known = Subscriptions("p")
    known = webhooks.joined(known, Endpoint("all", "u"))
    known = webhooks.joined(known, Endpoint("late", "u", ("loan_is_late",)))
    known = webhooks.joined(known, Endpoint("off", "u", is_disabled=True))
    assert known.to("loan_is_late") == ("all", "late")
    assert known.to("loan_closed") == ("all",)
    known = webhooks.subscribed(known, Endpoint("all", "u", is_disabled=True))
    assert (known.to("loan_closed"), known.endpoints) == ((), 3)
    known = webhooks.left(known, Endpoint("late", "u"))
    assert (known.to("loan_is_late"), known.endpoints) == ((), 2)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.text())
def test_signatures_are_the_reference_s(one: bytes, other: bytes, text: str) -> None:
    secrets = [webhooks.secret_text(one), webhooks.secret_text(other)]
    body, now = text.encode(), int(datetime.now(UTC).timestamp())
    signed = webhooks.signatures(secrets, "msg", now, body)
    headers = {"webhook-id": "msg", "webhook-timestamp": str(now), "webhook-signature": signed}
    for secret in secrets:
        signature = Reference(secret).sign("msg", datetime.fromtimestamp(now, UTC), text)
        assert signature in signed.split()
        Reference(base64.b64encode(base64.b64decode(secret[6:])).decode()).verify(
            '{"a":1}',
            headers | {"webhook-signature": webhooks.signatures(secrets, "msg", now, b'{"a":1}')},
        )
