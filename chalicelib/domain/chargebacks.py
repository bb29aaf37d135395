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
from chalicelib.domain.book import Book, Early, Moment, Returned
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
    book.tell("repayment_charged_back", repayment=original.id, **result_of(posted))
    status.assess(book)
    return close_book(book, transaction=posted)


@exact
def pay_again(terms: Terms, account: Account, moment: Moment, chargeback: Transaction) -> Outcome:
    """A chargeback within a closed statement was cancelled: its money is repaid as of today."""
    book = daily.bring_up(terms, account, moment)
    before = book.account.balances
    book.repaid = True
    spent = billing.pay(book, chargeback.amount)
    book.account.principal, book.account.interest, book.account.fee = before
    posted = book.post(
        "repayment",
        chargeback.amount,
        spent.split,
        overpayment=spent.waiting,
        towards=spent.towards,
        origin=ORIGIN_PROVIDER,
        provider=chargeback.provider,
        compensates=chargeback.id,
    )
    book.tell("repayment_result", **result_of(posted))
    settle_up(book)
    return close_book(book, transaction=posted)


def put_back(book: Book, original: Transaction, on: date) -> tuple[Balances, Decimal]:
    """What a repayment had paid is asked for again: its split, and what leaves ``overpayment``.

    What had waited in ``overpayment`` and has been spent since is owed as principal.  The caller
    posts the transaction, which moves the balances.
    """
    account = book.account
    reopened = account.status == "closed"
    if reopened:
        reopen(book, on)
    over = min(account.overpayment, original.overpayment)
    split = original.split.plus(Balances(principal=original.overpayment - over))
    if book.terms.has_rows:
        early = _owe_rows(book, original, split, on)
        _plan_again(book, split, early, reopened)
    elif book.terms.has_statements:
        _ask_again(book, original)
    else:
        call(book, original.effective_date, original.amount)
    return split, -over


def reopen(book: Book, on: date) -> None:
    """A closed loan is open again from ``on``: money has moved, and is owed."""
    account = book.account
    account.as_of = on
    account.close_reason = account.close_substatus = ""
    status.enter(book, "reopen", ORIGIN_PROVIDER)


def _ask_again(book: Book, original: Transaction) -> None:
    """The minimums that it had counted towards are short of it again, since their own due dates."""
    found = {one.number: one for one in book.account.minimums}
    for share in original.towards:
        one = found.get(share.row) or Minimum(share.row, share.due, ZERO)
        found[share.row] = one._replace(amount=one.amount + share.principal)
    book.account.minimums = tuple(found[number] for number in sorted(found))


def call(book: Book, due: date, amount: Decimal) -> None:
    """A line of credit is late until as much is repaid as failed or was taken back."""
    if book.terms.has_rows or book.terms.has_statements:
        return
    account = book.account
    number = max((one.number for one in account.minimums), default=0) + 1
    account.minimums += (Minimum(number, due, amount),)


def _owe_rows(book: Book, original: Transaction, split: Balances, on: date) -> Decimal:
    """The rows that it had paid are open again; one that is still to come loses its prepayment.

    What had waited in ``overpayment`` had paid the last of them.  Answers with the principal that
    had been repaid early.
    """
    account = book.account
    spent = split.principal - original.split.principal
    early = original.split.principal
    for share in original.towards:
        early -= share.principal
        if share.due > on:
            account.prepaid -= min(account.prepaid, share.principal)
            continue
        last = share is original.towards[-1]
        principal = share.principal + (spent if last else ZERO)
        found = Balances(principal, share.interest, share.fee)
        book.happenings.append(Returned(share.row, on, *found))
        for row in account.billed:
            if row.number == share.row:
                found = found.plus(Balances(*row[2:]))
        others = (row for row in account.billed if row.number != share.row)
        account.billed = tuple(sorted((*others, OpenRow(share.row, share.due, *found))))
    return early


def _plan_again(book: Book, split: Balances, early: Decimal, reopened: bool) -> None:
    """What had been repaid early is planned again; a settled loan's rows are computed anew.

    Where no row is left, all of it is due.
    """
    account, before = book.account, book.account.balances
    account.principal, account.interest, account.fee = before.plus(split)
    anew = reopened or account.next_row > book.terms.installments
    if anew:
        ahead = (n for n, (_, due) in enumerate(book.terms.due_dates, 1) if due > book.today)
        account.next_row = next(ahead, book.terms.installments + 1)
    comes = [row for row in book.unbilled_rows() if row.due > book.today]
    if early > 0 and comes:
        book.happenings.append(Early(book.today, -early))
    if (early > 0 or anew) and comes:
        billing.replan(book, -early, account.prepaid > 0, anew=anew)
    account.principal, account.interest, account.fee = before
