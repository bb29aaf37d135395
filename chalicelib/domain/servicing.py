"""What investors are due of the money that comes in on loans that they own.

The originator goes on collecting a loan that it has sold, and keeps a servicing fee: a fraction of
each payment, "paid to originator upon payment date" (Blackmoon's API, offers.create).  All else of
the payment is the investor's.  See ``docs/adr/0020-servicing.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain import disbursing
from chalicelib.domain.blackmoon import DIRECT, REVERSE, TOPUP, Cession
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.ownership import Holding, followed, holder_on

NOTHING = Decimal("0.00")
COLLECTED: Mapping[str, int] = {"repayment": 1, "chargeback": -1, "refund": -1}
"""Types of transactions that are money from a borrower, or money that goes back to one."""


# --- one payment ----------------------------------------------------------------------------------


class Part(NamedTuple):
    """Money that came from a borrower, in pence; below zero it went back.

    ``servicing_fee`` is what of it stays with the originator.
    """

    collected: Decimal = NOTHING
    servicing_fee: Decimal = NOTHING

    @property
    def payable(self) -> Decimal:
        """What of it is the investor's."""
        return self.collected - self.servicing_fee

    def plus(self, other: Part, times: int = 1) -> Part:
        """With ``other`` added ``times`` times."""
        return Part(
            self.collected + times * other.collected,
            self.servicing_fee + times * other.servicing_fee,
        )


@exact
def split(amount: Decimal, servicing_fee: Decimal) -> Part:
    """The parts of a payment; ``servicing_fee`` is a fraction of it.

    The fee is rounded to pence, half up, payment by payment; what goes back is rounded as what came
    in, so that a chargeback takes back just what its repayment gave.
    """
    return Part(pence(amount), pence(amount * servicing_fee))


def returns(items: Iterable[Transaction]) -> frozenset[str]:
    """The ids of repayments that are no borrower's: disbursements that came back."""
    return frozenset(item.id for item in disbursing.returns(items).values())


def collected(item: Transaction, returned: Container[str] = ()) -> Decimal:
    """What a transaction brought from the borrower, or took back; nothing before it is applied.

    ``returned`` are :func:`returns` of the loan.
    """
    if item.status != "applied" or item.id in returned:
        return ZERO
    return pence(item.amount) * COLLECTED.get(item.type, 0)


class Entry(NamedTuple):
    """A transaction on a loan that was an investor's on the day from which it counts."""

    investor: str
    type: str
    part: Part


def entries(items: Sequence[Transaction], holdings: Sequence[Holding]) -> list[Entry]:
    """What has been collected of a loan for those who own it, or did, transaction by transaction.

    Whose a payment is, its effective date says.
    """
    found, returned = [], returns(items)
    for item in items:
        amount, held = collected(item, returned), holder_on(holdings, item.effective_date)
        if amount and held is not None:
            found.append(Entry(held.investor, item.type, split(amount, held.servicing_fee)))
    return found


# --- what was known of a loan's sales -------------------------------------------------------------


class Recorded(NamedTuple):
    """A cession, when it was recorded, and on which days that was and it was last changed."""

    cession: Cession
    at: datetime
    on: date
    changed: date


@dataclass(frozen=True, slots=True)
class Sale:
    """The cessions of a loan, as they were recorded, and who has held it by them."""

    cessions: tuple[Cession, ...]
    holdings: tuple[Holding, ...]


_FIRST_OF_AN_INSTANT = (DIRECT, TOPUP, REVERSE)


@exact
def known(recorded: Iterable[Recorded], day: date) -> Sale | None:
    """What was known of a loan's sales at the end of ``day``; ``None`` if it was not sold.

    A reversal that Blackmoon has told otherwise after that day stands as it had been recorded: of
    a cancelled offer, as of its day and for all that had been paid.
    """
    by_then = [one for one in recorded if one.on <= day]
    by_then.sort(key=lambda one: (one.at, _FIRST_OF_AN_INSTANT.index(one.cession.type)))
    cessions: list[Cession] = []
    held: tuple[Holding, ...] = ()
    for one in by_then:
        cession = one.cession
        if cession.type == REVERSE and one.changed > day:
            paid = sum((each.price for each in cessions if each.type != REVERSE), ZERO)
            cession = replace(cession, day=one.on, price=paid)
        cessions.append(cession)
        held = followed(held, cession)
    return Sale(tuple(cessions), held) if cessions else None


# --- a month --------------------------------------------------------------------------------------


def period(month: date, today: date) -> date:
    """The last day that the month beginning on ``month`` has by ``today``.

    Raises :class:`Invalid` for a month that has not begun.
    """
    if month > today:
        message = f"{month.isoformat()[:7]} has not begun: the business date is {today}."
        raise Invalid(Flaw("month", "out_of_range", message))
    if (month.year, month.month) == (today.year, today.month):
        return today
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


class Row(NamedTuple):
    """What was collected of one loan in a month, for the investor of the settlement."""

    loan: str
    part: Part


class Settlement:
    """An investor's month: what has become known in it of payments on loans that it owned.

    A month is the difference of two states, each as it was known at the end of a day.  So a month
    that is over never changes, and all months together are what is known now.
    """

    def __init__(self, investor: str, month: date) -> None:
        self.investor, self.month = investor, month
        self.rows: list[Row] = []
        self.totals = Part()

    def add(self, loan: str, before: Iterable[Entry], after: Iterable[Entry]) -> None:
        """Add a loan, of which ``before`` was known as the month began and ``after`` at its end.

        It has a row if anything has happened, also where that comes to nothing.
        """
        moved = Counter(one for one in after if one.investor == self.investor)
        moved.subtract(one for one in before if one.investor == self.investor)
        part, happened = Part(), False
        for entry, times in moved.items():
            part, happened = part.plus(entry.part, times), happened or times != 0
        if happened:
            self.rows.append(Row(loan, part))
            self.totals = self.totals.plus(part)
