"""Trial balance and portfolio: what a loan adds, as known at the end of any day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import known, loans, postings, reports
from chalicelib.domain.errors import Invalid
from chalicelib.domain.ledger import Balances
from chalicelib.domain.money import pence
from chalicelib.domain.reports import Portfolio, Standing, TrialBalance, bucket
from tests.domain.lives import Life, moment, terms
from tests.domain.moving import all_products, move, moves
from tests.domain.test_account_properties import START
from tests.domain.test_known import Archive

DAY = date(2018, 2, 9)


def standing(life: Life, day: date | None = None) -> Standing:
    day = day or life.day
    batches = life.journal_of(day) if isinstance(life, Archive) else life.batches
    return reports.standing(life.terms, life.account, batches, moment(day))


def figures(loan: Standing) -> tuple[object, ...]:
    account = loan.account
    return (
        account.status,
        account.balances,
        account.overpayment,
        loan.days_past_due,
        postings.nets(loan.transactions, loan.runs),
    )


def balance(*loans_: Standing) -> TrialBalance:
    made = TrialBalance(DAY)
    for loan in loans_:
        made.add(loan)
    return made


def shown(report: TrialBalance) -> dict[str, Decimal]:
    return {line.account: line.net for line in report.accounts if line.net}


# --- a day ----------------------------------------------------------------------------------------


def test_a_report_is_of_the_business_date_or_an_earlier_day() -> None:
    assert reports.report_day(None, DAY) == DAY
    assert reports.report_day(DAY, DAY) == DAY
    assert reports.report_day(date(1999, 1, 1), DAY) == date(1999, 1, 1)
    with pytest.raises(Invalid) as refused:
        reports.report_day(DAY + timedelta(days=1), DAY)
    assert [(flaw.field, flaw.code) for flaw in refused.value.flaws] == [("date", "out_of_range")]


@pytest.mark.parametrize(
    ("days", "name"),
    [(0, "0"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
     (90, "61-90"), (91, "90+"), (4000, "90+")],
)  # fmt: skip
def test_a_number_of_days_falls_into_one_bucket(days: int, name: str) -> None:
    assert bucket(days) == name


# --- trial balance --------------------------------------------------------------------------------


def test_every_account_of_the_chart_is_shown_with_two_decimals() -> None:
    empty = balance()
    assert [line.account for line in empty.accounts] == list(postings.CHART)
    assert {str(side) for line in empty.accounts for side in line[1:]} == {"0.00"}
    assert (str(empty.total_debit), str(empty.total_credit)) == ("0.00", "0.00")


def test_a_loan_shows_what_it_owes_and_what_it_earned() -> None:
    life = Life(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 19)).fee("10")
    assert shown(balance(standing(life))) == {
        "loan_principal": Decimal("12000.00"),
        "interest_receivable": Decimal("39.45"),
        "fees_receivable": Decimal("10.00"),
        "cash_clearing": Decimal("-12000.00"),
        "interest_income": Decimal("-39.45"),
        "fee_income": Decimal("-10.00"),
    }


def test_what_a_settled_loan_leaves_is_income_and_the_penny_that_was_rounded() -> None:
    life = Life(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    paid = life.repays(pence(life.account.balances.total)).amount
    assert life.account.status == "closed"
    exact = sum((t.amount for t in life.of("interest")), Decimal(0))
    assert shown(balance(standing(life))) == {
        "cash_clearing": paid - 12000,
        "interest_income": -pence(exact),
    }
    assert paid - 12000 == pence(exact) and exact != pence(exact)


def test_a_thousand_loans_foot_to_the_penny_and_agree_with_what_they_show() -> None:
    life = Life(terms(rate=Decimal("17.3")), DAY).disburses("777.77").goes_to(date(2018, 2, 16))
    one = standing(life)
    report = balance(*[one] * 1000)
    assert report.total_debit == report.total_credit
    assert report.total_debit == sum(line.debit for line in report.accounts)
    assert report.total_credit == sum(line.credit for line in report.accounts)
    owed = life.view().account.balances
    assert shown(report)["interest_receivable"] == 1000 * pence(owed.interest)
    assert shown(report)["interest_receivable"] != pence(1000 * owed.interest)


# --- portfolio ------------------------------------------------------------------------------------


def test_the_book_by_product_status_and_days_past_due() -> None:
    def at(day: date, product: str, amount: str) -> tuple[str, Standing]:
        life = Life(terms(product=product), DAY).disburses(amount).goes_to(day)
        return product, standing(life)

    closed = Life(terms(product="b"), DAY).disburses("100")
    closed.repays("100")
    book = Portfolio(DAY)
    for product, loan in [
        at(date(2018, 3, 15), "b", "1000"),
        at(date(2018, 4, 20), "a", "1200"),
        at(date(2018, 3, 1), "b", "2000"),
        at(date(2018, 3, 2), "b", "4000"),
        ("b", standing(closed)),
        ("a", standing(Life(terms(product="a"), DAY))),
    ]:
        book.add(product, loan)
    rows = [(*cell, sums.loans, sums.principal) for cell, sums in book.rows]
    assert rows == [
        ("a", "inactive", "0", 1, 0),
        ("a", "arrears", "31-60", 1, 1200),
        ("b", "active", "0", 2, 6000),
        ("b", "late", "1-30", 1, 1000),
        ("b", "closed", "0", 1, 0),
    ]
    assert book.totals.loans == 6
    assert book.totals.principal == 8200
    for name in ("principal", "interest", "fee"):
        assert getattr(book.totals, name) == sum(getattr(sums, name) for _, sums in book.rows)
    assert book.totals.interest == sum((sums.interest for _, sums in book.rows), Decimal(0)) > 0


# --- as it was known ------------------------------------------------------------------------------


def test_what_was_in_transit_then_is_in_transit_as_of_then() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    waiting = life.repays("500", confirmed=False)
    life.goes_to(date(2018, 2, 22)).tells(loans.apply_repayment, waiting)
    then = shown(balance(standing(life, date(2018, 2, 21))))
    assert then["repayments_in_transit"] == 500
    assert "repayments_in_transit" not in shown(balance(standing(life)))


def test_a_refund_of_what_was_left_is_there_as_of_its_day() -> None:
    life = Archive(terms(), DAY).disburses("12000")
    life.goes_to(date(2018, 3, 10))
    life.repays(life.view().next_repayment_amount)  # the coming nights' interest waits
    assert life.account.overpayment > 0
    life.goes_to(date(2018, 3, 12))
    held = life.account.overpayment
    life.tells(loans.close, "sold", "written_off")
    assert life.of("refund")[0].amount == pence(held)
    life.goes_to(date(2018, 3, 20))
    before, after = standing(life, date(2018, 3, 11)), standing(life, date(2018, 3, 12))
    assert (before.account.status, after.account.status) == ("active", "closed")
    assert shown(balance(before))["overpayments_held"] == -pence(held)
    assert "overpayments_held" not in shown(balance(after))
    assert figures(after)[-1] == figures(standing(life))[-1]


def test_a_refund_that_a_late_message_brought_is_there_as_of_its_day() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    life.repays("11900")
    life.goes_to(date(2018, 3, 1))
    owed = pence(life.account.balances.total)
    made = life.repays_as_of(owed, date(2018, 2, 10))  # so that less interest has accrued
    life.goes_to(date(2018, 3, 2)).tells(loans.apply_repayment, made)
    (refund,) = (item for item in life.of("refund") if item.counts)
    assert life.account.status == "closed" and -refund.overpayment > refund.amount > 0
    on_the_day = figures(standing(life))
    life.goes_to(date(2018, 3, 9))
    assert figures(standing(life, date(2018, 3, 2))) == figures(standing(life)) == on_the_day
    # As for an earlier day of a loan that something has been done to since.
    life.account.revised += (date(2018, 3, 8),)
    told = reports.standing(life.terms, life.account, life.batches, moment(date(2018, 3, 2)))
    assert figures(told)[-1] == on_the_day[-1]


def test_a_cancelled_loan_was_inactive_before() -> None:
    life = Archive(terms(), DAY).goes_to(date(2018, 2, 12))
    life.tells(loans.cancel)
    life.goes_to(date(2018, 2, 14))
    statuses = [standing(life, date(2018, 2, day)).account.status for day in (9, 11, 12, 13)]
    assert statuses == ["inactive", "inactive", "cancelled", "cancelled"]


def test_an_open_account_that_was_not_touched_since_needs_no_journal() -> None:
    life = Archive(terms(), DAY).disburses("12000")
    stored = life.account
    life.goes_to(date(2018, 2, 20), daily=False)
    for day in (date(2018, 2, 9), date(2018, 2, 14)):
        assert reports.is_known(stored, day)
        alone = reports.as_it_stands(life.terms, stored, (), moment(day))
        assert figures(alone)[:4] == figures(standing(life, day))[:4]
    assert not reports.is_known(stored, date(2018, 2, 8))
    life.repays("10")
    assert not reports.is_known(life.account, date(2018, 2, 14))
    assert not reports.is_known(Life(terms(), DAY).account, DAY)


@settings(max_examples=120, deadline=None)
@given(all_products, moves, st.booleans())
def test_a_report_of_a_day_is_what_was_reported_on_that_day(
    agreed: object, acts: list[tuple[str, int, int]], daily: bool
) -> None:
    life = Archive(agreed, START).disburses("10000")  # type: ignore[arg-type]
    seen: dict[date, tuple[object, ...]] = {}
    for what, days, share in [*acts, ("wait", 9, 1)]:
        seen[life.day] = figures(standing(life))
        life.goes_to(life.day + timedelta(days=days), daily=daily)
        if what != "mandate":  # what collections make of an earlier day: domain/known.py
            move(life, what, share)
    for day, then in seen.items():
        assert figures(standing(life, day)) == then, day
        nets: dict[str, Decimal] = then[-1]  # type: ignore[assignment]
        mirrored = postings.held(then[1], then[2])  # type: ignore[arg-type]
        assert {name: nets[name] for name in mirrored} == mirrored
        assert sum(nets.values()) == 0


def test_the_day_of_another_telling_reads_that_telling() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 3, 1))
    before = figures(standing(life))
    life.goes_to(date(2018, 3, 5)).repays_as_of("1000", date(2018, 2, 20))
    assert known.revision_of(life.account, date(2018, 3, 1)) == 0
    assert figures(standing(life, date(2018, 3, 1))) == before
    assert figures(standing(life))[1] != before[1]
    assert isinstance(before[1], Balances)
