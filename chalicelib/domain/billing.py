"""What falls due, and how a repayment pays it.

On a due date the row is billed; a repayment pays, in this order: what is billed, the fees and
interest owed beyond that, the next row when it is near, and then principal, early (partner API,
"What falls due" and "Repayments").  All functions write in a :class:`~chalicelib.domain.book.Book`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain import statements
from chalicelib.domain.account import OpenRow
from chalicelib.domain.book import Billed, Book, Early, Paid, RowPaid
from chalicelib.domain.calendar import charged_nights
from chalicelib.domain.ledger import Balances, Share
from chalicelib.domain.money import HALF_PENNY, PENNY, ZERO, clamp, pence, ten_places
from chalicelib.domain.schedule import Basis, Row, night_interest

NEAR_DAYS = 5  # a due date at most this far away is collected, announced and prepaid
COMPONENTS = ("principal", "interest", "fee")


def bill_due_rows(book: Book) -> None:
    """Bill every row that is due by the day the book stands on; some bill nothing."""
    for row in book.unbilled_rows():
        if row.due > book.today:
            break
        book.account.next_row = row.number + 1
        if bills(book, row):
            _bill(book, row)
    bill_the_rest(book)


def bills(book: Book, row: Row) -> bool:
    """Whether ``row`` bills anything: the last does, a row in full grace does not.

    One that plans nothing (interest alone, at no rate) still bills the fees that are owed.
    """
    if row.number <= book.terms.grace_instalments:
        return is_last(book, row)
    return row.total > 0 or book.account.unbilled.fee > 0 or is_last(book, row)


def next_paying(book: Book) -> Row | None:
    """The first unbilled row that will bill something."""
    return next((row for row in book.unbilled_rows() if bills(book, row)), None)


def is_last(book: Book, row: Row) -> bool:
    """Whether ``row`` is the plan's last: it bills everything."""
    return row.number == book.rows()[-1].number


def _bill(book: Book, row: Row) -> None:
    account = book.account
    owed = account.unbilled
    if is_last(book, row):
        due = owed
    else:
        principal = clamp(ten_places(row.principal) - account.prepaid, ZERO, owed.principal)
        interest = clamp(ten_places(owed.interest - row.deferred), ZERO, owed.interest)
        due = Balances(principal, interest, owed.fee)
    prepaid, account.prepaid = account.prepaid, ZERO
    account.billed += (OpenRow(row.number, row.due, *due),)
    book.happenings.append(Billed(row.number, row.due, *due, prepaid))
    _drop_past_bases(book)


def bill_the_rest(book: Book) -> None:
    """After the last row's due date everything owed is due the day it arises."""
    account = book.account
    if not account.bases or next_paying(book) is not None:
        return
    owed = account.unbilled
    if not any(owed):
        return
    last = book.rows()[-1]
    book.happenings.append(Billed(last.number, last.due, *owed, ZERO))
    if account.billed and account.billed[-1].number == last.number:
        old = account.billed[-1]
        total = Balances(*old[2:]).plus(owed)
        account.billed = (*account.billed[:-1], OpenRow(last.number, last.due, *total))
    else:
        account.billed += (OpenRow(last.number, last.due, *owed),)


def _drop_past_bases(book: Book) -> None:
    bases = book.account.bases
    while len(bases) > 1 and bases[1].first <= book.account.next_row:
        bases = bases[1:]
    book.account.bases = bases


def mark_paid_rows(book: Book) -> None:
    """Rows count as paid, oldest first, when less than half a penny for each is missing.

    The last row is paid when the balances are zero.
    """
    account = book.account
    while account.billed:
        row = account.billed[0]
        if row.number == book.rows()[-1].number:
            paid = not any(account.balances)
        else:
            paid = account.short.total + row.missing < HALF_PENNY * row.number
        if not paid:
            return
        account.short = account.short.plus(Balances(row.principal, row.interest, row.fee))
        account.billed = account.billed[1:]
        book.happenings.append(RowPaid(row.number, book.today))


def projected_bill(book: Book, row: Row) -> Balances:
    """What ``row``, the next that pays, will bill if nothing else happens until its due date."""
    account, terms = book.account, book.terms
    owed = account.unbilled
    coming = ZERO
    if account.interest_enabled:
        nights = charged_nights(
            book.calendar, terms.calculate_interest_on_holidays, book.today, row.due
        )
        coming = ten_places(night_interest(account.principal, terms.rate)) * nights
    interest = owed.interest + coming
    if is_last(book, row):
        return Balances(owed.principal, interest, owed.fee)
    principal = clamp(ten_places(row.principal) - account.prepaid, ZERO, owed.principal)
    return Balances(principal, clamp(ten_places(interest - row.deferred), ZERO, interest), owed.fee)


def is_near(book: Book, row: Row) -> bool:
    """Whether ``row`` is due in at most five days."""
    return (row.due - book.today).days <= NEAR_DAYS


@dataclass(frozen=True, slots=True)
class NextRepayment:
    """The date and the whole-penny amount of what is to be repaid next."""

    date: date | None
    amount: Decimal


def next_repayment(book: Book) -> NextRepayment:
    """The oldest unpaid row's due date, else that of the next row that pays, and how much.

    What is billed and unpaid, plus the next row's bill only when nothing is unpaid or that row is
    near; less ``overpayment``; never more than what settles the loan today.
    """
    account = book.account
    if not book.terms.has_rows:
        return _next_minimum(book)
    row = next_paying(book)
    unpaid = sum((open_row.missing for open_row in account.billed), ZERO)
    when = account.billed[0].due if account.billed else (row.due if row else None)
    amount = unpaid
    takes_last = bool(account.billed) and account.billed[-1].number == book.rows()[-1].number
    if row is not None and (not account.billed or is_near(book, row)):
        bill = projected_bill(book, row)
        amount += bill.total
        takes_last = is_last(book, row)
    if takes_last:
        amount += account.short.total
    owed = min(amount, account.balances.total) - account.overpayment
    return NextRepayment(when, max(ZERO, pence(owed)))


def _next_minimum(book: Book) -> NextRepayment:
    """Without rows: what statements (or failed collections) ask for and have not got.

    A repayment counts towards every open statement, so that the largest minimum is all of them; of
    those that are not near only the oldest is asked for.
    """
    account = book.account
    asked = account.minimums
    if not asked:
        return NextRepayment(None, ZERO)
    if book.terms.has_statements:
        soon = [one.missing for one in asked if (one.due - book.today).days <= NEAR_DAYS]
        amount = max([asked[0].missing, *soon])
    else:
        amount = sum((one.missing for one in asked), ZERO)
    owed = min(amount, account.balances.total) - account.overpayment
    return NextRepayment(asked[0].due, max(ZERO, pence(owed)))


# --- repayments -----------------------------------------------------------------------------------


def pay_billed(book: Book, amount: Decimal) -> tuple[Balances, tuple[Share, ...]]:
    """Stage 1: what is billed, component by component in the product's order, oldest row first."""
    account = book.account
    paid = dict.fromkeys(COMPONENTS, ZERO)
    short, rows = account.short._asdict(), [row._asdict() for row in account.billed]
    for component in book.terms.repayment_allocation:
        for row in (short, *rows):
            part = min(amount, row[component])
            row[component] -= part
            paid[component] += part
            amount -= part
    account.short = Balances(**short)
    towards = [
        Share(was.number, was.due, *(was[n] - now[name] for n, name in enumerate(COMPONENTS, 2)))
        for was, now in zip(account.billed, rows, strict=True)
    ]
    towards = [share for share in towards if any(share[2:])]
    book.happenings += [Paid(share.row, book.today, *share[2:]) for share in towards]
    account.billed = tuple(OpenRow(**row) for row in rows)
    _take(book, Balances(**paid))
    return Balances(**paid), tuple(towards)


def _pay_owed(book: Book, amount: Decimal, only: tuple[str, ...]) -> Balances:
    """Stage 2, and all of a loan without rows: what is owed, in the product's order."""
    owed, paid = book.account.unbilled, dict.fromkeys(COMPONENTS, ZERO)
    for component in book.terms.repayment_allocation:
        if component in only:
            part = clamp(amount, ZERO, getattr(owed, component))
            paid[component] += part
            amount -= part
    _take(book, Balances(**paid))
    return Balances(**paid)


def _take(book: Book, paid: Balances) -> None:
    account = book.account
    account.principal, account.interest, account.fee = account.balances.minus(paid)


def settles(book: Book, amount: Decimal) -> bool:
    """Whether ``amount``, with the overpayment, covers all that is outstanding."""
    account = book.account
    return account.balances.total - amount - account.overpayment <= HALF_PENNY


class Spent(NamedTuple):
    """Where a repayment went: its split, what of it waits in ``overpayment``, and which rows."""

    split: Balances
    waiting: Decimal = ZERO
    towards: tuple[Share, ...] = ()


def pay(book: Book, amount: Decimal) -> Spent:
    """Spend a repayment: the balances are changed; the caller posts what is returned."""
    if settles(book, amount):
        over = amount - book.account.balances.total
        waiting = over if over > HALF_PENNY else ZERO  # less was owed than it brings
        return _settle(book, amount - waiting)._replace(waiting=waiting)
    if not book.terms.has_rows:
        split = _pay_owed(book, amount, COMPONENTS)
        return Spent(split, towards=statements.count(book, split.total))
    return _pay_rows(book, amount)


def _pay_rows(book: Book, amount: Decimal) -> Spent:
    """The four stages."""
    account = book.account
    row = next_paying(book)
    coming = projected_bill(book, row) if row is not None and is_near(book, row) else None
    billed, towards = pay_billed(book, amount)
    owed = _pay_owed(book, amount - billed.total, ("fee", "interest"))
    split = billed.plus(owed)
    waiting = ZERO
    near = False
    if row is not None and coming is not None:
        room = max(ZERO, coming.total - owed.total - account.overpayment)
        ahead, waiting = _pay_ahead(book, min(room, amount - split.total), coming.principal)
        split = split.plus(Balances(principal=ahead))
        near = account.prepaid > 0 or waiting > 0
        towards += (Share(row.number, row.due, ahead, owed.interest, owed.fee),)
    early = amount - split.total - waiting
    if early > 0:
        _repay_early(book, early, near)
        split = split.plus(Balances(principal=early))
    return Spent(split, waiting, towards)


def _settle(book: Book, amount: Decimal) -> Spent:
    """All of the amount, in the product's order; a penny's fraction too much goes to principal."""
    account = book.account
    billed, towards = pay_billed(book, amount)
    rest = _pay_owed(book, amount - billed.total, COMPONENTS)
    split = billed.plus(rest)
    excess = amount - split.total
    account.principal -= excess
    if book.terms.has_rows and rest.principal + excess > 0:
        book.happenings.append(Early(book.today, rest.principal + excess))
    towards += statements.count(book, amount)
    return Spent(split.plus(Balances(principal=excess)), towards=towards)


def _pay_ahead(book: Book, amount: Decimal, planned: Decimal) -> tuple[Decimal, Decimal]:
    """Stage 3: the near row's principal at once; the rest waits for the row to be billed."""
    account = book.account
    ahead = min(amount, planned)
    account.prepaid += ahead
    account.principal -= ahead
    return ahead, amount - ahead


def _repay_early(book: Book, amount: Decimal, next_row_prepaid: bool) -> None:
    """Stage 4: principal that is repaid early changes the plan by the product's rule."""
    book.account.principal -= amount
    book.happenings.append(Early(book.today, amount))
    replan(book, amount, next_row_prepaid)


def replan(book: Book, amount: Decimal, next_row_prepaid: bool, *, anew: bool = False) -> None:
    """The plan with ``amount`` less of principal (which the balance has lost already).

    A negative amount comes back: it is planned again, for the last row.  ``anew`` computes the rows
    that remain as a new loan, whatever the product says.
    """
    account = book.account
    last = account.bases[-1]
    mode = book.terms.early_repayment_recalculation
    if not anew and (abs(amount) < PENNY or mode == "from_last_instalment"):
        trimmed = last._replace(trimmed=last.trimmed + amount, open_from=account.next_row)
        account.bases = (*account.bases[:-1], trimmed)
        return
    row = next(row for row in book.unbilled_rows() if row.due > book.today)
    left = account.unbilled.principal
    remaining = None if anew else book.rows()[-1].number
    if next_row_prepaid:  # what overpayment will still pay of that row stays planned for it
        left -= ten_places(row.principal) - account.prepaid
        basis = Basis(row.number + 1, row.due, left, last=remaining)
    else:
        basis = Basis(row.number, book.today, left, last=remaining)
    kept = tuple(b for b in account.bases if b.first < basis.first)
    account.bases = (*kept, basis)


def round_off(book: Book) -> None:
    """Within half a penny of zero, one ``rounding`` transaction makes every balance zero."""
    account = book.account
    if any(account.balances) and abs(account.balances.total) <= HALF_PENNY:
        rest = Balances().minus(account.balances)
        book.post("rounding", abs(pence(rest.total)), rest)


def clear_rows(book: Book) -> None:
    """Nothing is owed any more: what was billed is paid, what was planned will not come."""
    account = book.account
    if any(account.balances) or not account.bases:
        return
    for row in account.billed:
        book.happenings.append(RowPaid(row.number, book.today))
    account.billed, account.short, account.prepaid = (), Balances(), ZERO
    account.next_row = book.terms.installments + 1


def allocate_to_minimums(book: Book) -> None:
    """Without rows ``overpayment`` pays the minimums that have fallen due."""
    account = book.account
    due = [one.missing for one in account.minimums if one.due <= book.today]
    amount = min(account.overpayment, account.balances.total, max(due, default=ZERO))
    if amount > 0 and book.may_post("allocation"):
        before = account.balances
        paid = _pay_owed(book, amount, COMPONENTS)
        statements.count(book, amount)
        account.principal, account.interest, account.fee = before
        book.post("allocation", pence(amount), paid, overpayment=-amount)


def allocate_overpayment(book: Book) -> None:
    """What waited in ``overpayment`` pays what has been billed, by a system transaction."""
    account = book.account
    if account.overpayment > 0 and account.billed and book.may_post("allocation"):
        before = account.balances
        paid, towards = pay_billed(book, account.overpayment)
        account.principal, account.interest, account.fee = before
        book.post("allocation", pence(paid.total), paid, overpayment=-paid.total, towards=towards)


def cover_at_once(book: Book) -> None:
    """A fee past the last row is due as it arises, and ``overpayment`` pays it as it is due."""
    if not book.terms.has_rows or book.account.overpayment <= 0:
        return
    bill_the_rest(book)
    allocate_overpayment(book)
    round_off(book)
    clear_rows(book)
    mark_paid_rows(book)
