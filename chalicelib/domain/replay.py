"""The loan told again from its journal.

What partners and providers did (disbursements, repayments, fees asked for, changes by hand) is
told again in order; what the calendar did follows from it.  The same telling shows the schedule,
checks the stored account, answers what was known on an earlier day, and, with a fact more or less,
recalculates (``domain/rebuild.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from chalicelib.domain import billing, daily, loans, status
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.ledger import ORIGIN_PARTNER, Balances, Batch, Change, Transaction
from chalicelib.domain.money import exact
from chalicelib.domain.schedule import Basis

FREE_NIGHTS = "free_nights"  # a change: the nights from ``before`` to ``after`` are never charged
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
    return item.type == "disbursement" or item.origin == ORIGIN_PARTNER


def facts(batches: Iterable[Batch]) -> list[Fact]:
    """The journal's outside facts that count, oldest first."""
    found: list[Fact] = []
    for batch in batches:
        found += [
            Fact(item.effective_date, item.seq, item)
            for item in batch.transactions
            if is_fact(item) and item.counts
        ]
        found += [Fact(c.on, c.seq, c) for c in batch.changes if c.cause == ORIGIN_PARTNER]
    return in_order(found)


def in_order(found: Iterable[Fact]) -> list[Fact]:
    """Facts by the day on which they took effect, and within it as they came."""
    return sorted(found, key=lambda fact: (fact.on, fact.seq))


@exact
def tell(
    terms: Terms, told: Sequence[Fact], moment: Moment, revised: tuple[date, ...] = ()
) -> Book:
    """Tell the facts from the beginning up to the moment's business date."""
    account = Account(id=terms.id, end_user=terms.end_user, shard=terms.shard, revised=revised)
    book = Book(terms, account, moment)
    book.free = _free_nights(told)
    for fact in told:
        daily.advance(book, fact.on)
        if isinstance(fact.what, Change):
            _retell_change(book, fact.what)
        else:
            _RETELL[fact.what.type](book, fact.what)
        daily.finish(book)
    daily.advance(book, moment.today)
    return book


def _free_nights(told: Sequence[Fact]) -> tuple[tuple[date, date], ...]:
    ranges = [
        (date.fromisoformat(fact.what.before), date.fromisoformat(fact.what.after))
        for fact in told
        if isinstance(fact.what, Change) and fact.what.field == FREE_NIGHTS
    ]
    return tuple(sorted(ranges))


def _disburse(book: Book, item: Transaction) -> None:
    account = book.account
    first = account.disbursed_on is None
    if first:
        account.as_of = account.disbursed_on = item.effective_date
        if book.terms.has_rows:
            account.bases = (Basis(1, item.effective_date, item.amount),)
    book.repost(item, item.split)
    status.enter(book, "disburse", "disbursement")
    for fee in book.terms.fees_on("disbursement") if first else ():
        status.charge(book, fee, "system")


def _repay(book: Book, item: Transaction) -> None:
    account, before = book.account, book.account.balances
    split, waiting = billing.pay(book, item.amount)
    account.principal, account.interest, account.fee = before
    book.repost(item, split, waiting)
    book.repaid = True
    loans.settle_up(book, closing=False)
    book.repaid = False


def _fee(book: Book, item: Transaction) -> None:
    fee = DefaultFee(item.name, "flat", item.split.fee, "manual")
    if item.percent is not None:
        fee = DefaultFee(item.name, "percent", item.percent, "manual")
    book.repost(item, Balances(fee=status.fee_amount(fee, book.account.balances)))


def _write_off(book: Book, item: Transaction) -> None:
    account = book.account
    owed = account.balances
    book.repost(replace(item, amount=owed.total), owed)
    account.written_off += owed.total
    account.billed, account.short = (), Balances()


_RETELL = {
    "disbursement": _disburse,
    "repayment": _repay,
    "fee": _fee,
    "write_off": _write_off,
}


def _retell_change(book: Book, change: Change) -> None:
    account = book.account
    book.close_run()
    if change.field == "interest_calculation":
        account.interest_enabled = change.after == "on"
    elif change.field == "status":
        command = BY_HAND[change.after]
        if not status.LOAN.can(account.status, command):
            return
        if command == "close":
            loans.close_account(book, account.close_substatus, account.close_reason, change.cause)
            return
        status.hold(book)
        status.enter(book, command, change.cause)
        return
    book.changes.append(change)
