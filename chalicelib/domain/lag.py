"""How far a partner's closing of days is behind its calendar, for those who watch."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.partners import Clock, Partner

NOTHING = timedelta()
ONE_DAY = timedelta(days=1)


def behind(partner: Partner, clock: Clock, wall: datetime) -> timedelta:
    """How long ago the oldest business date began that is not closed; nothing if all are.

    A date begins at midnight in the partner's own zone, so that six hours mean six o'clock there,
    wherever that is.  A sandbox clock that stands where it was sent has nothing to close.
    """
    if clock.day is not None:
        began = clock.set_at
        return NOTHING if clock.settled or began is None else max(NOTHING, wall - began)
    today = partner.date_of(wall)
    if clock.closed is None or clock.closed >= today:
        return NOTHING
    return max(NOTHING, wall - partner.begins(clock.closed + ONE_DAY))
