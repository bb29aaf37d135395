"""Rules taken at their word, each on the smallest loan that shows it.

What is marked as failing is a place where the domain does something else than the sentence says.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.independent.naive_account import Agreed
from tests.independent.naive_schedule import Rules
from tests.independent.test_accounts import Pair, begun, disagreement
from tests.independent.test_schedules import quote_of

FOURTEENTH = Rules("day_of_month", 14)


def loan(start: date, **given: Any) -> Pair:
    usual: dict[str, Any] = {
        "equal": "principal",
        "amount": Decimal("1200.00"),
        "rate": Decimal(12),
        "count": 3,
        "rules": FOURTEENTH,
    }
    return begun(Agreed(**{**usual, **given}), start)


def until(pair: Pair, day: date) -> Pair:
    pair.passes((day - pair.naive.day).days)
    return pair


def pays_what_is_asked(pair: Pair) -> None:
    _, amount = pair.naive.next_repayment()
    pair.does("repays", amount)


def test_shown_figures_are_exact_halves_rounded_up() -> None:
    """1.03 over 2: after the first repayment 0.515 is left, shown as 0.52; over 6 after three."""
    for count in (2, 6):
        case = {
            "equal": "principal",
            "amount": Decimal("1.03"),
            "rate": Decimal(0),
            "start": date(2024, 1, 14),
            "count": count,
            "grace": 0,
            "interest_only": 0,
            "rules": FOURTEENTH,
        }
        rows = quote_of(case).schedule
        assert str(rows[count // 2 - 1].principal_after_repayment) == "0.52", count


def test_overpayment_waits_until_the_row_is_billed_and_pays_it() -> None:
    """100.00 at 5 %, the third row asked for and paid a day early: 1.02 pence of interest come."""
    pair = loan(date(2024, 1, 14), amount=Decimal(100), rate=Decimal(5), count=12)
    for due in (date(2024, 2, 14), date(2024, 3, 14)):
        pays_what_is_asked(until(pair, due))
    pays_what_is_asked(until(pair, date(2024, 4, 13)))
    until(pair, date(2024, 4, 14))
    assert pair.naive.owed["interest"] == 0
    assert not disagreement(pair)


def test_a_paid_row_does_not_fall_due_again_for_less_than_a_penny() -> None:
    """Both rows repaid but for a fraction: the loan is not overdue before the second row is due."""
    pair = loan(date(2024, 1, 14), count=2, amount=Decimal("1202.00"))
    pays_what_is_asked(until(pair, date(2024, 2, 14)))
    until(pair, date(2024, 2, 20))
    pair.does("repays", pair.naive.payoff() - Decimal("0.01"))
    assert pair.naive.owed["principal"] > Decimal("0.005")
    until(pair, date(2024, 2, 21))
    assert not disagreement(pair)


def test_rows_are_computed_anew_from_the_day_when_stage_three_prepaid_nothing() -> None:
    """The interest owed of two grace rows is more than the near row will bill."""
    pair = loan(
        date(2024, 1, 14), equal="instalments", count=5, grace=2, interest_only=1,
        early="reduced_instalments",
    )  # fmt: skip
    until(pair, date(2024, 4, 14) - timedelta(days=4))
    pair.does("repays", Decimal("600.00"))
    assert not disagreement(pair)


def test_all_fees_owed_are_billed_with_a_row_of_interest_only_at_no_interest() -> None:
    """Only a full-grace row bills nothing."""
    fee = ("disbursement", "flat", Decimal("5.00"))
    pair = loan(date(2024, 1, 14), rate=Decimal(0), interest_only=1, event_fees=(fee,))
    until(pair, date(2024, 2, 14))
    assert pair.naive.next_repayment() == (date(2024, 2, 14), Decimal("5.00"))
    assert not disagreement(pair)


def test_the_rows_that_remain_are_computed_anew() -> None:
    """At 99 % the instalments end a row early; a fraction too much makes that row disappear."""
    pair = loan(
        date(2023, 1, 25),
        equal="instalments",
        amount=Decimal(50001),
        rate=Decimal("99.13"),
        count=10,
        rules=Rules("day_of_month", 1, "on_day", False),
        early="reduced_instalments",
    )
    pays_what_is_asked(until(pair, date(2023, 2, 1)))
    assert len(pair.naive.rows) == 9
    until(pair, date(2023, 2, 4))
    pair.does("repays", Decimal("6000.00"))
    assert not disagreement(pair)
