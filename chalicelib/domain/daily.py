"""The day: bringing one account up to a date, exactly once, in order.

For one loan on one date: the night's interest, billing of a row due, status, statement, and the
automatic repayment of what falls due soon (partner API, "The day").  Between two days on which
more than interest happens the nights are charged together; that gives the same account to the last
digit, since a night depends on the principal alone.
"""

from __future__ import annotations

from datetime import date, timedelta

from chalicelib.domain import billing, collecting, statements, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.calendar import calendar_for, free_nights
from chalicelib.domain.ledger import Run
from chalicelib.domain.money import exact, ten_places
from chalicelib.domain.schedule import night_interest

ONE_DAY = timedelta(days=1)


@exact
def bring_up(terms: Terms, account: Account, moment: Moment) -> Book:
    """A book opened on ``account`` and brought up to the moment's business date."""
    book = Book(terms, account, moment)
    advance(book, moment.today)
    return book


def advance(book: Book, to: date) -> None:
    """Do every day up to ``to`` that has not been done."""
    account = book.account
    while account.status in status.OPEN and account.as_of is not None and account.as_of < to:
        wake = next_wake(book)
        if wake is None or wake > to:
            accrue(book, to)
        else:
            do_day(book, wake)


def do_day(book: Book, day: date) -> None:
    """A day with its night, and what it brings after that."""
    account, terms = book.account, book.terms
    closes = statements.next_statement(terms, account) == day
    if closes:
        accrue(book, day - ONE_DAY)
    before_the_night = account.balances
    accrue(book, day)
    if terms.has_rows:
        billing.bill_due_rows(book)
        billing.allocate_overpayment(book)
        billing.mark_paid_rows(book)
    else:
        billing.allocate_to_minimums(book)
    status.assess(book)
    if closes:
        statements.close_period(book, before_the_night)
    finish(book)


def finish(book: Book) -> None:
    """After any change: what is owed past the last row is due, what is near is collected."""
    account = book.account
    if book.terms.has_rows and account.status in status.OPEN:
        billing.bill_the_rest(book)
        status.assess(book)
    collecting.collect(book)
    account.wake = next_wake(book)


def next_wake(book: Book) -> date | None:
    """The next day on which more than interest happens: a row falls due, the status falls, …"""
    account = book.account
    if account.status not in status.OPEN:
        return None
    days = [status.next_fall(book.terms, account), collecting.next_notice(book)]
    if book.terms.has_rows:
        days += [row.due for row in book.unbilled_rows()[:1]]  # also one that bills nothing
    else:
        days.append(statements.next_statement(book.terms, account))
        days += [statements.next_claim(account), statements.next_miss(account)]
    return min((day for day in days if day is not None), default=None)


def accrue(book: Book, to: date) -> None:
    """Charge the nights from where the book stands to ``to``; none of them brings anything else.

    The night from D-1 to D is charged on the principal at the end of D-1, kept to 10 decimals.
    Nights that a revert has set free are passed over.
    """
    account = book.account
    assert account.as_of is not None, "an account accrues from its first disbursement on"
    for first, last in book.free:
        if account.as_of < last and first <= to:
            _charge(book, max(account.as_of, first - ONE_DAY))
            account.as_of = min(last, to)
    _charge(book, to)
    if book.terms.has_rows:
        billing.bill_the_rest(book)


def _charge(book: Book, to: date) -> None:
    if not charge(book.terms, book.account, to):
        book.close_run()
        charge(book.terms, book.account, to)


def charge(terms: Terms, account: Account, to: date) -> bool:
    """Charge the nights up to ``to``; ``False`` if the open run cannot hold them."""
    since, run = account.as_of, account.run
    assert since is not None
    amount = ten_places(night_interest(account.principal, terms.rate))
    if account.interest_enabled and amount > 0 and to > since:
        charged_on_holidays = terms.calculate_interest_on_holidays
        skipped = tuple(free_nights(calendar_for(terms.calendar), charged_on_holidays, since, to))
        if run is None:
            account.run = Run(since + ONE_DAY, to, amount, account.balances, skipped)
        elif run.last == since and run.amount == amount:
            account.run = run.until(to, skipped)
        else:
            return False
        account.interest += amount * ((to - since).days - len(skipped))
    account.as_of = max(to, since)
    return True


def slept(terms: Terms, account: Account, to: date) -> Account | None:
    """The account after quiet nights up to ``to``; ``None`` if more may happen than those.

    For callers that compute exactly (``money.exact``).  The wake date says so: whatever changes an
    account ends with :func:`finish`.  A loan with billed rows is not asked: past the last row, each
    night's interest is due at once.
    """
    wake, since = account.wake, account.as_of
    if account.billed or wake is None or since is None or not since < to < wake:
        return None
    after = account.copy()
    return after if charge(terms, after, to) else None
