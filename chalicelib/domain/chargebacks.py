"""Money that a provider takes back after it was confirmed, and gives back again.

A compensating transaction puts the split back on the day it becomes known; the repayment itself
and every statement stay as they are, a closed loan reopens, and lateness counts from the date on
which the money had been due (partner API, Collections).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from chalicelib.domain import billing, daily, status
from chalicelib.domain.account import Account, Minimum, OpenRow, Terms
from chalicelib.domain.book import Book, Moment, Returned
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import ORIGIN_PROVIDER, Balances, Transaction
from chalicelib.domain.loans import Outcome, close_book, result_of, settle_up
from chalicelib.domain.money import ZERO, exact


@exact
def charge_back(
    terms: Terms, account: Account, moment: Moment, original: Transaction, cause: str
) -> Outcome:
    """The provider has taken back a repayment that it had confirmed, whatever the loan's status."""
    if original.status != "applied" or original.type != "repayment":
        raise Refused("invalid_status", f"A {original.status} {original.type} is not charged back.")
    book = daily.bring_up(terms, account, moment)
    split, over = put_back(book, original, moment.today)
    posted = book.post(
        "chargeback",
        original.amount,
        split,
        overpayment=over,
        origin=ORIGIN_PROVIDER,
        provider=original.provider,
        compensates=original.id,
        failure_reason=cause,
    )
    status.assess(book)
    book.tell("repayment_charged_back", **result_of(posted))
    return close_book(book, transaction=posted)


@exact
def pay_again(terms: Terms, account: Account, moment: Moment, chargeback: Transaction) -> Outcome:
    """A chargeback within a closed statement was cancelled: its money is repaid as of today."""
    book = daily.bring_up(terms, account, moment)
    before = book.account.balances
    book.repaid = True
    split, waiting = billing.pay(book, chargeback.amount)
    book.account.principal, book.account.interest, book.account.fee = before
    posted = book.post(
        "repayment",
        chargeback.amount,
        split,
        overpayment=waiting,
        origin=ORIGIN_PROVIDER,
        provider=chargeback.provider,
        compensates=chargeback.id,
    )
    settle_up(book)
    return close_book(book, transaction=posted)


def put_back(book: Book, original: Transaction, on: date) -> tuple[Balances, Decimal]:
    """What a repayment had paid is asked for again: its split, and what leaves ``overpayment``.

    What had waited in ``overpayment`` and has been spent since is owed as principal.  The caller
    posts the transaction, which moves the balances.
    """
    account = book.account
    if account.status == "closed":
        account.as_of = on
        account.close_reason = account.close_substatus = ""
        status.enter(book, "reopen", "provider")
    over = min(account.overpayment, original.overpayment)
    split = original.split.plus(Balances(principal=original.overpayment - over))
    if book.terms.has_rows:
        _owe_row(book, original, split, on)
    elif book.terms.has_statements:
        number = original.row or account.statements
        due = original.due or original.effective_date
        kept = tuple(one for one in account.minimums if one.number != number)
        again = [one for one in account.minimums if one.number == number]
        amount = min(split.total, again[0].repaid) if again else split.total
        repaid = again[0].repaid - amount if again else ZERO
        whole = again[0].amount if again else split.total
        asked = Minimum(number, again[0].due if again else due, whole, repaid)
        account.minimums = tuple(sorted((*kept, asked)))
    else:
        call(book, original.effective_date, original.amount)
    return split, -over


def call(book: Book, due: date, amount: Decimal) -> None:
    """A line of credit is late until as much is repaid as failed or was taken back."""
    if book.terms.has_rows or book.terms.has_statements:
        return
    account = book.account
    number = max((one.number for one in account.minimums), default=0) + 1
    account.minimums += (Minimum(number, due, amount),)


def _owe_row(book: Book, original: Transaction, split: Balances, on: date) -> None:
    """The row for which it was paid is open again; one that is still to come loses its prepayment.

    Early repayments stay taken off the plan: what is put back is owed at once.
    """
    account = book.account
    number, due = _row_of(book, original)
    if due > on:
        account.prepaid -= min(account.prepaid, split.principal)
        return
    same = [row for row in account.billed if row.number == number]
    found = OpenRow(number, due, *split)
    for row in same:
        found = OpenRow(number, min(row.due, due), *split.plus(Balances(*row[2:])))
    others = (row for row in account.billed if row.number != number)
    account.billed = tuple(sorted((*others, found)))
    book.happenings.append(Returned(number, on, *split))


def _row_of(book: Book, original: Transaction) -> tuple[int, date]:
    """The row that a repayment was made for: its own, a near one, else the last due by then."""
    if original.row is not None and original.due is not None:
        return original.row, original.due
    paid = original.effective_date
    number, due = 1, paid
    for index, (_, day) in enumerate(book.terms.due_dates, start=1):
        if (day - paid).days > billing.NEAR_DAYS:
            break
        number, due = index, day
    return number, due
