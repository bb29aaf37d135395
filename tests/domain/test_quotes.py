"""Quotes: the documented tables, and small loans whose figures can be checked by hand.

At 36.5 % a year a night costs a thousandth of the principal: 1.00 on 1,000.00.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import products, quotes
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.domain.quotes import Quote

GOLDEN = Path(__file__).parent.parent / "golden"
RATE = Decimal("36.5")
NEW_YEAR = date(2024, 1, 1)


def product(type_: str = "term_loan_equal_principal", **more: Any) -> products.Product:
    values = {
        "type": type_,
        "name": "Flexi",
        "max_loan_amount": Decimal("999999999999.99"),
        "max_interest_rate": Decimal(1000),
        "installments": 4,
        "repayment_date_type": "day_of_month",
        "repayment_date_period": 1,
    }
    return products.create("p1", {**values, **more}).state


def quote(
    of: products.Product, amount: str = "1000", rate: Decimal = RATE, start: date = NEW_YEAR,
    **asked: Any,
) -> Quote:  # fmt: skip
    return quotes.quote(of, {"amount": Decimal(amount), "rate": rate, **asked}, start, "GB-ENG")


def pays(answer: Quote) -> list[tuple[str, str]]:
    """Principal and interest of each row, as text."""
    return [(str(row.principal), str(row.interest)) for row in answer.schedule]


@pytest.mark.parametrize("name", ["equal_instalments", "equal_principal"])
def test_the_documented_table(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    asked = golden["quote"]
    rules = {name: asked[name] for name in asked if name.startswith("repayment_")}
    answer = quotes.quote(
        product(asked["type"], installments=asked["installments"], **rules),
        {"amount": Decimal(asked["amount"]), "rate": Decimal(asked["rate"])},
        date.fromisoformat(asked["start_date"]),
        asked["calendar"],
    )
    rows = [
        {key: value if key in ("number", "days") else str(getattr(row, key))
         for key, value in expected.items()}
        for row, expected in zip(answer.schedule, golden["schedule"], strict=True)
    ]  # fmt: skip
    assert rows == golden["schedule"]
    assert [(row.number, row.days) for row in answer.schedule] == [
        (expected["number"], expected["days"]) for expected in golden["schedule"]
    ]
    totals = {key: str(getattr(answer.totals, key)) for key in golden["totals"]}
    assert totals == golden["totals"]


# --- by hand --------------------------------------------------------------------------------------


def test_nothing_but_principal_at_zero() -> None:
    answer = quote(product("term_loan_equal_instalments"), "100", Decimal(0), installments=3)
    assert pays(answer) == [("33.33", "0.00"), ("33.33", "0.00"), ("33.33", "0.00")]
    after = [str(row.principal_after_repayment) for row in answer.schedule]
    assert after == ["66.67", "33.33", "0.00"]
    assert (str(answer.totals.principal), str(answer.totals.total_amount)) == ("100.00", "100.00")
    assert answer.apr == 0


def test_grace_with_equal_principal() -> None:
    """The first row pays nothing, the second both periods' interest, then two halves."""
    answer = quote(product(), grace_instalments=1, principal_repayment_grace=1)
    assert [row.days for row in answer.schedule] == [31, 29, 31, 30]
    assert pays(answer) == [
        ("0.00", "0.00"), ("0.00", "60.00"), ("500.00", "31.00"), ("500.00", "15.00"),
    ]  # fmt: skip
    assert str(answer.totals.interest) == "106.00"


def test_grace_with_equal_instalments() -> None:
    """The interest of the grace is paid by the instalments, without interest on it."""
    of = product("term_loan_equal_instalments", installments=2)
    assert pays(quote(of, grace_instalments=1)) == [("0.00", "0.00"), ("1000.00", "60.00")]
    assert pays(quote(of, principal_repayment_grace=1)) == [("0.00", "31.00"), ("1000.00", "29.00")]


def test_the_products_own_grace() -> None:
    answer = quote(product(default_grace_instalments=2, installments=3))
    assert pays(answer) == [("0.00", "0.00"), ("0.00", "0.00"), ("1000.00", "91.00")]
    assert answer.first_repayment_date == date(2024, 2, 1)


def test_a_night_that_begins_on_a_holiday_may_be_free() -> None:
    """New Year's Day, Good Friday and Easter Monday of 2024."""
    answer = quote(product(calculate_interest_on_holidays=False))
    assert [row.days for row in answer.schedule] == [30, 29, 30, 29]
    assert str(answer.schedule[0].interest) == "30.00"


def test_a_draft_can_be_quoted_and_a_published_product_costs_the_same() -> None:
    draft = product()
    assert quote(draft) == quote(products.publish(draft).state)


def test_what_the_quote_was_for() -> None:
    answer = quote(product(), "1000", installments=5)
    assert (answer.product, answer.amount, answer.rate, answer.installments, answer.start_date) == (
        "p1", 1000, RATE, 5, NEW_YEAR,
    )  # fmt: skip


# --- the annual percentage rate of charge ---------------------------------------------------------


def fee(amount: str, type_: str = "flat", event: str = "disbursement") -> DefaultFee:
    return DefaultFee(f"{type_} {amount} {event}", type_, Decimal(amount), event)


def test_100_repaid_by_110_after_a_year_is_10_percent() -> None:
    """Eleven periods of grace; the fee is paid with the first row that pays."""
    of = product(installments=12, default_grace_instalments=11, default_fees=(fee("10"),))
    answer = quote(of, "100", Decimal(0))
    assert answer.schedule[-1].due_date == date(2025, 1, 1)
    assert answer.apr == Decimal("10.0")


def test_a_fee_in_percent_is_of_the_loan() -> None:
    of = product(
        installments=12, default_grace_instalments=11, default_fees=(fee("10", "percent"),)
    )
    assert quote(of, "250", Decimal(0)).apr == Decimal("10.0")


def test_fees_of_other_events_do_not_count() -> None:
    others = tuple(fee("50", event=event) for event in ("arrears", "default", "manual"))
    assert quote(product(default_fees=others)).apr == quote(product()).apr


def test_one_month_at_one_percent() -> None:
    """1.01 to the power of 12 is 1.1268; a flat fee of 10.00 is the only cost."""
    of = product(installments=1, default_fees=(fee("10"),))
    assert quote(of, "1000", Decimal(0)).apr == Decimal("12.7")


def test_a_period_that_is_not_whole_months_counts_days() -> None:
    """1.01 to the power of 365/17, from 15 January to 1 February, is 1.2382."""
    of = product(installments=1, default_fees=(fee("10"),))
    assert quote(of, "1000", Decimal(0), date(2024, 1, 15)).apr == Decimal("23.8")


def test_the_last_day_of_a_short_month_is_a_whole_month() -> None:
    """From 31 January to 29 February: 1.01 to the power of 12 again."""
    of = product(installments=1, default_fees=(fee("10"),), repayment_date_period=31)
    assert quote(of, "1000", Decimal(0), date(2024, 1, 31)).apr == Decimal("12.7")


def test_moving_a_date_off_a_holiday_leaves_whole_months_whole() -> None:
    """1 June 2024 is a Saturday; the fee is due on the Monday, after a month all the same."""
    of = product(
        installments=1, default_fees=(fee("10"),),
        repayment_holiday_scheduling="first_business_day_after_the_day",
    )  # fmt: skip
    answer = quote(of, "1000", Decimal(0), date(2024, 5, 1))
    assert answer.first_repayment_date == date(2024, 6, 3)
    assert answer.apr == Decimal("12.7")


@pytest.mark.parametrize(
    ("name", "start", "whole_months"),
    [
        ("term_loan_equal_principal", NEW_YEAR, True),
        ("term_loan_equal_instalments", date(2024, 2, 20), False),
    ],
)
def test_the_rate_discounts_the_repayments_to_the_loan(
    name: str, start: date, whole_months: bool
) -> None:
    answer = quote(product(name), "12000", Decimal(12), start)
    assert answer.apr is not None

    def worth(apr: Decimal) -> float:
        def years(row: quotes.QuoteRow) -> float:
            return row.number / 12 if whole_months else (row.due_date - start).days / 365

        factor = 1 + float(apr) / 100
        return sum(float(row.total_amount) / factor ** years(row) for row in answer.schedule)

    half = Decimal("0.06")
    assert worth(answer.apr + half) < 12000 < worth(answer.apr - half)


def test_an_absurd_fee_has_no_rate_but_a_schedule() -> None:
    answer = quote(product(default_fees=(fee("1000000"),)), "0.01")
    assert answer.apr is None
    assert len(answer.schedule) == 4


# --- what cannot be quoted ------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["line_of_credit", "simple_revolving_credit", "revolving_credit"])
def test_only_term_loans_have_a_quote(type_: str) -> None:
    with pytest.raises(Refused) as caught:
        quote(product(type_))
    assert caught.value.code == "invalid_status"


def bad(of: products.Product, **asked: Any) -> dict[str, str]:
    start = asked.pop("start", NEW_YEAR)
    with pytest.raises(Invalid) as caught:
        quotes.quote(of, asked, start, "GB-ENG")
    return {flaw.field: flaw.code for flaw in caught.value.flaws}


def test_a_draft_without_a_repayment_date() -> None:
    figures = {"amount": Decimal(100), "rate": Decimal(5)}
    assert bad(product(repayment_date_type=None), **figures) == {"repayment_date_type": "required"}
    assert bad(product(repayment_date_period=None), **figures) == {
        "repayment_date_period": "required"
    }


def test_figures_that_the_product_does_not_allow() -> None:
    of = product(max_loan_amount=Decimal(1000), max_interest_rate=Decimal(10))
    assert bad(of) == {"amount": "required", "rate": "required"}
    assert bad(of, amount=Decimal(1001), rate=Decimal(11), grace_instalments=4) == {
        "amount": "too_large",
        "rate": "too_large",
        "grace_instalments": "too_large",
    }


@pytest.mark.parametrize("start", [date.min, date(1899, 12, 31), date(2201, 1, 1), date.max])
def test_a_start_beyond_the_calendars(start: date) -> None:
    found = bad(product(), amount=Decimal(100), rate=Decimal(5), start=start)
    assert found == {"start_date": "out_of_range"}


@pytest.mark.parametrize("start", [quotes.EARLIEST, quotes.LATEST])
@pytest.mark.parametrize("type_", ["term_loan_equal_principal", "term_loan_equal_instalments"])
@pytest.mark.parametrize("rate", ["0", "0.000001", "1000"])
def test_the_largest_schedules(start: date, type_: str, rate: str) -> None:
    of = product(
        type_,
        calculate_interest_on_holidays=False,
        repayment_holiday_scheduling="first_business_day_after_the_day",
    )
    answer = quote(of, "999999999999.99", Decimal(rate), start, installments=600)
    assert len(answer.schedule) == 600
    assert str(answer.totals.principal) == "999999999999.99"
    assert str(answer.schedule[-1].principal_after_repayment) == "0.00"


@settings(deadline=None, max_examples=150)
@given(
    type_=st.sampled_from(["term_loan_equal_principal", "term_loan_equal_instalments"]),
    amount=st.decimals(min_value="0.01", max_value="100000", places=2),
    rate=st.decimals(min_value=0, max_value=200, places=2),
    installments=st.integers(1, 60),
    graces=st.tuples(st.integers(0, 8), st.integers(0, 8)),
    start=st.dates(date(2000, 1, 1), date(2040, 12, 31)),
    period=st.integers(1, 31),
)
def test_every_schedule_repays_exactly_what_was_lent(
    type_: str, amount: Decimal, rate: Decimal, installments: int, graces: tuple[int, int],
    start: date, period: int,
) -> None:  # fmt: skip
    grace, principal_grace = graces
    installments += grace + principal_grace
    of = product(type_, repayment_date_period=period)
    answer = quote(
        of, str(amount), rate, start, installments=installments, grace_instalments=grace,
        principal_repayment_grace=principal_grace,
    )  # fmt: skip
    rows = answer.schedule
    assert len(rows) == installments
    assert answer.totals.principal == amount
    assert rows[-1].principal_after_repayment == 0
    assert all(row.principal >= 0 and row.interest >= 0 for row in rows)
    assert all(row.total_amount == 0 for row in rows[:grace])
    assert all(row.principal == 0 for row in rows[: grace + principal_grace])
    assert sum(row.days for row in rows) == (rows[-1].due_date - start).days
    spread = sum(row.interest for row in rows) - answer.totals.interest
    assert abs(spread) <= Decimal("0.005") * (len(rows) + 1)
    assert answer.apr is not None and answer.apr >= 0
