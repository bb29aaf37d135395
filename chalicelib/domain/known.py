"""What was known of an account at the end of an earlier day.

What a telling of the history replaced is kept.  The journal as it was at the end of that day is
told up to it, with transactions as they stood then; what was learnt later has not happened (partner
API, "As of, preview, reports").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain import replay, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.ledger import ORIGIN_SCHEDULE, Balances, Batch, Transaction, awaited
from chalicelib.domain.loans import CLOSING
from chalicelib.domain.money import exact


@dataclass(frozen=True, slots=True)
class Known:
    """The account of a day and the journal that tells it."""

    account: Account
    batches: tuple[Batch, ...]
    book: Book


def revision_of(account: Account, day: date) -> int:
    """Which telling of the history was the latest at the end of ``day``."""
    return sum(revised <= day for revised in account.revised)


def journal_of(
    heads: Iterable[Batch], replaced: Iterable[tuple[int, Batch]], revision: int
) -> list[Batch]:
    """The journal as it was in a revision: ``heads`` are the batches as they are now.

    ``replaced`` are batches as they were, each with the revision that took their place.
    """
    found = {batch.seq: batch for batch in heads}
    oldest: dict[int, int] = {}
    for by, batch in replaced:
        if by > revision and by <= oldest.get(batch.seq, by):
            oldest[batch.seq], found[batch.seq] = by, batch
    return [found[seq] for seq in sorted(found)]


@exact
def at_end_of(terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment) -> Known:
    """The account at the end of the moment's date; ``batches`` are of that day's revision."""
    day = moment.today
    then = tuple(one for one in (_then(batch, moment) for batch in batches) if one)
    revised = tuple(done for done in account.revised if done <= day)
    items = [item for batch in then for item in batch.transactions]
    pending_count, pending, covered = awaited(items)
    book = replay.tell(
        terms,
        replay.facts(then),
        moment,
        revised=revised,
        covered=covered,
        journal=then,
    )
    found = book.account
    found.pending_count, found.pending = pending_count, pending
    _mandate_as_then(found, then)
    paid_out = [item for item in items if item.type == "disbursement"]
    found.disbursements = sum(item.status in ("pending", "applied") for item in paid_out)
    found.apr = account.apr if found.disbursed_on else None
    _close_as_then(book, then)
    found.seq = max((item.seq for item in items), default=0)
    return Known(found, then, book)


def _then(batch: Batch, moment: Moment) -> Batch | None:
    """The batch with its transactions as they stood at the end of the moment's date.

    Of a batch that was written later, only what the calendar had made by then, although no job had
    written it down: an automatic repayment.  ``None`` if there is nothing.
    """
    day = moment.today
    if batch.on <= day:
        items = tuple(_as_it_was(one, day) for one in batch.transactions)
        return replace(batch, transactions=items)
    ends = moment.begins(day + timedelta(days=1))
    items = tuple(_as_it_was(one, day) for one in batch.transactions if _made_by(one, ends))
    if not items:
        return None
    return replace(batch, on=day, transactions=items, runs=(), changes=(), closings=())


def _made_by(item: Transaction, instant: datetime) -> bool:
    return item.origin == ORIGIN_SCHEDULE and item.created_at < instant


def _as_it_was(item: Transaction, day: date) -> Transaction:
    waited = item.status == "applied" and item.processing_date > day
    if waited and replay.is_fact(item):
        return replace(item, status="pending", applied_at=None)
    return item


def _mandate_as_then(account: Account, batches: Sequence[Batch]) -> None:
    changes = [one for batch in batches for one in batch.changes if one.field == "mandate"]
    if changes:
        account.mandate = max(changes, key=lambda one: one.seq).after or None


def _close_as_then(book: Book, batches: Sequence[Batch]) -> None:
    """A loan that had closed by then is shown closed."""
    account = book.account
    moves = sorted(
        (change.seq, change.after)
        for batch in batches
        for change in batch.changes
        if change.field == "status"
    )
    if moves and moves[-1][1] == "closed" and account.status in status.OPEN:
        account.status, account.wake = "closed", None
        account.overpayment = Balances().principal
    if account.status == "closed":
        told = [one for batch in batches for one in batch.changes if one.field == CLOSING]
        last = max(told, key=lambda one: one.seq)
        account.close_substatus, account.close_reason = last.before, last.after
