"""What an investor is due: payment by payment, by whose the loan was, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import chargebacks, disbursing, loans, postings, reports, servicing
from chalicelib.domain.account import LINE_OF_CREDIT
from chalicelib.domain.blackmoon import Cession
from chalicelib.domain.errors import Invalid
from chalicelib.domain.ledger import Balances, Transaction
from chalicelib.domain.money import PENNY, ZERO, pence
from chalicelib.domain.ownership import Holding, holder, holder_on
from chalicelib.domain.servicing import Entry, Part, Recorded, Sale, Settlement
from tests.domain.lives import begins, moment, terms
from tests.domain.moving import all_products, move, moves
from tests.domain.test_account_properties import START
from tests.domain.test_known import Archive

DAY = date(2018, 2, 9)
FEE = Decimal("0.1525")
AMOUNTS = st.decimals(Decimal("-9999.99"), Decimal("99999.99"), places=2)
FEES = st.decimals(ZERO, Decimal(1), places=4)
_ids = count()


def cession(kind: str, on: date, price: str = "1000.00", **more: object) -> Cession:
    given: dict[str, object] = {"servicing_fee": FEE, "investor_legal_entity_id": "24"}
    made = {**given, **more} if kind != "reverse" else {"investor_legal_entity_id": "24", **more}
    return Cession(f"c{next(_ids)}", "l", kind, on, Decimal(price), **made)  # type: ignore[arg-type]


def told(what: Cession, on: date | None = None, changed: date | None = None) -> Recorded:
    """Recorded on its own day, unless told otherwise."""
    on = on or what.day
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    return Recorded(what, at, on, changed or on)


def sold(*recorded: Recorded, day: date = date.max) -> Sale:
    found = servicing.known(recorded, day)
    assert found is not None
    return found


# --- one payment ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "fee", "expected"),
    [
        ("100.00", "0.1525", ("100.00", "15.25", "84.75")),  # as Blackmoon's API has it
        ("-100.00", "0.1525", ("-100.00", "-15.25", "-84.75")),
        ("0.10", "0.05", ("0.10", "0.01", "0.09")),  # half a penny goes up
        ("-0.10", "0.05", ("-0.10", "-0.01", "-0.09")),
        ("0.09", "0.05", ("0.09", "0.00", "0.09")),
        ("169.03", "0", ("169.03", "0.00", "169.03")),
        ("169.03", "1", ("169.03", "169.03", "0.00")),
    ],
)
def test_the_parts_of_a_payment(amount: str, fee: str, expected: tuple[str, str, str]) -> None:
    part = servicing.split(Decimal(amount), Decimal(fee))
    assert (str(part.collected), str(part.servicing_fee), str(part.payable)) == expected


@given(AMOUNTS, FEES)
def test_the_parts_are_the_payment_and_the_fee_is_off_by_half_a_penny_at_most(
    amount: Decimal, fee: Decimal
) -> None:
    part = servicing.split(amount, fee)
    assert part.payable + part.servicing_fee == part.collected == amount
    assert abs(part.servicing_fee - amount * fee) <= PENNY / 2
    assert part.servicing_fee == pence(part.servicing_fee)
    assert part.plus(servicing.split(-amount, fee)) == Part(ZERO, ZERO)


def item(kind: str, amount: str, on: date = DAY, **more: object) -> Transaction:
    given: dict[str, object] = {"id": f"t{next(_ids)}", "loan": "l", "seq": 1, "status": "applied"}
    dates = {"effective_date": on, "processing_date": on, "created_at": begins(on)}
    rest = {"split": Balances(), "after": Balances(), "amount": Decimal(amount), "type": kind}
    return Transaction(**{**given, **dates, **rest, **more})  # type: ignore[arg-type]


def test_money_from_and_to_the_borrower_counts_once_it_is_applied() -> None:
    assert servicing.collected(item("repayment", "10")) == 10
    assert servicing.collected(item("chargeback", "10")) == -10
    assert servicing.collected(item("refund", "7.004")) == -7
    for kind in set(postings.POSTINGS) - set(servicing.COLLECTED):
        assert servicing.collected(item(kind, "10")) == 0
    for status in ("pending", "failed", "reverted"):
        assert servicing.collected(item("repayment", "10", status=status, origin="partner")) == 0


def test_a_disbursement_that_came_back_was_not_collected() -> None:
    paid = item("disbursement", "100")
    back = item("repayment", "100", compensates=paid.id, origin="provider")
    again = item("repayment", "20", compensates="a chargeback", origin="provider")
    holding = Holding("24", FEE, DAY)
    assert servicing.returns([paid, back, again]) == {back.id}
    found = servicing.entries([paid, back, again], [holding])
    assert found == [Entry("24", "repayment", Part(Decimal(20), Decimal("3.05")))]


def test_whose_a_payment_is_its_effective_date_says() -> None:
    held = [
        Holding("24", Decimal("0.1"), DAY, DAY + timedelta(days=2)),
        Holding("26", Decimal("0.2"), DAY + timedelta(days=3)),
    ]
    days = [DAY + timedelta(days=n) for n in range(-1, 5)]
    late = DAY + timedelta(days=30)  # when it became known does not matter for that
    items = [item("repayment", "10", on, processing_date=late) for on in days]
    assert [(one.investor, one.part.servicing_fee) for one in servicing.entries(items, held)] == [
        ("24", 1), ("24", 1), ("26", 2), ("26", 2),
    ]  # fmt: skip


# --- what was known of a loan's sales -------------------------------------------------------------


def test_a_cession_is_known_from_the_day_on_which_it_was_recorded() -> None:
    d3, d5, d9 = (DAY + timedelta(days=n) for n in (3, 5, 9))
    sale = [told(cession("direct", DAY)), told(cession("reverse", d3), on=d9)]
    assert servicing.known(sale, DAY - timedelta(days=1)) is None
    assert sold(*sale, day=d5).holdings == (Holding("24", FEE, DAY),)
    assert sold(*sale, day=d9).holdings == (Holding("24", FEE, DAY, d3),)
    assert sold(*reversed(sale), day=d9).holdings == sold(*sale, day=d9).holdings


def test_of_one_instant_the_sale_comes_before_its_reversal() -> None:
    sale = [told(cession("reverse", DAY)), told(cession("direct", DAY))]
    assert sold(*sale).holdings == (Holding("24", FEE, DAY, DAY),)


def test_a_reversal_that_was_told_otherwise_since_stands_as_it_was_recorded() -> None:
    d2, d5, d9 = (DAY + timedelta(days=n) for n in (2, 5, 9))
    sale = [
        told(cession("direct", DAY)),
        told(cession("topup", DAY, "200.00")),
        told(cession("reverse", d2, "1100.00"), on=d5, changed=d9),
    ]
    before, after = sold(*sale, day=d5), sold(*sale, day=d9)
    assert (before.holdings[0].until, before.cessions[-1].price) == (d5, Decimal("1200.00"))
    assert (after.holdings[0].until, after.cessions[-1].price) == (d2, Decimal("1100.00"))


# --- the books ------------------------------------------------------------------------------------


def standing(life: Archive, recorded: Sequence[Recorded], day: date | None = None) -> Recorded:
    day = day or life.day
    found = reports.standing(life.terms, life.account, life.journal_of(day), moment(day))
    return replace(found, sale=servicing.known(recorded, day))  # type: ignore[return-value]


def nets(life: Archive, recorded: Sequence[Recorded]) -> dict[str, Decimal]:
    stood: reports.Standing = standing(life, recorded)  # type: ignore[assignment]
    return postings.nets(stood.transactions, stood.runs, stood.sale)


def moved(life: Archive, recorded: Sequence[Recorded]) -> dict[str, Decimal]:
    """What the sale makes of the accounts, besides what the loan itself posts."""
    with_sale, without = nets(life, recorded), nets(life, ())
    found = {name: with_sale[name] - without[name] for name in with_sale}
    return {name: net for name, net in found.items() if net}


def texts(found: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(pence(net)) for name, net in found.items()}


def test_a_loan_that_is_sold_as_it_is_paid_out_passes_on_all_but_the_fees() -> None:
    sale = [told(cession("direct", DAY, "12000.00", origination_fee=Decimal("120")))]
    life = Archive(terms(), DAY).disburses("12000")
    assert texts(moved(life, sale)) == {
        "loans_sold": "-12000.00",
        "cession_clearing": "12120.00",
        "origination_fee_income": "-120.00",
    }
    life.goes_to(date(2018, 2, 19)).fee("10").repays("100.00")
    assert texts(moved(life, sale)) == {
        "loans_sold": "-11949.45",  # 39.45 of interest and the fee, less 100.00
        "cession_clearing": "12120.00",
        "investors_payable": "-84.75",
        "servicing_fee_income": "-15.25",
        "origination_fee_income": "-120.00",
        "investors_share": "49.45",
    }
    owed = life.view().account.balances.total
    assert pence(owed) == Decimal("11949.45")


def test_a_topup_repeats_the_origination_fee_and_owes_it_no_second_time() -> None:
    """It is the whole loan's, computed for its amount, however much of it was paid out at first."""
    fee = Decimal("120")
    sale = [
        told(cession("direct", DAY, "9000.00", origination_fee=fee)),
        told(cession("topup", DAY, "3000.00", origination_fee=fee)),
    ]
    life = Archive(terms(kind=LINE_OF_CREDIT, installments=0), DAY)
    life.disburses("9000").disburses("3000")
    assert texts(moved(life, sale)) == {
        "loans_sold": "-12000.00",
        "cession_clearing": "12120.00",
        "origination_fee_income": "-120.00",
    }


def test_a_loan_that_is_sold_later_and_bought_back_leaves_the_difference_in_prices() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 19))
    sale = [told(cession("direct", life.day, "12100.00"))]
    life.goes_to(date(2018, 2, 20))
    at_sale = life.view().account.balances.total - Decimal("3.9452054795") * 2  # as day 19 began
    found = moved(life, sale)
    assert found["sale_results"] == at_sale - 12100
    assert found["loans_sold"] == -life.view().account.balances.total
    life.repays("500.00")
    life.goes_to(date(2018, 2, 25))
    sale.append(told(cession("reverse", life.day, "11600.00")))
    found = moved(life, sale)
    assert "loans_sold" not in found
    assert found["cession_clearing"] == 500
    assert found["investors_payable"] == Decimal("-423.75")
    as_it_began = life.view().account.balances.total - life.of("interest")[0].amount
    assert found["sale_results"] == at_sale - 12100 - as_it_began + 11600
    life.goes_to(date(2018, 3, 20)).repays("100.00")
    assert moved(life, sale) == found, "what comes later is not the investor's"


def test_money_on_its_way_is_the_investors_and_not_payable_yet() -> None:
    sale = [told(cession("direct", DAY, "12000.00"))]
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    before = moved(life, sale)
    waiting = life.repays("500", confirmed=False)
    assert moved(life, sale) == before
    life.goes_to(date(2018, 2, 21)).tells(loans.apply_repayment, waiting)
    assert moved(life, sale)["investors_payable"] == Decimal("-423.75")


def test_what_is_lost_of_a_sold_loan_is_the_investors_loss() -> None:
    sale = [told(cession("direct", DAY, "12000.00"))]
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    life.tells(loans.close, "gone", "written_off")
    assert nets(life, sale)["losses"] == life.account.written_off
    assert texts(moved(life, sale)) == {
        "cession_clearing": "12000.00", "investors_share": "-12000.00",
    }  # fmt: skip


def test_a_disbursement_that_came_back_is_paid_for_by_the_reversal() -> None:
    sale = [told(cession("direct", DAY, "12000.00"))]
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 12))
    life.tells(disbursing.return_disbursement, life.of("disbursement")[0], "no account")
    assert life.account.status == "inactive" and known(life, sale) == []
    life.goes_to(date(2018, 2, 13))
    sale.append(told(cession("reverse", life.day, "12000.00")))
    assert moved(life, sale) == {}, "bought and sold back at one price, and nothing was earned"


def test_what_is_held_for_the_borrower_passes_over_with_the_loan() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 3, 10))
    life.repays(life.view().next_repayment_amount)  # type: ignore[arg-type]
    assert life.account.overpayment > 0
    life.goes_to(date(2018, 3, 12))
    sale = [told(cession("direct", life.day, "11000.00"))]
    account = life.view().account
    assert moved(life, sale)["loans_sold"] == account.overpayment - account.balances.total
    life.goes_to(date(2018, 3, 13)).tells(loans.close, "gone", "written_off")
    [refund] = life.of("refund")
    part = servicing.split(-refund.amount, FEE)
    found = moved(life, sale)
    assert "loans_sold" not in found and found["investors_payable"] == -part.payable > 0
    life.goes_to(date(2018, 3, 20))
    check(life, sale)


def test_a_loan_sold_before_it_is_paid_out_posts_nothing() -> None:
    sale = [told(cession("direct", DAY, "12000.00"))]
    life = Archive(terms(), DAY)
    assert moved(life, sale) == {}
    life.disburses("12000")
    assert moved(life, sale)["loans_sold"] == -12000


def test_every_type_of_transaction_and_of_cession_has_its_lines() -> None:
    assert set(postings.RESTS) == set(postings.POSTINGS)
    for kind, legs in postings.CESSION_POSTINGS.items():
        made = cession(kind, DAY, origination_fee=Decimal("9.99"))
        assert sum((line.net for line in postings.cession_lines(made)), ZERO) == 0
        assert len(postings.cession_lines(made)) == len(legs)
    for kind in postings.POSTINGS:
        one = item(kind, "10.00", split=Balances(Decimal(7), Decimal(2), Decimal(1)))
        assert sum((line.net for line in postings.investor_lines(one, FEE)), ZERO) == 0


def test_less_than_half_a_penny_that_is_given_back_to_nobody_leaves_the_overpayment() -> None:
    dust = item("rounding", "0.00", overpayment=Decimal("-0.003"))
    assert [(line.account, str(line.net)) for line in postings.lines(dust)] == [
        ("overpayments_held", "0.003"), ("rounding_differences", "-0.003"),
    ]  # fmt: skip


# --- a month --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "last"),
    [
        (date(2018, 1, 1), date(2018, 1, 31)),
        (date(2016, 2, 1), date(2016, 2, 29)),
        (date(2017, 12, 1), date(2017, 12, 31)),
        (date(2018, 2, 1), DAY),
    ],
)
def test_a_month_lasts_to_its_end_or_to_today(month: date, last: date) -> None:
    assert servicing.period(month, DAY) == last


def test_a_month_that_has_not_begun_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        servicing.period(date(2018, 3, 1), date(2018, 2, 28))
    assert [(flaw.field, flaw.code) for flaw in refused.value.flaws] == [("month", "out_of_range")]


def test_a_row_is_what_has_come_and_gone_of_one_investors_money() -> None:
    ten, other = (Entry(who, "repayment", Part(Decimal(10), Decimal(1))) for who in ("24", "26"))
    back = Entry("24", "chargeback", Part(Decimal(-10), Decimal(-1)))
    month = Settlement("24", date(2018, 2, 1))
    month.add("still", [ten], [ten])
    month.add("new", [ten], [ten, ten, other])
    month.add("gone", [ten], [other])
    month.add("both", [], [ten, back])
    assert [(row.loan, row.part) for row in month.rows] == [
        ("new", Part(Decimal(10), Decimal(1))),
        ("gone", Part(Decimal(-10), Decimal(-1))),
        ("both", Part(Decimal(0), Decimal(0))),
    ]
    assert (month.totals, month.totals.payable) == (Part(Decimal(0), Decimal(0)), 0)


def test_a_chargeback_after_the_sale_back_is_not_the_investors() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    sale = [told(cession("direct", DAY))]
    paid = life.repays("500")
    life.goes_to(date(2018, 3, 5))
    sale.append(told(cession("reverse", life.day)))
    life.tells(chargebacks.charge_back, paid, "disputed")
    assert [one.type for one in known(life, sale)] == ["repayment"]


def test_a_revert_takes_back_what_was_settled_in_the_month_in_which_it_is_done() -> None:
    life = Archive(terms(), DAY).disburses("12000").goes_to(date(2018, 2, 20))
    sale = [told(cession("direct", DAY))]
    paid = life.repays("500")
    life.goes_to(date(2018, 2, 28))
    february = known(life, sale)
    life.goes_to(date(2018, 3, 5)).reverts(life.now(paid))
    assert known(life, sale, date(2018, 2, 28)) == february != []
    assert known(life, sale) == []


def known(life: Archive, sale: Sequence[Recorded], day: date | None = None) -> list[Entry]:
    stood: reports.Standing = standing(life, sale, day)  # type: ignore[assignment]
    held = stood.sale.holdings if stood.sale else ()
    return servicing.entries(stood.transactions, held)


def total(found: Sequence[Entry]) -> Part:
    part = Part()
    for one in found:
        part = part.plus(one.part)
    return part


def check(life: Archive, sale: Sequence[Recorded]) -> None:
    """The books of a loan with its sales: what holds whatever happens."""
    found, by_itself = nets(life, sale), nets(life, ())
    assert sum(found.values(), ZERO) == 0
    account, due = life.view().account, total(known(life, sale))
    mirrored = postings.held(account.balances, account.overpayment)
    assert {name: found[name] for name in mirrored} == mirrored
    for name in ("cash_clearing", "repayments_in_transit", "interest_income", "losses"):
        assert found[name] == by_itself[name]
    assert (found["investors_payable"], found["servicing_fee_income"]) == (
        -due.payable, -due.servicing_fee,
    )  # fmt: skip
    stood: reports.Standing = standing(life, sale)  # type: ignore[assignment]
    if stood.sale is None or not any(
        one.type == "disbursement" and one.counts for one in stood.transactions
    ):
        return
    on_its_way = sum(
        one.amount
        for one in stood.transactions
        if one.status == "pending" and one.counts
        and holder_on(stood.sale.holdings, one.effective_date)
    )  # fmt: skip
    owns = holder(stood.sale.holdings)
    owned = account.balances.total - account.overpayment if owns else ZERO
    assert found["loans_sold"] == -owned - on_its_way


SALES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), max_size=3)


@settings(max_examples=120, deadline=None)
@given(all_products, moves, SALES, st.booleans())
def test_a_month_that_is_over_never_changes_and_all_months_are_all(
    agreed: object, acts: list[tuple[str, int, int]], sales: list[tuple[int, int, int]], daily: bool
) -> None:
    """Each act ends a "month"; a sale or a reversal is recorded with some, dated back or not."""
    life = Archive(agreed, START).disburses("10000")  # type: ignore[arg-type]
    recorded: list[Recorded] = []
    seen: dict[date, list[Entry]] = {}
    owned = False
    for step, (what, days, share) in enumerate([*acts, ("wait", 9, 1)]):
        for at, back, investor in sales:
            if at == step:
                kind = "reverse" if owned else "direct"
                day = max(START, life.day - timedelta(days=back))
                made = cession(kind, day, investor_legal_entity_id=str(24 + investor % 2))
                recorded.append(told(made, on=life.day))
                recorded[-1] = recorded[-1]._replace(
                    at=recorded[-1].at + timedelta(seconds=len(recorded))
                )
                owned = not owned
        check(life, recorded)
        seen[life.day] = sorted(known(life, recorded))
        life.goes_to(life.day + timedelta(days=days), daily=daily)
        if what != "mandate":
            move(life, what, share)
    for day, then in seen.items():
        assert sorted(known(life, recorded, day)) == then, day
    for investor in ("24", "25"):
        summed, before = Part(), list[Entry]()
        for day in sorted({*seen, life.day}):
            after = known(life, recorded, day)
            month = Settlement(investor, day.replace(day=1))
            month.add("l", before, after)
            summed, before = summed.plus(month.totals), after
        mine = [one for one in known(life, recorded) if one.investor == investor]
        assert summed == total(mine)
