"""What holds for every loan, whatever happens to it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import loans
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Balances
from chalicelib.domain.money import PENNY, pence
from tests.domain.lives import Life, terms

START = date(2023, 12, 15)

agreements = st.builds(
    terms,
    amount=st.just(Decimal(100_000)),
    rate=st.sampled_from([Decimal(0), Decimal("3.9"), Decimal(12), Decimal("199.9")]),
    installments=st.integers(3, 14),
    grace_instalments=st.integers(0, 1),
    principal_repayment_grace=st.integers(0, 1),
    interest_calculation=st.sampled_from(["equal_instalments", "equal_principal_payments"]),
    early_repayment_recalculation=st.sampled_from(["from_last_instalment", "reduced_instalments"]),
    calculate_interest_on_holidays=st.booleans(),
    repayment_date_type=st.sampled_from(["day_of_month", "last_day_of_month"]),
    repayment_date_period=st.integers(1, 31),
    repayment_holiday_scheduling=st.sampled_from(
        ["on_day", "last_business_day_before_the_day", "first_business_day_after_the_day"]
    ),
    arrears_tolerance=st.integers(0, 9),
    default_tolerance=st.sampled_from([None, 0, 20]),
    default_fees=st.sampled_from(
        [(), (DefaultFee("Arrears", "percent", Decimal("0.7"), "arrears"),)]
    ),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["pay_due", "part", "early", "fee", "stop", "start", "hand", "wait"]),
        st.integers(1, 40),
        st.integers(1, 99),
    ),
    max_size=12,
)


def live(life: Life, what: str, percent: int) -> None:
    view = life.view()
    match what:
        case "pay_due" if view.next_repayment_amount:
            life.repays(view.next_repayment_amount)
        case "part" if view.next_repayment_amount:
            amount = pence(view.next_repayment_amount * percent / 100)
            life.repays(max(PENNY, amount))
        case "early":
            owed = view.account.balances.total - view.account.overpayment
            amount = pence(owed * percent / 100)
            if amount > 0:
                life.repays(amount)
        case "fee":
            life.fee(f"{percent}.37")
        case "stop" | "start":
            life.tells(loans.set_interest, what == "start")
        case "hand":
            life.tells(loans.set_status, "make_arrears")


def check(life: Life) -> None:
    account = life.account
    assert life.folded() == account.balances, "a balance is the fold of its transactions"
    assert account.balances.principal >= 0 and account.balances.interest >= 0
    assert account.balances.fee >= 0
    disbursed = sum((t.amount for t in life.of("disbursement")), Decimal(0))
    repaid = sum(
        (t.split.principal for k in ("repayment", "allocation") for t in life.of(k) if t.counts),
        Decimal(0),
    )
    rounded = sum((t.split.principal for t in life.of("rounding") if t.counts), Decimal(0))
    assert repaid + account.principal - rounded == disbursed
    for item in life.of("repayment"):
        assert item.split.total + item.overpayment == item.amount
    if account.status != "closed" and account.bases:
        planned = sum((row.principal for row in _unbilled(life)), Decimal(0)) - account.prepaid
        assert abs(planned - account.unbilled.principal) < Decimal("1e-8")
    retold = life.retold()
    for name in ("as_of", "balances", "billed", "short", "bases", "next_row", "prepaid",
                 "overpayment", "late_since", "arrears_since"):  # fmt: skip
        if account.status != "closed":
            assert getattr(retold, name) == getattr(life.view().account, name), name
    assert all(row.status for row in life.schedule())


def _unbilled(life: Life) -> tuple[object, ...]:
    from chalicelib.domain.book import Book
    from tests.domain.lives import moment

    return Book(life.terms, life.account, moment(life.day)).unbilled_rows()


@settings(max_examples=150, deadline=None)
@given(agreements, steps)
def test_any_life_keeps_the_books(agreed: object, happened: list[tuple[str, int, int]]) -> None:
    life = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    for what, days, percent in happened:
        life.goes_to(life.day + timedelta(days=days), daily=percent % 2 == 0)
        life.tells(loans.brought_up)
        if life.account.status == "closed":
            break
        try:
            live(life, what, percent)
        except Refused as refused:
            assert refused.code in ("invalid_status",), refused.message
        check(life)


@settings(max_examples=60, deadline=None)
@given(agreements, st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_day_by_day_or_caught_up_is_the_same_account(agreed: object, gaps: list[int]) -> None:
    daily = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    lazy = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    for days in gaps:
        until = daily.day + timedelta(days=days)
        daily.goes_to(until)
        lazy.goes_to(until, daily=False)
        for life in (daily, lazy):
            amount = life.view().next_repayment_amount
            if amount and life.account.status != "closed":
                life.repays(amount)
    lazy.tells(loans.brought_up)
    assert lazy.account == daily.account
    nights = [(t.effective_date, t.amount, t.after) for t in daily.of("interest")]
    assert nights == [(t.effective_date, t.amount, t.after) for t in lazy.of("interest")]


def test_balances_add_and_subtract() -> None:
    one = Balances(Decimal(1), Decimal(2), Decimal(3))
    assert one.plus(one).minus(one) == one
    assert one.total == 6
