"""What events do to a loan goes into the event's own commit, however large it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from chalicelib.domain import loans as domain
from chalicelib.domain import payments, rebuild
from chalicelib.models.store import Store
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import journals, loans
from chalicelib.usecases.loans import Retelling
from tests.domain.lives import LOAN
from tests.usecases.test_journals import context, list_of, lived, store, told

__all__ = ["store"]


@pytest.mark.parametrize("most", [8, 90], ids=["staged", "at once"])
def test_nothing_of_it_is_seen_before_the_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(journals, "MOST_OPERATIONS", most)
    ctx, first = context(store), lived()[2]
    loan = loans.load(ctx, LOAN)
    today = ctx.business_date
    before = list_of(store, today)
    item = next(
        one
        for stored in journals.read(ctx, loan)
        for one in stored.value.transactions
        if one.id == first
    )
    command = Retelling(lambda whole, m: rebuild.fail_repayment(whole, m, item, "refer_to_payer"))
    unit = ctx.unit()
    outcome = loans.carry_into(ctx, unit, loan, command)
    assert list_of(store, today) == before, "staged is not told"
    store.commit(unit)
    after = loans.load(ctx, LOAN)
    assert replace(after.account.value, wake=None) == replace(outcome.account, wake=None)
    failed = [
        one
        for stored in journals.read(ctx, after)
        for one in stored.value.transactions
        if one.status == "failed"
    ]
    assert [(one.id, one.failure_reason) for one in failed] == [(first, "refer_to_payer")]


def test_the_providers_answer_never_overwrites_what_happened_meanwhile(store: Store) -> None:
    """Both are decided on the same account; only one may be written."""
    ctx = context(store)
    waiting = told(
        store, ctx.business_date, partial(domain.repay, amount=Decimal(100), asked=domain.Asked())
    )
    loan = loans.load(ctx, LOAN)
    told(store, ctx.business_date, partial(domain.apply_repayment, waiting=waiting))
    with pytest.raises(Conflict):
        loans.carry_out(ctx, loan, partial(payments.submitted, item=waiting, provider_id="PM1"))
