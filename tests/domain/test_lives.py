"""Whole lives of term loans, told in the contract's words."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from chalicelib.domain import disbursing, loans
from chalicelib.domain.errors import Refused
from chalicelib.domain.money import pence
from tests.domain.lives import Life, moment, terms

GOLDEN = Path(__file__).parent.parent / "golden"
CALCULATIONS = {
    "term_loan_equal_principal": "equal_principal_payments",
    "term_loan_equal_instalments": "equal_instalments",
}


def documented(name: str) -> tuple[dict[str, object], Life]:
    table = json.loads((GOLDEN / f"{name}.json").read_text())
    quote = table["quote"]
    agreed = terms(
        amount=Decimal(quote["amount"]),
        rate=Decimal(quote["rate"]),
        installments=quote["installments"],
        interest_calculation=CALCULATIONS[quote["type"]],
        repayment_date_type=quote["repayment_date_type"],
        repayment_date_period=quote["repayment_date_period"],
        repayment_holiday_scheduling=quote["repayment_holiday_scheduling"],
    )
    return table, Life(agreed, date.fromisoformat(quote["start_date"]))


@pytest.mark.parametrize("name", ["equal_principal", "equal_instalments"])
def test_a_loan_run_day_by_day_collects_the_documented_amounts(name: str) -> None:
    table, life = documented(name)
    life.disburses(table["quote"]["amount"])  # type: ignore[index]
    collected = []
    while life.account.status != "closed":
        life.goes_to(life.day + timedelta(days=1))
        view = life.view()
        if view.next_repayment_date == life.day:
            collected.append((str(life.day), str(view.next_repayment_amount)))
            life.repays(view.next_repayment_amount)
    rows = table["schedule"]
    assert collected == [(row["due_date"], row["total_amount"]) for row in rows]  # type: ignore[index]
    interest = sum((item.amount for item in life.of("interest")), Decimal(0))
    assert str(pence(interest)) == table["totals"]["interest"]  # type: ignore[index]
    assert not any(life.account.balances)
    assert life.account.close_substatus == "paid_in_full"
    assert life.events[-1] == "loan_closed"
    shown = [(r.number, str(r.due_date), str(pence(r.principal)), str(pence(r.interest)), r.status)
             for r in life.schedule()]  # fmt: skip
    assert shown == [
        (row["number"], row["due_date"], row["principal"], row["interest"], "paid")  # type: ignore[index]
        for row in rows
    ]


def test_day_of_disbursement_accrues_and_day_of_repayment_does_not() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 2, 10))
    (night,) = life.of("interest")
    assert night.effective_date == date(2018, 2, 10)
    assert night.amount == Decimal("3.9452054795")
    life.repays("5000")
    life.goes_to(date(2018, 2, 11))
    assert life.of("interest")[0].amount == Decimal("2.3026669169")


def test_with_interest_on_holidays_off_a_night_that_begins_on_a_holiday_is_free() -> None:
    life = Life(terms(calculate_interest_on_holidays=False), date(2018, 3, 28)).disburses("12000")
    life.goes_to(date(2018, 4, 4))
    nights = [item.effective_date for item in reversed(life.of("interest"))]
    # Good Friday is 30 March, Easter Monday 2 April.
    assert nights == [date(2018, 3, 29), date(2018, 3, 30), date(2018, 4, 1), date(2018, 4, 2),
                      date(2018, 4, 4)]  # fmt: skip
    assert life.folded() == life.account.balances


def test_nights_with_interest_disabled_are_never_charged_later() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 2, 12)).tells(loans.set_interest, False)
    life.goes_to(date(2018, 2, 20)).tells(loans.set_interest, True)
    life.goes_to(date(2018, 2, 22))
    assert len(life.of("interest")) == 3 + 2


def test_a_loan_falls_late_then_into_arrears_then_into_default() -> None:
    life = Life(terms(default_tolerance=10), date(2018, 2, 9)).disburses("12000")
    assert life.goes_to(date(2018, 3, 14)).account.status == "active"
    assert life.goes_to(date(2018, 3, 15)).account.status == "late"
    assert life.goes_to(date(2018, 3, 21)).account.status == "late"
    assert life.goes_to(date(2018, 3, 22)).account.status == "arrears"
    assert (life.account.late_since, life.account.arrears_since) == (
        date(2018, 3, 15),
        date(2018, 3, 22),
    )
    assert life.goes_to(date(2018, 4, 1)).account.status == "arrears"
    assert life.goes_to(date(2018, 4, 2)).account.status == "default"
    assert life.events == [
        "disbursement_result",
        "repayment_due_day_soon",
        "loan_is_late",
        "loan_is_arrears",
        "loan_is_default",
    ]


def test_paying_exactly_what_was_billed_cures_a_loan() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 3, 30))
    assert (life.account.status, life.view().days_past_due) == ("arrears", 16)
    owed = life.view().next_repayment_amount
    life.repays(owed)
    view = life.view()
    assert (view.account.status, view.days_past_due) == ("active", 0)
    assert view.account.late_since is None and view.account.arrears_since is None
    assert view.next_repayment_date == date(2018, 4, 14)


def test_arrears_fee_is_charged_once_each_time_the_loan_enters_arrears() -> None:
    from chalicelib.domain.account import DefaultFee

    fee = DefaultFee("Arrears", "flat", Decimal(15), "arrears")
    life = Life(terms(default_fees=(fee,)), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 3, 30))
    assert [item.effective_date for item in life.of("fee")] == [date(2018, 3, 22)]
    life.repays(life.view().next_repayment_amount)
    life.goes_to(date(2018, 5, 1))
    assert len(life.of("fee")) == 2


def test_percent_fees_of_the_disbursement_are_of_the_total_balance() -> None:
    from chalicelib.domain.account import DefaultFee

    fee = DefaultFee("Setup", "percent", Decimal("2.5"), "disbursement")
    life = Life(terms(default_fees=(fee,)), date(2018, 2, 9)).disburses("12000")
    assert life.account.fee == Decimal(300)
    assert life.of("fee")[0].split.fee == Decimal(300)


def test_manual_repayment_changes_the_balance_while_it_is_pending() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 3, 14))
    before = life.account.balances.total
    waiting = life.repays("100", confirmed=False)
    assert waiting.status == "pending"
    assert life.account.balances.total == before - 100
    assert life.folded() == life.account.balances


def test_more_than_is_outstanding_is_refused() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    with pytest.raises(Refused) as refused:
        life.repays("12000.01")
    assert refused.value.code == "exceeds_outstanding"


def test_the_payoff_shown_less_the_overpayment_shown_settles_and_a_penny_comes_back() -> None:
    """The penny that two roundings may bring is no reason to refuse."""
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 3, 10)).repays("2070")
    life.goes_to(date(2018, 3, 16))
    owed, over = life.account.balances.total, life.account.overpayment
    shown = pence(owed) - pence(over)
    assert shown - pence(owed - over) == Decimal("0.01")
    with pytest.raises(Refused):
        life.repays(shown + Decimal("0.01"))
    life.repays(shown)
    assert life.account.status == "closed" and life.account.overpayment == 0
    assert [item.amount for item in life.of("refund")] == [Decimal("0.01")]
    assert life.folded() == life.account.balances


def test_settling_leaves_exactly_zero_by_a_rounding_and_closes_when_confirmed() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 3, 1))
    total = pence(life.account.balances.total)
    waiting = life.repays(total, confirmed=False)
    assert not any(life.account.balances)
    assert life.account.status == "active"
    assert abs(life.of("rounding")[0].split.total) <= Decimal("0.005")
    life.tells(loans.apply_repayment, waiting)
    assert (life.account.status, life.account.close_substatus) == ("closed", "paid_in_full")


def test_writing_off_moves_all_balances_and_closes() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000").goes_to(date(2018, 4, 1))
    owed = life.account.balances.total
    with pytest.raises(Refused) as refused:
        life.tells(loans.close, "done", "paid_in_full")
    assert refused.value.code == "outstanding_balance"
    life.tells(loans.close, "gone", "written_off")
    assert life.account.written_off == owed
    assert not any(life.folded())
    assert life.of("write_off")[0].split.total == owed


def test_status_by_hand_holds_until_the_next_repayment_owed_is_paid() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("12000").goes_to(date(2018, 2, 20))
    life.tells(loans.set_status, "make_arrears")
    life.goes_to(date(2018, 3, 14))
    assert life.account.status == "arrears"
    life.repays(life.view().next_repayment_amount)
    assert life.account.status == "active"


def test_a_backdated_disbursement_accrues_from_its_date() -> None:
    early = Life(terms(), date(2018, 3, 1)).disburses("12000", date(2018, 2, 9))
    prompt = Life(terms(), date(2018, 2, 9)).disburses("12000").goes_to(date(2018, 3, 1))
    assert early.account.balances == prompt.account.balances
    assert early.account.wake == prompt.account.wake


def test_a_credit_limit_counts_pending_disbursements() -> None:
    line = Life(terms(kind="line_of_credit", amount=Decimal(2000)), date(2018, 2, 9))
    line.disburses("1500")
    line.tells(disbursing.disburse, Decimal(500), loans.Asked())
    assert line.account.pending.principal == 500
    with pytest.raises(Refused) as refused:
        line.tells(disbursing.disburse, Decimal("0.01"), loans.Asked())
    assert refused.value.code == "credit_limit_exceeded"


def test_a_term_loan_takes_one_disbursement() -> None:
    life = Life(terms(), date(2018, 2, 9)).disburses("1000")
    with pytest.raises(Refused) as refused:
        life.disburses("1000")
    assert refused.value.code == "invalid_status"


def test_the_job_says_the_same_as_a_reader_before_it() -> None:
    life = Life(terms(default_tolerance=5), date(2018, 2, 9)).disburses("12000")
    life.day = date(2018, 4, 20)
    seen = life.view()
    shown = life.transactions()
    life.tells(loans.brought_up)
    assert life.view() == seen
    assert life.transactions() == shown
    assert loans.brought_up(life.terms, life.account, moment(life.day)).batches == ()


@pytest.mark.parametrize("mode", ["from_last_instalment", "reduced_instalments"])
def test_the_schedule_after_an_early_repayment_ends_at_zero(mode: str) -> None:
    life = Life(terms(early_repayment_recalculation=mode), date(2018, 2, 9)).disburses("12000")
    life.goes_to(date(2018, 3, 14)).repays(life.view().next_repayment_amount)
    after_first = life.account.principal
    life.goes_to(date(2018, 3, 20)).repays("3000")
    rows = life.schedule()
    assert pence(rows[0].principal_after_repayment) == pence(after_first)
    assert pence(rows[-1].principal_after_repayment) == 0
    for before, row in pairwise(rows[1:]):
        lost = before.principal_after_repayment - row.principal
        assert abs(lost - row.principal_after_repayment) < Decimal("1e-9")
