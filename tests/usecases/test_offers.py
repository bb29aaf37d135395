"""Loans on the market: the partner's routes, the worker and the Blackmoon simulator, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from chalicelib import selling
from chalicelib.domain.blackmoon_tokens import Pair
from chalicelib.jobs import schedules
from chalicelib.usecases import offers
from chalicelib.usecases.blackmoon_vaults import Granted
from tests.usecases.selling import Shop, shop


@pytest.fixture(scope="module")
def the_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("blackmoon")) as made:
        yield made


@pytest.fixture
def market(the_shop: Shop) -> Shop:
    the_shop.begin()
    return the_shop


def test_a_loan_is_offered_sold_and_topped_up(market: Shop) -> None:
    loan = market.opens()
    assert market.offer(loan)["status"] == "pending", "nothing is asked inside a request"
    market.works()
    offer = market.offer(loan)
    assert (offer["status"], offer["will_participate"]) == ("offered", True)
    assert offer["loan_amount"] == offer["bid_amount"] == Decimal("2000.00")
    asked = [one["form"].get("applicationFields", "") for one in market.there.received()]
    [sent] = [json.loads(text) for text in asked if loan.id in text]
    assert sent == {
        "applicationId": loan.id, "loanAmount": 2000, "currency": "GBP", "interestRate": 12,
        "installments": 6, "productType": "term_loan_equal_instalments", "country": "GB",
    }  # fmt: skip
    loan.disburses("1500.00")
    market.works()
    assert market.offer(loan)["status"] == "offered", "not before the disbursement is applied"
    loan.confirmed()
    market.works()
    sold = market.offer(loan)
    assert sold["status"] == "accepted" and sold["updated_datetime"] != offer["updated_datetime"]
    [direct] = market.cessions(loan)
    assert (direct["type"], direct["price"]) == ("direct", Decimal("1500.00"))
    assert direct["offer"] == offer["id"] and direct["day"] == "2026-03-02"
    assert direct["investor_legal_entity_id"] == offer["investor_legal_entity_id"]
    assert direct["origination_fee"] == offer["origination_fee"]
    assert market.asked(loan) == ["offers.create", "offers.accept"]
    assert market.alarms() == []


def test_a_further_disbursement_of_a_sold_line_is_a_topup(market: Shop) -> None:
    line = {"type": "line_of_credit", "installments": None, "repayment_date_type": None}
    market.product = market.person.publishes(
        sell_to_blackmoon=True, repayment_date_period=None, **line
    )
    loan = market.opens(installments=None)
    market.works()
    for amount in ("500.00", "250.00"):
        loan.disburses(amount).confirmed()
        market.works()
    assert {one["type"]: one["price"] for one in market.cessions(loan)} == {
        "direct": Decimal("500.00"),
        "topup": Decimal("250.00"),
    }


def test_every_message_may_come_twice(market: Shop) -> None:
    loan = market.opens()
    market.works(twice=True)
    loan.disburses("1500.00").confirmed()
    market.works(twice=True)
    assert market.offer(loan)["status"] == "accepted"
    assert len(market.cessions(loan)) == 1
    assert market.asked(loan) == ["offers.create", "offers.accept"]


def test_a_product_that_is_not_sold_has_no_offers(market: Shop) -> None:
    market.product = market.person.publishes()
    loan = market.opens()
    loan.disburses("1500.00").confirmed()
    market.works()
    path = f"/blackmoon/offer/?loan={loan.id}"
    assert market.person.get(path)["results"] == []
    assert not any(loan.id in str(one["form"]) for one in market.there.received())


def test_what_investors_do_not_want(market: Shop) -> None:
    market.there.says(decision=False)
    loan = market.opens()
    market.works()
    loan.disburses("1500.00").confirmed()
    market.works()
    assert market.offer(loan)["status"] == "refused"
    assert market.offer(loan)["will_participate"] is False
    assert market.asked(loan) == ["offers.create"] and market.cessions(loan) == []


def test_fifty_five_minutes(market: Shop) -> None:
    loan = market.opens()
    market.works()
    market.passes(54)
    assert market.offer(loan)["status"] == "offered"
    market.passes(1)
    offer = market.offer(loan)
    assert (offer["status"], offer["reason"]) == ("declined", "not_accepted_in_time")
    assert offer["warning_code"] is None, "declined by us, before they do it"
    loan.disburses("1500.00").confirmed()
    market.works()
    assert market.cessions(loan) == [], "the loan stays ours"


def test_a_loan_cancelled_before_and_after(market: Shop) -> None:
    before, after, at_once = market.opens(), market.opens(), market.opens()
    at_once.does("cancel").ok(201)
    market.works()
    market.api.post(f"/blackmoon/offer/{market.offer(after)['id']}/accept/").ok(201)
    market.works()
    before.does("cancel").ok(201)
    after.does("cancel").ok(201)
    market.works()
    assert market.offer(before)["status"] == "declined"
    assert market.offer(before)["reason"] == "loan_cancelled"
    assert market.offer(after)["status"] == "cancelled"
    assert market.offer(at_once)["status"] == "declined"
    assert market.asked(before) == ["offers.create", "offers.decline"]
    assert market.asked(after) == ["offers.create", "offers.accept", "offers.cancel"]


def test_by_hand(market: Shop) -> None:
    loan = market.opens()
    path = f"/blackmoon/offer/{market.offer(loan)['id']}"
    market.api.post(f"{path}/accept/").refused("invalid_status")
    market.works()
    market.api.post(f"{path}/cancel/").refused("invalid_status")
    assert market.api.post(f"{path}/accept/").ok(201)["status"] == "offered"
    market.api.post(f"{path}/accept/").refused("invalid_status")
    market.api.post(f"{path}/decline/").refused("invalid_status")
    market.works()
    assert market.offer(loan)["status"] == "accepted"
    market.api.post(f"{path}/accept/").refused("invalid_status")
    market.api.post(f"{path}/decline/").refused("invalid_status")
    market.api.post(f"{path}/cancel/").ok(201)
    market.works()
    assert market.offer(loan)["status"] == "cancelled"


@pytest.mark.parametrize("kind", ["drop_answer", "timeout", "html502"])
def test_an_answer_that_is_lost(market: Shop, kind: str) -> None:
    market.there.fails("offers.create", kind)
    loan = market.opens()
    market.works()
    assert market.offer(loan)["status"] == "retrying"
    market.passes(60)
    assert market.asked(loan) == ["offers.create"], "their hour may not be over"
    market.passes(5)
    offer = market.offer(loan)
    assert market.asked(loan) == ["offers.create", "offers.create"]
    if kind == "drop_answer":  # it was made, and declined by itself
        assert (offer["status"], offer["reason"]) == ("failed", "resolved_without_us")
        assert offer["error_code"] == "102"
        [alarm] = market.alarms()
        assert loan.id in alarm and "102" in alarm
    else:
        assert offer["status"] == "offered" and market.alarms() == []


def test_a_loan_disbursed_meanwhile_is_not_offered_again(market: Shop) -> None:
    market.there.fails("offers.create", "drop_answer")
    loan = market.opens()
    market.works()
    loan.disburses("1500.00").confirmed()
    market.works()
    market.passes(66)
    assert market.offer(loan)["status"] == "failed" and market.asked(loan) == ["offers.create"]
    assert market.cessions(loan) == []


LOST = [
    ("accept", "drop_answer"), ("decline", "drop_answer"), ("cancel", "drop_answer"),
    ("accept", "error"), ("decline", "html502"), ("cancel", "timeout"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "kind"), LOST)
def test_an_answer_to_an_offer_that_is_lost(market: Shop, method: str, kind: str) -> None:
    """It is asked again at once here, and what was done before is understood."""
    loan = market.opens()
    market.works()
    path = f"/blackmoon/offer/{market.offer(loan)['id']}"
    if method == "cancel":
        market.api.post(f"{path}/accept/").ok(201)
        market.works()
    more = {"code": 10} if kind == "error" else {}
    market.there.fails(f"offers.{method}", kind, **more)
    market.api.post(f"{path}/{method}/").ok(201)
    market.works()
    ended = {"accept": "accepted", "decline": "declined", "cancel": "cancelled"}[method]
    assert market.offer(loan)["status"] == ended
    assert market.asked(loan).count(f"offers.{method}") == 2
    assert market.alarms() == []


#: A code that comes as often as it is asked: the status in the end, how often it is asked.
CREATE_CODES = [
    (1, "failed", 1), (10, "failed", 6), (101, "failed", 3), (102, "failed", 1),
    (103, "retrying", 1),
]  # fmt: skip


@pytest.mark.parametrize(("code", "status", "times"), CREATE_CODES)
def test_an_error_that_stays(market: Shop, code: int, status: str, times: int) -> None:
    market.there.fails("offers.create", "error", 20, code=code)
    loan = market.opens()
    market.works()
    offer = market.offer(loan)
    assert (offer["status"], offer["error_code"]) == (status, str(code))
    assert market.asked(loan) == ["offers.create"] * times
    assert len(market.alarms()) == (1 if status == "failed" else 0)


def test_expired_tokens_are_renewed_on_the_way(market: Shop) -> None:
    market.there.says(expire_access_token=True)
    loan = market.opens()
    market.works()
    assert market.offer(loan)["status"] == "offered"
    assert market.asked(loan) == ["offers.create", "offers.create"]
    assert "/auth.refreshTokens" in [one["path"] for one in market.there.received()]
    seen = " ".join(market.market.reported + market.alarms())
    for one in market.there.received():
        assert one["query"] == {}
        assert one["form"]["accessToken"] not in seen


def test_a_partner_without_blackmoon_is_told_so(
    market: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loan = market.opens()
    monkeypatch.setattr(market.market.config, "blackmoon_url", None)
    market.works()
    offer = market.offer(loan)
    assert (offer["status"], offer["error_code"]) == ("failed", "not_configured")
    assert len(market.alarms()) == 1


def test_a_shape_that_is_none_is_no_configuration(market: Shop) -> None:
    """And no lost answer, which would be waited for."""
    granted = Granted("14", Pair("A", "R"), {"novelty": "x"})
    with pytest.raises(LookupError, match="novelty"):
        selling.seller(market.market, granted)


def test_a_stages_offers_are_swept_and_a_sandboxs_are_not(tmp_path: Path) -> None:
    with shop(tmp_path, sandbox=False) as stage:
        loan = stage.opens()
        stage.works()
        stage.market.now += timedelta(minutes=55, seconds=-1)
        assert schedules.sweep_offers() == 0
        stage.market.now += timedelta(seconds=1)
        assert schedules.sweep_offers() == 1
        stage.works(twice=True)
        assert stage.offer(loan)["status"] == "declined"
        assert stage.asked(loan) == ["offers.create", "offers.decline"]
        assert schedules.sweep_offers() == 0


def test_a_sandboxs_offers_wait_for_its_clock(market: Shop) -> None:
    loan = market.opens()
    market.works()
    later = market.market.now + timedelta(days=1)
    assert loan.id not in {one.value.loan for one in offers.due(market.market.store, later)}
