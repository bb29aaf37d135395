"""The history told anew: failed and backdated repayments, and reverting."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import disbursing, loans
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import PENNY, pence
from tests.domain.lives import Life, terms
from tests.domain.test_account_properties import START, agreements, check

SAME = ("balances", "billed", "short", "bases", "next_row", "prepaid", "overpayment", "status",
        "late_since", "arrears_since", "as_of", "wake", "written_off", "disbursed_on")  # fmt: skip


def account_of(life: Life) -> list[object]:
    return [getattr(life.view().account, name) for name in SAME]


def live(life: Life) -> list[tuple[object, ...]]:
    """The transactions that count, without what differs between two tellings."""
    return sorted(
        (t.effective_date, t.type, t.name, t.amount, t.split, t.overpayment, t.after)
        for t in life.transactions()
        if t.counts
    )


def started(**agreed: object) -> Life:
    return Life(terms(**agreed), date(2018, 2, 9)).disburses("12000")


def test_a_failed_repayment_leaves_an_account_like_its_twin_that_never_had_it() -> None:
    life, twin = started(), started()
    life.goes_to(date(2018, 2, 20))
    waiting = life.repays("1000", confirmed=False)
    for one in (life, twin):
        one.goes_to(date(2018, 3, 14)).repays("500")
        one.goes_to(date(2018, 3, 20))
    life.fails(waiting)
    assert account_of(life) == account_of(twin)
    assert live(life) == live(twin)
    failed = next(t for t in life.transactions() if t.id == waiting.id)
    assert (failed.status, failed.failure_reason) == ("failed", "no money")
    reverted = [t for t in life.of("interest") if t.status == "reverted"]
    assert {t.effective_date for t in reverted} == {
        date(2018, 2, 21) + timedelta(days=n) for n in range(28)
    }
    assert {t.reverted_by for t in reverted} == {waiting.id}
    assert len({t.id for t in life.transactions()}) == len(life.transactions())


def test_a_loan_becomes_late_when_the_repayment_that_kept_it_fails() -> None:
    life = started()
    life.goes_to(date(2018, 3, 14))
    waiting = life.repays(life.view().next_repayment_amount, confirmed=False)
    life.goes_to(date(2018, 3, 24))
    assert life.account.status == "active"
    life.fails(waiting)
    assert (life.account.status, life.account.late_since) == ("arrears", date(2018, 3, 15))
    assert life.account.arrears_since == date(2018, 3, 22)
    assert life.events[-2:] == ["repayment_result", "loan_is_arrears"]


def test_a_backdated_repayment_is_one_that_was_made_then() -> None:
    late, prompt = started(), started()
    prompt.goes_to(date(2018, 3, 1)).repays("2000")
    prompt.goes_to(date(2018, 4, 20))
    late.goes_to(date(2018, 4, 20))
    assert late.account.status == "arrears"
    made = late.repays_as_of("2000", date(2018, 3, 1))
    assert made.effective_date == date(2018, 3, 1)
    late.tells(loans.apply_repayment, made)
    assert account_of(late) == account_of(prompt)
    assert live(late) == live(prompt)


def test_a_repayment_is_not_dated_before_the_disbursement_or_ahead() -> None:
    life = started().goes_to(date(2018, 3, 1))
    for day in (date(2018, 2, 8), date(2018, 3, 2)):
        with pytest.raises(Exception, match="is not between"):
            life.repays_as_of("10", day)


def test_reverting_takes_back_every_later_transaction_and_sets_its_nights_free() -> None:
    life = started().goes_to(date(2018, 2, 20))
    before = life.account.balances
    first = life.repays("1000")
    life.goes_to(date(2018, 3, 1)).fee("10")
    life.goes_to(date(2018, 3, 5)).reverts(first)
    assert life.account.balances == before
    assert life.folded() == before
    gone = [t for t in life.transactions() if t.status == "reverted"]
    assert {t.type for t in gone} == {"repayment", "interest", "fee"}
    life.goes_to(date(2018, 3, 6))
    assert life.account.interest == before.interest + Decimal("3.9452054795")
    assert life.folded() == life.account.balances


def test_reverting_the_only_disbursement_returns_the_loan_to_inactive() -> None:
    life = started().goes_to(date(2018, 2, 20))
    life.reverts(life.of("disbursement")[0])
    assert life.account.status == "inactive"
    assert not any(life.account.balances)
    life.disburses("5000")
    assert life.account.status == "active"


def test_the_transaction_that_closed_a_loan_can_be_reverted_which_reopens_it() -> None:
    life = started().goes_to(date(2018, 2, 20))
    last = life.repays(pence(life.account.balances.total))
    assert life.account.status == "closed"
    with pytest.raises(Refused) as refused:
        life.reverts(life.of("disbursement")[0])
    assert refused.value.code == "loan_not_open"
    life.reverts(last)
    assert life.account.status == "active"
    assert pence(life.account.balances.total) == last.amount


def test_a_reverted_write_off_reopens_with_what_was_owed() -> None:
    life = started().goes_to(date(2018, 4, 1))
    owed = life.account.balances
    life.tells(loans.close, "gone", "written_off")
    life.reverts(life.of("write_off")[0])
    assert life.account.balances == owed
    assert (life.account.status, life.account.written_off) == ("arrears", 0)


def test_nothing_is_reverted_while_something_is_pending() -> None:
    life = started().goes_to(date(2018, 2, 20))
    life.repays("10", confirmed=False)
    with pytest.raises(Refused) as refused:
        life.reverts(life.of("disbursement")[0])
    assert refused.value.code == "transaction_pending"


happenings = st.lists(
    st.tuples(st.sampled_from(["part", "fee", "percent", "stop", "start", "wait"]),
              st.integers(0, 25), st.integers(1, 60)),
    max_size=7,
)  # fmt: skip


def act(life: Life, what: str, amount: Decimal) -> None:
    match what:
        case "part":
            life.repays(amount)
        case "fee":
            life.fee("7.77")
        case "percent":
            life.fee("1.3", "percent")
        case "stop" | "start":
            life.tells(loans.set_interest, what == "start")


@settings(max_examples=120, deadline=None)
@given(agreements, st.integers(0, 30), st.integers(1, 45), happenings, st.integers(0, 40))
def test_recalculation_equals_history(
    agreed: object, first: int, percent: int, after: list[tuple[str, int, int]], wait: int
) -> None:
    life = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    twin = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    for one in (life, twin):
        one.goes_to(START + timedelta(days=first), daily=False).tells(loans.brought_up)
    amount = max(PENNY, pence(life.account.balances.total * percent / 100))
    waiting = life.repays(amount, confirmed=False)
    for what, days, share in after:
        for one in (life, twin):
            one.goes_to(one.day + timedelta(days=days), daily=False).tells(loans.brought_up)
        paid = pence(life.account.balances.total * share / 100)
        if what == "part" and paid <= 0:
            continue
        for one in (life, twin):
            act(one, what, paid)
    for one in (life, twin):
        one.goes_to(one.day + timedelta(days=wait), daily=False).tells(loans.brought_up)
    life.fails(_as_it_is(life, waiting))
    assert account_of(life) == account_of(twin)
    assert live(life) == live(twin)
    check(life)
    assert len({t.id for t in life.transactions()}) == len(life.transactions())


def by_hand(life: Life) -> list[tuple[str, str, int]]:
    """The changes of status by hand, in their order."""
    changes = [one for batch in life.batches for one in batch.changes]
    found = [one for one in changes if (one.field, one.cause) == ("status", "partner")]
    return [(one.before, one.after, one.seq) for one in sorted(found, key=lambda one: one.seq)]


def test_a_status_set_by_hand_keeps_its_place_among_what_came_on_that_day() -> None:
    fee = DefaultFee("Default", "percent", Decimal(2), "default")
    life = started(default_fees=(fee,)).goes_to(date(2018, 3, 20))
    cures = life.repays("2100", confirmed=False)
    assert life.account.status == "active"
    life.tells(loans.set_status, "make_default")
    life.repays("50")
    ((before, _, place),) = by_hand(life)
    life.goes_to(date(2018, 3, 22)).fails(cures)
    assert (before, by_hand(life)) == ("active", [("late", "default", place)])
    assert life.retold().balances == life.account.balances == life.folded()


def test_the_same_status_set_by_hand_twice_in_a_day_stays_set_twice() -> None:
    fee = DefaultFee("Arrears", "flat", Decimal(15), "arrears")
    life = Life(terms(kind="line_of_credit", default_fees=(fee,)), START).disburses("1000")
    early = life.repays("10", confirmed=False)
    life.goes_to(START + timedelta(days=3))
    for _ in range(2):
        life.tells(loans.set_status, "make_arrears")
        life.repays("100")
    kept = by_hand(life)
    assert [before for before, _, _ in kept] == ["active", "active"]
    life.fails(early)
    assert by_hand(life) == kept
    assert life.retold().balances == life.account.balances == life.folded()
    assert life.fails(life.repays("20", confirmed=False)).account.fee == 0
    assert by_hand(life) == kept


def _times(life: Life, *items: Transaction) -> list[str]:
    """On which days these were last changed."""
    return [f"{_as_it_is(life, item).updated_at:%m-%d}" for item in items]


def test_what_a_telling_changes_says_when() -> None:
    life = started().goes_to(date(2018, 2, 12))
    first = life.repays("500", confirmed=False)
    life.goes_to(date(2018, 2, 20))
    second = life.repays("700")
    life.goes_to(date(2018, 3, 5)).fee("10")
    (fee,) = life.of("fee")
    before, after = (
        next(t for t in life.of("interest") if t.effective_date == date(2018, 2, day))
        for day in (12, 13)
    )
    touched = (first, second, fee, before, after)
    assert _times(life, *touched) == ["02-12", "02-20", "03-05", "02-12", "02-13"]
    life.goes_to(date(2018, 3, 8)).fails(first)
    # the night after it bore less than it does now, and the later repayment pays more of it
    assert _times(life, *touched) == ["03-08", "03-08", "03-08", "02-12", "03-08"]
    assert _as_it_is(life, after).status == "reverted"
    life.goes_to(date(2018, 3, 9)).reverts(fee)
    assert _times(life, *touched) == ["03-08", "03-08", "03-09", "02-12", "03-08"]
    other = Life(terms(), life.day)
    asked = other.tells(disbursing.disburse, Decimal("12000"), loans.Asked()).transaction
    other.goes_to(date(2018, 3, 12)).tells(disbursing.fail_disbursement, asked, "closed account")
    assert asked is not None and _times(other, asked) == ["03-12"]


def _as_it_is(life: Life, item: Transaction) -> Transaction:
    return next(t for t in life.transactions() if t.id == item.id)


@settings(max_examples=100, deadline=None)
@given(agreements, happenings, st.integers(0, 20), st.integers(0, 100))
def test_reverting_is_the_prefix(
    agreed: object, acts: list[tuple[str, int, int]], wait: int, which: int
) -> None:
    life = Life(agreed, START).disburses("10000")  # type: ignore[arg-type]
    prefixes = []
    for what, days, share in acts:
        life.goes_to(life.day + timedelta(days=days), daily=False).tells(loans.brought_up)
        before = len(life.transactions()), life.account.balances
        paid = pence(life.account.balances.total * share / 100)
        if what in ("part", "fee") and paid > 0:
            act(life, what, paid)
            asked = next(t for t in life.transactions() if t.origin == "partner")
            prefixes.append((asked, before[1]))
    if not prefixes or life.account.status == "closed":
        return
    life.goes_to(life.day + timedelta(days=wait), daily=False).tells(loans.brought_up)
    target, balances = prefixes[which % len(prefixes)]
    life.reverts(_as_it_is(life, target))
    assert life.folded() == life.account.balances
    interest_and_principal = (life.account.principal, life.account.interest)
    assert interest_and_principal == (balances.principal, balances.interest)
    assert life.retold().balances == life.account.balances
