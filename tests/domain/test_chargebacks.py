"""Money that a provider takes back, and gives back again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import loans
from chalicelib.domain.account import LINE_OF_CREDIT
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import PENNY, pence
from tests.domain.lives import Life, terms
from tests.domain.test_account_properties import START, agreements
from tests.domain.test_rebuild import account_of, live
from tests.domain.test_statements import revolving
from tests.rules.plain import balances, line, on

DUE = date(2018, 3, 14)


def started(**agreed: object) -> Life:
    return Life(terms(**agreed), date(2018, 2, 9)).disburses("12000")


def collected(until: date, **agreed: object) -> tuple[Life, object]:
    life = started(**agreed).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.confirms(made, DUE)
    return life.goes_to(until), life.now(made)


def test_a_chargeback_puts_the_split_back_and_lateness_counts_from_the_original_due_date() -> None:
    life, made = collected(date(2018, 3, 19))
    before = life.account.balances
    taken = life.charges_back(made)  # type: ignore[arg-type]
    assert (taken.type, taken.origin, taken.effective_date, taken.compensates) == (
        "chargeback",
        "provider",
        date(2018, 3, 19),
        made.id,  # type: ignore[attr-defined]
    )
    assert taken.split == made.split  # type: ignore[attr-defined]
    assert life.account.balances == before.plus(taken.split)
    assert life.now(made).status == "applied"  # type: ignore[arg-type]
    assert (life.account.status, life.account.late_since) == ("late", date(2018, 3, 15))
    assert life.view().days_past_due == 5
    assert life.events[-2:] == ["repayment_charged_back", "loan_is_late"]
    assert life.folded() == life.account.balances
    assert len(life.goes_to(date(2018, 3, 20)).automatic()) == 1, "no automatic retry"


def test_a_charged_back_row_is_overdue_in_the_schedule_and_paid_when_it_is_repaid() -> None:
    life, made = collected(date(2018, 3, 19))
    assert life.schedule()[0].status == "paid"
    life.charges_back(made)  # type: ignore[arg-type]
    row = life.schedule()[0]
    assert (row.status, row.paid_principal, row.paid_at) == ("overdue", 0, None)
    life.repays("2070.58")
    assert (life.account.status, life.schedule()[0].status) == ("active", "paid")


def test_a_charged_back_closed_loan_reopens() -> None:
    life = started(installments=1).with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.confirms(made, DUE)
    assert life.account.status == "closed"
    life.goes_to(date(2018, 4, 20))
    life.charges_back(life.now(made))
    assert life.account.status == "arrears"
    assert (life.account.close_reason, life.account.close_substatus) == ("", "")
    assert (life.account.late_since, life.view().days_past_due) == (date(2018, 3, 15), 37)
    assert pence(life.account.balances.total) == made.amount
    nights = life.goes_to(date(2018, 4, 22)).account.interest - life.now(made).split.interest
    assert pence(nights) == Decimal("7.89"), "two nights: none while it was closed"
    life.repays(pence(life.account.balances.total))
    assert life.account.status == "closed"


def test_a_cancelled_chargeback_is_as_if_it_had_never_been() -> None:
    life, made = collected(date(2018, 3, 19))
    twin, _ = collected(date(2018, 3, 30))
    taken = life.charges_back(made)  # type: ignore[arg-type]
    life.goes_to(date(2018, 3, 30)).cancels_chargeback(taken)
    assert account_of(life) == account_of(twin)
    assert live(life) == live(twin)
    assert life.now(taken).status == "reverted"


def test_a_late_failure_is_recalculated_as_a_failed_repayment_on_a_closed_loan_too() -> None:
    life, twin = started(installments=1), started(installments=1)
    life.with_mandate().goes_to(date(2018, 3, 16))
    (made,) = life.automatic()
    life.confirms(made, DUE)
    assert life.account.status == "closed"
    life.goes_to(date(2018, 4, 2)).fails(life.now(made))
    twin.goes_to(date(2018, 4, 2))
    assert life.account.status == twin.account.status == "arrears"
    assert account_of(life) == account_of(twin)
    assert live(life) == live(twin)


def test_a_manual_repayment_that_is_charged_back_opens_the_row_that_it_was_made_for() -> None:
    life = started().goes_to(DUE)
    paid = life.repays("2070.58")
    life.goes_to(date(2018, 3, 20)).charges_back(paid)
    assert life.account.billed[0].due == DUE
    assert life.view().days_past_due == 6


def test_a_prepayment_that_is_charged_back_is_due_when_the_row_is() -> None:
    life = started().goes_to(date(2018, 3, 10))
    paid = life.repays("2070.58")
    life.charges_back(paid)
    assert (life.account.status, life.account.billed, life.account.prepaid) == ("active", (), 0)
    assert life.account.overpayment == 0
    life.goes_to(date(2018, 3, 15))
    assert life.account.status == "late"


@pytest.mark.parametrize(
    ("amounts", "number", "missing", "status"),
    [
        (["75"], 0, ["75"], "late"),
        (["100"], 0, ["75"], "late"),
        (["75", "25"], 1, [], "active"),  # more than was asked for: the next statement asks
        (["50", "50"], 1, ["25"], "late"),  # 25 of it had counted
    ],
)
def test_a_chargeback_asks_for_what_had_counted_towards_the_minimum(
    amounts: list[str], number: int, missing: list[str], status: str
) -> None:
    life = revolving().disburses("1000").goes_to(date(2026, 2, 10))  # 75.00 by the 25th
    paid = [life.repays(amount) for amount in amounts]
    life.goes_to(date(2026, 3, 2)).charges_back(paid[number])
    assert [one.missing for one in life.account.minimums] == [Decimal(m) for m in missing]
    assert [one.due for one in life.account.minimums] == [date(2026, 2, 25)] * len(missing)
    assert life.account.status == status


def test_only_a_confirmed_repayment_is_charged_back() -> None:
    life = started().goes_to(DUE)
    waiting = life.repays("100", confirmed=False)
    with pytest.raises(Refused) as refused:
        life.charges_back(waiting)
    assert refused.value.code == "invalid_status"


def test_a_line_of_credit_is_late_until_as_much_is_repaid_as_failed_or_was_taken_back() -> None:
    life = Life(terms(kind=LINE_OF_CREDIT, installments=0), date(2018, 2, 9)).disburses("5000")
    life.with_mandate().goes_to(date(2018, 3, 1))
    waiting = life.repays("300", confirmed=False)
    assert waiting.provider == "gocardless"
    life.goes_to(date(2018, 3, 5)).fails(waiting)
    assert (life.account.status, life.account.late_since) == ("late", date(2018, 3, 5))
    assert life.view().days_past_due == 4
    assert life.view().next_repayment_amount == 300
    life.repays("299.99")
    assert life.account.status == "late"
    life.repays("0.01")
    assert life.account.status == "active"
    paid = life.repays("200")
    life.goes_to(date(2018, 3, 9)).charges_back(paid)
    assert (life.account.status, life.account.late_since) == ("late", date(2018, 3, 9))


acts = st.lists(
    st.tuples(
        st.sampled_from(["due", "part", "early", "charge_back", "late_fail", "cancel", "fee"]),
        st.integers(0, 40),
        st.integers(1, 99),
    ),
    max_size=10,
)


def act(life: Life, what: str, percent: int) -> None:
    view = life.view()
    owed = pence(view.account.balances.total - view.account.overpayment)
    taken = [one for one in life.of("chargeback") if one.status == "applied"]
    back = {one.compensates for one in taken}
    paid = [t for t in life.of("repayment") if t.status == "applied" and t.id not in back]
    open_loan = view.account.status != "closed"
    match what:
        case "due" if open_loan and view.next_repayment_amount:
            life.repays(view.next_repayment_amount)
        case "part" if open_loan and view.next_repayment_amount:
            life.repays(max(PENNY, pence(view.next_repayment_amount * percent / 100)))
        case "early" if open_loan and owed > 0:
            life.repays(max(PENNY, pence(owed * percent / 100)))
        case "charge_back" if paid:
            life.charges_back(paid[percent % len(paid)])
        case "late_fail" if paid:
            life.fails(paid[percent % len(paid)])
        case "cancel" if taken:
            life.cancels_chargeback(taken[percent % len(taken)])
        case "fee" if open_loan:
            life.fee("5.55")


@settings(max_examples=120, deadline=None)
@given(agreements, st.booleans(), acts)
def test_lives_with_chargebacks_keep_the_books(
    agreed: object, mandate: bool, happened: list[tuple[str, int, int]]
) -> None:
    life = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    if mandate:
        life.with_mandate()
    for what, days, percent in happened:
        life.goes_to(life.day + timedelta(days=days), daily=percent % 2 == 0).tells_nothing()
        act(life, what, percent)
        account = life.account
        assert life.folded() == account.balances
        assert min(account.balances) >= Decimal("-1e-9"), account.balances
        if account.status == "closed":
            assert not any(account.balances)
        else:
            retold = life.retold()
            for name in ("as_of", "balances", "overpayment", "billed", "late_since",
                         "arrears_since"):  # fmt: skip
                assert getattr(retold, name) == getattr(account, name), name
        assert len({one.id for one in life.transactions()}) == len(life.transactions())
        assert all(row.status for row in life.schedule())


def _reopened_by_a_chargeback() -> tuple[Life, Transaction]:
    """A line of credit that was written off, open again for 500.00 that were charged back."""
    life = line().goes_to(on("01-20"))
    paid = life.repays("500")
    life.goes_to(on("01-25")).tells(loans.close, "gone", "written_off")
    taken = life.goes_to(on("01-30")).charges_back(paid)
    assert (life.account.status, balances(life)) == ("late", "495.00 5.00 0.00")
    return life, taken


def test_a_fee_of_a_loan_that_was_never_reopened_goes_with_what_had_reopened_it() -> None:
    life, taken = _reopened_by_a_chargeback()
    life.fee("25").repays("10")
    life.goes_to(on("02-05")).cancels_chargeback(taken)
    assert (life.account.status, balances(life)) == ("closed", "0.00 0.00 0.00")
    assert [(one.status, one.reverted_by) for one in life.of("fee")] == [("reverted", taken.id)]
    assert [pence(one.amount) for one in life.of("refund")] == [Decimal("10.00")]
    assert life.folded() == life.account.balances


def test_what_was_paid_out_meanwhile_is_owed_though_the_chargeback_was_cancelled() -> None:
    life, taken = _reopened_by_a_chargeback()
    life.repays("500")
    life.goes_to(on("02-01")).disburses("365")  # 0.10 a night
    life.goes_to(on("02-05")).cancels_chargeback(taken)
    assert (life.account.status, life.account.close_substatus) == ("active", "")
    assert balances(life) == "365.00 0.40 0.00"
    assert life.folded() == life.account.balances == life.retold().balances
    assert balances(life.goes_to(on("02-15"))) == "365.00 1.40 0.00"
