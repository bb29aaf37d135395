"""How many there are in a long list: counted once, then only what is newer.

A COUNT reads the whole index.  A list of things that are never deleted only grows at its new end,
so what was counted up to an instant some time ago holds; it is kept for a while as a *tally*.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.models.keys import TALLY
from chalicelib.models.store_errors import Conflict
from chalicelib.models.unit import Unit

if TYPE_CHECKING:
    from chalicelib.models.kinds import Kind
    from chalicelib.models.store import Store

SETTLED = timedelta(minutes=5)
"""Nothing is created further back than this: a request takes half a minute at most."""
WORTH_KEEPING = 1000
KEPT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Tally:
    """``count`` things of the list ``id`` were created at or before ``until``."""

    id: str
    until: datetime
    count: int


def size(store: Store, kind: Kind[Any], partner: str, now: datetime) -> int:
    """How many of a kind a partner has; ``now`` is the partner's instant.

    A tally of more than :data:`WORTH_KEEPING` is kept for an hour of real time, and renewed when as
    many have come since.  Losing a race for it does not matter: the count is right either way.
    """
    if not kind.kept:
        return store.count(kind, partner)
    stored = store.get(TALLY, partner, kind.name, consistent=False)
    settled = now - SETTLED
    known = stored.value if stored and stored.value.until <= settled else None
    since = known.until if known else None
    newer = store.count(kind, partner, since=since)
    total = (known.count if known else 0) + newer
    if newer >= WORTH_KEEPING:
        _keep(store, kind, partner, now, settled, total)
    return total


def _keep(
    store: Store, kind: Kind[Any], partner: str, now: datetime, settled: datetime, total: int
) -> None:
    count = total - store.count(kind, partner, since=settled)
    if count < WORTH_KEEPING:
        return
    before = store.get(TALLY, partner, kind.name)
    unit, tally = Unit(now), Tally(kind.name, settled, count)
    if before is None:
        unit.create(TALLY, partner, tally, ttl_seconds=KEPT_SECONDS)
    else:  # it lives as long as it would have
        unit.update(TALLY, partner, before, tally)
    with suppress(Conflict):
        store.commit(unit)
