"""Monthly statements of revolving credit, and what they ask for.

On the statement day the period that ended the day before is closed.  The minimum repayment is asked
for by the next repayment date; every repayment from the statement day on counts towards each
minimum that is open (partner API, "Statements").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain.account import Account, Minimum, Terms
from chalicelib.domain.book import Book
from chalicelib.domain.calendar import Calendar, calendar_for, last_of_month, repayment_dates
from chalicelib.domain.ledger import Balances, Closing, Share, Transaction, statement_id
from chalicelib.domain.money import HALF_PENNY, ZERO, pence

OPEN, PAID, MISSED = "open", "paid", "missed"
HUNDRED = Decimal(100)
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Statement:
    """One closed period of a loan.

    ``end_user`` and ``product`` are the loan's; ``principal``, ``interest`` and ``fee`` are the
    closing balances; ``repaid`` is what has been repaid of the ``minimum_repayment`` that is due on
    ``due_date``; ``transactions`` are ids.
    """

    id: str
    loan: str
    end_user: str
    product: str
    number: int
    period_start: date
    period_end: date
    opening_balance: Decimal
    closing_balance: Decimal
    principal: Decimal
    interest: Decimal
    fee: Decimal
    minimum_repayment: Decimal
    due_date: date
    repaid: Decimal = Decimal(0)
    status: str = OPEN
    transactions: tuple[str, ...] = ()

    def standing(self, now: Standing) -> Statement:
        """The statement with what has come of its minimum."""
        return replace(self, repaid=self.minimum_repayment - now.missing, status=now.status)


class Standing(NamedTuple):
    """What has come of a statement's minimum: how much is missing, and ``open|paid|missed``."""

    number: int
    missing: Decimal
    status: str


# --- dates ----------------------------------------------------------------------------------------


def next_day_of_month(day: int, after: date) -> date:
    """The next ``day`` of a month that is later than ``after``; in shorter months the last day."""
    first = after.replace(day=1)
    while True:
        last = last_of_month(first)
        found = first.replace(day=min(day, last.day))
        if found > after:
            return found
        first = last + ONE_DAY


def next_repayment_date(terms: Terms, after: date, calendar: Calendar) -> date:
    """The first repayment date of the loan, holidays considered, that is later than ``after``."""
    month_before = after.replace(day=1) - ONE_DAY
    found = repayment_dates(terms.plan.rule, month_before, 3, calendar)
    return next(one.due for one in found if one.due > after)


def next_statement(terms: Terms, account: Account) -> date | None:
    """The day on which the open period will be closed."""
    if not terms.has_statements or account.period_start is None or account.as_of is None:
        return None
    return next_day_of_month(terms.statement_day or 1, max(account.as_of, account.period_start))


def next_claim(account: Account) -> date | None:
    """The next day on which ``overpayment`` pays a minimum that falls due."""
    days = [one.due for one in account.minimums if account.overpayment > 0]
    return min((day for day in days if account.as_of and day > account.as_of), default=None)


def next_miss(account: Account) -> date | None:
    """The next day on which a minimum that is still open will have been missed."""
    days = [one.due + ONE_DAY for one in account.minimums]
    return min((day for day in days if account.as_of and day > account.as_of), default=None)


# --- closing a period -----------------------------------------------------------------------------


def minimum_repayment(terms: Terms, closing: Balances) -> Decimal:
    """min(closing balance, max(floor, percentage of the principal + interest + fee)), in pence."""
    asked = closing.principal * terms.minimum_repayment_percentage / HUNDRED
    asked += closing.interest + closing.fee
    return pence(max(ZERO, min(closing.total, max(terms.minimum_repayment_amount, asked))))


def close_period(book: Book, closing: Balances) -> None:
    """Issue the statement of the day the book stands on; ``closing`` are the day before's balances.

    What has been issued stays as it was issued, however the history is told.
    """
    account, terms = book.account, book.terms
    assert account.period_start is not None
    number = account.statements + 1
    issued = book.issued.get(number)
    if issued is None:
        book.close_run()
        issued = Closing(
            seq=book.next_seq(),
            number=number,
            on=book.today,
            start=account.period_start,
            opening=account.opening,
            closing=closing,
            minimum=minimum_repayment(terms, closing),
            due=next_repayment_date(terms, book.today, calendar_for(terms.calendar)),
        )
        book.closings.append(issued)
        book.tell("statement_ready", statement=statement_id(terms.id, number))
    account.statements = number
    account.period_start = book.today
    account.opening = issued.closing.total
    if issued.minimum > 0 and account.balances.total > 0:
        account.minimums += (Minimum(number, issued.due, issued.minimum),)


def count(book: Book, amount: Decimal) -> tuple[Share, ...]:
    """A repayment counts towards the minimums: see :class:`~chalicelib.domain.account.Minimum`.

    Answers with what it repaid of which statement's minimum.
    """
    account = book.account
    found: list[Minimum] = []
    for one in account.minimums:
        part = min(amount, one.missing)
        if not book.terms.has_statements:
            amount -= part
        found.append(one._replace(repaid=one.repaid + part))
    cleared = not any(account.balances)
    shares = [
        Share(one.number, one.due, now.repaid - one.repaid)
        for one, now in zip(account.minimums, found, strict=True)
    ]
    account.minimums = tuple(m for m in found if m.missing > HALF_PENNY and not cleared)
    return tuple(share for share in shares if share.principal and book.terms.has_statements)


# --- what is shown --------------------------------------------------------------------------------


def statement(terms: Terms, closing: Closing, listed: Iterable[Transaction]) -> Statement:
    """The statement of a closed period; of the loan's transactions ``listed`` it names its own."""
    last = closing.on - ONE_DAY
    return Statement(
        id=statement_id(terms.id, closing.number),
        loan=terms.id,
        end_user=terms.end_user,
        product=terms.product,
        number=closing.number,
        period_start=closing.start,
        period_end=last,
        opening_balance=closing.opening,
        closing_balance=closing.closing.total,
        **closing.closing._asdict(),
        minimum_repayment=closing.minimum,
        due_date=closing.due,
        transactions=tuple(
            item.id
            for item in listed
            if closing.start <= item.effective_date <= last and item.counts
        ),
    )


def moved(before: Account, after: Account, today: date) -> tuple[Standing, ...]:
    """What has become of statements between two accounts: those whose standing has changed."""
    old = {one.number: one for one in before.minimums}
    new = {one.number: one for one in after.minimums}
    found: list[Standing] = []
    for number in sorted(old.keys() | new.keys()):
        one = new.get(number)
        if one is None and after.is_written_off:
            found.append(Standing(number, old[number].missing, MISSED))
        elif one is None:
            found.append(Standing(number, ZERO, PAID))
        elif one != old.get(number) or _missed_between(before, today, one):
            found.append(_standing(one, today))
    return tuple(found)


def _missed_between(before: Account, today: date, one: Minimum) -> bool:
    return before.as_of is not None and before.as_of <= one.due < today


def as_issued(issued: Statement, account: Account, today: date) -> Statement:
    """A new statement with its standing: nothing is asked for where nothing is owed."""
    for one in account.minimums:
        if one.number == issued.number:
            return issued.standing(_standing(one, today))
    if account.is_written_off and issued.minimum_repayment:
        return issued.standing(Standing(issued.number, issued.minimum_repayment, MISSED))
    return issued.standing(Standing(issued.number, ZERO, PAID))


def _standing(one: Minimum, today: date) -> Standing:
    return Standing(one.number, one.missing, MISSED if today > one.due else OPEN)


def last_closed(account: Account) -> date | None:
    """The last day that a statement has closed."""
    if account.statements == 0 or account.period_start is None:
        return None
    return account.period_start - ONE_DAY
