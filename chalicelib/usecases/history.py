"""An account as it was known at the end of an earlier day (partner API, "As of, preview, reports").

The journal of the telling that was the latest then is read from the heads and the archive
(``usecases/journals.py``) and told up to that day (``domain/known.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from chalicelib.domain import journal, known, replay, views
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.apr import loan_apr
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.ledger import Batch, Run, Transaction, fold_before
from chalicelib.domain.schedule import due_dates
from chalicelib.domain.views import LoanView, ScheduleRow
from chalicelib.usecases import journals

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.journals import Loan


def past(ctx: Context, loan: Loan, day: date | None) -> date | None:
    """``day``, if it asks for an earlier state of the loan than today's.

    Raises :class:`Invalid` for the future and :class:`NotFound` where the loan did not exist yet.
    """
    if day is None or day == ctx.business_date:
        return None
    if day > ctx.business_date:
        message = f"{day} is after the business date, {ctx.business_date}."
        raise Invalid(Flaw("as_of", "out_of_range", message))
    if day < ctx.partner.date_of(loan.created_at):
        raise NotFound("loan")
    return day


def moment_at(ctx: Context, day: date) -> Moment:
    """The context's time on an earlier day: what that day brought carries when it began."""
    return Moment(ctx.partner.begins(day), day, ctx.partner.begins)


@dataclass(frozen=True, slots=True)
class Past:
    """A loan at the end of an earlier day: its terms, its account, the journal that tells it."""

    terms: Terms
    account: Account
    batches: tuple[Batch, ...]


def at(ctx: Context, loan: Loan, day: date) -> Past:
    """The loan of the end of ``day``."""
    account = loan.account.value
    batches = _unsettled(ctx, journals.told_by(ctx, loan, known.revision_of(account, day)), day)
    return _told(ctx, *_agreed_then(loan, batches, day), batches, day)


def _unsettled(ctx: Context, batches: Sequence[Batch], day: date) -> list[Batch]:
    """The batches with what was confirmed or failed after ``day`` as it was while it waited.

    A confirmation changes an entry in its place without a trail: its dates and the balances after
    it follow from when it was made.
    """

    def waiting(item: Transaction) -> Transaction:
        made = ctx.partner.date_of(item.created_at)
        late = item.status in ("applied", "failed") and made <= day < item.processing_date
        if not late or not replay.is_fact(item):
            return item
        item = replace(
            item,
            status="pending",
            applied_at=None,
            changed_at=None,
            failure_reason="",
            processing_date=made,
        )
        if item.type != "disbursement":
            return item
        return replace(item, effective_date=made, after=fold_before(batches, item.seq))

    return [replace(one, transactions=tuple(map(waiting, one.transactions))) for one in batches]


def _told(
    ctx: Context, terms: Terms, account: Account, batches: Sequence[Batch], day: date
) -> Past:
    then = known.at_end_of(terms, account, batches, moment_at(ctx, day))
    return Past(terms, then.account, then.batches)


def _agreed_then(loan: Loan, batches: Sequence[Batch], day: date) -> tuple[Terms, Account]:
    """Terms and account with the due dates and the APR of the disbursement that counted then.

    They are laid again where another disbursement, or none, counts by now.
    """
    terms, account = loan.terms.value, loan.account.value
    counted = [
        item
        for batch in batches
        for item in batch.transactions
        if item.type == "disbursement" and item.status == "applied" and item.processing_date <= day
    ]
    first = min(counted, key=lambda item: (item.effective_date, item.seq), default=None)
    if first is None or not terms.has_rows or first.effective_date == account.disbursed_on:
        return terms, account
    start = first.effective_date
    terms = replace(terms, due_dates=due_dates(terms.plan, start))
    return terms, replace(account, apr=loan_apr(terms, first.amount, start))


def view(ctx: Context, loan: Loan, day: date) -> tuple[LoanView, datetime]:
    """The loan as its resource showed it, and when it had last been changed."""
    then = at(ctx, loan, day)
    shown = views.loan_view(then.terms, then.account, moment_at(ctx, day))
    changed = [batch.at for batch in then.batches]
    items = [item for batch in then.batches for item in batch.transactions]
    changed += [at for item in items for at in (item.applied_at, item.changed_at) if at]  # in place
    return shown, max(changed, default=loan.created_at)


def schedule(ctx: Context, loan: Loan, day: date) -> list[ScheduleRow]:
    """The schedule as it was shown."""
    then = at(ctx, loan, day)
    return views.schedule_view(then.terms, then.account, then.batches, moment_at(ctx, day))


def batches(ctx: Context, loan: Loan, day: date) -> list[Batch]:
    """The journal that was known, entries with the status that they had.

    Its last batch is what none held yet at the end of that day.  It comes from the account as the
    last commit up to then had left it, so that it has the numbers and ids under which it was shown.
    """
    then = at(ctx, loan, day)
    if not then.batches:
        return []
    written = max(batch.on for batch in then.batches)
    account = _told(ctx, then.terms, loan.account.value, then.batches, written).account
    account.seq = max(_last(batch) for batch in then.batches)
    account.run = _open(account, then.batches)
    return [*then.batches, journal.unwritten(then.terms, account, moment_at(ctx, day))]


def _last(batch: Batch) -> int:
    """The last number in a batch."""
    numbers = [item.seq for item in batch.transactions]
    numbers += [run.seq for run in batch.runs]
    numbers += [change.seq for change in batch.changes]
    numbers += [closing.seq for closing in batch.closings]
    return max(numbers, default=batch.seq)


def _open(account: Account, batches: Sequence[Batch]) -> Run | None:
    """The nights of the account's open run that no batch holds."""
    run = account.run
    if run is None:
        return None
    runs = [one for batch in batches for one in batch.runs if one.reverted_by is None]
    covered = {day for one in runs for day, _ in one.each()}
    left = [(day, after) for day, after in run.each() if day not in covered]
    if not left:
        return None
    first, after = left[0]
    before = after._replace(interest=after.interest - run.amount)
    skipped = tuple(day for day in run.skipped if day > first)
    return replace(run, first=first, before=before, skipped=skipped)
