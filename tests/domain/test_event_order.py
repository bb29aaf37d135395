"""What partners hear of one commit: what brings another event about comes before it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from chalicelib.domain import chargebacks, disbursing, loans, payments, retelling
from chalicelib.domain.account import LINE_OF_CREDIT, REVOLVING_CREDIT
from chalicelib.domain.decision import Event, causes_first
from chalicelib.domain.money import pence
from tests.domain.lives import Life, moment, terms

DUE, NEXT = date(2018, 3, 14), date(2018, 4, 16)
START = date(2018, 2, 9)


def started(**agreed: object) -> Life:
    return Life(terms(**agreed), START).disburses("12000")


def heard(life: Life) -> list[str]:
    """What was told since the last time that this was asked."""
    told, life.events = life.events, []
    return told


def test_what_follows_comes_last_and_all_else_stays_in_its_place() -> None:
    given = [Event("a", {}), Event("b", {}, follows=True), Event("c", {}), Event("d", {})]
    assert [one.name for one in causes_first(given)] == ["a", "c", "d", "b"]


def test_a_collection_that_settles_the_loan_is_told_before_its_closing() -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    heard(life)
    life.confirms(made, DUE)
    assert life.account.status == "closed"
    assert heard(life) == ["repayment_result", "loan_closed"]


def test_a_repayment_by_hand_that_settles_the_loan_is_told_before_its_closing() -> None:
    life = started().goes_to(date(2018, 2, 20))
    heard(life)
    life.repays(pence(life.account.balances.total))
    assert heard(life) == ["repayment_result", "loan_closed"]


def test_the_last_collection_after_others_failed_is_told_before_the_closing() -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.fails(made).goes_to(date(2018, 3, 21))
    heard(life)
    life.retries(life.now(made)).goes_to(date(2018, 3, 26))
    life.repays("300")  # what has become due since
    heard(life)
    life.confirms(life.now(made), date(2018, 3, 24))
    assert heard(life) == ["repayment_result", "loan_closed"]


def test_a_failure_is_told_before_what_becomes_of_the_loan() -> None:
    life = started(default_tolerance=3).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    heard(life)
    life.fails(made)
    assert heard(life) == ["repayment_result", "loan_is_late"]


def test_a_late_failure_that_reopens_the_loan_is_told_before_its_lateness() -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.confirms(made, DUE).goes_to(date(2018, 3, 19))
    heard(life)
    life.fails(life.now(made))
    assert life.account.status == "late"
    assert heard(life) == ["repayment_result", "loan_is_late"]


@pytest.mark.parametrize(
    ("day", "statuses"),
    [(date(2018, 3, 19), ["loan_is_late"]), (NEXT, ["loan_is_late", "loan_is_arrears"])],
)
def test_a_chargeback_is_told_before_what_becomes_of_the_loan(
    day: date, statuses: list[str]
) -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.confirms(made, DUE).goes_to(day)
    heard(life)
    life.charges_back(life.now(made))
    assert heard(life) == ["repayment_charged_back", *statuses]


def test_what_the_days_have_brought_comes_before_what_ends_it() -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 12))
    (made,) = life.automatic()
    life.fails(made)
    heard(life)
    life.goes_to(date(2018, 3, 24), daily=False)  # the daily job has not been there
    life.retries(life.now(made))
    heard(life)
    life.goes_to(date(2018, 3, 26))
    life.confirms(life.now(made), date(2018, 3, 25))
    assert heard(life)[:1] == ["repayment_result"]


def test_a_job_that_is_behind_tells_of_lateness_before_the_repayment_that_came_after() -> None:
    life = started(installments=1).goes_to(DUE)
    owed = life.repays(life.view().next_repayment_amount, confirmed=False)
    life.fails(owed)
    heard(life)
    life.goes_to(date(2018, 3, 15), daily=False)
    life.repays(pence(life.view().account.balances.total))
    assert heard(life) == ["loan_is_late", "repayment_result", "loan_closed"]


def test_a_night_that_makes_late_tells_it_before_it_reminds() -> None:
    life = started(arrears_tolerance=25).goes_to(date(2018, 4, 8))
    heard(life)
    life.goes_to(date(2018, 4, 9))
    assert heard(life) == ["loan_is_arrears", "repayment_due_day_soon"]


def test_money_that_was_paid_out_is_told_before_what_has_become_of_it_since() -> None:
    life = Life(terms(kind=LINE_OF_CREDIT, installments=0), START)
    asked = life.tells(disbursing.disburse, Decimal(100), loans.Asked()).transaction
    life.day = START + timedelta(days=1)
    heard(life)
    life.tells(disbursing.apply_disbursement, asked, START)
    assert heard(life) == ["disbursement_result"]


@pytest.mark.parametrize(
    ("kind", "until", "expected"),
    [
        ("term_loan", date(2018, 3, 16), ["repayment_due_day_soon", "loan_is_late"]),
        (REVOLVING_CREDIT, date(2018, 3, 1), ["statement_ready"]),
    ],
)
def test_an_old_disbursement_is_told_before_what_came_of_it(
    kind: str, until: date, expected: list[str]
) -> None:
    revolving = {"statement_day": 1, "minimum_repayment_amount": Decimal(10)}
    agreed = {"kind": kind, **(revolving if kind == REVOLVING_CREDIT else {})}
    life = Life(terms(**agreed), START)
    asked = life.tells(disbursing.disburse, Decimal(12000), loans.Asked()).transaction
    life.day = until
    heard(life)
    life.tells(disbursing.apply_disbursement, asked, START)
    assert heard(life) == ["disbursement_result", *expected]


def test_a_disbursement_that_comes_back_is_told_before_the_closing() -> None:
    life = started().goes_to(date(2018, 3, 1))
    life.repays("100")
    heard(life)
    back = life.of("disbursement")[0]
    life.tells(disbursing.return_disbursement, back, "account_closed")
    assert life.account.status == "closed"
    assert heard(life) == ["repayment_result", "loan_closed"]


def test_the_end_of_a_chargeback_is_told_before_the_closing() -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.confirms(made, DUE).goes_to(date(2018, 3, 19))
    taken = life.charges_back(life.now(made))
    whole = retelling.Loan(life.terms, life.account, tuple(life.batches))
    outcome = payments.give_back(whole, moment(life.day), life.now(taken))
    told = causes_first(outcome.events)
    assert outcome.account.status == "closed"
    assert [(one.name, one.data.get("id"), one.data.get("status")) for one in told] == [
        ("repayment_result", made.id, "applied"),
        ("loan_closed", None, None),
    ]


def test_behind_a_closed_statement_the_repayment_that_takes_its_place_is_told() -> None:
    agreed = {"kind": REVOLVING_CREDIT, "statement_day": 1, "repayment_date_period": 20}
    life = started(**agreed, minimum_repayment_amount=Decimal(100)).goes_to(date(2018, 2, 20))
    waiting = life.repays("500")
    life.goes_to(date(2018, 2, 25))
    taken = life.charges_back(waiting)
    life.goes_to(date(2018, 3, 5))
    heard(life)
    life.cancels_chargeback(taken)
    assert heard(life) == ["repayment_result"]


def test_a_chargeback_says_whose_money_it_takes() -> None:
    life = started().goes_to(date(2018, 2, 20))
    paid = life.repays("500")
    outcome = chargebacks.charge_back(life.terms, life.account, moment(life.day), paid, "disputed")
    [event] = [one for one in outcome.events if one.name == "repayment_charged_back"]
    assert event.data["repayment"] == paid.id != event.data["id"]


def test_a_row_that_a_failure_brings_back_is_announced_once() -> None:
    """Settled before it was near, owed again when it is: the borrower has to hear of it."""
    life = started().goes_to(date(2018, 3, 6))
    waiting = life.repays(pence(life.account.balances.total), confirmed=False)
    life.goes_to(DUE - timedelta(days=3))
    assert "repayment_due_day_soon" not in heard(life)
    life.fails(waiting)
    assert heard(life).count("repayment_due_day_soon") == 1
    life.goes_to(DUE)
    assert "repayment_due_day_soon" not in heard(life)


def test_what_was_announced_is_not_announced_again_by_a_failure() -> None:
    life = started().goes_to(DUE - timedelta(days=4))
    assert "repayment_due_day_soon" in heard(life)
    life.fails(life.repays("100", confirmed=False))
    assert "repayment_due_day_soon" not in heard(life)
