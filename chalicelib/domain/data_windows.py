"""Which loans and repayments a day's data file holds (partner API, Blackmoon, "Daily").

The file of day D tells what was known at the end of D-1.  It holds what happened on the seven days
before D, or on 32 days where D is the 1st of a month: one month's end to the next, whatever is lost
on the way.  Days are business dates; an instant is written in Blackmoon's time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.account import Account
from chalicelib.domain.ledger import Batch, Transaction
from chalicelib.domain.status import OPEN

BUSINESS_ZONE = "Europe/London"
USUAL_DAYS, MONTHLY_DAYS = 7, 32
CLOSED = "closed"

RECEIVED = ("repayment", "chargeback")
"""The types of transaction that are rows of the repayments' file."""


@dataclass(frozen=True, slots=True)
class Window:
    """The file of ``day``: the days from ``first`` to ``last`` are in it."""

    day: date
    first: date
    last: date

    def __contains__(self, on: date | None) -> bool:
        return on is not None and self.first <= on <= self.last


def window(day: date) -> Window:
    """Day D holds D-7 to D-1, and D-32 to D-1 on the 1st of a month."""
    days = MONTHLY_DAYS if day.day == 1 else USUAL_DAYS
    return Window(day, day - timedelta(days=days), day - timedelta(days=1))


def takes_loan(window: Window, status: str, closed_on: date | None, ceded: bool) -> bool:
    """Whether a loan that stood so at the end of the window is in the loans' file.

    Open means disbursed and not closed.  A loan that was ever ceded is in it for ever.
    """
    if status in OPEN:
        return True
    return ceded or (status == CLOSED and closed_on in window)


def takes_repayment(window: Window, learnt: date | None, ceded: bool) -> bool:
    """Whether a repayment that became known on ``learnt`` is in the repayments' file.

    ``None`` is for what is not known to have arrived; of loans that were ever ceded all others are.
    """
    if learnt is None or learnt > window.last:
        return False
    return ceded or learnt in window


def learnt_on(item: Transaction, batch: Batch, account: Account) -> date | None:
    """The day on which a repayment, or what became of it, was found out; ``None`` for what has
    never arrived.

    Its own date does not count: money of three months ago that we hear of today is known today.
    One that had arrived and is reverted, or fails late, is known anew on that day.
    """
    if item.type not in RECEIVED:
        return None
    if item.status == "reverted" and batch.revision:
        return max(item.processing_date, account.revised[batch.revision - 1])
    arrived = item.status in ("applied", "reverted")
    failed_late = item.status == "failed" and item.applied_at is not None
    return item.processing_date if arrived or failed_late else None


def months(window: Window, today: date) -> list[str]:
    """The months (``2026-03``) in which a loan may have closed that is in the file as it is made
    on ``today``: within the window, or after it, when it was open at the window's end.
    """
    found = []
    year, month = window.first.year, window.first.month
    while (year, month) <= (today.year, today.month):
        found.append(f"{year:04d}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def instant_of(item: Transaction) -> datetime:
    """When a repayment counts, in Blackmoon's time zone.

    The instant at which it was applied, if that was on the day from which it counts; else that
    day's beginning.
    """
    zone = ZoneInfo(BUSINESS_ZONE)
    if item.applied_at is not None:
        at = item.applied_at.astimezone(zone)
        if at.date() == item.effective_date:
            return at.replace(microsecond=0)
    begins = datetime.combine(item.effective_date, time(), zone)
    return begins.astimezone(UTC).astimezone(zone)
