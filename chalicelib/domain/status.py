"""A loan's status: which moves there are, and what each day asks for.

``late`` when the business date is past an unpaid row's due date, ``arrears`` when it is past by
more than the tolerance, ``default`` when it has been in arrears for longer than the product allows;
it only gets worse or, when nothing is overdue any more, goes back to ``active`` (partner API,
"Status").
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.billing import next_paying
from chalicelib.domain.book import Book
from chalicelib.domain.ledger import ORIGIN_SYSTEM, Balances
from chalicelib.domain.machine import Machine
from chalicelib.domain.money import ten_places

OPEN = ("active", "late", "arrears", "default")
HUNDRED = Decimal(100)

LOAN = Machine(
    "loan",
    states=("inactive", "active", "late", "arrears", "default", "closed", "cancelled"),
    initial="inactive",
    moves={
        "disburse": {"inactive": "active", "active": "active"},
        "fall late": {"active": "late"},
        "fall into arrears": {"active": "arrears", "late": "arrears"},
        "fall into default": {"active": "default", "late": "default", "arrears": "default"},
        "cure": {"late": "active", "arrears": "active", "default": "active"},
        "make_arrears": {"active": "arrears", "late": "arrears"},
        "make_default": {"active": "default", "late": "default", "arrears": "default"},
        "close": dict.fromkeys(OPEN, "closed"),
        "reopen": {"closed": "active"},
        "return": dict.fromkeys(OPEN, "inactive"),
        "cancel": {"inactive": "cancelled"},
    },
    refusals={"closed": "loan_not_open", "cancelled": "loan_not_open"},
)

SEVERITY = {"active": 0, "late": 1, "arrears": 2, "default": 3}
FALL = {"late": "fall late", "arrears": "fall into arrears", "default": "fall into default"}
ANNOUNCED = {"late": "loan_is_late", "arrears": "loan_is_arrears", "default": "loan_is_default"}


def oldest_unpaid(account: Account) -> date | None:
    """The due date of the oldest row or minimum that is asked for and not paid.

    One whose first automatic collection is on its way is not counted.
    """
    rows = [row.due for row in account.billed if row.number not in account.covered]
    asked = [one.due for one in account.minimums if one.number not in account.covered]
    return min([*rows[:1], *asked[:1]], default=None)


def days_past_due(account: Account, today: date) -> int:
    """Days since the oldest unpaid row's due date; 0 when nothing is overdue."""
    due = oldest_unpaid(account) if account.status in OPEN else None
    return max(0, (today - due).days) if due else 0


def _asked_for(terms: Terms, account: Account, today: date) -> list[str]:
    """The statuses that the day asks for, mildest first."""
    overdue = days_past_due(account, today)
    called = _has_called(terms, account)
    asked = ["late"] if overdue > 0 or called else []
    if overdue > terms.arrears_tolerance and not called:
        asked.append("arrears")
    since, tolerance = account.arrears_since, terms.default_tolerance
    if asked and since and tolerance is not None and (today - since).days > tolerance:
        asked.append("default")
    return asked


def _has_called(terms: Terms, account: Account) -> bool:
    """A line of credit has no due dates: it is late from the moment a collected repayment fails."""
    return not terms.has_rows and not terms.has_statements and bool(account.minimums)


def next_fall(terms: Terms, account: Account) -> date | None:
    """The next day on which the status will get worse if nothing is paid."""
    due, status = oldest_unpaid(account), account.status
    if due is None or account.as_of is None or status not in OPEN:
        return None
    days: list[date] = []
    called = _has_called(terms, account)
    if status == "active":
        days.append(due + timedelta(days=1))
    if SEVERITY[status] < SEVERITY["arrears"] and not called:
        days.append(due + timedelta(days=terms.arrears_tolerance + 1))
    if status == "arrears" and account.arrears_since and terms.default_tolerance is not None:
        overdue_from = due + timedelta(days=1)
        days.append(
            max(account.arrears_since + timedelta(days=terms.default_tolerance + 1), overdue_from)
        )
    return max(min(days), account.as_of + timedelta(days=1)) if days else None


def assess(book: Book) -> None:
    """Bring the status to what the day the book stands on asks for.

    It is dated by the calendar: where the first collection of a row has failed meanwhile, from the
    due date on.
    """
    account = book.account
    if account.status not in OPEN:
        return
    due = oldest_unpaid(account) if days_past_due(account, book.today) else None
    for status, command in FALL.items():  # each may be what the next one counts from
        worse = SEVERITY[status] > SEVERITY[account.status]
        if worse and status in _asked_for(book.terms, account, book.today):
            enter(book, command, "schedule", _since(book.terms, status, due))
    if account.status != "active" and not _still_holds(book):
        enter(book, "cure", "schedule")


def _since(terms: Terms, status: str, due: date | None) -> date | None:
    if due is None or not (terms.has_rows or terms.has_statements):
        return None
    tolerance = terms.arrears_tolerance if status == "arrears" else 0
    return None if status == "default" else due + timedelta(days=tolerance + 1)


def _still_holds(book: Book) -> bool:
    account = book.account
    if days_past_due(account, book.today) > 0 or _has_called(book.terms, account):
        return True
    if not (book.terms.has_rows or book.terms.has_statements):
        return not book.repaid  # nothing is ever due: the next repayment is the one that counts
    held = account.held_until_row
    return held is not None and _next_owed(book) <= held


def _next_owed(book: Book) -> int:
    """The number of the row or statement whose repayment comes next."""
    account = book.account
    if book.terms.has_statements:
        return account.minimums[0].number if account.minimums else account.statements + 1
    return account.billed[0].number if account.billed else account.next_row


def hold(book: Book) -> None:
    """A status set by hand holds until what is overdue, or the next row owed, is paid."""
    account = book.account
    if days_past_due(account, book.today) > 0:
        return
    row = next_paying(book) if book.terms.has_rows else None
    if account.billed or book.terms.has_statements:
        account.held_until_row = _next_owed(book)
    else:
        account.held_until_row = row.number if row else None


def enter(book: Book, command: str, cause: str, since: date | None = None) -> None:
    """Make a move of the machine: dates, fees of the event, the row in the journal, the event.

    ``since`` is the day from which the status counts, if not today.
    """
    account = book.account
    before, after = account.status, LOAN.move(account.status, command)
    if before == after:
        return
    account.status = after
    book.note("status", before, after, cause)
    if after == "active":
        account.late_since = account.arrears_since = account.held_until_row = None
    elif after in SEVERITY:
        account.late_since = account.late_since or since or book.today
        if after in ("arrears", "default"):
            account.arrears_since = account.arrears_since or since or book.today
        for fee in book.terms.fees_on(after):
            charge(book, fee, ORIGIN_SYSTEM)
        book.tell(ANNOUNCED[after], status=after)


def charge(book: Book, fee: DefaultFee, origin: str, **details: Any) -> None:
    """Charge a fee: flat, or a percentage of the account's total balance at this moment."""
    if origin == ORIGIN_SYSTEM and not book.may_post("fee", fee.name):
        return
    amount = fee_amount(fee, book.account.balances)
    if amount or origin != ORIGIN_SYSTEM:
        book.post(
            "fee",
            amount,
            Balances(fee=amount),
            origin=origin,
            name=fee.name,
            fee_type=fee.type,
            percent=fee.amount if fee.type == "percent" else None,
            **details,
        )


def fee_amount(fee: DefaultFee, balances: Balances) -> Decimal:
    """What ``fee`` comes to on these balances, kept to 10 decimals."""
    if fee.type == "percent":
        return ten_places(balances.total * fee.amount / HUNDRED)
    return fee.amount
