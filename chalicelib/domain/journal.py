"""A loan's transactions as they are shown: every entry, and every night of every run, by itself."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from datetime import date

from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.ledger import Balances, Batch, Run, Transaction, night
from chalicelib.domain.loans import brought_up

NIGHT = "interest"


def transactions(
    terms: Terms, account: Account, batches: Sequence[Batch], moment: Moment
) -> list[Transaction]:
    """All that has happened up to the moment's business date, newest first.

    What the day has brought and no job has written down yet is there too.
    """
    journal = [*batches, unwritten(terms, account, moment)]
    return sorted((one for b in journal for one in entries(b, moment)), key=order, reverse=True)


def unwritten(terms: Terms, account: Account, moment: Moment) -> Batch:
    """What no batch holds yet: the open nights, and what the days have brought since."""
    outcome = brought_up(terms, account, moment)
    empty = Batch(terms.id, account.seq + 1, moment.now, moment.today)
    batch = next(iter(outcome.batches), empty)
    run = outcome.account.run
    if run is None:
        return batch
    run = replace(run, revision=outcome.account.revision)
    return replace(batch, runs=(*batch.runs, run))


def entries(batch: Batch, moment: Moment) -> list[Transaction]:
    """The transactions of a batch and the nights of its runs, newest first."""
    found = [night for run in batch.runs for night in nights(batch.loan, run, moment)]
    return sorted([*batch.transactions, *found], key=order, reverse=True)


def size(batch: Batch, types: Container[str] | None) -> int:
    """How many :func:`entries` of some types (``None``: all) a batch has."""
    own = sum(types is None or item.type in types for item in batch.transactions)
    with_nights = types is None or NIGHT in types
    return own + (sum(run.nights for run in batch.runs) if with_nights else 0)


def order(item: Transaction) -> tuple[object, ...]:
    """Sorts transactions by creation; a night comes ahead of what else its day brought."""
    return item.created_at, item.seq, item.effective_date


def nights(loan_id: str, run: Run, moment: Moment) -> Iterator[Transaction]:
    """The transactions of a run's nights, oldest first."""
    for day, after in run.each():
        yield night(loan_id, run, day, after, moment.begins(day))


def nights_of(loan_id: str, runs: Sequence[Run], day: date, moment: Moment) -> list[Transaction]:
    """The nights that end on ``day``, the latest telling's first: one may count, others are
    those that earlier tellings of the history charged, reverted by now.
    """
    found = [run for run in runs if run.first <= day <= run.last and day not in run.skipped]
    found.sort(key=lambda run: run.revision, reverse=True)
    at = moment.begins(day)
    return [night(loan_id, run, day, _after(run, day), at) for run in found]


def _after(run: Run, day: date) -> Balances:
    """The balances after the night that ends on ``day``, one of the run's."""
    nights = (day - run.first).days + 1 - sum(skipped < day for skipped in run.skipped)
    return run.before._replace(interest=run.before.interest + run.amount * nights)


def named(found: Sequence[Transaction], an_id: str) -> Transaction | None:
    """The transaction with this id."""
    return next((item for item in found if item.id == an_id), None)
