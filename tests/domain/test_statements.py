"""Revolving credit: monthly statements and their minimum repayment; figures worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import loans, statements
from chalicelib.domain.account import REVOLVING_CREDIT
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Balances
from chalicelib.domain.money import PENNY, pence
from tests.domain.lives import Life, terms

START = date(2026, 1, 10)


def revolving(**agreed: object) -> Life:
    usual: dict[str, object] = {
        "kind": REVOLVING_CREDIT,
        "amount": Decimal(5000),
        "rate": Decimal("36.5"),  # a pound a night on every thousand
        "installments": 0,
        "statement_day": 5,
        "repayment_date_period": 25,
        "minimum_repayment_percentage": Decimal(5),
        "minimum_repayment_amount": Decimal(25),
    }
    return Life(terms(**{**usual, **agreed}), START)


def test_the_period_that_ended_the_day_before_is_closed() -> None:
    """10 January to 4 February: 25 nights at one pound; the night to the 5th is in the next."""
    life = revolving().disburses("1000").goes_to(date(2026, 2, 5))
    (closing,) = life.closings()
    assert (closing.number, closing.on, closing.start, closing.opening) == (
        1,
        date(2026, 2, 5),
        START,
        Decimal(0),
    )
    assert closing.closing == Balances(Decimal(1000), Decimal(25), Decimal(0))
    assert life.account.interest == 26
    issued = statements.statement(life.terms, closing, life.transactions())
    assert (issued.period_start, issued.period_end) == (START, date(2026, 2, 4))
    assert issued.closing_balance == 1025
    assert len(issued.transactions) == 26  # a disbursement and 25 nights
    second = life.goes_to(date(2026, 3, 5)).closings()[1]
    assert (second.start, second.opening) == (date(2026, 2, 5), Decimal(1025))


@pytest.mark.parametrize(
    ("percentage", "floor", "closing", "minimum"),
    [
        ("5", "25", ("1000", "25", "0"), "75.00"),  # 5 % of 1,000 + 25
        ("5", "100", ("1000", "25", "0"), "100.00"),  # the floor
        ("5", "100", ("60", "3", "0"), "63.00"),  # never more than the closing balance
        ("5", "25", ("1000", "25", "12.50"), "87.50"),  # fees are asked for whole
        ("0", "25", ("0", "0", "0"), "0.00"),
        ("2.5", "0", ("333.33", "0.005", "0"), "8.34"),  # 8.33325 + 0.005, half up
        ("0", "40", ("1000", "25", "0"), "40.00"),  # 25 of interest is below the floor
    ],
)
def test_minimum_repayment(
    percentage: str, floor: str, closing: tuple[str, str, str], minimum: str
) -> None:
    agreed = terms(
        minimum_repayment_percentage=Decimal(percentage), minimum_repayment_amount=Decimal(floor)
    )
    balances = Balances(*(Decimal(part) for part in closing))
    assert str(statements.minimum_repayment(agreed, balances)) == minimum


@pytest.mark.parametrize(
    ("day", "after", "following"),
    [
        (5, date(2026, 1, 10), date(2026, 2, 5)),
        (5, date(2026, 2, 5), date(2026, 3, 5)),
        (5, date(2026, 2, 4), date(2026, 2, 5)),
        (31, date(2026, 1, 31), date(2026, 2, 28)),
        (31, date(2028, 2, 1), date(2028, 2, 29)),
        (31, date(2026, 12, 31), date(2027, 1, 31)),
        (30, date(2026, 2, 28), date(2026, 3, 30)),
    ],
)
def test_the_statement_day(day: int, after: date, following: date) -> None:
    assert statements.next_day_of_month(day, after) == following


@pytest.mark.parametrize(
    ("on", "moved", "due"),
    [
        (date(2026, 2, 5), "on_day", date(2026, 2, 25)),
        (date(2026, 2, 25), "on_day", date(2026, 3, 25)),
        (date(2026, 1, 5), "last_business_day_before_the_day", date(2026, 1, 23)),  # Sunday 25th
        (date(2026, 1, 24), "last_business_day_before_the_day", date(2026, 2, 25)),
        (date(2026, 1, 5), "first_business_day_after_the_day", date(2026, 1, 26)),
        (date(2026, 12, 5), "last_business_day_before_the_day", date(2026, 12, 24)),  # Christmas
    ],
)
def test_due_date_is_the_next_repayment_date_after_the_statement(
    on: date, moved: str, due: date
) -> None:
    life = revolving(repayment_holiday_scheduling=moved)
    from chalicelib.domain.calendar import calendar_for

    assert statements.next_repayment_date(life.terms, on, calendar_for("GB-ENG")) == due


def test_a_minimum_repaid_in_time_keeps_the_loan_active() -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 2, 20))
    view = life.view()
    assert (view.next_repayment_date, view.next_repayment_amount) == (
        date(2026, 2, 25),
        Decimal("75.00"),
    )
    life.repays("50")
    assert life.view().next_repayment_amount == 25
    life.goes_to(date(2026, 2, 25)).repays("25")
    assert life.account.minimums == ()
    assert life.goes_to(date(2026, 3, 4)).account.status == "active"


def test_late_when_the_minimum_is_not_repaid_by_its_due_date_and_cured_when_it_is() -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 2, 25))
    assert life.account.status == "active"
    life.goes_to(date(2026, 2, 26))
    assert (life.account.status, life.account.late_since) == ("late", date(2026, 2, 26))
    assert life.view().days_past_due == 1
    life.repays("74.99")
    assert life.account.status == "late"
    life.repays("0.01")
    assert life.account.status == "active"
    assert life.events.count("loan_is_late") == 1


def test_arrears_come_by_the_tolerance() -> None:
    life = revolving(default_tolerance=3).disburses("1000").goes_to(date(2026, 3, 4))
    assert life.account.status == "late"
    assert life.goes_to(date(2026, 3, 5)).account.status == "arrears"
    assert life.goes_to(date(2026, 3, 9)).account.status == "default"


def test_a_repayment_counts_towards_every_open_minimum() -> None:
    """The second statement's minimum holds the interest that the first asked for already."""
    life = revolving(arrears_tolerance=90).disburses("1000").goes_to(date(2026, 3, 6))
    first, second = life.account.minimums
    assert (first.number, second.number) == (1, 2)
    assert first.missing == 75
    assert second.missing == Decimal("103.00")  # 50 + 53 nights
    life.repays(second.missing)
    assert life.account.minimums == ()
    assert life.account.status == "active"


def test_what_has_become_of_statements_is_said_with_each_change() -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 2, 4))
    closed = life.goes_to(date(2026, 2, 10)).tells(loans.repay, Decimal(30), loans.Asked())
    assert closed.standings == (statements.Standing(1, Decimal("45.00"), "open"),)
    life.day = date(2026, 2, 26)
    missed = life.tells(loans.brought_up)
    assert missed.standings == (statements.Standing(1, Decimal("45.00"), "missed"),)
    paid = life.tells(loans.repay, Decimal(45), loans.Asked())
    assert paid.standings == (statements.Standing(1, Decimal(0), "paid"),)


@pytest.mark.parametrize("day", [10, 25, 27])
def test_the_minimum_of_a_loan_that_is_written_off_has_been_missed(day: int) -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 2, day))
    life.repays("30")
    gone = life.tells(loans.close, "gone", "written_off")
    assert gone.standings == (statements.Standing(1, Decimal("45.00"), "missed"),)
    life.reverts(life.of("write_off")[0])
    (one,) = life.account.minimums
    assert (one.number, one.missing) == (1, Decimal("45.00"))


def test_a_closed_statements_transactions_cannot_be_reverted() -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 2, 6))
    with pytest.raises(Refused) as refused:
        life.reverts(life.of("disbursement")[0])
    assert refused.value.code == "statement_closed"
    with pytest.raises(Refused) as refused:
        life.repays_as_of("10", date(2026, 2, 4))
    assert refused.value.code == "statement_closed"
    later = life.repays("10")
    life.reverts(life.now(later))
    assert life.account.principal == 1000


def test_the_minimum_is_collected_five_days_ahead() -> None:
    life = revolving().disburses("1000").with_mandate().goes_to(date(2026, 2, 19))
    assert life.automatic() == []
    (made,) = life.goes_to(date(2026, 2, 20)).automatic()
    assert (made.amount, made.row, made.due) == (Decimal("75.00"), 1, date(2026, 2, 25))
    life.goes_to(date(2026, 2, 26)).confirms(made, date(2026, 2, 25))
    assert life.account.minimums == () and life.account.status == "active"
    assert life.now(made).effective_date == date(2026, 2, 25)


def test_a_collection_never_reaches_back_into_a_closed_statement() -> None:
    life = revolving(statement_day=26).disburses("1000").with_mandate()
    (made,) = life.goes_to(date(2026, 2, 27)).automatic()
    assert made.due == date(2026, 2, 25)
    life.confirms(made, date(2026, 2, 25))
    assert life.now(made).effective_date == date(2026, 2, 26)


def test_a_failed_repayment_does_not_change_what_has_been_issued() -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 1, 20))
    waiting = life.repays("500", confirmed=False)
    issued = life.goes_to(date(2026, 2, 8)).closings()
    life.fails(waiting)
    assert life.closings() == issued
    assert life.account.balances.total == 1029
    assert life.folded() == life.account.balances
    assert life.retold().balances == life.account.balances


agreements = st.fixed_dictionaries(
    {
        "rate": st.sampled_from([Decimal(0), Decimal("19.9"), Decimal(120)]),
        "statement_day": st.integers(1, 31),
        "repayment_date_period": st.integers(1, 31),
        "minimum_repayment_percentage": st.sampled_from([Decimal(0), Decimal("2.5"), Decimal(100)]),
        "minimum_repayment_amount": st.sampled_from([Decimal(1), Decimal("40.5")]),
        "arrears_tolerance": st.integers(0, 40),
        "kind": st.sampled_from([REVOLVING_CREDIT, "line_of_credit"]),
    }
)
acts = st.lists(
    st.tuples(
        st.sampled_from(["draw", "pay", "fail", "late_fail", "charge_back", "cancel", "wait"]),
        st.integers(0, 35),
        st.integers(1, 100),
    ),
    max_size=10,
)


def act(life: Life, what: str, percent: int) -> None:
    owed = pence(life.view().account.balances.total)
    amount = max(PENNY, pence(owed * percent / 100))
    paid = [one for one in life.of("repayment") if one.status == "applied"]
    taken = [one for one in life.of("chargeback") if one.status == "applied"]
    match what:
        case "draw":
            life.disburses(str(percent * 10))
        case "pay" if owed > 0:
            life.repays(min(amount, owed))
        case "fail" if owed > 0:
            waiting = life.repays(min(amount, owed), confirmed=False)
            life.goes_to(life.day + timedelta(days=percent % 20))
            life.fails(life.now(waiting))
        case "late_fail" if paid:
            life.fails(paid[percent % len(paid)])
        case "charge_back" if paid:
            taken_back = {one.compensates for one in taken}
            left = [one for one in paid if one.id not in taken_back]
            if left:
                life.charges_back(left[percent % len(left)])
        case "cancel" if taken:
            life.cancels_chargeback(taken[0])


@settings(max_examples=120, deadline=None)
@given(agreements, st.booleans(), acts)
def test_lives_without_rows_keep_the_books(
    agreed: dict[str, object], mandate: bool, happened: list[tuple[str, int, int]]
) -> None:
    life = revolving(**agreed).disburses("1000")
    if mandate:
        life.with_mandate()
    issued = life.closings()
    for what, days, percent in happened:
        life.goes_to(life.day + timedelta(days=days), daily=percent % 2 == 0).tells_nothing()
        try:
            act(life, what, percent)
        except Refused as refused:
            assert refused.code in ("invalid_status", "credit_limit_exceeded"), refused.message
        account = life.account
        assert life.folded() == account.balances
        assert min(account.balances) >= 0
        assert life.closings()[: len(issued)] == issued, "what was issued stays as it was"
        issued = life.closings()
        retold = life.retold()
        for name in ("as_of", "balances", "overpayment", "minimums", "statements", "period_start",
                     "opening", "late_since", "arrears_since"):  # fmt: skip
            assert getattr(retold, name) == getattr(account, name), name
        assert (account.status == "active") == (account.late_since is None)
        assert len({one.id for one in life.transactions()}) == len(life.transactions())
