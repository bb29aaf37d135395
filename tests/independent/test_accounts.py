"""Random lives of term loans: the domain and the naive simulator stand at the same figures.

After each step: balances to ten decimals, status, days past due, next repayment date and amount.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from chalicelib.domain import loans
from chalicelib.domain.account import DefaultFee, Terms
from chalicelib.domain.errors import Refused
from tests.domain.lives import Life, terms
from tests.independent.naive_account import OPEN, Agreed, NaiveLoan, RefusedError
from tests.independent.naive_schedule import Rules
from tests.independent.test_schedules import DATE_TYPES, MOVINGS

PENNY = Decimal("0.01")

ALLOCATIONS = (
    ("fee", "interest", "principal"),
    ("fee", "interest", "principal"),
    ("principal", "interest", "fee"),
    ("interest", "fee", "principal"),
)


@dataclass
class Pair:
    """The same loan twice, and what was done to it."""

    life: Life
    naive: NaiveLoan
    story: list[str] = field(default_factory=list)

    def passes(self, days: int) -> None:
        self.story.append(f"{days} days pass")
        self.life.goes_to(self.life.day + timedelta(days=days))
        for _ in range(days):
            self.naive.next_day()

    def does(self, name: str, value: Any = None) -> None:
        self.story.append(f"{self.life.day} {name} {value}")
        DEEDS[name](self, value)


def repays(pair: Pair, amount: Decimal) -> None:
    """Both take it, or both refuse it."""
    try:
        pair.naive.repay(amount)
    except RefusedError:
        with pytest.raises(Refused, match="outstanding"):
            pair.life.repays(amount)
    else:
        pair.life.repays(amount)


def charges(pair: Pair, fee: tuple[str, Decimal]) -> None:
    pair.naive.fee(*fee)
    pair.life.fee(str(fee[1]), fee[0])


def sets_interest(pair: Pair, enabled: bool) -> None:
    pair.naive.enable_interest(enabled)
    pair.life.tells(loans.set_interest, enabled)


def sets_status(pair: Pair, command: str) -> None:
    from_ = {"make_arrears": ("active", "late"), "make_default": ("active", "late", "arrears")}
    if pair.naive.status in from_[command]:
        getattr(pair.naive, command)()
        pair.life.tells(loans.set_status, command)


DEEDS = {"repays": repays, "fee": charges, "interest": sets_interest, "status": sets_status}


def ten(value: Decimal) -> str:
    return str(value.quantize(Decimal("1e-10")) + 0)


def naive_state(loan: NaiveLoan) -> dict[str, str]:
    due, amount = loan.next_repayment()
    return {
        "principal": ten(loan.owed["principal"]),
        "interest": ten(loan.owed["interest"]),
        "fee": ten(loan.owed["fee"]),
        "overpayment": ten(loan.overpayment),
        "status": loan.status,
        "arrears_since": str(loan.arrears_since) if loan.status in OPEN else "",
        "days_past_due": str(loan.days_past_due()),
        "next_date": str(due),
        "next_amount": "None" if amount is None else f"{amount:.2f}",
    }


def domain_state(life: Life) -> dict[str, str]:
    view = life.view()
    account = view.account
    amount = view.next_repayment_amount
    return {
        "principal": ten(account.principal),
        "interest": ten(account.interest),
        "fee": ten(account.fee),
        "overpayment": ten(account.overpayment),
        "status": account.status,
        "arrears_since": str(account.arrears_since) if account.status in OPEN else "",
        "days_past_due": str(view.days_past_due),
        "next_date": str(view.next_repayment_date),
        "next_amount": "None" if amount is None else f"{amount:.2f}",
    }


def drawn_agreement(random: Random) -> Agreed:
    count = random.randint(1, random.choice((3, 12)))
    grace = random.choice((0, 0, random.randint(0, count - 1)))
    rate = Decimal(random.choice((0, 5, 12, 100, random.randint(0, 10000) / Decimal(100))))
    interest_only = random.choice((0, 0, random.randint(0, count - 1 - grace)))
    fees = (
        ("disbursement", random.choice(("flat", "percent")), Decimal(random.randint(1, 500)) / 100),
        ("arrears", random.choice(("flat", "percent")), Decimal(random.randint(1, 900)) / 100),
        ("default", "flat", Decimal("30.00")),
    )
    return Agreed(
        equal=random.choice(("principal", "instalments")),
        amount=Decimal(random.randint(10000, 10 ** random.randint(5, 8))) / 100,
        rate=rate,
        count=count,
        grace=grace,
        interest_only=interest_only,
        rules=Rules(
            random.choice(DATE_TYPES),
            random.choice((1, 15, 28, 31, random.randint(1, 31))),
            random.choice(MOVINGS),
            random.random() < 0.7,
        ),
        arrears_tolerance=random.choice((0, 7, 7, 30)),
        default_tolerance=random.choice((None, 0, 14)),
        early=random.choice(("from_last_instalment", "reduced_instalments")),
        allocation=random.choice(ALLOCATIONS),
        event_fees=tuple(fee for fee in fees if random.random() < 0.4),
    )


def as_terms(agreed: Agreed) -> Terms:
    return terms(
        amount=agreed.amount,
        rate=agreed.rate,
        installments=agreed.count,
        grace_instalments=agreed.grace,
        principal_repayment_grace=agreed.interest_only,
        arrears_tolerance=agreed.arrears_tolerance,
        default_tolerance=agreed.default_tolerance,
        interest_calculation={
            "principal": "equal_principal_payments",
            "instalments": "equal_instalments",
        }[agreed.equal],
        early_repayment_recalculation=agreed.early,
        calculate_interest_on_holidays=agreed.rules.interest_on_holidays,
        repayment_date_type=agreed.rules.date_type,
        repayment_date_period=agreed.rules.day,
        repayment_holiday_scheduling=agreed.rules.moving,
        repayment_allocation=agreed.allocation,
        default_fees=tuple(
            DefaultFee(f"{event} fee", kind, amount, event)
            for event, kind, amount in agreed.event_fees
        ),
    )


def begun(agreed: Agreed, start: date) -> Pair:
    pair = Pair(Life(as_terms(agreed), start), NaiveLoan(agreed, start))
    pair.life.disburses(agreed.amount)
    pair.naive.disburse()
    return pair


def amount_to_repay(random: Random, naive: NaiveLoan) -> Decimal:
    """What is asked for, some of it, a little or a lot more, or everything."""
    _, asked = naive.next_repayment()
    asked = asked or PENNY
    payoff = naive.payoff()
    kind = random.random()
    part = Decimal(random.randint(1, 99)) / 100
    if kind < 0.4:
        amount = asked
    elif kind < 0.55:
        amount = asked * part
    elif kind < 0.7:
        amount = asked + payoff * part * part / 4
    elif kind < 0.8:
        amount = payoff * part
    elif kind < 0.94:
        amount = asked + random.choice((-1, 1, 1, 300)) * PENNY
    else:
        amount = payoff + random.choice((-2, -1, 0, 0, 1)) * PENNY
    return max(PENNY, amount.quantize(PENNY))


def days_to_pass(random: Random, naive: NaiveLoan) -> int:
    """To the due date, into its window, past it, or anywhere."""
    due, _ = naive.next_repayment()
    until = (due - naive.day).days if due else 0
    choices = [1, 3, random.randint(1, 40), random.randint(1, 100)]
    choices += [until + more for more in (-6, -5, -4, -1, 0, 0, 0, 1) if until + more > 0]
    return random.choice(choices)


def a_deed(random: Random, naive: NaiveLoan) -> tuple[str, Any]:
    kind = random.random()
    if kind < 0.78:
        return "repays", amount_to_repay(random, naive)
    if kind < 0.88:
        percent = random.random() < 0.3
        return "fee", ("percent" if percent else "flat", Decimal(random.randint(1, 300)) / 100)
    if kind < 0.95:
        return "interest", random.random() < 0.6
    return "status", random.choice(("make_arrears", "make_default"))


def lives_on(pair: Pair, random: Random, steps: int) -> str:
    """What the two disagree about first; empty when they never do."""
    for _ in range(steps):
        if pair.naive.status not in OPEN:
            break
        pair.passes(days_to_pass(random, pair.naive))
        if (wrong := disagreement(pair)) or pair.naive.status not in OPEN:
            return wrong
        pair.does(*a_deed(random, pair.naive))
        if wrong := disagreement(pair):
            return wrong
    return ""


def disagreement(pair: Pair) -> str:
    naive, found = naive_state(pair.naive), domain_state(pair.life)
    wrong = [f"{name}: naive {naive[name]}, domain {found[name]}" for name in naive
             if naive[name] != found[name]]  # fmt: skip
    return "; ".join(wrong)


def a_life(seed: str, steps: int = 25) -> tuple[Pair, str]:
    random = Random(seed)
    start = date(2019, 1, 1) + timedelta(days=random.randint(0, 2500))
    pair = begun(drawn_agreement(random), start)
    wrong = disagreement(pair)
    return pair, wrong or lives_on(pair, random, steps)


@pytest.mark.parametrize("group", range(30))
def test_random_lives_stand_at_the_same_figures(group: int) -> None:
    for number in range(10):
        pair, wrong = a_life(f"life {group} {number}")
        assert not wrong, f"{wrong}\n{pair.naive.agreed}\n" + "\n".join(pair.story)
