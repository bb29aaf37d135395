"""Whether a stored account is what its journal tells: looked at every night, for a few loans.

An account is a cache of its journal (``domain/account.py``).  Which loans are looked at follows
from the loan and the date alone: every loan has its turn, and a job that is run again looks at the
same ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date

from chalicelib.domain import daily, ledger, replay
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.ledger import Batch
from chalicelib.domain.money import exact
from chalicelib.domain.status import OPEN

ONE_IN = 8
"""Of the loans that a daily job does, this many are passed over for one that is looked at."""

TOLD = (
    "status",
    "as_of",
    "balances",
    "overpayment",
    "written_off",
    "disbursed_on",
    "bases",
    "next_row",
    "prepaid",
    "billed",
    "short",
    "interest_enabled",
    "late_since",
    "arrears_since",
    "held_until_row",
    "minimums",
    "statements",
    "period_start",
    "opening",
)
"""What of an open account follows from the journal's facts alone."""

TOLD_OF_CLOSED = ("balances", "written_off", "disbursed_on", "statements")
SUM = "sum of the journal"


def chosen(loan_id: str, day: date) -> bool:
    """Whether it is this loan's turn on this business date."""
    return zlib.crc32(f"{loan_id}/{day.isoformat()}".encode()) % ONE_IN == 0


@exact
def differences(
    terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment
) -> tuple[str, ...]:
    """The names of what differs; none if the account is what its journal tells.

    ``batches`` are the whole journal of this very account, oldest first.  Names only: what a
    borrower owes does not belong in a log.
    """
    if account.status in ("inactive", "cancelled") or account.disbursed_on is None:
        return ()
    now = daily.bring_up(terms, account, moment)
    fold = ledger.fold([*batches, *now.batches()], now.account.run)
    found = () if fold == now.account.balances else (SUM,)
    told = replay.tell(
        terms,
        replay.facts(batches),
        moment,
        revised=account.revised,
        covered=now.account.covered,
        journal=batches,
    ).account
    names = TOLD if now.account.status in OPEN else TOLD_OF_CLOSED
    return (
        *found,
        *(name for name in names if getattr(told, name) != getattr(now.account, name)),
    )
