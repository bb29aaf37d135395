"""Trial balance and portfolio: a walk over all loans of a partner, a few at a time.

Nothing is kept for a report; each loan's figures follow from its account and, where postings or an
earlier day are asked for, from its journal.  Memory does not grow with the book, time does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice, takewhile
from typing import TYPE_CHECKING, TypeVar

from chalicelib.domain import known
from chalicelib.domain import reports as domain
from chalicelib.domain.account import Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Refused
from chalicelib.domain.reports import Portfolio, Standing, TrialBalance
from chalicelib.models.keys import ACCOUNT, TERMS
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import history, journals, sales
from chalicelib.usecases.journals import Loan

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

R = TypeVar("R")
AT_ONCE = 25  # loans whose journals are in memory together
TRIES = 20


def trial_balance(ctx: Context, asked: date | None) -> TrialBalance:
    """The partner's accounts at the end of a day, by default the business date."""
    report = TrialBalance(domain.report_day(asked, ctx.business_date))
    for _, loan in _book(ctx, report.date, posted=True):
        report.add(loan)
    return report


def portfolio(ctx: Context, asked: date | None) -> Portfolio:
    """The partner's loans at the end of a day, by default the business date."""
    report = Portfolio(domain.report_day(asked, ctx.business_date))
    for terms, loan in _book(ctx, report.date, posted=False):
        report.add(terms.product, loan)
    return report


def _book(ctx: Context, day: date, *, posted: bool) -> Iterator[tuple[Terms, Standing]]:
    """Every loan that was opened by ``day``, as it was known at its end.

    ``posted`` says that what each has posted is wanted too.
    """
    moment = moment_at(ctx, day)
    opened = takewhile(
        lambda terms: ctx.partner.date_of(terms.created_at) <= day,
        ctx.store.each(TERMS, ctx.partner.id, newest_first=False),
    )
    while ids := [terms.value.id for terms in islice(opened, AT_ONCE)]:
        sold = sales.known(ctx, ids, day) if posted else {}
        for terms, loan in as_one(ctx, ids, lambda loan: standing(ctx, loan, moment, posted)):
            yield terms, replace(loan, sale=sold.get(terms.id))


def moment_at(ctx: Context, day: date) -> Moment:
    """The business date as it is, or an earlier day as it began."""
    if day == ctx.business_date:
        return journals.moment_of(ctx)
    return history.moment_at(ctx, day)


def as_one(
    ctx: Context, ids: Sequence[str], read: Callable[[Loan], R]
) -> Iterator[tuple[Terms, R]]:
    """What ``read`` makes of loans and the journals that they need, neither older than the other.

    An account is written with all that changes its journal or its terms.  One that has changed
    while those were read is read again.
    """
    waiting = list(ids)
    for _ in range(TRIES):
        accounts = ctx.store.get_many(ACCOUNT, ctx.partner.id, waiting)
        terms = ctx.store.get_many(TERMS, ctx.partner.id, accounts)
        found: list[tuple[Loan, R]] = []
        for own_id in terms:
            try:
                loan = journals.settled(ctx, Loan(terms[own_id], accounts[own_id]))
                found.append((loan, read(loan)))
            except Conflict:  # others have gone on
                continue
        now = ctx.store.get_many(ACCOUNT, ctx.partner.id, accounts)
        good = [one for one in found if now[one[0].id].version == one[0].account.version]
        yield from ((loan.terms.value, what) for loan, what in good)
        done = {loan.id for loan, _ in good}
        waiting = [own_id for own_id in terms if own_id not in done]
        if not waiting:
            return
    raise Refused("conflict", "Some loans change too fast to be read. Try again.")


def standing(ctx: Context, loan: Loan, moment: Moment, posted: bool) -> Standing:
    """The loan at the end of the moment's date: as ``as_of`` shows it.

    ``posted`` says that what it has posted is wanted too.  Raises :class:`Conflict`.
    """
    terms, account, day = loan.terms.value, loan.account.value, moment.today
    if not posted and domain.is_known(account, day):
        return domain.as_it_stands(terms, account, (), moment)
    batches = journals.told_by(ctx, loan, known.revision_of(account, day))
    if domain.is_untouched(account, batches, day):
        return domain.as_it_stands(terms, account, batches, moment)
    past = history.at(ctx, loan, day)
    return domain.as_it_was(past.terms, account, past.batches, moment)
