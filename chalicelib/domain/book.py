"""The working copy of one account while a decision is made.

A :class:`Book` is opened on an account as it was loaded, is written in by the functions of
``billing``, ``status``, ``daily`` and ``loans``, and is closed into what the store commits.  It
never leaves a decision, so those functions stay pure seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from chalicelib.domain.account import Account, Terms
from chalicelib.domain.calendar import Calendar, calendar_for
from chalicelib.domain.decision import Event
from chalicelib.domain.ledger import (
    DIRECTION,
    ORIGIN_SYSTEM,
    Balances,
    Batch,
    Change,
    Closing,
    Run,
    Share,
    Transaction,
    transaction_id,
)
from chalicelib.domain.money import ZERO
from chalicelib.domain.schedule import Basis, Row, plan


@dataclass(frozen=True, slots=True)
class Moment:
    """When a decision is made: the instant, the business date, and when a business date begins."""

    now: datetime
    today: date
    begins: Callable[[date], datetime]


class Billed(NamedTuple):
    """A row fell due: what it billed, and what of its principal had been paid ahead."""

    number: int
    due: date
    principal: Decimal
    interest: Decimal
    fee: Decimal
    prepaid: Decimal


class Paid(NamedTuple):
    """What went towards a billed row."""

    number: int
    on: date
    principal: Decimal
    interest: Decimal
    fee: Decimal


class RowPaid(NamedTuple):
    """A row counts as paid from this day on."""

    number: int
    on: date


class Returned(NamedTuple):
    """What had been paid of a billed row was taken back."""

    number: int
    on: date
    principal: Decimal
    interest: Decimal
    fee: Decimal


class Early(NamedTuple):
    """Principal was repaid ahead of the plan."""

    on: date
    principal: Decimal


Happening = Billed | Paid | RowPaid | Returned | Early


class Book:
    """An account being written in; see the module."""

    def __init__(self, terms: Terms, account: Account, moment: Moment) -> None:
        self.terms = terms
        self.before = account
        self.account = account.copy()
        self.moment = moment
        self.transactions: list[Transaction] = []
        self.runs: list[Run] = []
        self.changes: list[Change] = []
        self.updates: list[Transaction] = []
        self.events: list[Event] = []
        self.happenings: list[Happening] = []
        self.repaid = False
        self.closings: list[Closing] = []
        self.free: tuple[tuple[date, date], ...] = ()  # nights that a revert has set free
        self.frozen: tuple[tuple[date, date], ...] = ()  # days that a revert has taken back
        self.standing: set[tuple[str, str, date]] = set()  # what of these days still stands
        self.issued: dict[int, Closing] = {}  # statements that stand, however this is told
        self.collecting = True  # whether days make automatic repayments: not when told again
        self._first_seq = account.seq + 1
        self._planned: tuple[tuple[Basis, ...], tuple[Row, ...]] = ((), ())

    @property
    def calendar(self) -> Calendar:
        """The holidays that the loan goes by."""
        return calendar_for(self.terms.calendar)

    @property
    def today(self) -> date:
        """The day that the account has been brought to."""
        day = self.account.as_of
        return self.moment.today if day is None else day

    def rows(self) -> tuple[Row, ...]:
        """The plan, from the oldest basis that still matters."""
        if self._planned[0] is not self.account.bases:
            bases = self.account.bases
            self._planned = (bases, plan(self.terms.plan, self.terms.due_dates, bases))
        return self._planned[1]

    def unbilled_rows(self) -> tuple[Row, ...]:
        """The rows that have not been billed yet."""
        rows = self.rows()
        return rows[max(0, self.account.next_row - rows[0].number) :] if rows else ()

    def may_post(self, kind: str, name: str = "") -> bool:
        """Whether the calendar may post this today: what was reverted is not made again."""
        taken_back = any(first <= self.today <= last for first, last in self.frozen)
        return not taken_back or (kind, name, self.today) in self.standing

    def next_seq(self) -> int:
        """The next number in the loan's journal."""
        self.account.seq += 1
        return self.account.seq

    def close_run(self) -> None:
        """Put the open nights into the journal, ahead of what changes the balances."""
        if self.account.run is not None:
            run = replace(self.account.run, seq=self.next_seq(), revision=self.account.revision)
            self.runs.append(run)
            self.account.run = None

    def instant(self) -> datetime:
        """Now, or the beginning of the day that is being caught up."""
        day = self.today
        return self.moment.now if day >= self.moment.today else self.moment.begins(day)

    def post(
        self,
        kind: str,
        amount: Decimal,
        split: Balances,
        *,
        status: str = "applied",
        counts: bool = True,
        overpayment: Decimal = ZERO,
        **details: Any,
    ) -> Transaction:
        """Write a transaction; ``counts`` says whether its split moves the balances now."""
        account = self.account
        self.close_run()
        if counts:
            moved = account.balances.plus(split, DIRECTION[kind])
            account.principal, account.interest, account.fee = moved
            account.overpayment += overpayment
        seq, at = self.next_seq(), self.instant()
        transaction = Transaction(
            id=transaction_id(self.terms.id, seq),
            loan=self.terms.id,
            seq=seq,
            type=kind,
            status=status,
            amount=amount,
            split=split,
            after=account.balances,
            overpayment=overpayment,
            created_at=at,
            applied_at=at if status == "applied" else None,
            **{
                "origin": ORIGIN_SYSTEM,
                "effective_date": self.today,
                "processing_date": self.today,
                **details,
            },
        )
        self.transactions.append(transaction)
        return transaction

    def repost(
        self,
        item: Transaction,
        split: Balances,
        overpayment: Decimal = ZERO,
        towards: tuple[Share, ...] = (),
    ) -> None:
        """Post again what came from outside: the same transaction with what it does this time."""
        account = self.account
        self.close_run()
        account.principal, account.interest, account.fee = account.balances.plus(
            split, DIRECTION[item.type]
        )
        account.overpayment += overpayment
        amount = split.fee if item.type == "fee" else item.amount
        self.transactions.append(
            replace(
                item,
                amount=amount,
                split=split,
                overpayment=overpayment,
                after=account.balances,
                towards=towards,
            )
        )

    def note(self, field: str, before: str, after: str, cause: str) -> None:
        """Write down a change that is not money."""
        self.close_run()
        self.changes.append(
            Change(self.next_seq(), field, before, after, self.today, self.instant(), cause)
        )

    def tell(self, name: str, **data: Any) -> None:
        """Announce a fact that partners may have subscribed to."""
        self.events.append(Event(name, {"loan": self.terms.id, **data}))

    def batches(self) -> tuple[Batch, ...]:
        """What this decision adds to the journal: one batch, or none."""
        if not (self.transactions or self.runs or self.changes or self.closings):
            return ()
        batch = Batch(
            loan=self.terms.id,
            seq=self._first_seq,
            at=self.moment.now,
            on=self.moment.today,
            transactions=tuple(self.transactions),
            runs=tuple(self.runs),
            changes=tuple(self.changes),
            revision=self.account.revision,
            closings=tuple(self.closings),
        )
        return (batch,)
