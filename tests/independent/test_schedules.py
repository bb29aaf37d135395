"""Random term loans: the quote of the product and the naive schedule say the same, to the penny."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chalicelib.domain import products, quotes
from tests.independent import naive_schedule
from tests.independent.naive_schedule import Rules

GOLDEN = Path(__file__).parent.parent / "golden"
DATE_TYPES = ("day_of_month", "day_of_month", "last_day_of_month", "first_day_of_month")
MOVINGS = ("on_day", "last_business_day_before_the_day", "first_business_day_after_the_day")
FIRST_START = date(2015, 1, 1)
LAST_START = date(2035, 12, 31)

AMOUNTS = ("1.00", "1.01", "999999999.99", "12000.00", "100.05", "0.06")


def drawn_amount(random: Random) -> Decimal:
    if random.random() < 0.1:
        return Decimal(random.choice(AMOUNTS))
    pennies = random.randint(100, 10 ** random.randint(3, 11) - 1)
    return Decimal(pennies) / 100


def drawn_rate(random: Random) -> Decimal:
    kind = random.randint(0, 9)
    if kind == 0:
        return Decimal(0)
    if kind == 1:
        return Decimal(100)
    if kind < 5:
        return Decimal(random.randint(1, 100))
    return Decimal(random.randint(1, 10000)) / 100


def drawn_start(random: Random) -> date:
    if random.random() < 0.2:
        year = random.randint(2015, 2035)
        ends = (date(year, 1, 31), date(year, 2, 28), date(year, 12, 31), date(year, 1, 1))
        return random.choice(ends)
    return FIRST_START + timedelta(days=random.randint(0, (LAST_START - FIRST_START).days))


def drawn(random: Random, most: int, least: int = 1) -> dict[str, Any]:
    count = random.randint(least, most)
    grace = random.choice((0, 0, random.randint(0, count - 1)))
    return {
        "equal": random.choice(("principal", "instalments")),
        "amount": drawn_amount(random),
        "rate": drawn_rate(random),
        "start": drawn_start(random),
        "count": count,
        "grace": grace,
        "interest_only": random.choice((0, 0, random.randint(0, count - 1 - grace))),
        "rules": Rules(
            random.choice(DATE_TYPES),
            random.choice((1, 28, 29, 30, 31, random.randint(1, 31))),
            random.choice(MOVINGS),
            random.random() < 0.6,
        ),
    }


def product_of(case: dict[str, Any], **more: Any) -> products.Product:
    rules = case["rules"]
    values: dict[str, Any] = {
        "type": "term_loan_equal_" + case["equal"],
        "name": "Flexi",
        "max_loan_amount": Decimal("999999999.99"),
        "max_interest_rate": Decimal(100),
        "installments": case["count"],
        "repayment_date_type": rules.date_type,
        "repayment_holiday_scheduling": rules.moving,
        "calculate_interest_on_holidays": rules.interest_on_holidays,
        "default_grace_instalments": case["grace"],
        "principal_repayment_grace": case["interest_only"],
        **more,
    }
    if rules.date_type == "day_of_month":
        values["repayment_date_period"] = rules.day
    return products.create("p1", values).state


def quote_of(case: dict[str, Any], **more: Any) -> quotes.Quote:
    asked = {"amount": case["amount"], "rate": case["rate"]}
    return quotes.quote(product_of(case, **more), asked, case["start"], "GB-ENG")


def as_text(row: Any, names: list[str]) -> dict[str, str]:
    """As it goes over the wire: a zero has no sign there."""
    values = {name: getattr(row, name) for name in names}
    return {name: str(values[name] or abs(values[name])) for name in names}


def differences(case: dict[str, Any]) -> list[str]:
    """Where the two disagree, each as text."""
    exact = naive_schedule.schedule(**case)
    expected = naive_schedule.shown_rows(exact)
    answer = quote_of(case)
    found = [as_text(row, list(expected[0])) for row in answer.schedule]
    totals = naive_schedule.shown_totals(exact)
    wrong = [
        f"naive {said} product {shown}"
        for row, said, shown in zip(exact, expected, found, strict=True)
        if said != shown
    ]
    if as_text(answer.totals, list(totals)) != totals:
        wrong.append(f"totals: naive {totals} product {answer.totals}")
    if str(answer.first_repayment_date) != expected[0]["due_date"]:
        wrong.append(f"first date: {answer.first_repayment_date}")
    return wrong


@pytest.mark.parametrize("name", ["equal_instalments", "equal_principal"])
def test_the_naive_schedule_gives_the_documented_tables(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    asked = golden["quote"]
    rows = naive_schedule.schedule(
        asked["type"].removeprefix("term_loan_equal_"),
        Decimal(asked["amount"]),
        Decimal(asked["rate"]),
        date.fromisoformat(asked["start_date"]),
        asked["installments"],
        0,
        0,
        Rules(
            asked["repayment_date_type"],
            asked["repayment_date_period"],
            asked["repayment_holiday_scheduling"],
        ),
    )
    said = [{name: str(value) for name, value in row.items()} for row in golden["schedule"]]
    assert naive_schedule.shown_rows(rows) == said
    assert naive_schedule.shown_totals(rows) == golden["totals"]


@pytest.mark.parametrize("seed", range(60))
def test_ten_random_schedules_are_equal_to_the_penny(seed: int) -> None:
    """600 schedules of up to 60 rows."""
    random = Random(f"schedules {seed}")
    for _ in range(10):
        case = drawn(random, random.choice((3, 12, 60)))
        assert differences(case) == [], case


@pytest.mark.parametrize("seed", range(8))
def test_long_schedules_are_equal_to_the_penny(seed: int) -> None:
    random = Random(f"long schedules {seed}")
    case = drawn(random, 600, 600 if seed < 4 else 200)
    assert differences(case) == [], case
