"""Schedules of term loans: what is shown of them, and the documented tables."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from chalicelib.domain import products, quotes
from chalicelib.domain.money import pence
from tests.domain.lives import Life, terms
from tests.rules.plain import EQUAL_INSTALMENTS, EQUAL_PRINCIPAL, D, on
from tests.rules.rule import rule

GOLDEN = Path(__file__).parent.parent / "golden"


def quoted(type_: str, asked: dict[str, Any], start: date, **rules: Any) -> quotes.Quote:
    values = {
        "type": type_,
        "name": "Plain",
        "max_loan_amount": D(1_000_000),
        "max_interest_rate": D(100),
        "repayment_date_type": "day_of_month",
        "repayment_date_period": 15,
        "installments": 5,
        **rules,
    }
    product = products.create("p1", values).state
    return quotes.quote(product, asked, start, "GB-ENG")


@rule(
    "Figures are exact inside; every shown figure, the totals included, is rounded on its own.",
    {
        # thrice 33.33 is 99.99, but thrice 33.333... is 100
        "thirds": ("100", "0", 3, ["33.33 0.00 33.33 66.67", "33.33 0.00 33.33 33.33",
                                   "33.33 0.00 33.33 0.00"], "100.00 0.00 100.00"),
        # 50.005 twice shows as 50.01 twice, and is 100.01
        "half pennies": ("100.01", "0", 2, ["50.01 0.00 50.01 50.01", "50.01 0.00 50.01 0.00"],
                         "100.01 0.00 100.01"),
        # 36.50 at 5 % is 0.005 a night: 31 nights 0.155, all 36.655
        "principal and interest": ("36.50", "5", 1, ["36.50 0.16 36.66 0.00"],
                                   "36.50 0.16 36.66"),
        # 18.25 each; 31 x 0.005 = 0.155, 28 x 0.0025 = 0.07; together 0.225
        "interest of two rows": ("36.50", "5", 2, ["18.25 0.16 18.41 18.25",
                                                   "18.25 0.07 18.32 0.00"], "36.50 0.23 36.73"),
    },
)  # fmt: skip
def test_rounded_on_its_own(
    amount: str, rate: str, count: int, rows: list[str], totals: str
) -> None:
    asked = {"amount": D(amount), "rate": D(rate), "installments": count}
    answer = quoted("term_loan_equal_principal", asked, on("01-15"))
    found = [
        f"{r.principal} {r.interest} {r.total_amount} {r.principal_after_repayment}"
        for r in answer.schedule
    ]
    assert found == rows
    sums = answer.totals
    assert f"{sums.principal} {sums.interest} {sums.total_amount}" == totals


def documented(name: str) -> tuple[dict[str, Any], quotes.Quote]:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    told = golden["quote"]
    rules = {key: told[key] for key in told if key.startswith("repayment_")}
    asked = {"amount": D(told["amount"]), "rate": D(told["rate"])}
    answer = quoted(
        told["type"],
        asked,
        date.fromisoformat(told["start_date"]),
        **{**rules, "installments": told["installments"]},
    )
    return golden, answer


@rule(
    "This is how the documented equal-instalments table comes to a last row of 2,060.12 + 21.67 → "
    "2,081.80 and an interest total of 434.70.",
    {
        "last row's principal": ("schedule", "principal", "2060.12"),
        "last row's interest": ("schedule", "interest", "21.67"),
        "last row's total": ("schedule", "total_amount", "2081.80"),
        "interest total": ("totals", "interest", "434.70"),
    },
)
def test_the_documented_last_row(place: str, field: str, figure: str) -> None:
    answer = documented("equal_instalments")[1]
    shown_in = answer.schedule[-1] if place == "schedule" else answer.totals
    assert str(getattr(shown_in, field)) == figure


TABLES = (
    "`golden/` has both documented tables with the dates that produce them: the quote must give "
    "exactly these rows and totals, and a loan run day by day on those dates must collect exactly "
    "these total amounts, charge exactly this interest total and end at zero."
)
BOTH = {"equal principal": "equal_principal", "equal instalments": "equal_instalments"}


@rule(TABLES, BOTH, part="the quote must give exactly these rows and totals")
def test_documented_quotes(name: str) -> None:
    golden, answer = documented(name)
    assert len(answer.schedule) == len(golden["schedule"])
    for row, expected in zip(answer.schedule, golden["schedule"], strict=True):
        assert {key: str(getattr(row, key)) for key in expected} == {
            key: str(value) for key, value in expected.items()
        }
    for key, value in golden["totals"].items():
        assert str(getattr(answer.totals, key)) == value


@rule(
    TABLES,
    BOTH,
    part="a loan run day by day on those dates must collect exactly these total amounts, charge "
    "exactly this interest total and end at zero",
)
def test_documented_loans(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    told = golden["quote"]
    calculation = EQUAL_PRINCIPAL if name == "equal_principal" else EQUAL_INSTALMENTS
    agreed = terms(
        amount=D(told["amount"]),
        rate=D(told["rate"]),
        installments=told["installments"],
        interest_calculation=calculation,
        **{key: told[key] for key in told if key.startswith("repayment_")},
    )
    life = Life(agreed, date.fromisoformat(told["start_date"])).disburses(told["amount"])
    collected = []
    while life.account.status != "closed":
        life.goes_to(life.day + timedelta(days=1))
        view = life.view()
        if view.next_repayment_date == life.day:
            collected.append((str(life.day), str(view.next_repayment_amount)))
            life.repays(str(view.next_repayment_amount))
    assert collected == [(row["due_date"], row["total_amount"]) for row in golden["schedule"]]
    charged = sum((item.amount for item in life.of("interest")), Decimal(0))
    assert str(pence(charged)) == golden["totals"]["interest"]
    assert life.account.balances == (0, 0, 0)
