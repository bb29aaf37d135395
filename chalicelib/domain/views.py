"""What is shown of a loan: pure functions from terms, account and date to plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chalicelib.domain import billing, daily, replay, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Billed, Book, Early, Happening, Moment, Paid, Returned, RowPaid
from chalicelib.domain.calendar import charged_nights
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.ledger import Balances, Batch
from chalicelib.domain.money import ZERO, exact, pence, ten_places, without_hair
from chalicelib.domain.schedule import night_interest


@dataclass(frozen=True, slots=True)
class LoanView:
    """A loan as it stands on a business date: its terms, its account, what comes next."""

    terms: Terms
    account: Account
    next_repayment_date: date | None
    next_repayment_amount: Decimal | None
    days_past_due: int


@exact
def loan_view(terms: Terms, account: Account, moment: Moment) -> LoanView:
    """The loan brought up to the moment's business date; nothing is written."""
    book = daily.bring_up(terms, account, moment)
    comes = billing.next_repayment(book) if _repays(book) else None
    return LoanView(
        terms=terms,
        account=book.account,
        next_repayment_date=comes.date if comes else None,
        next_repayment_amount=comes.amount if comes and comes.date else None,
        days_past_due=status.days_past_due(book.account, book.today),
    )


def _repays(book: Book) -> bool:
    return book.account.status in status.OPEN


@dataclass(frozen=True, slots=True)
class Payoff:
    """What settles a loan on ``date``; ``total`` is the exact total, rounded half up."""

    date: date
    owed: Balances
    total: Decimal


@exact
def payoff(terms: Terms, account: Account, moment: Moment, on: date) -> Payoff:
    """Balances and the interest that will have accrued by ``on``."""
    if on < moment.today:
        message = f"{on} is before the business date, {moment.today}."
        raise Invalid(Flaw("date", "out_of_range", message))
    book = daily.bring_up(terms, account, moment)
    owed = book.account.balances
    if book.account.interest_enabled and book.account.status in status.OPEN:
        nights = charged_nights(book.calendar, terms.calculate_interest_on_holidays, book.today, on)
        night = ten_places(night_interest(owed.principal, terms.rate))
        owed = owed._replace(interest=owed.interest + night * nights)
    return Payoff(on, owed, pence(owed.total))


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One row of a running loan: what it bills (or is planned to) and what came of it."""

    number: int
    due_date: date
    days: int
    principal: Decimal
    interest: Decimal
    principal_after_repayment: Decimal
    status: str
    paid_principal: Decimal
    paid_interest: Decimal
    paid_at: date | None

    @property
    def total_amount(self) -> Decimal:
        """Principal and interest."""
        return self.principal + self.interest


class _Trail:
    """What the replay told of one billed row."""

    def __init__(self, due: date) -> None:
        self.due, self.principal, self.interest = due, ZERO, ZERO
        self.paid_principal, self.paid_interest = ZERO, ZERO
        self.paid_on: date | None = None


@exact
def schedule_view(
    terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment
) -> list[ScheduleRow]:
    """The rows of a term loan: those billed as they were billed, the others as planned."""
    if not terms.has_rows:
        raise Refused("invalid_status", "Only term loans have a schedule.")
    if account.disbursed_on is None:
        return []
    book = replay.tell(
        terms, replay.facts(batches), moment, covered=account.covered, journal=batches
    )
    trails = _trails(book.happenings)
    dates, opens = terms.due_dates, account.disbursed_on
    planned = {row.number: row for row in book.unbilled_rows()}
    until = _lived_until(account, batches, moment.today)
    last = max([*trails, *planned], default=0)
    left = _disbursed(batches)
    rows: list[ScheduleRow] = []
    for number, (_, due) in enumerate(dates, start=1):
        nights = charged_nights(book.calendar, terms.calculate_interest_on_holidays, opens, due)
        opens = due
        trail, row = trails.get(number), planned.get(number)
        if number > last and not _has_passed_in_grace(terms, number, due, until):
            continue  # an early repayment, or the settling, has made it disappear
        principal = trail.principal if trail else row.principal if row else ZERO
        interest = trail.interest if trail else row.interest if row else ZERO
        left -= principal
        early = _early(book.happenings, due)
        rows.append(
            ScheduleRow(
                number,
                due,
                nights,
                without_hair(principal),
                without_hair(interest),
                without_hair(row.closing if row and not trail else left - early),
                _row_status(trail, book.account, number, moment.today, due),
                *_paid(trail, book.account, number),
                trail.paid_on if trail else None,
            )
        )
    return rows


def _has_passed_in_grace(terms: Terms, number: int, due: date, until: date) -> bool:
    """Whether a row in grace came due ``until`` the loan was settled: it may have billed nothing,
    so that nothing else tells of it.
    """
    return number <= terms.grace_instalments + terms.principal_repayment_grace and due <= until


def _lived_until(account: Account, batches: Sequence[Batch], today: date) -> date:
    """The day on which a closed loan was closed; ``today`` for any other."""
    if account.status != "closed":
        return today
    changes = [change for batch in batches for change in batch.changes]
    closed = (one.on for one in changes if (one.field, one.after) == ("status", "closed"))
    return max(closed, default=today)


def _early(happenings: Sequence[Happening], due: date) -> Decimal:
    amounts = [one.principal for one in happenings if isinstance(one, Early) and one.on <= due]
    return sum(amounts, ZERO)


def _disbursed(batches: Sequence[Batch]) -> Decimal:
    amounts = [
        item.amount
        for batch in batches
        for item in batch.transactions
        if item.type == "disbursement" and item.status == "applied"
    ]
    return sum(amounts, ZERO)


def _trails(happenings: Sequence[Happening]) -> dict[int, _Trail]:
    trails: dict[int, _Trail] = {}
    for item in happenings:
        if isinstance(item, Billed):
            trail = trails.setdefault(item.number, _Trail(item.due))
            trail.principal += item.principal + item.prepaid
            trail.interest += item.interest
            trail.paid_principal += item.prepaid
        elif isinstance(item, Paid):
            trails[item.number].paid_principal += item.principal
            trails[item.number].paid_interest += item.interest
        elif isinstance(item, RowPaid):
            trails[item.number].paid_on = item.on
        elif isinstance(item, Returned) and item.number in trails:
            trails[item.number].paid_principal -= item.principal
            trails[item.number].paid_interest -= item.interest
            trails[item.number].paid_on = None
    return trails


def _paid(trail: _Trail | None, account: Account, number: int) -> tuple[Decimal, Decimal]:
    if trail is not None:
        return trail.paid_principal, trail.paid_interest
    return (account.prepaid if number == account.next_row else ZERO), ZERO


def _row_status(trail: _Trail | None, account: Account, number: int, today: date, due: date) -> str:
    if trail is None:
        ahead = number == account.next_row and account.prepaid > 0
        if ahead:
            return "partial"
        return "paid" if due <= today else "upcoming"
    if trail.paid_on is not None:
        return "paid"
    if due < today:
        return "overdue"
    return "partial" if trail.paid_principal or trail.paid_interest else "due"
