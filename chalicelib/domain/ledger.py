"""The journal of a loan: transactions, nights, changes, and what each does to the balances.

A balance is a fold of these (``fold`` below); the account's stored balances are its cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain.machine import Machine
from chalicelib.domain.money import ZERO, exact


class Balances(NamedTuple):
    """Three amounts of money, exact."""

    principal: Decimal = ZERO
    interest: Decimal = ZERO
    fee: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """The three together."""
        return self.principal + self.interest + self.fee

    def plus(self, other: Balances, sign: int = 1) -> Balances:
        """The three, each with ``other``'s added ``sign`` times."""
        return Balances(
            self.principal + sign * other.principal,
            self.interest + sign * other.interest,
            self.fee + sign * other.fee,
        )

    def minus(self, other: Balances) -> Balances:
        """The three, each less ``other``'s."""
        return self.plus(other, -1)


TRANSACTION = Machine(
    "transaction",
    states=("pending", "applied", "failed", "reverted"),
    initial="pending",
    moves={
        "apply": {"pending": "applied"},
        "fail": {"pending": "failed", "applied": "failed"},
        "retry": {"failed": "pending"},
        "revert": {"applied": "reverted"},
    },
)

# Which way a transaction's (positive) split moves the balances; rounding is signed.
DIRECTION = {
    "disbursement": 1,
    "interest": 1,
    "fee": 1,
    "chargeback": 1,
    "rounding": 1,
    "repayment": -1,
    "allocation": -1,
    "write_off": -1,
    "refund": 0,
}
ORIGIN_PARTNER, ORIGIN_SCHEDULE, ORIGIN_SYSTEM = "partner", "schedule", "system"
ORIGIN_PROVIDER = "provider"


class Share(NamedTuple):
    """What of a repayment went to one row of the schedule, billed or about to be.

    Of revolving credit: how much of a statement's minimum it repaid, as ``principal``.
    """

    row: int
    due: date
    principal: Decimal
    interest: Decimal = ZERO
    fee: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Transaction:
    """One operation on the account.  ``split`` says what of ``amount`` went where.

    ``overpayment`` is what it adds to the loan's ``overpayment`` (negative for ``allocation`` and
    ``refund``).  ``after`` are the balances once it was posted.  An automatic repayment says which
    ``row`` (or statement) it was made for and when that is ``due``; ``attempt`` counts how often
    the provider has been asked.  ``towards`` says what of a repayment went to which rows or
    minimums; ``compensates`` is the id of what a chargeback puts back.  ``changed_at`` is when it
    last failed, was reverted or told anew.
    """

    id: str
    loan: str
    seq: int
    type: str
    status: str
    amount: Decimal
    split: Balances
    effective_date: date
    processing_date: date
    created_at: datetime
    after: Balances
    origin: str = ORIGIN_SYSTEM
    overpayment: Decimal = ZERO
    name: str = ""
    fee_type: str | None = None
    idempotency_key: str | None = None
    reference: str = ""
    collect: bool | None = None
    provider: str | None = None
    provider_transaction_id: str | None = None
    applied_at: datetime | None = None
    failure_reason: str = ""
    reverted_by: str | None = None
    percent: Decimal | None = None
    row: int | None = None
    due: date | None = None
    attempt: int = 1
    compensates: str | None = None
    towards: tuple[Share, ...] = ()
    changed_at: datetime | None = None

    @property
    def updated_at(self) -> datetime:
        """When it was made, applied or changed, whichever was last."""
        times = (self.created_at, self.applied_at, self.changed_at)
        return max(time for time in times if time is not None)

    @property
    def covers(self) -> int | None:
        """The row that this first attempt, made in time and still on its way, pays for."""
        first = self.status == "pending" and self.origin == ORIGIN_SCHEDULE and self.attempt == 1
        in_time = self.due is not None and self.processing_date <= self.due
        return self.row if first and in_time else None

    @property
    def counts(self) -> bool:
        """Whether its split is in the balances: applied, or a manual repayment on its way."""
        waiting = self.status == "pending" and self.type == "repayment"
        return self.status == "applied" or (waiting and self.origin == ORIGIN_PARTNER)


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive nights of equal interest: one for each day from ``first`` to ``last``.

    A night is named by the day it ends on; the days in ``skipped`` bore nothing.  ``before`` are
    the balances ahead of the first night, of which only the interest changes during the run.
    ``revision`` says which telling of the history charged them; nights that a later one has taken
    back name its cause in ``reverted_by``, and when in ``reverted_at``, and count no more.
    """

    first: date
    last: date
    amount: Decimal
    before: Balances
    skipped: tuple[date, ...] = ()
    seq: int = 0
    revision: int = 0
    reverted_by: str | None = None
    reverted_at: datetime | None = None

    def until(self, last: date, skipped: tuple[date, ...]) -> Run:
        """The run with the nights up to ``last`` added, but for those that are free."""
        free = self.skipped + skipped
        seq, revision, by = self.seq, self.revision, self.reverted_by
        return Run(self.first, last, self.amount, self.before, free, seq, revision, by)

    @property
    def nights(self) -> int:
        """How many nights were charged."""
        return (self.last - self.first).days + 1 - len(self.skipped)

    @property
    def total(self) -> Decimal:
        """The interest of all its nights."""
        return self.amount * self.nights

    def each(self) -> Iterator[tuple[date, Balances]]:
        """Each charged night with the balances after it."""
        after = self.before
        for offset in range((self.last - self.first).days + 1):
            day = self.first + timedelta(days=offset)
            if day not in self.skipped:
                after = after._replace(interest=after.interest + self.amount)
                yield day, after


@dataclass(frozen=True, slots=True)
class Change:
    """Something other than money that changed, with its time and cause."""

    seq: int
    field: str  # status | interest_calculation
    before: str
    after: str
    on: date
    at: datetime
    cause: str


class Closing(NamedTuple):
    """A period of revolving credit that was closed by a statement, as it was issued."""

    seq: int
    number: int
    on: date  # the statement day; the period ended the day before
    start: date
    opening: Decimal
    closing: Balances
    minimum: Decimal  # whole pence
    due: date


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one commit adds to a loan's journal; ``seq`` is the first number in it.

    ``revision`` is the telling of the history in which it was last written.
    """

    loan: str
    seq: int
    at: datetime
    on: date
    transactions: tuple[Transaction, ...] = ()
    runs: tuple[Run, ...] = ()
    changes: tuple[Change, ...] = ()
    revision: int = 0
    closings: tuple[Closing, ...] = ()

    @property
    def newest(self) -> datetime | None:
        """When the newest of its transactions was made; ``None`` if it holds none."""
        return max((item.created_at for item in self.transactions), default=None)


# --- ids ------------------------------------------------------------------------------------------
# A transaction's id is its loan's first four groups and a fifth that says which it is, so that it
# leads to its loan without an index: 0 and the number of an entry, or 1, a revision and the day of
# a night.  The loan's own random bits make it unique.

NUMBER_DIGITS, REVISION_DIGITS, DAY_DIGITS = 11, 4, 7


def transaction_id(loan_id: str, seq: int) -> str:
    """The id of the loan's entry number ``seq``."""
    return f"{loan_id[:24]}0{seq:0{NUMBER_DIGITS}x}"


def night_id(loan_id: str, day: date, revision: int = 0) -> str:
    """The id of the interest transaction of the night that ends on ``day``."""
    return f"{loan_id[:24]}1{revision:0{REVISION_DIGITS}x}{day.toordinal():0{DAY_DIGITS}x}"


def statement_id(loan_id: str, number: int) -> str:
    """The id of the loan's statement ``number``: a kind of its own beside entries and nights."""
    return f"{loan_id[:24]}2{number:0{NUMBER_DIGITS}x}"


def loan_prefix(an_id: str) -> str:
    """What a loan's id and its transactions' ids have in common."""
    return an_id[:23]


class Entry(NamedTuple):
    """What an id names within its loan: a numbered entry, or a revision's night by its ``day``."""

    seq: int | None
    day: date | None
    revision: int = 0


def entry_of(an_id: str) -> Entry | None:
    """What a transaction's id names, or ``None`` if it cannot be one."""
    kind, rest = an_id[24], int(an_id[25:], 16)
    if kind == "0":
        return Entry(rest, None)
    ordinal = rest & (16**DAY_DIGITS - 1)
    if kind == "1" and 0 < ordinal <= date.max.toordinal():
        return Entry(None, date.fromordinal(ordinal), rest >> (4 * DAY_DIGITS))
    return None


def night(loan_id: str, run: Run, day: date, after: Balances, at: datetime) -> Transaction:
    """The transaction that shows one night of a run."""
    return Transaction(
        id=night_id(loan_id, day, run.revision),
        loan=loan_id,
        seq=0,
        type="interest",
        status="reverted" if run.reverted_by else "applied",
        amount=run.amount,
        split=Balances(interest=run.amount),
        effective_date=day,
        processing_date=day,
        created_at=at,
        after=after,
        applied_at=at,
        reverted_by=run.reverted_by,
        changed_at=run.reverted_at,
    )


def awaited(items: Iterable[Transaction]) -> tuple[int, Balances, tuple[int, ...]]:
    """Of pending ones: how many, what they will move once confirmed, and which rows they cover.

    A manual repayment counts while it is pending, so that nothing of it is still to be moved.
    """
    waiting = [item for item in items if item.status == "pending"]
    total = Balances()
    for item in waiting:
        if not item.counts:
            total = total.plus(item.split)
    covered = {item.covers for item in waiting}
    return len(waiting), total, tuple(sorted(row for row in covered if row is not None))


def fold(batches: Iterable[Batch], run: Run | None = None) -> Balances:
    """The balances that the journal adds up to; ``run`` are nights that are in no batch yet."""
    total = Balances()
    for batch in batches:
        for item in batch.transactions:
            if item.counts:
                total = total.plus(item.split, DIRECTION[item.type])
        for nights in batch.runs:
            if nights.reverted_by is None:
                total = total.plus(Balances(interest=nights.total))
    return total.plus(Balances(interest=run.total)) if run else total


@exact
def fold_before(batches: Iterable[Batch], seq: int) -> Balances:
    """The balances ahead of entry number ``seq``."""
    return fold(
        replace(
            batch,
            transactions=tuple(item for item in batch.transactions if item.seq < seq),
            runs=tuple(run for run in batch.runs if run.seq < seq),
        )
        for batch in batches
    )
