"""The loan told again from its journal.

What partners and providers did (disbursements, repayments, fees asked for, changes by hand) is
told again in order; what the calendar did follows from it.  The same telling shows the schedule,
checks the stored account, answers what was known on an earlier day, and, with a fact more or less,
recalculates (``domain/rebuild.py``).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from chalicelib.domain import billing, chargebacks, daily, disbursing, loans, status
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.ledger import (
    ORIGIN_PARTNER,
    ORIGIN_SYSTEM,
    Balances,
    Batch,
    Change,
    Closing,
    Transaction,
)
from chalicelib.domain.money import exact
from chalicelib.domain.schedule import Basis

#: A change: the nights from ``before`` to ``after`` are never charged, and from the day of the
#: change to ``after`` the calendar posts nothing but what it had posted before.
FREE_NIGHTS = "free_nights"
BY_HAND = {
    "arrears": "make_arrears",
    "default": "make_default",
    "closed": "close",
    "cancelled": "cancel",
}


class Fact(NamedTuple):
    """Something that came from outside, in the order in which it counted."""

    on: date
    seq: int
    what: Transaction | Change


def is_fact(item: Transaction) -> bool:
    """Whether a transaction came from outside: the others follow from those."""
    return item.type == "disbursement" or item.origin != ORIGIN_SYSTEM


def is_call(what: Transaction | Change) -> bool:
    """Whether it is a collected repayment that failed."""
    if isinstance(what, Change):
        return False
    return what.type == "repayment" and what.status == "failed" and bool(what.provider)


def facts(batches: Iterable[Batch]) -> list[Fact]:
    """The journal's outside facts that count, oldest first.

    A collected repayment that failed counts as well, on the day it failed: it makes a line of
    credit late (but for one of a disbursement that was reverted).  So does the closing of a loan to
    which a provider's money came back later.
    """
    known = list(batches)
    items = [item for batch in known for item in batch.transactions if is_fact(item)]
    returned = [item.seq for item in items if item.type == "chargeback" and item.counts]
    returned += [item.seq for item in disbursing.returns(items).values()]
    found = [Fact(item.effective_date, item.seq, item) for item in items if item.counts]
    lent = min((one.seq for one in items if one.type == "disbursement" and one.counts), default=0)
    found += [
        Fact(item.processing_date, item.seq, item)
        for item in items
        if is_call(item) and 0 < lent < item.seq
    ]
    for batch in known:
        for change in batch.changes:
            closed = change.field == loans.CLOSING or (
                change.field == "status" and change.after == "closed"
            )
            closed = closed and change.seq < max(returned, default=0)
            if change.cause == ORIGIN_PARTNER or closed or disbursing.is_never_lent(change):
                found.append(Fact(change.on, change.seq, change))
    return in_order(found)


def issued(batches: Iterable[Batch]) -> dict[int, Closing]:
    """The statements that have been issued, by number."""
    return {one.number: one for batch in batches for one in batch.closings}


def in_order(found: Iterable[Fact]) -> list[Fact]:
    """Facts by the day on which they took effect, and within it as they came."""
    return sorted(found, key=lambda fact: (fact.on, fact.seq))


@exact
def tell(
    terms: Terms,
    told: Sequence[Fact],
    moment: Moment,
    *,
    revised: tuple[date, ...] = (),
    covered: tuple[int, ...] = (),
    journal: Sequence[Batch] = (),
    gone: Container[str] = (),
) -> Book:
    """Tell the facts from the beginning up to the moment's business date.

    ``covered`` are rows whose first collection is on its way.  Of the ``journal`` some things stand
    however the history is told: statements that have been issued, and on days that a revert has
    taken back only what the calendar had posted before that (``gone`` are ids that no longer
    count).
    """
    account = Account(
        id=terms.id, end_user=terms.end_user, shard=terms.shard, revised=revised, covered=covered
    )
    book = Book(terms, account, moment)
    book.collecting = False
    book.issued = issued(journal)
    book.free, book.frozen = _taken_back(told)
    book.standing = {
        (item.type, item.name, item.effective_date)
        for batch in journal
        for item in batch.transactions
        if item.status == "applied" and item.id not in gone
    }
    for fact in told:
        daily.advance(book, fact.on)
        if isinstance(fact.what, Change):
            _retell_change(book, fact.what)
        else:
            _RETELL[fact.what.type](book, fact.what)
        daily.finish(book)
    daily.advance(book, moment.today)
    return book


Ranges = tuple[tuple[date, date], ...]


def _taken_back(told: Sequence[Fact]) -> tuple[Ranges, Ranges]:
    """Nights that reverts have set free, and days on which they took back what was posted."""
    free: list[tuple[date, date]] = []
    frozen: list[tuple[date, date]] = []
    for fact in told:
        if isinstance(fact.what, Change) and fact.what.field == FREE_NIGHTS:
            first, last = map(date.fromisoformat, (fact.what.before, fact.what.after))
            free += [(first, last)] if first <= last else []
            frozen.append((fact.on, last))
    return tuple(sorted(free)), tuple(frozen)


def _disburse(book: Book, item: Transaction) -> None:
    account = book.account
    first = account.disbursed_on is None
    if account.status == "closed":  # what had reopened it has never been, but this was paid out
        chargebacks.reopen(book, item.effective_date)
    if first:
        account.as_of = account.disbursed_on = item.effective_date
        account.period_start = item.effective_date if book.terms.has_statements else None
        if book.terms.has_rows:
            account.bases = (Basis(1, item.effective_date, item.amount),)
    book.repost(item, item.split)
    if first:
        status.enter(book, "disburse", "disbursement")
    for fee in book.terms.fees_on("disbursement") if first else ():
        status.charge(book, fee, ORIGIN_SYSTEM)


def _repay(book: Book, item: Transaction) -> None:
    if item.status == "failed":
        chargebacks.call(book, item.effective_date, item.amount)
        status.assess(book)
        return
    if item.compensates in [one.id for one in book.transactions if one.type == "disbursement"]:
        book.repost(item, *disbursing.take_back(book, item.amount))
        disbursing.after_return(book)
        loans.settle_up(book, closing=False)
        return
    account, before = book.account, book.account.balances
    spent = billing.pay(book, item.amount)
    account.principal, account.interest, account.fee = before
    book.repost(item, *spent)
    book.repaid = True
    loans.settle_up(book, closing=False)
    book.repaid = False
    if account.status == "closed" and not disbursing.returns(book.transactions):
        loans.refund(book, item.processing_date)  # it came on a loan that was closed by then


def _fee(book: Book, item: Transaction) -> None:
    if book.account.status not in status.OPEN:
        return  # what had reopened the loan has never been, and no more has the fee
    fee = DefaultFee(item.name, "flat", item.split.fee, "manual")
    if item.percent is not None:
        fee = DefaultFee(item.name, "percent", item.percent, "manual")
    book.repost(item, Balances(fee=status.fee_amount(fee, book.account.balances)))
    billing.cover_at_once(book)


def _write_off(book: Book, item: Transaction) -> None:
    account = book.account
    owed = account.balances
    book.repost(replace(item, amount=owed.total), owed)
    account.written_off += owed.total
    account.billed, account.short = (), Balances()


def _charge_back(book: Book, item: Transaction) -> None:
    outside = filter(is_fact, book.transactions)  # what follows is numbered anew, and may be alike
    told = next((one for one in outside if one.id == item.compensates), None)
    if told is not None:
        split, over = chargebacks.put_back(book, told, item.effective_date)
        book.repost(replace(item, amount=told.amount), split, over)
        status.assess(book)


_RETELL = {
    "chargeback": _charge_back,
    "disbursement": _disburse,
    "repayment": _repay,
    "fee": _fee,
    "write_off": _write_off,
}


def _retell_change(book: Book, change: Change) -> None:
    account = book.account
    book.close_run()
    if change.field == loans.CLOSING:
        account.close_substatus, account.close_reason = change.before, change.after
        return
    if change.field == "interest_calculation":
        account.interest_enabled = change.after == "on"
    elif disbursing.is_never_lent(change):
        disbursing.never_lent(book)
        return
    elif change.field == "status":
        command = BY_HAND[change.after]
        if not status.LOAN.can(account.status, command):
            return
        if command == "close":
            if any(account.balances):  # a write-off has cleared them; nothing else closes a debt
                return
            loans.close_account(book, account.close_substatus, account.close_reason, change.cause)
            return
        status.hold(book)
        status.enter(book, command, change.cause)
        return
    book.changes.append(change)
