"""What the demo saw: plain values read from the API's answers, and what follows from them.

Pure: no I/O.  Money is ``Decimal`` throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import groupby
from typing import Protocol, Self

from backbone_client import lending_records, records

ZERO = Decimal(0)
PENNY = Decimal("0.01")
DAY = timedelta(days=1)
#: The ledger's own precision: sums of nights stay exact.
EXACT = Context(prec=40)
OUTCOMES = {"accept": "accepted", "decline": "declined", "pass": "passed", "fail": "failed"}
PARTS = ("principal", "interest", "fee")


def pence(amount: Decimal) -> Decimal:
    """Rounded half up to whole pence, as balances are shown."""
    return amount.quantize(PENNY, ROUND_HALF_UP, EXACT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    found = ZERO
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


class InParts(Protocol):
    """Any resource with an amount, or a balance, in its three parts."""

    @property
    def principal(self) -> Decimal: ...
    @property
    def interest(self) -> Decimal: ...
    @property
    def fee(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Split:
    """An amount, or a balance, in its three parts."""

    principal: Decimal
    interest: Decimal
    fee: Decimal

    @classmethod
    def read(cls, value: InParts) -> Self:
        """From any resource with the three fields."""
        return cls(value.principal, value.interest, value.fee)

    @property
    def total(self) -> Decimal:
        """All three."""
        return self.principal + self.interest + self.fee


NOTHING = Split(ZERO, ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a schedule; what was paid of it only where a loan's own schedule was read."""

    number: int
    due: date
    days: int
    principal: Decimal
    interest: Decimal
    amount: Decimal
    left: Decimal
    paid_principal: Decimal = ZERO
    paid_interest: Decimal = ZERO
    paid_on: date | None = None

    @classmethod
    def read(cls, value: records.QuoteRow) -> Self:
        """From a row of a quote or of a loan's schedule."""
        paid = value if isinstance(value, lending_records.ScheduleRow) else None
        return cls(
            number=value.number,
            due=value.due_date,
            days=value.days,
            principal=value.principal,
            interest=value.interest,
            amount=value.total_amount,
            left=value.principal_after_repayment,
            paid_principal=paid.paid_principal if paid else ZERO,
            paid_interest=paid.paid_interest if paid else ZERO,
            paid_on=paid.paid_at if paid else None,
        )

    @property
    def days_late(self) -> int:
        """How long after its due date it was paid."""
        return max((self.paid_on - self.due).days, 0) if self.paid_on else 0


@dataclass(frozen=True, slots=True)
class Quote:
    """What a loan was said to cost."""

    start: date
    amount: Decimal
    rate: Decimal
    apr: Decimal
    rows: tuple[Row, ...]
    interest: Decimal
    total: Decimal

    @classmethod
    def read(cls, value: records.Quote) -> Self:
        """From a term loan's quote, which has an APR."""
        assert value.apr is not None
        return cls(
            start=value.start_date,
            amount=value.amount,
            rate=value.rate,
            apr=value.apr,
            rows=tuple(Row.read(row) for row in value.schedule),
            interest=value.totals.interest,
            total=value.totals.total_amount,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction of a loan; ``after`` holds the balances it left."""

    kind: str
    status: str
    name: str
    on: date
    amount: Decimal
    split: Split
    exact: Split
    after: Split

    @classmethod
    def read(cls, value: lending_records.Transaction) -> Self:
        """From a transaction."""
        return cls(
            kind=value.type,
            status=value.status,
            name=value.name,
            on=value.effective_date,
            amount=value.amount,
            split=Split.read(value),
            exact=Split.read(value.exact),
            after=Split.read(value.balance_after),
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """A loan as it was read on a business date."""

    on: date
    status: str
    balance: Split


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a decision, in words and figures."""

    name: str
    statement: str
    inputs: tuple[tuple[str, str], ...]
    value: str
    threshold: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One scorecard of a decision."""

    name: str
    decision: str
    score: str
    threshold: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """How an application was decided."""

    engine: str
    outcome: str
    cards: tuple[Card, ...]

    @classmethod
    def read(cls, value: records.Decision) -> Self:
        """From a decision."""
        return cls(
            value.risk_engine_version,
            value.result.decision,
            tuple(_card(card) for card in value.result.scorecards),
        )

    @property
    def line(self) -> str:
        """The decision in one line."""
        cards = "; ".join(
            f"{card.name} {OUTCOMES[card.decision]} with {card.score} ({card.threshold} needed)"
            for card in self.cards
        )
        return f"{OUTCOMES[self.outcome]} by risk engine {self.engine}: {cards}"


def _card(value: records.ScorecardResult) -> Card:
    rules = tuple(
        Rule(
            rule.name or f"Rule {number}",
            rule.statement,
            tuple((name, _figure(found)) for name, found in sorted(rule.inputs.items())),
            _figure(rule.value),
            _figure(rule.threshold),
            rule.passed,
        )
        for number, rule in enumerate(value.rules, start=1)
    )
    return Card(value.name, value.decision, _figure(value.score), _figure(value.threshold), rules)


def _figure(value: object) -> str:
    """A value of any kind for a reader: long fractions cut to four decimals."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        text = f"{round(value, 4):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


@dataclass(frozen=True, slots=True)
class Life:
    """A whole loan, as the API told it; ``entries`` and ``sights`` oldest first."""

    title: str
    borrower: str
    decision: Decision
    entries: tuple[Entry, ...]
    sights: tuple[Sight, ...]
    rows: tuple[Row, ...]
    close_substatus: str

    @property
    def applied(self) -> tuple[Entry, ...]:
        """The transactions that count."""
        return tuple(entry for entry in self.entries if entry.status == "applied")

    @property
    def collected(self) -> tuple[Decimal, ...]:
        """The amounts of the repayments, oldest first."""
        return tuple(entry.amount for entry in self.applied if entry.kind == "repayment")

    @property
    def interest(self) -> Decimal:
        """Interest charged, exact."""
        return total(e.exact.interest for e in self.applied if e.kind == "interest")

    @property
    def fees(self) -> Decimal:
        """Fees charged."""
        return total(e.exact.fee for e in self.applied if e.kind == "fee")

    @property
    def moves(self) -> tuple[Sight, ...]:
        """The sights at which the status was another one than before."""
        return tuple(next(same) for _, same in groupby(self.sights, lambda s: s.status))

    def balances(self) -> Iterator[tuple[date, Split]]:
        """The balances at the end of every day, from the first applied transaction on."""
        applied = self.applied
        if not applied:
            return
        ends = {entry.on: entry.after for entry in applied}
        on, last, balance = applied[0].on, max(*ends, self.sights[-1].on), NOTHING
        while on <= last:
            balance = ends.get(on, balance)
            yield on, balance
            on += DAY


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold: what was expected, what was found."""

    what: str
    expected: str
    found: str

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Record:
    """All that the demo saw.  ``missed`` is the number of the row that was not paid in time."""

    product: str
    fee_name: str
    fee: Decimal
    tolerance: int
    missed: int
    quote: Quote
    twin: Life
    late: Life

    @property
    def lives(self) -> Sequence[Life]:
        """Both loans."""
        return (self.twin, self.late)
