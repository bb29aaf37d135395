"""A sandbox clock with simulators: they come to a date before its jobs, and rest after them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from chalicelib.domain import partners
from chalicelib.domain.partners import Clock, Partner

WALL = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = date(2026, 3, 2)
NEXT = DAY + timedelta(days=1)
PARTNER = Partner("p", sandbox=True)
REST = Clock("p", DAY, WALL, target=DAY, closed=DAY)


def test_a_day_with_simulators_phase_by_phase() -> None:
    sent = partners.send_clock(REST, NEXT, WALL, has_loans=True, follows=True).state
    begun = partners.next_step(PARTNER, sent, WALL, follows=True)
    assert (begun.state.day, begun.state.opening, begun.state.open_shards) == (NEXT, True, (0,))
    assert [message.queue for message in begun.messages] == ["clock"], "no jobs yet"
    assert partners.next_step(PARTNER, begun.state, WALL, follows=True).state == begun.state
    opened = partners.opened(begun.state, NEXT)
    assert not opened.state.opening and not opened.state.settled
    assert [message.queue for message in opened.messages] == ["days"]
    done = partners.shard_done(PARTNER, opened.state, NEXT, 0, WALL, follows=True)
    assert done.state.draining and done.state.closed == NEXT and not done.state.settled
    rest = partners.drained(PARTNER, done.state, NEXT, WALL, follows=True)
    assert rest.state.settled and rest.messages == ()


def test_each_phase_is_done_once_whoever_says_so_again() -> None:
    for clock in (REST, Clock("p", NEXT, WALL, target=NEXT, closed=NEXT)):
        assert partners.opened(clock, DAY).state == clock
        assert partners.drained(PARTNER, clock, DAY, WALL, follows=True).state == clock
    moved_on = Clock("p", NEXT, WALL, target=NEXT, closed=NEXT, draining=True)
    assert partners.drained(PARTNER, moved_on, DAY, WALL, follows=True).state == moved_on


def test_a_drained_day_begins_the_next_one() -> None:
    resting = Clock("p", DAY, WALL, target=NEXT, closed=DAY, draining=True)
    onward = partners.drained(PARTNER, resting, DAY, WALL, follows=True).state
    assert (onward.day, onward.opening, onward.draining) == (NEXT, True, False)


def test_a_jump_without_loans_takes_the_simulators_along() -> None:
    back = DAY - timedelta(days=100)
    jumped = partners.send_clock(REST, back, WALL, has_loans=False, follows=True)
    assert jumped.state.opening and not jumped.state.settled
    assert [message.queue for message in jumped.messages] == ["clock"]
    there = partners.opened(jumped.state, back)
    assert there.state.settled and there.messages == ()


def test_the_same_date_again_only_drains() -> None:
    again = partners.send_clock(REST, DAY, WALL, has_loans=True, follows=True)
    assert again.state.draining and again.state.day == DAY
    assert partners.drained(PARTNER, again.state, DAY, WALL, follows=True).state == REST


def test_without_simulators_nothing_is_different() -> None:
    assert partners.send_clock(REST, DAY, WALL, has_loans=True).state == REST
    sent = partners.send_clock(REST, NEXT, WALL, has_loans=True).state
    begun = partners.next_step(PARTNER, sent, WALL)
    assert [message.queue for message in begun.messages] == ["days"]
    done = partners.shard_done(PARTNER, begun.state, NEXT, 0, WALL)
    assert done.state.settled and done.messages == ()


def test_one_worker_at_a_time_is_with_the_simulators() -> None:
    opening = Clock("p", NEXT, WALL, target=NEXT, closing=NEXT, open_shards=(0,), opening=True)
    held = partners.hold(opening, WALL).state
    assert held.held == WALL + partners.A_HOLD
    assert partners.hold(held, WALL + partners.A_HOLD / 2).state == held, "another one leaves it"
    assert partners.let_go(held).state == opening, "not done: the next message may"
    assert partners.opened(held, NEXT).state.held is None
    later = partners.hold(held, WALL + partners.A_HOLD).state
    assert later.held == WALL + 2 * partners.A_HOLD, "whoever held it has died"
    draining = Clock("p", NEXT, WALL, target=NEXT, closed=NEXT, draining=True)
    drained = partners.drained(
        PARTNER, partners.hold(draining, WALL).state, NEXT, WALL, follows=True
    )
    assert drained.state.settled and drained.state.held is None
    assert partners.hold(REST, WALL).state == REST, "there is nothing to be done"
