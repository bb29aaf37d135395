"""Automatic repayments: made five days ahead, and counted only when they are confirmed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import loans
from chalicelib.domain.calendar import calendar_for
from chalicelib.domain.money import pence
from tests.domain.lives import Life, terms
from tests.domain.test_account_properties import START, agreements, check
from tests.domain.test_rebuild import account_of, live

DUE = date(2018, 3, 14)


def started(**agreed: object) -> Life:
    return Life(terms(**agreed), date(2018, 2, 9)).disburses("12000").with_mandate()


def test_it_is_made_five_days_before_the_due_date_for_what_the_row_will_bill() -> None:
    life = started().goes_to(date(2018, 3, 8))
    assert life.automatic() == []
    assert "repayment_due_day_soon" not in life.events
    (made,) = life.goes_to(date(2018, 3, 9)).automatic()
    assert (made.amount, made.status, made.due, made.effective_date) == (
        Decimal("2070.58"),
        "pending",
        DUE,
        DUE,
    )
    assert life.events.count("repayment_due_day_soon") == 1
    assert life.account.pending == made.split
    assert made.split.total == made.amount
    assert life.account.principal == 12000
    assert life.goes_to(date(2018, 3, 13)).automatic() == [life.now(made)]


def test_the_reminder_says_what_will_be_collected_also_of_the_last_row() -> None:
    """What is owed five days before is less than what the last row bills: nights are to come."""
    life = started(installments=1).goes_to(date(2018, 3, 8))
    life.day = date(2018, 3, 9)
    (soon,) = life.tells(loans.brought_up).events[:1]
    (made,) = life.automatic()
    assert soon.name == "repayment_due_day_soon"
    assert (soon.data["due_date"], soon.data["amount"]) == (made.due, made.amount)
    assert made.amount > pence(life.account.balances.total)


def test_confirmed_it_is_effective_on_the_due_date_and_pays_exactly_what_was_billed() -> None:
    life, twin = started(), Life(terms(), date(2018, 2, 9)).disburses("12000")
    (made,) = life.goes_to(date(2018, 3, 16)).automatic()
    assert life.account.status == "active"
    life.confirms(made, DUE)
    twin.goes_to(DUE).repays("2070.58")
    twin.goes_to(date(2018, 3, 16))
    assert account_of(life) == account_of(twin)
    assert life.account.pending_count == 0 and not any(life.account.pending)
    assert life.now(made).effective_date == DUE
    assert life.events[-1] == "repayment_result"
    check(life)


def test_charged_on_the_first_bacs_day_after_the_due_date_it_is_effective_on_the_due_date() -> None:
    """14 April 2018 is a Saturday: Bacs charges on Monday the 16th."""
    life = started()
    (first,) = life.goes_to(date(2018, 3, 15)).automatic()
    life.confirms(first, DUE)
    second = life.goes_to(date(2018, 4, 18)).automatic()[-1]
    assert second.due == date(2018, 4, 14)
    life.confirms(second, date(2018, 4, 16))
    assert life.now(second).effective_date == date(2018, 4, 14)
    assert life.account.status == "active" and life.account.billed == ()


def test_a_row_covered_by_a_pending_first_attempt_does_not_make_the_loan_late() -> None:
    life = started()
    (made,) = life.goes_to(date(2018, 3, 17)).automatic()
    assert life.account.status == "active"
    assert life.view().days_past_due == 0
    life.fails(made)
    assert (life.account.status, life.account.late_since) == ("late", date(2018, 3, 15))
    assert life.view().days_past_due == 3
    assert life.events[-2:] == ["repayment_result", "loan_is_late"]


def test_lateness_counts_from_the_due_date_retries_or_not() -> None:
    life = started()
    (made,) = life.goes_to(date(2018, 3, 17)).automatic()
    life.fails(made).retries(life.now(made))
    assert life.now(made).status == "pending"
    assert life.goes_to(date(2018, 3, 21)).account.status == "late"
    assert life.view().days_past_due == 7
    life.confirms(life.now(made), date(2018, 3, 20))
    assert life.now(made).effective_date == date(2018, 3, 20)
    assert life.account.status in ("active", "late")
    assert life.account.principal < 12000


def test_a_row_that_came_due_before_there_was_a_mandate_gets_one_first_attempt() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000").goes_to(date(2018, 3, 20))
    assert life.account.status == "late"
    (made,) = life.with_mandate().automatic()
    assert (made.amount, made.due) == (Decimal("2070.58"), DUE)
    assert life.account.status == "late"
    life.fails(made)
    assert len(life.goes_to(date(2018, 4, 1)).automatic()) == 1


def test_what_was_repaid_by_hand_is_not_collected() -> None:
    life = started().goes_to(date(2018, 3, 9))
    paid_by_hand = Life(terms(), date(2018, 2, 9)).disburses("12000")
    paid_by_hand.goes_to(date(2018, 3, 9)).repays("2070.58")
    assert paid_by_hand.with_mandate().goes_to(date(2018, 4, 8)).automatic() == []
    assert len(life.automatic()) == 1


def test_one_that_arrives_when_less_is_owed_leaves_the_rest_in_overpayment() -> None:
    life = started()
    (made,) = life.goes_to(date(2018, 3, 12)).automatic()
    owed = pence(life.account.balances.total)
    life.repays(owed - 1000)
    life.goes_to(date(2018, 3, 16)).confirms(made, DUE)
    done = life.now(made)
    assert done.overpayment > 0
    assert life.account.status == "closed"
    waited = sum((t.overpayment for t in life.transactions() if t.type != "refund"), Decimal(0))
    assert life.of("refund")[0].amount == pence(waited)
    assert life.account.overpayment == 0
    check(life)


def test_without_automatic_collection_only_the_notice_is_given() -> None:
    life = started(automatic_collection=False).goes_to(date(2018, 3, 12))
    assert life.automatic() == []
    assert life.events.count("repayment_due_day_soon") == 1


@settings(max_examples=80, deadline=None)
@given(agreements, st.lists(st.sampled_from(["ok", "fails", "later"]), max_size=8))
def test_collected_lives_keep_the_books(agreed: object, comes: list[str]) -> None:
    """Each month's collection is confirmed, fails, or fails and comes by a retry."""
    life = Life(agreed, START).disburses("10000").with_mandate()  # type: ignore[arg-type]
    bacs = calendar_for("GB-ENG")
    for what in comes:
        before = len(life.automatic())
        while len(life.automatic()) == before and life.day < START + timedelta(days=500):
            if life.account.status == "closed":
                return
            life.goes_to(life.day + timedelta(days=1))
        if len(life.automatic()) == before:
            return
        made = life.automatic()[-1]
        charged = bacs.on_or_after(max(made.effective_date, life.day))
        known = bacs.on_or_after(charged + timedelta(days=1))
        life.goes_to(known, daily=len(comes) % 2 == 0).tells_nothing()
        if what == "ok":
            life.confirms(life.now(made), charged)
        else:
            life.fails(life.now(made))
            if what == "later":
                life.retries(life.now(made))
                again = bacs.on_or_after(life.day + timedelta(days=3))
                life.goes_to(again + timedelta(days=1)).confirms(life.now(made), again)
        check(life)


def test_collected_on_time_the_whole_life_is_that_of_one_who_pays_each_row_on_its_day() -> None:
    life, twin = started(), Life(terms(), date(2018, 2, 9)).disburses("12000")
    for month in range(3, 9):
        due = next(row.due_date for row in twin.schedule() if row.due_date.month == month)
        twin.goes_to(due).repays(twin.view().next_repayment_amount)
        made = life.goes_to(due + timedelta(days=3)).automatic()[-1]
        life.confirms(made, calendar_for("GB-ENG").on_or_after(due))
    assert life.account.status == twin.account.status == "closed"
    assert [one.amount for one in life.automatic()] == [
        one.amount for one in reversed(twin.of("repayment"))
    ]
    assert live(life) == live(twin)
