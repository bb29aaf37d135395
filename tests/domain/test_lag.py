"""How far closing is behind: by each partner's own midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from chalicelib.domain.lag import behind
from chalicelib.domain.partners import Clock, Partner

LONDON, AUCKLAND = Partner("p", timezone="Europe/London"), Partner("q", timezone="Pacific/Auckland")
HOURS = timedelta(hours=1)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 3, hour, minute, tzinfo=UTC)


def test_a_day_that_is_closed_is_not_behind() -> None:
    assert behind(LONDON, Clock("p", closed=date(2026, 3, 3)), at(23)) == timedelta()


def test_it_counts_from_midnight_where_the_partner_is() -> None:
    yesterday = Clock("p", closed=date(2026, 3, 2))
    assert behind(LONDON, yesterday, at(6, 5)) == 6 * HOURS + timedelta(minutes=5)
    # In Auckland it is 19:05 of the third: its midnight was at 11:00 in UTC on the second.
    assert behind(AUCKLAND, yesterday, at(6, 5)) == 19 * HOURS + timedelta(minutes=5)


def test_the_oldest_day_that_is_open_counts() -> None:
    assert behind(LONDON, Clock("p", closed=date(2026, 2, 28)), at(0)) == 48 * HOURS


def test_a_sandbox_clock_counts_while_it_moves() -> None:
    day = date(2030, 1, 5)
    there = Clock("p", day=day, set_at=at(9), target=day, closed=day)
    assert behind(LONDON, there, at(12)) == timedelta()
    moving = Clock("p", day=day, set_at=at(9), target=day, closing=day, open_shards=(0,))
    assert behind(LONDON, moving, at(12)) == 3 * HOURS
