"""Paying out by a provider: sent again after a failure, and money that comes back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import disbursing, loans
from chalicelib.domain.account import LINE_OF_CREDIT, REVOLVING_CREDIT, Account, DefaultFee
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import pence
from chalicelib.domain.postings import CASH, INTEREST, LOSSES, PRINCIPAL, nets
from tests.domain.lives import Life, terms
from tests.domain.test_account_properties import agreements
from tests.domain.test_rebuild import SAME, account_of

PROVIDER = "gocardless_outbound"
START = date(2018, 2, 9)
SETUP_FEE = (DefaultFee("Setup", "flat", Decimal(25), "disbursement"),)


def asked(life: Life, amount: str = "12000") -> Transaction:
    made = life.tells(disbursing.disburse, Decimal(amount), loans.Asked(), PROVIDER).transaction
    assert made is not None
    return made


def paid(life: Life, amount: str = "12000") -> Transaction:
    done = life.tells(disbursing.apply_disbursement, asked(life, amount)).transaction
    assert done is not None
    return done


def came_back(life: Life, item: Transaction) -> Transaction:
    back = life.tells(disbursing.return_disbursement, life.now(item), "account_closed").transaction
    assert back is not None
    return back


def as_told(life: Life) -> None:
    """The stored account is the telling of its journal."""
    retold, stored = life.retold(), life.view().account
    assert life.folded() == stored.balances
    if stored.status == "closed":  # closing follows once all is told
        assert not any(retold.balances)
        return
    for name in (*SAME, "minimums", "interest_enabled"):
        assert getattr(retold, name) == getattr(stored, name), name


def new(**agreed: object) -> Life:
    return Life(terms(**agreed), START)


# --- failed, and sent again -----------------------------------------------------------------------


def test_a_failed_disbursement_is_sent_again_as_the_same_transaction() -> None:
    life = new()
    first = asked(life)
    life.tells(disbursing.submitted, first, "OUT1")
    assert life.now(first).provider_transaction_id == "OUT1"
    life.tells(disbursing.fail_disbursement, life.now(first), "bank_rejection")
    assert (life.account.pending.principal, life.account.disbursements) == (0, 0)
    life.goes_to(START + timedelta(days=2))
    again = life.tells(disbursing.retry_disbursement, life.now(first), PROVIDER).transaction
    assert again is not None
    assert (again.id, again.status, again.attempt) == (first.id, "pending", 2)
    assert (again.provider_transaction_id, again.failure_reason) == (None, "")
    assert life.account.pending.principal == Decimal(12000)
    life.tells(disbursing.apply_disbursement, again)
    assert life.account.disbursed_on == START + timedelta(days=2)
    assert life.events == ["disbursement_result", "disbursement_result"]
    as_told(life)


def test_sending_again_takes_room_like_a_new_disbursement() -> None:
    life = new(kind=LINE_OF_CREDIT, installments=0)
    first = asked(life, "8000")
    life.tells(disbursing.fail_disbursement, first, "bank_rejection")
    asked(life, "5000")
    with pytest.raises(Refused) as refused:
        life.tells(disbursing.retry_disbursement, life.now(first), PROVIDER)
    assert refused.value.code == "credit_limit_exceeded"


def test_a_term_loan_that_was_paid_out_otherwise_is_not_paid_again() -> None:
    life = new()
    first = asked(life, "5000")
    life.tells(disbursing.fail_disbursement, first, "bank_rejection")
    paid(life, "6000")
    with pytest.raises(Refused) as refused:
        life.tells(disbursing.retry_disbursement, life.now(first), PROVIDER)
    assert refused.value.code == "invalid_status"


@pytest.mark.parametrize("status", ["pending", "applied"])
def test_only_a_failed_one_is_sent_again(status: str) -> None:
    life = new()
    item = asked(life) if status == "pending" else paid(life)
    with pytest.raises(Refused) as refused:
        life.tells(disbursing.retry_disbursement, item, PROVIDER)
    assert refused.value.code == "invalid_status"


# --- come back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agreed", [{}, {"kind": LINE_OF_CREDIT, "installments": 0}], ids=["term loan", "line of credit"]
)
def test_a_loan_whose_only_disbursement_comes_back_is_as_if_never_lent(
    agreed: dict[str, object],
) -> None:
    life = new(**agreed, default_fees=SETUP_FEE)
    item = paid(life)
    life.goes_to(START + timedelta(days=4))
    owed = life.account.interest
    assert pence(owed) == Decimal("15.78")
    back = came_back(life, item)
    assert (back.type, back.origin, back.status) == ("repayment", "provider", "applied")
    assert (back.compensates, back.failure_reason) == (item.id, "account_closed")
    assert (back.effective_date, back.split.principal) == (START + timedelta(days=4), 12000)
    assert life.now(item).status == "applied", "the original stays as it is"
    [given_up] = life.of("write_off")
    assert (given_up.split.interest, given_up.split.fee) == (owed, 25)
    account = life.account
    assert (account.status, account.balances.total, account.overpayment) == ("inactive", 0, 0)
    assert (account.disbursed_on, account.wake, account.late_since) == (None, None, None)
    assert life.events == ["disbursement_result", "repayment_result"]
    as_told(life)
    quiet = life.goes_to(START + timedelta(days=90))
    assert quiet.account.interest == 0 and len(quiet.of("interest")) == 4


def test_the_books_show_cash_that_came_back_and_income_given_up() -> None:
    life = new()
    item = paid(life)
    life.goes_to(START + timedelta(days=4))
    owed = life.account.interest
    came_back(life, item)
    items = [one for batch in life.batches for one in batch.transactions]
    found = nets(items, [run for batch in life.batches for run in batch.runs])
    assert (found[CASH], found[PRINCIPAL], found[INTEREST]) == (0, 0, 0)
    assert found[LOSSES] == owed


def test_it_can_be_paid_out_again_with_a_schedule_of_its_own() -> None:
    life = new()
    first = paid(life)
    life.goes_to(START + timedelta(days=4))
    came_back(life, first)
    life.goes_to(date(2018, 3, 20))
    second = paid(life)
    assert (life.account.status, life.account.disbursed_on) == ("active", date(2018, 3, 20))
    twin = Life(terms(), date(2018, 3, 20))
    paid(twin)
    for one in (life, twin):
        one.goes_to(date(2018, 4, 14)).repays(one.view().next_repayment_amount)
        one.goes_to(date(2018, 6, 1))
    different = ("written_off",)
    names = [name for name in SAME if name not in different]
    view, other = life.view().account, twin.view().account
    assert [getattr(view, n) for n in names] == [getattr(other, n) for n in names]
    as_told(life)
    with pytest.raises(Refused) as refused:
        asked(life, "1")
    assert refused.value.code == "invalid_status"
    assert second.id != first.id


def test_after_a_history_told_anew_it_still_takes_one_disbursement() -> None:
    life = new()
    first = paid(life)
    life.goes_to(START + timedelta(days=4))
    came_back(life, first)
    paid(life, "9000")
    life.goes_to(START + timedelta(days=10))
    life.fails(life.repays("500", confirmed=False))
    assert life.account.disbursements == 1
    assert (life.account.principal, pence(life.account.written_off)) == (9000, Decimal("15.78"))
    as_told(life)


def test_nothing_is_paid_out_as_of_before_another_came_back() -> None:
    life = new()
    first = paid(life)
    life.goes_to(START + timedelta(days=4))
    came_back(life, first)
    life.goes_to(START + timedelta(days=6))
    known = disbursing.came_back(life.transactions())
    assert known == START + timedelta(days=4)
    second = asked(life)
    with pytest.raises(Invalid) as refused:
        life.tells(disbursing.apply_disbursement, second, START + timedelta(days=3), known)
    assert [flaw.field for flaw in refused.value.flaws] == ["effective_date"]
    life.tells(disbursing.apply_disbursement, second, known, known)
    assert life.account.disbursed_on == known
    as_told(life)


def test_after_repayments_the_loan_is_closed_and_they_are_refunded() -> None:
    life = new()
    item = paid(life)
    life.goes_to(date(2018, 3, 14)).repays("2070.58")
    life.goes_to(date(2018, 3, 20))
    lent = life.account.principal
    back = came_back(life, item)
    assert back.split.principal == lent and back.overpayment == 12000 - lent
    [refund] = life.of("refund")
    assert refund.overpayment == -(12000 - lent), "the principal that was repaid"
    assert (life.account.status, life.account.overpayment) == ("closed", 0)
    assert not any(life.account.balances)


def test_a_loan_that_waits_for_a_collection_stays_open_until_that_is_over() -> None:
    life = new()
    item = paid(life)
    life.with_mandate().goes_to(date(2018, 3, 10))
    (waiting,) = life.automatic()
    came_back(life, item)
    assert (life.account.status, life.account.balances.total) == ("active", 0)
    as_told(life)
    life.goes_to(date(2018, 3, 20))
    assert life.account.status == "active" and len(life.automatic()) == 1
    life.fails(waiting)
    assert life.account.status == "closed"


def test_a_line_of_credit_goes_on_with_what_it_still_owes() -> None:
    life = new(kind=LINE_OF_CREDIT, installments=0)
    kept = paid(life, "3000")
    life.goes_to(START + timedelta(days=5))
    item = paid(life, "4000")
    life.goes_to(START + timedelta(days=8))
    owed = life.account.interest
    came_back(life, item)
    assert (life.account.status, life.account.principal) == ("active", 3000)
    assert life.account.interest == owed, "whose interest it is, nobody can tell: it stays"
    assert life.now(kept).status == "applied"
    as_told(life.goes_to(START + timedelta(days=30)))


def test_what_comes_back_counts_towards_a_statements_minimum() -> None:
    life = new(kind=REVOLVING_CREDIT, installments=0, statement_day=1,
               minimum_repayment_percentage=Decimal(10))  # fmt: skip
    paid(life, "3000")
    item = paid(life, "4000")
    life.goes_to(date(2018, 3, 5))
    assert life.account.minimums[0].missing > 700
    came_back(life, item)
    assert life.account.minimums == () and life.account.principal == 3000
    as_told(life)


def test_on_a_closed_loan_the_money_waits_for_a_person() -> None:
    life = new(installments=1)
    item = paid(life)
    life.goes_to(START + timedelta(days=3))
    life.repays(pence(life.account.balances.total))
    assert life.account.status == "closed"
    life.goes_to(START + timedelta(days=5))
    back = came_back(life, item)
    assert (back.split.total, back.overpayment) == (0, 12000)
    assert (life.account.status, life.account.overpayment) == ("closed", 12000)
    retold = life.retold()
    assert (retold.status, retold.overpayment) == ("closed", 12000)


@pytest.mark.parametrize("what", ["pending", "failed"])
def test_only_what_was_paid_comes_back(what: str) -> None:
    life = new()
    item = asked(life)
    if what == "failed":
        life.tells(disbursing.fail_disbursement, item, "bank_rejection")
    with pytest.raises(Refused) as refused:
        came_back(life, item)
    assert refused.value.code == "invalid_status"


def test_reverting_what_took_it_back_leaves_the_loan_as_it_was_before() -> None:
    life, twin = new(), new()
    item = paid(life)
    paid(twin)
    for one in (life, twin):
        one.goes_to(START + timedelta(days=4))
    back = came_back(life, item)
    life.reverts(life.now(back))
    assert account_of(life)[0] == account_of(twin)[0]
    assert life.account.status == "active" and life.account.disbursements == 1
    as_told(life)


steps = st.lists(
    st.tuples(
        st.sampled_from(["draw", "return", "repay", "fee", "late", "wait", "fail", "hand"]),
        st.integers(0, 25),
        st.integers(1, 99),
    ),
    max_size=10,
)
KINDS = [{}, {"kind": LINE_OF_CREDIT, "installments": 0}, {
    "kind": REVOLVING_CREDIT, "installments": 0, "statement_day": 20,
    "minimum_repayment_percentage": Decimal(5)}]  # fmt: skip


def lives_on(life: Life, what: str, percent: int, drawn: list[Transaction]) -> None:
    match what:
        case "draw":
            drawn.append(paid(life, f"{percent}00"))
        case "return" if drawn:
            came_back(life, drawn.pop(percent % len(drawn)))
        case "repay":
            owed = life.view().account.balances.total - life.account.overpayment
            amount = pence(owed * percent / 100)
            if amount > 0:
                life.repays(amount)
        case "fee":
            life.fee(f"{percent}.37")
        case "hand":
            life.tells(loans.set_status, "make_arrears")
        case "fail":
            waiting = [one for one in life.of("repayment") if one.origin == "partner"]
            if waiting:
                life.fails(waiting[percent % len(waiting)])


@settings(max_examples=150, deadline=None)
@given(agreements, st.sampled_from(KINDS), steps)
def test_whatever_comes_back_the_stored_account_is_the_telling_of_its_journal(
    agreed: object, kind: dict[str, object], happened: list[tuple[str, int, int]]
) -> None:
    fields = {one: getattr(agreed, one) for one in ("rate", "installments", "default_fees",
              "calculate_interest_on_holidays", "early_repayment_recalculation")}  # fmt: skip
    life = Life(terms(**{**fields, "amount": Decimal(100_000), **kind}), START)
    drawn = [paid(life, "10000")]
    for what, days, percent in happened:
        life.goes_to(life.day + timedelta(days=days), daily=percent % 2 == 0)
        life.tells(loans.brought_up)
        try:
            lives_on(life, what, percent, drawn)
        except Refused as refused:
            known = ("invalid_status", "loan_not_open", "credit_limit_exceeded",
                     "exceeds_outstanding", "statement_closed")  # fmt: skip
            assert refused.code in known, refused.message
        assert life.folded() == life.account.balances
        assert min(life.account.balances) >= 0
        as_told(life)


def test_an_inactive_loan_is_one_that_was_just_opened() -> None:
    life = new(default_fees=SETUP_FEE)
    item = paid(life)
    life.goes_to(START + timedelta(days=4))
    came_back(life, item)
    opened = Account(id=life.account.id, end_user=life.account.end_user)
    left = {"seq": life.account.seq, "written_off": life.account.written_off}
    for name, value in left.items():
        setattr(opened, name, value)
    assert life.account == opened
