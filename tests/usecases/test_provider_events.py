"""Looking at the provider's list of events: page by page, each event once, the oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import runtime
from chalicelib.integrations.gocardless.events import Said
from chalicelib.integrations.gocardless.results import EventPage
from chalicelib.models.keys import ALARM, POLLED, PROVIDER_EVENT
from chalicelib.usecases import provider_events
from tests.scenarios.world import World
from tests.usecases.delivering import Lender, lender

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def one() -> Iterator[Lender]:
    world = World()
    with runtime.use(world):
        yield lender(world)


class Listing:
    """The provider's list, newest first; ``asked`` are the bounds that it was read with."""

    def __init__(self, events: Sequence[Said]) -> None:
        self.events_, self.asked = events, list[tuple[int, datetime | None, int]]()

    def events(self, *, after: str | None, since: datetime | None, limit: int) -> Any:
        start = int(after or 0)
        self.asked.append((start, since, limit))
        end = start + limit
        some = tuple(self.events_[start:end])
        return EventPage(some, str(end) if end < len(self.events_) else None)


def said(number: int) -> Said:
    """The ``number``-th event, of a kind that is recorded and ignored."""
    return Said(f"EV{number:03d}", "payouts", "paid", NOON + timedelta(minutes=number))


def known(one: Lender) -> list[str]:
    """The ids of the events that were taken in, in that order."""
    found = one.world.store.each(PROVIDER_EVENT, one.id, newest_first=False, consistent=True)
    return [stored.value.event_id for stored in found]


def test_pages_are_read_to_the_end_and_what_is_known_is_left(
    one: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_events, "PAGE", 3)
    happened: list[str] = []
    real = provider_events._once

    def seen(ctx: Any, provider: Any, event: Any) -> None:
        happened.append(event.event_id)
        real(ctx, provider, event)

    monkeypatch.setattr(provider_events, "_once", seen)
    first = Listing([said(n) for n in reversed(range(5))])
    provider: Any = first
    assert provider_events.poll(one.ctx, provider) == 5
    assert happened == [f"EV{n:03d}" for n in range(5)], "the oldest first"
    assert first.asked == [(0, None, 3), (3, None, 3)]
    again: Any = Listing([said(n) for n in reversed(range(7))])
    assert provider_events.poll(one.ctx, again) == 2
    assert happened[5:] == ["EV005", "EV006"]
    assert again.asked[0][1] == said(4).created_at - timedelta(days=1)
    kept = one.world.store.get(POLLED, one.id, one.id)
    assert kept is not None and kept.value.newest == said(6).created_at
    assert sorted(known(one)) == [f"EV{n:03d}" for n in range(7)]


def test_a_list_that_is_too_long_is_said_to_be(
    one: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_events, "PAGE", 2)
    monkeypatch.setattr(provider_events, "MOST_PAGES", 2)
    alarms = [stored.value for stored in one.world.store.each(ALARM, one.id)]
    assert alarms == []
    provider: Any = Listing([said(n) for n in reversed(range(10, 20))])
    assert provider_events.poll(one.ctx, provider) == 4
    [alarm] = [stored.value for stored in one.world.store.each(ALARM, one.id)]
    assert alarm.name == "provider_events_not_read" and "4 events" in alarm.detail


def test_a_page_is_as_large_as_the_provider_allows() -> None:
    assert provider_events.PAGE == 500
    assert provider_events.PAGE * provider_events.MOST_PAGES >= 100_000
