"""What falls due soon: its notice, and the automatic repayment that collects it.

A row or a minimum that is at most five days away is announced once and, where a mandate is usable,
collected once: an automatic repayment is made for what will be billed, pending at the provider.
One that came due before there was a mandate gets its one first attempt as soon as there is one
(partner API, "The day").
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain import billing
from chalicelib.domain.book import Book
from chalicelib.domain.ledger import ORIGIN_SCHEDULE, Balances
from chalicelib.domain.money import ZERO, pence
from chalicelib.domain.status import OPEN

PROVIDER = "gocardless"
NEAR = timedelta(days=billing.NEAR_DAYS)
ONE_DAY = timedelta(days=1)


class Claim(NamedTuple):
    """What a row or a statement asks for, in whole pence, and of what that is the sum.

    The sum shows as pending; the money is split anew when it has arrived.
    """

    number: int
    due: date
    amount: Decimal
    bill: Balances


def next_notice(book: Book) -> date | None:
    """The day on which what falls due next is to be announced, if it has not been."""
    account = book.account
    if account.as_of is None:
        return None
    days = [due for number, due in _ahead(book) if number > account.noticed]
    return max(days[0] - NEAR, account.as_of + ONE_DAY) if days else None


def _ahead(book: Book) -> list[tuple[int, date]]:
    """Number and due date of what has not fallen due yet, the nearest first."""
    if book.terms.has_rows:
        row = billing.next_paying(book)
        return [(row.number, row.due)] if row else []
    if not book.terms.has_statements:
        return []
    return [(one.number, one.due) for one in book.account.minimums if one.due > book.today]


def collect(book: Book) -> None:
    """Announce what is near, and make the automatic repayments that are missing."""
    account = book.account
    if account.status not in OPEN:
        return
    _announce(book)
    if not (book.collecting and book.terms.automatic_collection and account.mandate_usable):
        return
    made = ZERO
    for claim in list(claims(book)):
        if claim.number > account.collected and claim.amount > 0:
            account.collected = claim.number
            if book.terms.has_statements:  # each repayment counts towards every open minimum
                claim = claim._replace(amount=claim.amount - made)
            if claim.amount > 0:
                made += claim.amount
                _make(book, claim)


def _announce(book: Book) -> None:
    account = book.account
    for number, due in _ahead(book):
        if number > account.noticed and due - book.today <= NEAR:
            account.noticed = number
            amounts = [claim.amount for claim in claims(book) if claim.number == number]
            book.tell("repayment_due_day_soon", due_date=due, amount=sum(amounts, ZERO))


def announce_again(book: Book, noticed: int) -> None:
    """Have announced what is near and nobody was told of: the partner knows up to ``noticed``.

    A history told anew announces in silence; it may have brought back a row that was paid.
    """
    near = [number for number, due in _ahead(book) if number > noticed and due - book.today <= NEAR]
    if near:
        book.account.noticed = min(book.account.noticed, near[0] - 1)


def claims(book: Book) -> Iterator[Claim]:
    """What may be collected today, the oldest first."""
    account = book.account
    payable = pence(account.balances.total - account.overpayment)
    if book.terms.has_statements:
        for one in account.minimums:
            if one.due - book.today <= NEAR:
                asked = min(pence(one.missing - account.overpayment), payable)
                yield Claim(one.number, one.due, max(ZERO, asked), account.balances)
    for unpaid in account.billed:
        asked = min(pence(unpaid.missing), payable)
        yield Claim(unpaid.number, unpaid.due, asked, Balances(*unpaid[2:]))
    row = billing.next_paying(book) if book.terms.has_rows else None
    if row is not None and billing.is_near(book, row):
        bill = billing.projected_bill(book, row)
        asked = bill.total - account.overpayment
        if billing.is_last(book, row):
            asked += account.short.total
        yield Claim(row.number, row.due, max(ZERO, pence(asked)), bill)


def _make(book: Book, claim: Claim) -> None:
    account = book.account
    fee = min(claim.amount, claim.bill.fee)
    interest = min(claim.amount - fee, claim.bill.interest)
    split = Balances(claim.amount - fee - interest, interest, fee)
    made = book.post(
        "repayment",
        claim.amount,
        split,
        status="pending",
        counts=False,
        origin=ORIGIN_SCHEDULE,
        provider=PROVIDER,
        collect=True,
        row=claim.number,
        due=claim.due,
        effective_date=max(claim.due, book.today),
    )
    account.pending_count += 1
    account.pending = account.pending.plus(split)
    if made.covers is not None:
        account.covered = (*account.covered, claim.number)
