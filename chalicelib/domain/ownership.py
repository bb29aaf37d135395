"""Who owns a loan: its originator, or an investor between a cession and its reversal.

Money that moves on the day of a direct cession is the investor's already; on the day of a reversal
it is the originator's again (the investor was paid a price as of that day).  So each day has one
owner.  See ``docs/adr/0017-cessions-and-collateral.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from chalicelib.domain.blackmoon import DIRECT, REVERSE, TOPUP, Cession


@dataclass(frozen=True, slots=True)
class Holding:
    """An investor owns a loan from ``since`` on, to the day before ``until`` (None: still).

    ``servicing_fee`` is the fraction of what is collected that stays with the originator.
    ``investor`` is ``""`` where the offer did not say which.
    """

    investor: str
    servicing_fee: Decimal
    since: date
    until: date | None = None

    def on(self, day: date) -> bool:
        """Whether ``day`` belongs to it; a loan sold and returned on one day belongs to no day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Ownership:
    """A loan that was ever ceded, with all that is known of who has held it, oldest first."""

    loan: str
    holdings: tuple[Holding, ...] = ()

    @property
    def id(self) -> str:
        """The loan's id."""
        return self.loan


def holdings(cessions: Iterable[Cession]) -> tuple[Holding, ...]:
    """Who has held a loan, oldest first, by all cessions of that loan, in whatever order of days.

    Of one day's cessions those come first that can: a loan is sold, then returned, or returned,
    then sold.  What cannot be at all (a reversal of a loan that is not sold) changes nothing.
    """
    found: tuple[Holding, ...] = ()
    moves = sorted((one for one in cessions if one.type != TOPUP), key=lambda one: one.day)
    for _, same_day in groupby(moves, key=lambda one: one.day):
        waiting = list(same_day)
        while waiting:
            wanted = (REVERSE, DIRECT) if holder(found) else (DIRECT,)
            fitting = (one for kind in wanted for one in waiting if one.type == kind)
            following = next(fitting, None)
            if following is None:
                break
            waiting.remove(following)
            found = followed(found, following)
    return found


def followed(before: Sequence[Holding], cession: Cession) -> tuple[Holding, ...]:
    """The holdings after one more cession, which is the newest.

    A direct cession of a loan that is held already passes it on.  A reversal that is dated before
    the purchase takes it back as of the purchase.
    """
    known, held = tuple(before), holder(before)
    if cession.type == DIRECT:
        fee = cession.servicing_fee or Decimal(0)
        new = Holding(cession.investor_legal_entity_id or "", fee, cession.day)
        return (*_ended(known, cession.day), new)
    if cession.type == REVERSE and held is not None:
        return _ended(known, cession.day)
    return known


def _ended(known: tuple[Holding, ...], day: date) -> tuple[Holding, ...]:
    held = holder(known)
    if held is None:
        return known
    return (*known[:-1], replace(held, until=max(day, held.since)))


def holder(known: Sequence[Holding]) -> Holding | None:
    """Who holds the loan now; ``None``: its originator."""
    return known[-1] if known and known[-1].until is None else None


def holder_on(known: Iterable[Holding], day: date) -> Holding | None:
    """Whose a day's money is; ``None``: the originator's."""
    return next((one for one in known if one.on(day)), None)


def owner_on(cessions: Iterable[Cession], day: date) -> str | None:
    """The investor who owned a loan on a day, by its cessions; ``None``: its originator."""
    found = holder_on(holdings(cessions), day)
    return found.investor if found else None
