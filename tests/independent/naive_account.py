"""A term loan's life, one day at a time, with nothing remembered but the balances and the rows.

Every rule is followed as it is told: the night, then billing, then the status; a repayment goes
through its four stages.  Only repayments that count at once are known here (those that a partner
makes), which is enough to hold balances, status and what is shown next against the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext

from tests.independent.naive_schedule import (
    ONE_DAY,
    Row,
    Rules,
    lay_rows,
    night_is_charged,
    repayment_dates,
)

NOTHING = Decimal(0)
PENNY = Decimal("0.01")
HALF_PENNY = Decimal("0.005")
WINDOW_DAYS = 5
OPEN = ("active", "late", "arrears", "default")
PARTS = ("principal", "interest", "fee")

MONTHLY = Rules()


class RefusedError(Exception):
    """More than is outstanding."""


def ten(value: Decimal) -> Decimal:
    return value.quantize(Decimal("1e-10"), ROUND_HALF_EVEN)


def whole_pence(value: Decimal) -> Decimal:
    """Half up."""
    return (value * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 100


@dataclass(frozen=True)
class Agreed:
    """``equal``: principal or instalments.  ``event_fees``: (event, flat or percent, amount)."""

    equal: str
    amount: Decimal
    rate: Decimal
    count: int
    grace: int = 0
    interest_only: int = 0
    rules: Rules = MONTHLY
    arrears_tolerance: int = 7
    default_tolerance: int | None = None
    early: str = "from_last_instalment"
    allocation: tuple[str, ...] = ("fee", "interest", "principal")
    event_fees: tuple[tuple[str, str, Decimal], ...] = ()


@dataclass
class Planned:
    """A row of the schedule, and what of it has been billed and is still unpaid."""

    number: int
    unmoved: date
    due: date
    principal: Decimal
    interest: Decimal
    accrues: Decimal
    prepaid: Decimal = NOTHING
    is_billed: bool = False
    counts_as_paid: bool = False
    plan: int = 1  # how often the schedule had been computed when this row was
    unpaid: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(PARTS, NOTHING))

    def missing(self) -> Decimal:
        return self.unpaid["principal"] + self.unpaid["interest"] + self.unpaid["fee"]


@contextmanager
def precise() -> Iterator[None]:
    with localcontext(Context(prec=80)):
        yield


class NaiveLoan:
    """One loan, at the end of ``day``."""

    def __init__(self, agreed: Agreed, day: date) -> None:
        self.agreed = agreed
        self.day = day
        self.status = "inactive"
        self.owed = dict.fromkeys(PARTS, NOTHING)
        self.overpayment = NOTHING
        self.rows: list[Planned] = []
        self.interest_enabled = True
        self.accrued = NOTHING  # all interest that ever arose
        self.interest_billed = NOTHING  # what was paid before it was billed included
        self.plan = 1  # of the row billed last
        self.offset = NOTHING  # interest this plan planned so far minus what it had accrue so far
        self.late_since: date | None = None
        self.arrears_since: date | None = None
        self.held_until: int | None = None

    # --- what it stands at -----------------------------------------------------------------------

    def total(self) -> Decimal:
        return self.owed["principal"] + self.owed["interest"] + self.owed["fee"]

    def billed_unpaid(self, part: str) -> Decimal:
        value = NOTHING
        for row in self.rows:
            value = value + row.unpaid[part]
        return value

    def short(self, part: str) -> Decimal:
        """What is missing of rows that count as paid: it waits for the last row."""
        value = NOTHING
        for row in self.rows:
            if row.counts_as_paid:
                value = value + row.unpaid[part]
        return value

    def all_billed_unpaid(self) -> Decimal:
        value = NOTHING
        for part in PARTS:
            value = value + self.billed_unpaid(part)
        return value

    def not_billed(self, part: str) -> Decimal:
        return self.owed[part] - self.billed_unpaid(part)

    def rows_to_come(self) -> list[Planned]:
        return [row for row in self.rows if not row.is_billed]

    def oldest_unpaid(self) -> Planned | None:
        for row in self.rows:
            if row.is_billed and not row.counts_as_paid:
                return row
        return None

    def days_past_due(self) -> int:
        row = self.oldest_unpaid()
        if row is None or self.status not in OPEN or row.due >= self.day:
            return 0
        return (self.day - row.due).days

    def payoff(self) -> Decimal:
        return whole_pence(self.total() - self.overpayment)

    # --- disbursement, fees, interest on and off -------------------------------------------------

    def disburse(self) -> None:
        with precise():
            agreed = self.agreed
            dates = repayment_dates(agreed.rules, self.day, agreed.count)
            self.rows = self.lay(
                agreed.amount, self.day, dates, 1, agreed.grace, agreed.interest_only
            )
            self.owed["principal"] = agreed.amount
            self.status = "active"
            self.charge_event("disbursement")

    def lay(
        self,
        amount: Decimal,
        start: date,
        dates: list[tuple[date, date]],
        first: int,
        grace: int,
        interest_only: int,
    ) -> list[Planned]:
        agreed = self.agreed
        found: list[Row] = lay_rows(
            agreed.equal, amount, agreed.rate, start, dates, grace, interest_only, agreed.rules
        )
        return [
            Planned(
                row.number + first - 1,
                row.unmoved,
                row.due,
                row.principal,
                row.interest,
                row.accrues,
            )
            for row in found
        ]

    def charge_event(self, event: str) -> None:
        for on, kind, amount in self.agreed.event_fees:
            if on == event:
                self.add_fee(kind, amount)

    def add_fee(self, kind: str, amount: Decimal) -> None:
        value = amount if kind == "flat" else ten(self.total() * amount / 100)
        self.owed["fee"] = self.owed["fee"] + value
        self.bill_what_arises()

    def fee(self, kind: str, amount: Decimal) -> None:
        with precise():
            self.add_fee(kind, amount)
            self.settle_status()

    def enable_interest(self, enabled: bool) -> None:
        self.interest_enabled = enabled

    # --- the day ---------------------------------------------------------------------------------

    def next_day(self) -> None:
        with precise():
            yesterday = self.day
            self.day = self.day + ONE_DAY
            if self.status not in OPEN:
                return
            night = self.night(yesterday)
            self.owed["interest"] = self.owed["interest"] + night
            self.accrued = self.accrued + night
            for row in self.rows:
                if row.due == self.day and not row.is_billed:
                    self.bill(row)
            self.bill_what_arises()
            self.use_overpayment()
            self.settle_status()

    def night(self, evening: date) -> Decimal:
        if not self.interest_enabled or not night_is_charged(self.agreed.rules, evening):
            return NOTHING
        return ten(self.owed["principal"] * self.agreed.rate / 100 / 365)

    def bill(self, row: Planned) -> None:
        will = self.will_bill(row, self.accrued, self.not_billed("interest"))
        if row.plan != self.plan:
            self.plan, self.offset = row.plan, NOTHING
        self.offset = self.offset + row.interest - row.accrues
        self.interest_billed = self.interest_billed + will["interest"]
        row.is_billed = True
        for part in PARTS:
            row.unpaid[part] = will[part]
        if row is self.rows[-1]:
            self.take_over_shortfalls()

    def take_over_shortfalls(self) -> None:
        """What was missing of paid rows has waited for the last row."""
        for other in self.rows[:-1]:
            if other.counts_as_paid:
                other.unpaid = dict.fromkeys(PARTS, NOTHING)

    def will_bill(self, row: Planned, accrued: Decimal, unbilled: Decimal) -> dict[str, Decimal]:
        """``accrued`` by its due date in all, ``unbilled`` of it neither billed nor paid."""
        if row is self.rows[-1]:
            return {
                "principal": self.not_billed("principal") + self.short("principal"),
                "interest": unbilled + self.short("interest"),
                "fee": self.not_billed("fee") + self.short("fee"),
            }
        if row.number <= self.agreed.grace:
            return dict.fromkeys(PARTS, NOTHING)
        so_far = accrued
        if row.plan == self.plan:
            so_far = so_far + self.offset
        for other in self.rows_to_come():
            if other.number <= row.number and other.plan == row.plan:
                so_far = so_far + other.interest - other.accrues
        interest = ten(so_far - self.interest_billed)
        return {
            "principal": ten(row.principal) - row.prepaid,
            "interest": max(NOTHING, min(interest, unbilled)),
            "fee": self.not_billed("fee"),
        }

    def bill_what_arises(self) -> None:
        """From the last row's due date on, everything owed is due the day it arises."""
        if not self.rows or not self.rows[-1].is_billed:
            return
        last = self.rows[-1]
        for part in PARTS:
            new = self.not_billed(part)
            last.unpaid[part] = last.unpaid[part] + new

    def use_overpayment(self) -> None:
        """What waits pays what has been billed."""
        if self.overpayment > 0:
            self.overpayment = self.pay_billed(self.overpayment)
            self.round_off()

    # --- repayments ------------------------------------------------------------------------------

    def repay(self, amount: Decimal) -> None:
        with precise():
            shown = whole_pence(self.total()) - whole_pence(self.overpayment)
            if amount > max(self.payoff(), shown):
                raise RefusedError(str(amount))
            if amount + self.overpayment >= self.total() - HALF_PENNY:
                self.zero()
            else:
                self.pay_in_stages(amount)
                self.round_off()
            self.settle_status()

    def zero(self) -> None:
        self.owed = dict.fromkeys(PARTS, NOTHING)
        for row in self.rows:
            row.unpaid = dict.fromkeys(PARTS, NOTHING)
        self.overpayment = NOTHING  # what is left is a refund

    def round_off(self) -> None:
        if -HALF_PENNY <= self.total() <= HALF_PENNY and any(self.owed.values()):
            self.zero()

    def pay_in_stages(self, amount: Decimal) -> None:
        next_row = self.next_row()
        near = next_row is not None and (next_row.due - self.day).days <= WINDOW_DAYS
        most = self.all_billed_unpaid() - self.overpayment
        if near and next_row is not None:
            coming = self.coming_bill(next_row)
            most = most + coming["principal"] + coming["interest"] + coming["fee"]
        rest = self.pay_billed(amount)
        rest = self.pay_not_billed(rest)
        prepaid = NOTHING
        if near and next_row is not None:
            prepaid = max(NOTHING, min(rest, most - (amount - rest)))
            self.prepay(next_row, prepaid)
            rest = rest - prepaid
        if rest > 0:
            self.repay_early(rest)

    def pay_billed(self, rest: Decimal) -> Decimal:
        for part in self.agreed.allocation:
            for row in self.rows:
                pays = min(rest, row.unpaid[part])
                row.unpaid[part] = row.unpaid[part] - pays
                self.owed[part] = self.owed[part] - pays
                rest = rest - pays
        return rest

    def pay_not_billed(self, rest: Decimal) -> Decimal:
        for part in self.agreed.allocation:
            if part == "principal":
                continue
            pays = min(rest, self.not_billed(part))
            self.owed[part] = self.owed[part] - pays
            rest = rest - pays
            if part == "interest":
                self.interest_billed = self.interest_billed + pays
        return rest

    def prepay(self, row: Planned, amount: Decimal) -> None:
        principal = min(amount, ten(row.principal) - row.prepaid, self.not_billed("principal"))
        row.prepaid = row.prepaid + principal
        self.owed["principal"] = self.owed["principal"] - principal
        self.overpayment = self.overpayment + amount - principal

    def repay_early(self, amount: Decimal) -> None:
        self.owed["principal"] = self.owed["principal"] - amount
        if self.agreed.early == "reduced_instalments" and amount >= PENNY:
            self.compute_anew()
        else:
            self.take_from_the_end(amount)
            self.merge_small_rows()

    def take_from_the_end(self, amount: Decimal) -> None:
        while amount > 0 and self.rows and not self.rows[-1].is_billed:
            row = self.rows[-1]
            takes = min(amount, row.principal - row.prepaid)
            row.principal = row.principal - takes
            amount = amount - takes
            if row.principal == 0:
                self.rows.pop()

    def merge_small_rows(self) -> None:
        """A row left with less than a penny of principal disappears into the row before.

        That row must be one that is still to be billed: what has been paid stays paid.
        """
        if self.rows[-1].principal >= PENNY or len(self.rows) == 1:
            return
        before = self.rows[-2]
        if before.is_billed:
            return
        before.principal = before.principal + self.rows.pop().principal
        before.counts_as_paid = False

    def compute_anew(self) -> None:
        start, principal = self.day, self.owed["principal"]
        coming = self.rows_to_come()
        done = [row for row in self.rows if row.is_billed]
        first = coming[0]
        if first.prepaid > 0:
            done, coming = [*done, first], coming[1:]
            start = first.due
            principal = principal - (ten(first.principal) - first.prepaid)
        if not coming:
            return
        grace = len([row for row in coming if row.number <= self.agreed.grace])
        no_principal = self.agreed.grace + self.agreed.interest_only
        interest_only = len([row for row in coming if row.number <= no_principal]) - grace
        dates = [(row.unmoved, row.due) for row in coming]
        new = self.lay(principal, start, dates, coming[0].number, grace, interest_only)
        for row in new:
            row.plan = coming[-1].plan + 1
        self.rows = done + new

    # --- what comes next -------------------------------------------------------------------------

    def next_row(self) -> Planned | None:
        """The next row that will ask for something."""
        for row in self.rows_to_come():
            asks = row.principal + row.interest > 0 or self.not_billed("fee") > 0
            if (row.number > self.agreed.grace and asks) or row is self.rows[-1]:
                return row
        return None

    def coming_bill(self, row: Planned) -> dict[str, Decimal]:
        """What the row will bill if nothing else happens until then."""
        more = NOTHING
        evening = self.day
        while evening < row.due:
            more = more + self.night(evening)
            evening = evening + ONE_DAY
        return self.will_bill(row, self.accrued + more, self.not_billed("interest") + more)

    def next_repayment(self) -> tuple[date | None, Decimal | None]:
        with precise():
            if self.status not in OPEN:
                return None, None
            unpaid, coming = self.oldest_unpaid(), self.next_row()
            amount = NOTHING
            for row in self.rows:
                if self.rows[-1].is_billed or not row.counts_as_paid:
                    amount = amount + row.missing()
            if coming is not None and (
                unpaid is None or (coming.due - self.day).days <= WINDOW_DAYS
            ):
                will = self.coming_bill(coming)
                amount = amount + will["principal"] + will["interest"] + will["fee"]
            amount = max(NOTHING, whole_pence(amount - self.overpayment))
            first = unpaid or coming
            return (first.due if first else None), min(amount, max(NOTHING, self.payoff()))

    # --- status ----------------------------------------------------------------------------------

    def settle_status(self) -> None:
        self.settle_rows()
        if self.status not in OPEN:
            return
        if not any(self.owed.values()):
            self.status = "closed"
            self.overpayment = NOTHING
            return
        held = self.is_held()
        if not held:
            self.held_until = None
        days = self.days_past_due()
        if days > 0:
            self.worsen(days)
        elif not held:
            self.cure()

    def settle_rows(self) -> None:
        missing = NOTHING
        for row in self.rows:
            if not row.is_billed:
                return
            missing = missing + row.missing()
            if row is self.rows[-1]:
                row.counts_as_paid = not any(self.owed.values())
            elif missing < HALF_PENNY * row.number:
                row.counts_as_paid = True
            if not row.counts_as_paid:
                return

    def cure(self) -> None:
        self.status = "active"
        self.late_since = None
        self.arrears_since = None

    def worsen(self, days: int) -> None:
        agreed = self.agreed
        if self.status == "active":
            self.status = "late"
            self.late_since = self.day
        if self.status == "late" and days > agreed.arrears_tolerance:
            self.enter_arrears()
        in_arrears = (self.day - self.arrears_since).days if self.arrears_since else 0
        limit = agreed.default_tolerance
        if self.status == "arrears" and limit is not None and in_arrears > limit:
            self.enter_default()

    def enter_arrears(self) -> None:
        self.status = "arrears"
        self.arrears_since = self.day
        self.charge_event("arrears")

    def enter_default(self) -> None:
        self.status = "default"
        self.arrears_since = self.arrears_since or self.day
        self.charge_event("default")

    def by_hand(self, enter: Callable[[], None]) -> None:
        """Holds until what is overdue is repaid, or else until the next repayment is paid."""
        with precise():
            unpaid = self.oldest_unpaid()
            if (unpaid is None or unpaid.due >= self.day) and self.held_until is None:
                first = unpaid or self.next_row()
                self.held_until = first.number if first else None
            enter()

    def make_arrears(self) -> None:
        self.by_hand(self.enter_arrears)

    def make_default(self) -> None:
        self.by_hand(self.enter_default)

    def is_held(self) -> bool:
        if self.held_until is None:
            return False
        for row in self.rows:
            if row.number == self.held_until:
                return not row.counts_as_paid
        return not self.rows[-1].counts_as_paid
