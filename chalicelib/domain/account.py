"""A loan account: what was agreed (``Terms``) and where it stands (``Account``).

``Terms`` are written once.  ``Account`` is small, changes with every commit and is a cache: it is
always equal to the replay of the loan's journal (``domain/replay.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from chalicelib.domain.calendar import DateRule, DueDate
from chalicelib.domain.ledger import Balances, Run
from chalicelib.domain.money import ZERO
from chalicelib.domain.schedule import Basis, PlanTerms, Pricing

DEFAULT_ALLOCATION = ("fee", "interest", "principal")
TERM_LOAN = "term_loan"
LINE_OF_CREDIT = "line_of_credit"
REVOLVING_CREDIT = "revolving_credit"


@dataclass(frozen=True, slots=True)
class DefaultFee:
    """A fee that a product knows by name: ``flat`` money or ``percent`` of the total balance."""

    name: str
    type: str
    amount: Decimal
    event: str  # disbursement | arrears | default | manual


@dataclass(frozen=True)
class Terms:
    """What was agreed when the loan was created, the product's rules included."""

    id: str
    application: str
    end_user: str
    product: str
    kind: str  # term_loan | line_of_credit | revolving_credit
    amount: Decimal
    rate: Decimal
    installments: int = 0
    grace_instalments: int = 0
    principal_repayment_grace: int = 0
    arrears_tolerance: int = 7
    default_tolerance: int | None = None
    interest_calculation: str = "equal_instalments"
    early_repayment_recalculation: str = "from_last_instalment"
    calculate_interest_on_holidays: bool = True
    repayment_date_type: str = "day_of_month"
    repayment_date_period: int | None = None
    repayment_holiday_scheduling: str = "on_day"
    repayment_allocation: tuple[str, ...] = DEFAULT_ALLOCATION
    default_fees: tuple[DefaultFee, ...] = ()
    calendar: str = "GB-ENG"
    shard: int = 0
    due_dates: tuple[DueDate, ...] = ()  # from the disbursement on
    automatic_collection: bool = True
    collection_retries: int = 2
    statement_day: int | None = None
    minimum_repayment_percentage: Decimal = ZERO
    minimum_repayment_amount: Decimal = ZERO
    investor: str | None = None  # who has bought the loan; no rule of the account reads it

    @cached_property
    def plan(self) -> PlanTerms:
        """What the schedule is computed from."""
        pricing = Pricing(
            self.interest_calculation,
            self.rate,
            self.grace_instalments,
            self.principal_repayment_grace,
        )
        rule = DateRule(
            self.repayment_date_type, self.repayment_date_period, self.repayment_holiday_scheduling
        )
        return PlanTerms(
            pricing, self.installments, rule, self.calendar, self.calculate_interest_on_holidays
        )

    @property
    def rule(self) -> DateRule:
        """When repayments fall."""
        return self.plan.rule

    @property
    def has_statements(self) -> bool:
        """Whether a statement is issued each month."""
        return self.kind == REVOLVING_CREDIT

    @property
    def has_rows(self) -> bool:
        """Whether the loan follows a schedule."""
        return self.kind == TERM_LOAN

    def fees_on(self, event: str) -> tuple[DefaultFee, ...]:
        """The fees that ``event`` charges by itself."""
        return tuple(fee for fee in self.default_fees if fee.event == event)


class OpenRow(NamedTuple):
    """A billed row that is not paid: what is still missing of it."""

    number: int
    due: date
    principal: Decimal
    interest: Decimal
    fee: Decimal

    @property
    def missing(self) -> Decimal:
        """All that is missing of the row."""
        return self.principal + self.interest + self.fee


class Minimum(NamedTuple):
    """What is asked of a loan without rows and not repaid yet.

    Of revolving credit: the minimum repayment of the statement ``number``; a repayment counts
    towards every one that is open.  Of a line of credit: a collected repayment that failed or was
    charged back; repayments make up for the oldest first.
    """

    number: int
    due: date
    amount: Decimal
    repaid: Decimal = ZERO

    @property
    def missing(self) -> Decimal:
        """What is still to be repaid."""
        return self.amount - self.repaid


@dataclass(slots=True)
class Account:
    """Where a loan stands at the end of ``as_of``, everything that fell on that day done.

    Only the working copy inside a decision is ever changed.  ``next_row`` is the first row that
    has not been billed; ``short`` is what is missing, within the tolerance, of rows that count as
    paid; ``prepaid`` what of the next row's principal has been paid ahead; ``run`` the nights that
    no journal batch holds yet; ``wake`` the next day that brings more than interest; ``revised``
    are the business dates on which the history was told anew.  Rows (or statements) up to
    ``noticed`` have been announced, up to ``collected`` have had their first attempt at automatic
    collection; ``covered`` are those whose first attempt is on its way.  ``statements`` is the
    number of the last one issued; the open period began on ``period_start`` with ``opening``.
    ``dated_back`` says that the loan has nights older than its disbursement's entry.
    ``came_back`` says that once all that was paid out has come back.
    ``staged`` names a telling whose batches are still on their way into the journal
    (``usecases/journals.py``).
    """

    id: str
    end_user: str = field(metadata={"key": "e"})
    status: str = field(default="inactive", metadata={"key": "s"})
    as_of: date | None = field(default=None, metadata={"key": "d"})
    principal: Decimal = field(default=ZERO, metadata={"key": "p"})
    interest: Decimal = field(default=ZERO, metadata={"key": "i"})
    fee: Decimal = field(default=ZERO, metadata={"key": "f"})
    overpayment: Decimal = field(default=ZERO, metadata={"key": "o"})
    written_off: Decimal = field(default=ZERO, metadata={"key": "wo"})
    pending: Balances = field(default=Balances(), metadata={"key": "pb"})
    pending_count: int = field(default=0, metadata={"key": "pc"})
    disbursements: int = field(default=0, metadata={"key": "dc"})
    disbursed_on: date | None = field(default=None, metadata={"key": "do"})
    bases: tuple[Basis, ...] = field(default=(), metadata={"key": "b"})
    next_row: int = field(default=1, metadata={"key": "n"})
    prepaid: Decimal = field(default=ZERO, metadata={"key": "pp"})
    billed: tuple[OpenRow, ...] = field(default=(), metadata={"key": "r"})
    short: Balances = field(default=Balances(), metadata={"key": "sh"})
    interest_enabled: bool = field(default=True, metadata={"key": "ie"})
    late_since: date | None = field(default=None, metadata={"key": "ls"})
    arrears_since: date | None = field(default=None, metadata={"key": "as"})
    held_until_row: int | None = field(default=None, metadata={"key": "h"})
    close_reason: str = field(default="", metadata={"key": "cr"})
    close_substatus: str = field(default="", metadata={"key": "cs"})
    apr: Decimal | None = field(default=None, metadata={"key": "apr"})
    run: Run | None = field(default=None, metadata={"key": "run"})
    seq: int = field(default=0, metadata={"key": "q"})
    wake: date | None = field(default=None, metadata={"key": "w"})
    shard: int = field(default=0, metadata={"key": "x"})
    revised: tuple[date, ...] = field(default=(), metadata={"key": "rv"})
    mandate: str | None = field(default=None, metadata={"key": "m"})
    mandate_usable: bool = field(default=False, metadata={"key": "mu"})
    noticed: int = field(default=0, metadata={"key": "nt"})
    collected: int = field(default=0, metadata={"key": "co"})
    covered: tuple[int, ...] = field(default=(), metadata={"key": "cv"})
    minimums: tuple[Minimum, ...] = field(default=(), metadata={"key": "mi"})
    statements: int = field(default=0, metadata={"key": "st"})
    period_start: date | None = field(default=None, metadata={"key": "ps"})
    opening: Decimal = field(default=ZERO, metadata={"key": "op"})
    dated_back: bool = field(default=False, metadata={"key": "db"}, compare=False)
    came_back: bool = field(default=False, metadata={"key": "cb"}, compare=False)
    staged: str | None = field(default=None, metadata={"key": "sg"}, compare=False)

    def copy(self) -> Account:
        """The same, to be written in (``dataclasses.replace`` takes six times as long)."""
        return Account(*_values(self))

    @property
    def revision(self) -> int:
        """Which telling of the history the journal holds now."""
        return len(self.revised)

    @property
    def is_written_off(self) -> bool:
        """Whether what was owed has been given up."""
        return self.status == "closed" and self.close_substatus == "written_off"

    @property
    def book(self) -> str | None:
        """Where a walk over the book finds the loan: ``open``, or the month in which it closed.

        One that is closed and still holds money is not at rest; one that is inactive may have been
        lent before, and so may a cancelled one whose money came back or was reverted.  ``None`` if
        it was certainly not.
        """
        lent = {"inactive": bool(self.seq), "cancelled": self.came_back or bool(self.revised)}
        if not lent.get(self.status, True):
            return None
        if self.status != "closed" or self.overpayment > 0 or self.as_of is None:
            return "open"
        return f"{max((self.as_of, *self.revised)):%Y-%m}"

    @property
    def balances(self) -> Balances:
        """Principal, interest and fee owed, exact."""
        return Balances(self.principal, self.interest, self.fee)

    @property
    def missing(self) -> Balances:
        """What has been billed and not paid, shortfalls within the tolerance included."""
        total = self.short
        for row in self.billed:
            total = total.plus(Balances(row.principal, row.interest, row.fee))
        return total

    @property
    def unbilled(self) -> Balances:
        """What is owed and has not been billed."""
        return self.balances.minus(self.missing)


_values = attrgetter(*(one.name for one in fields(Account)))
