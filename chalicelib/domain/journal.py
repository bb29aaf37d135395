"""A loan's transactions as they are shown: every entry, and every night of every run, by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.ledger import Batch, Run, Transaction, night
from chalicelib.domain.loans import brought_up


def transactions(
    terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment
) -> list[Transaction]:
    """All that has happened up to the moment's business date, newest first.

    What the day has brought and no job has written down yet is there too.
    """
    outcome = brought_up(terms, account, moment)
    journal = [*batches, *([outcome.batch] if outcome.batch else [])]
    found = [item for batch in journal for item in batch.transactions]
    runs = [run for batch in journal for run in batch.runs]
    if outcome.account.run is not None:
        runs.append(outcome.account.run)
    for run in runs:
        found += nights(terms.id, run, moment)
    return sorted(found, key=order, reverse=True)


def order(item: Transaction) -> tuple[object, ...]:
    """Sorts transactions by creation; a night comes ahead of what else its day brought."""
    return item.created_at, item.seq, item.effective_date


def nights(loan_id: str, run: Run, moment: Moment) -> Iterator[Transaction]:
    """The transactions of a run's nights, oldest first."""
    for day, after in run.each():
        yield night(loan_id, run, day, after, moment.begins(day))


def named(found: Sequence[Transaction], an_id: str) -> Transaction | None:
    """The transaction with this id."""
    return next((item for item in found if item.id == an_id), None)
