"""What the demo saw: plain values read from the API's answers, and what follows from them.

Pure: no I/O.  Money is ``Decimal`` throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import groupby
from typing import Protocol, Self

from backbone_client import lending_records, records
from local.demo_debits import Debit, Mandate, Told
from local.demo_decisions import Decision

ZERO = Decimal(0)
PENNY = Decimal("0.01")
DAY = timedelta(days=1)
#: The ledger's own precision: sums of nights stay exact.
EXACT = Context(prec=40)
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
    """One transaction of a loan; ``after`` holds the balances it left.

    ``how`` is the provider that collects it, empty for what moved by hand.
    """

    kind: str
    status: str
    name: str
    on: date
    amount: Decimal
    split: Split
    exact: Split
    after: Split
    id: str = ""
    how: str = ""
    waiting: Decimal = ZERO

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
            id=value.id,
            how=value.provider or "" if value.type == "repayment" else "",
            waiting=value.overpayment,
        )


#: These take from a balance; ``rounding`` has its own sign, everything else adds.
LOWERING = frozenset({"repayment", "allocation", "write_off"})


def folded(entries: Iterable[Entry], balance: Split = NOTHING) -> Split:
    """What transactions make of a balance, exact."""
    for entry in entries:
        sign = Decimal(-1) if entry.kind in LOWERING else Decimal(1)
        balance = Split(*(
            EXACT.fma(getattr(entry.exact, part), sign, getattr(balance, part)) for part in PARTS
        ))  # fmt: skip
    return balance


def rounded(balance: Split) -> Split:
    """As balances are shown."""
    return Split(*(pence(getattr(balance, part)) for part in PARTS))


@dataclass(frozen=True, slots=True)
class Sight:
    """A loan as it was read on a business date."""

    on: date
    status: str
    balance: Split
    past: int = 0


#: Of one day: its night, then what the calendar brought, then money, then what is left of a penny.
ORDER = {"interest": 0, "fee": 1, "rounding": 3}


def in_order(newest_first: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries by the day from which they count, oldest first.

    A list of transactions is by when they were made: a collection is made days before its day.
    """
    oldest_first = list(reversed(newest_first))
    return tuple(sorted(oldest_first, key=lambda e: (e.on, ORDER.get(e.kind, 2))))


@dataclass(frozen=True, slots=True)
class Life:
    """A whole loan, as the API told it; ``entries`` and ``sights`` oldest first.

    ``debits`` are its payments at the provider, none for a loan that is repaid by hand; ``known``
    what the API says afterwards that was known of the balances at the end of a day.
    """

    title: str
    borrower: str
    decision: Decision
    entries: tuple[Entry, ...]
    sights: tuple[Sight, ...]
    rows: tuple[Row, ...]
    close_substatus: str
    debits: tuple[Debit, ...] = ()
    mandate: Mandate | None = None
    known: Mapping[date, Split] = field(default_factory=dict)
    payoff: Decimal | None = None

    @property
    def applied(self) -> tuple[Entry, ...]:
        """The transactions that count."""
        return tuple(entry for entry in self.entries if entry.status == "applied")

    @property
    def repayments(self) -> tuple[Entry, ...]:
        """The repayments, oldest first, with one that was charged back later."""
        return tuple(entry for entry in self.applied if entry.kind == "repayment")

    @property
    def collected(self) -> tuple[Decimal, ...]:
        """The amounts of the repayments, oldest first."""
        return tuple(entry.amount for entry in self.repayments)

    def debit_of(self, row: Row) -> Debit | None:
        """The payment that was to collect a row: the last one that was made by its due date."""
        made = [d for d in self.debits if (d.when("created") or d.charged_on) <= row.due]
        return made[-1] if made else None

    @property
    def taken_back(self) -> tuple[Entry, ...]:
        """The chargebacks."""
        return tuple(entry for entry in self.applied if entry.kind == "chargeback")

    @property
    def settled_on(self) -> date | None:
        """The day from which the repayment counts that settled the loan."""
        return self.repayments[-1].on if self.repayments else None

    @property
    def kept(self) -> Decimal:
        """All that was collected and not taken back."""
        back = total(entry.amount for entry in self.taken_back)
        return EXACT.subtract(total(self.collected), back)

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
    """All that the demo saw.

    ``missed``, ``failed`` and ``disputed`` are the numbers of the rows that went wrong: not paid in
    time (by ``late``), refused by the bank at first, taken back by it (both of ``troubled``).
    ``heard`` are the webhooks that arrived, ``delivered`` the ids that the partner's log says were.
    """

    product: str
    fee_name: str
    fee: Decimal
    tolerance: int
    missed: int
    quote: Quote
    twin: Life
    late: Life
    troubled: Life
    failed: int
    disputed: int
    heard: tuple[Told, ...] = ()
    delivered: tuple[str, ...] = ()

    @property
    def lives(self) -> Sequence[Life]:
        """All three loans."""
        return (self.twin, self.late, self.troubled)
