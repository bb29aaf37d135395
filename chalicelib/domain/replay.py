"""The loan told again from its journal: for the schedule's view and to check the stored account.

What partners and providers did (disbursements, repayments, fees asked for, changes by hand) is
told again in order; what the calendar did follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from chalicelib.domain import billing, daily, loans, status
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.book import Book, Happening, Moment
from chalicelib.domain.ledger import ORIGIN_PARTNER, Batch, Change, Transaction
from chalicelib.domain.money import exact
from chalicelib.domain.schedule import Basis


class Told(NamedTuple):
    """The account as the journal tells it, and what happened to its rows on the way."""

    account: Account
    happenings: tuple[Happening, ...]


class Fact(NamedTuple):
    """Something that came from outside, in the order in which it counted."""

    on: date
    seq: int
    what: Transaction | Change


def facts(batches: Iterable[Batch]) -> list[Fact]:
    """The journal's outside facts, oldest first."""
    found: list[Fact] = []
    for batch in batches:
        for item in batch.transactions:
            asked = item.type == "disbursement" or item.origin == ORIGIN_PARTNER
            if asked and item.counts:
                found.append(Fact(item.effective_date, item.seq, item))
        found += [Fact(c.on, c.seq, c) for c in batch.changes if c.cause == ORIGIN_PARTNER]
    return sorted(found, key=lambda fact: (fact.on, fact.seq))


@exact
def tell(terms: Terms, batches: Sequence[Batch], moment: Moment) -> Told:
    """Replay the journal up to the moment's business date."""
    book = Book(terms, Account(id=terms.id, end_user=terms.end_user), moment)
    for fact in facts(batches):
        daily.advance(book, fact.on)
        if isinstance(fact.what, Change):
            _retell_change(book, fact.what)
        else:
            _retell(book, fact.what)
        daily.finish(book)
    daily.advance(book, moment.today)
    book.close_run()
    return Told(book.account, tuple(book.happenings))


def _retell(book: Book, item: Transaction) -> None:
    account = book.account
    match item.type:
        case "disbursement":
            if account.disbursed_on is None:
                account.as_of = account.disbursed_on = item.effective_date
                if book.terms.has_rows:
                    account.bases = (Basis(1, item.effective_date, item.amount),)
            book.close_run()
            account.principal += item.amount
            first = account.status == "inactive"
            status.enter(book, "disburse", "disbursement")
            for fee in book.terms.fees_on("disbursement") if first else ():
                status.charge(book, fee, "system")
        case "repayment":
            before = account.balances
            split, waiting = billing.pay(book, item.amount)
            account.principal, account.interest, account.fee = before
            book.repaid = True
            book.post("repayment", item.amount, split, overpayment=waiting)
            loans.settle_up(book, closing=False)
            book.repaid = False
        case "fee":
            fee = DefaultFee(item.name, "flat", item.split.fee, "manual")
            status.charge(book, fee, ORIGIN_PARTNER)
        case "write_off":
            book.post("write_off", item.amount, item.split)
            account.billed = ()


def _retell_change(book: Book, change: Change) -> None:
    if change.field == "interest_calculation":
        book.close_run()
        book.account.interest_enabled = change.after == "on"
        return
    command = {"arrears": "make_arrears", "default": "make_default", "closed": "close"}
    if book.account.status != change.after:
        status.hold(book)
        status.enter(book, command[change.after], "partner")
