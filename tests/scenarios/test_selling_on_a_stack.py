"""Loans sold on the running stack: real queues, workers and clock, and the simulator's own word."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.local.blackmoon.support import Partner as There
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack

pytestmark = pytest.mark.stack


def _there(stack: Stack, partner: Partner) -> There:
    """The partner's organisation at the simulator."""
    access = partner.get("/sandbox/simulators/")["blackmoon"]
    [name] = {row["id"] for row in [partner.get("/partner/")]}
    return There(str(stack.run["blackmoon_url"]), name, dict(access))


def _day(partner: Partner, days: int = 0) -> date:
    """Drain the sandbox, ``days`` later."""
    now = date.fromisoformat(str(partner.get("/sandbox/clock/")["business_date"]))
    to = now + timedelta(days=days)
    partner.post("/sandbox/clock/", {"business_date": to.isoformat()}, 200)
    return to


def _offer(partner: Partner, loan: Loan) -> Any:
    [found] = partner.get(f"/blackmoon/offer/?loan={loan.id}")["results"]
    return found


def test_offered_sold_declined_and_lost(stack: Stack) -> None:
    partner = new_partner(stack)
    _day(partner, 1)  # a day of its own: late in the evening an offer ends tomorrow
    there = _there(stack, partner)
    there.says(decision=True)
    product = partner.publishes(sell_to_blackmoon=True)

    sold, waiting = partner.opens_loan(product), partner.opens_loan(product)
    _day(partner)
    assert [_offer(partner, loan)["status"] for loan in (sold, waiting)] == ["offered"] * 2
    sold.disburses("1500.00").confirmed()
    _day(partner)
    assert _offer(partner, sold)["status"] == "accepted"
    [cession] = partner.get(f"/blackmoon/cession/?loan={sold.id}")["results"]
    assert cession["type"] == "direct" and str(cession["price"]) == "1500.00"

    there.fails("offers.create", "drop_answer")
    lost = partner.opens_loan(product)
    _day(partner)
    assert _offer(partner, lost)["status"] == "retrying"
    _day(partner, 1)
    declined, failed = _offer(partner, waiting), _offer(partner, lost)
    assert (declined["status"], declined["reason"]) == ("declined", "not_accepted_in_time")
    assert declined["warning_code"] is None, "by us, before their hour was over"
    assert (failed["status"], failed["error_code"]) == ("failed", "102")
    alarms = [one["name"] for one in partner.get("/alarm/")["results"]]
    assert alarms == ["blackmoon_offer"]

    asked = [one["path"] for one in there.received() if one["path"].startswith("/offers.")]
    assert sorted(asked) == [
        "/offers.accept", *["/offers.create"] * 4, "/offers.decline",
    ]  # fmt: skip
    assert all(one["query"] == {} for one in there.received()), "no token in a URL"


def test_tokens_are_renewed_as_the_clock_goes_on(stack: Stack) -> None:
    partner = new_partner(stack)
    there = _there(stack, partner)
    there.says(decision=True)
    product = partner.publishes(sell_to_blackmoon=True)
    partner.opens_loan(product)
    before = partner.get("/sandbox/simulators/")["blackmoon"]
    _day(partner, 13)
    loan = partner.opens_loan(product)
    _day(partner)
    assert _offer(partner, loan)["status"] == "offered"
    after = partner.get("/sandbox/simulators/")["blackmoon"]
    assert before["organization_id"] == after["organization_id"]
    assert before["access_token"] != after["access_token"]
    renewed = [one for one in there.received() if one["path"] == "/auth.refreshTokens"]
    assert len(renewed) == 1
    assert partner.get("/alarm/")["results"] == []
