"""Decisions that depend on what is sent, offers and their hour."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from local.blackmoon import days
from local.blackmoon.decisions import decide
from tests.local.blackmoon.support import (
    MONDAY,
    answered,
    done,
    fields,
    offered,
    organisation,
    refused,
    sold,
)

AMOUNT = Decimal("1000.00")


def test_the_same_loan_has_the_same_decision_everywhere() -> None:
    for number in range(20):
        given = {"applicationId": f"loan-{number}", "loanAmount": AMOUNT, "income": 2000}
        assert decide(given, AMOUNT, None, None) == decide(
            dict(reversed(given.items())), AMOUNT, None, None
        )
    first, second = organisation(decision=None), organisation(date(2027, 5, 5), decision=None)
    for number in range(30):
        text = fields(f"loan-{number}")
        one = done(first, "offers.create", applicationFields=text)
        other = done(second, "offers.create", applicationFields=text)
        for answer in (one, other):
            del answer["updatedDatetime"], answer["offerId"]
        assert one == other


def test_any_change_may_change_it() -> None:
    found = [
        decide({"applicationId": "1", "income": income}, AMOUNT, None, None)
        for income in range(400)
    ]
    wanted = [one for one in found if one.participates]
    partly = [one for one in wanted if one.bid < AMOUNT]
    assert 250 < len(wanted) < 350
    assert 15 < len(partly) < 80
    assert all(Decimal("0.5") * AMOUNT <= one.bid <= AMOUNT for one in found)
    assert all(5 <= one.origination_fee <= 30 for one in found)
    assert all(Decimal("0.01") <= one.servicing_fee <= Decimal("0.2") for one in found)
    assert len({one.origination_fee for one in found}) > 150
    assert {one.investor for one in found} == {24, 25, 26}


def test_an_offer() -> None:
    org = organisation()
    made = done(org, "offers.create", applicationFields=fields())
    assert made["updatedDatetime"] == "2026-01-05T00:00:00.000001+00:00"
    assert made["willParticipate"] is True
    assert made["bidAmount"] == made["loanAmount"] == AMOUNT
    (kept,) = org.all("offers")
    assert kept.id == made["offerId"]
    accepted = done(org, "offers.accept", offerId=kept.id)
    assert set(accepted) == {"updatedDatetime", "offerId"}
    assert accepted["updatedDatetime"] > made["updatedDatetime"]


def test_no_offer() -> None:
    org = organisation(decision=False)
    made = done(org, "offers.create", applicationFields=fields())
    assert made["willParticipate"] is False
    named = ("offerId", "originationFee", "servicingFee", "bidAmount")
    assert [made[name] for name in named] == [0, 0, 0, 0]
    assert made["loanAmount"] == AMOUNT
    assert not org.records["offers"]
    assert refused(org, "offers.accept", offerId="0") == 9
    done(org, "offers.create", applicationFields=fields())


def test_a_part_of_a_loan_is_bid_for_on_purpose() -> None:
    made = done(organisation(bid="0.6"), "offers.create", applicationFields=fields())
    assert (made["bidAmount"], made["loanAmount"]) == (Decimal(600), AMOUNT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("loanAmount", 0), ("loanAmount", "ten"), ("loanAmount", True), ("loanAmount", "1e3"),
        ("applicationId", ""), ("applicationId", None), ("currency", "pounds"),
        ("interestRate", "-1"), ("installments", "1.5"), ("issueDate", "yesterday"),
    ],
)  # fmt: skip
def test_a_field_out_of_its_range_is_named(field: str, value: object) -> None:
    org = organisation()
    text = json.dumps({**json.loads(fields()), field: value})
    answer = answered(org, "offers.create", applicationFields=text)
    assert answer["error"]["errorCode"] == 1
    assert field in answer["error"]["errorMessage"]


@pytest.mark.parametrize("text", ["", "[]", "7", '"x"', '{"loanAmount": NaN}', "[" * 100_000])
def test_what_are_no_fields(text: str) -> None:
    assert refused(organisation(), "offers.create", applicationFields=text) == 100


def test_an_hour_without_an_answer_declines() -> None:
    org = organisation()
    days.send(org, MONDAY, "10:15")
    offer, accepted = offered(org), sold(org, "loan-2")
    days.send(org, MONDAY, "11:14")
    assert org.records["offers"][offer].status == "open"
    days.send(org, MONDAY, "11:15")
    kept = org.records["offers"][offer]
    assert (kept.status, kept.hidden["lapsed"]) == ("declined", True)
    assert kept.doc["updatedDatetime"] == "2026-01-05T11:15:00.000000+00:00"
    assert org.records["offers"][accepted].status == "accepted"
    late = answered(org, "offers.accept", offerId=offer)
    assert late["warning"]["warningCode"] == "101"
    assert refused(org, "offers.create", applicationFields=fields()) == 102


def test_an_hour_is_an_hour_when_clocks_change() -> None:
    org = organisation(date(2026, 3, 29))
    days.send(org, date(2026, 3, 29), "00:30")
    offer = offered(org)
    days.send(org, date(2026, 3, 29), "02:29")  # one hour less a minute later
    assert org.records["offers"][offer].status == "open"
    days.send(org, date(2026, 3, 29), "02:30")
    assert org.records["offers"][offer].status == "declined"


def test_the_next_date_declines_what_is_left() -> None:
    org = organisation()
    offer = offered(org)
    days.send(org, date(2026, 1, 6))
    assert org.records["offers"][offer].status == "declined"
