"""Cessions, what went back, and a reconciliation that really compares."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from local.blackmoon import days, state, wire
from local.blackmoon.organisation import Organisation
from tests.local.blackmoon.support import (
    RECONCILE,
    REVERSES,
    answered,
    done,
    file,
    offered,
    organisation,
    refused,
    sold,
)


def history(org: Organisation) -> list[dict[str, Any]]:
    """What an originator that did everything right would have."""
    names = ("investorLegalEntityId", "loanId", "type", "day", "price", "originationFee",
             "servicingFee")  # fmt: skip
    return [
        {name: one.doc[name] for name in names}
        for one in org.all("cessions")
        if not one.hidden.get("gone")
    ]


def reconciled(org: Organisation, rows: Any) -> Any:
    return done(org, RECONCILE, cessionTransactions=wire.written(rows))


def reports(org: Organisation, text: str) -> None:
    done(org, "data.sendApplications", {"loans": file(text)})


def test_an_accepted_offer_is_a_direct_cession() -> None:
    org = organisation()
    offer = org.records["offers"][sold(org)]
    assert history(org) == [
        {
            "investorLegalEntityId": offer.doc["investorLegalEntityId"],
            "loanId": "loan-1",
            "type": "direct",
            "day": "2026-01-05",
            "price": "1000.00",
            "originationFee": offer.doc["originationFee"],
            "servicingFee": offer.doc["servicingFee"],
        }
    ]


def test_numbers_and_ids_compare_however_they_are_written() -> None:
    org = organisation()
    sold(org, "17")
    (row,) = history(org)
    written = {
        **row,
        "loanId": 17,
        "investorLegalEntityId": str(row["investorLegalEntityId"]),
        "price": Decimal("1000.0"),
        "servicingFee": Decimal(row["servicingFee"]),
    }
    assert reconciled(org, [written]) == {
        "ready": True,
        "totalCessionTransactionsCount": 1,
        "correctCessionTransactionsCount": 1,
        "platformOnly": [],
        "platformMissing": [],
    }


def test_what_either_side_alone_knows() -> None:
    org = organisation()
    for number in range(1, 4):
        sold(org, f"loan-{number}")
    first, second, third = history(org)
    days.send(org, date(2026, 1, 6))
    changed = {**second, "price": "999.99"}
    stranger = {**third, "loanId": "loan-9"}
    told = reconciled(org, [first, changed, stranger])
    assert told["totalDirectCessionTransactionsCount"] == 5
    assert told["correctDirectCessionTransactionsCount"] == 1
    assert [(r["loanId"], r["price"]) for r in told["platformOnly"]] == [
        ("loan-2", Decimal("1000.00")),
        ("loan-3", Decimal("1000.00")),
    ]
    assert {r["loanId"] for r in told["platformMissing"]} == {"loan-2", "loan-9"}


def test_made_to_differ() -> None:
    org = organisation()
    for number in range(1, 4):
        sold(org, f"loan-{number}")
    rows = history(org)
    days.send(org, date(2026, 1, 6))
    state.put(org, {"platform_only": [{"loanId": "loan-x", "price": 5}, "loan-y"]})
    assert [r["loanId"] for r in reconciled(org, rows)["platformOnly"]] == ["loan-x", "loan-y"]
    state.put(org, {"platform_only": []})
    for drop, missing in (
        (["loan-2"], ["loan-2"]),
        ([{"loanId": "loan-1", "type": "direct", "price": 1000}], ["loan-1"]),
        ([{"loanId": "loan-1", "type": "topup"}], []),
        (1, ["loan-3"]),
        (True, ["loan-1", "loan-2", "loan-3"]),
        (None, []),
    ):
        state.put(org, {"drop_cessions": drop})
        told = reconciled(org, rows)
        assert [r["loanId"] for r in told["platformMissing"]] == missing, drop
        assert told["platformOnly"] == []


def test_the_file_says_what_was_paid_out_payment_by_payment() -> None:
    org = organisation()
    sold(org)
    days.send(org, date(2026, 1, 6))
    reports(org, "applicationId,disbursements\nloan-1,2026-01-05:400.00;2026-01-05:100.00\nz,\n")
    days.send(org, date(2026, 1, 10))
    paid = "2026-01-05:400.00;2026-01-05:100.00;2026-01-09:250.00"
    for _ in range(2):
        reports(org, f"applicationId,disbursements\nloan-1,{paid}\n")
    assert [(r["type"], r["day"], r["price"]) for r in history(org)] == [
        ("direct", "2026-01-05", "400.00"),
        ("topup", "2026-01-05", "100.00"),
        ("topup", "2026-01-09", "250.00"),
    ]
    assert reconciled(org, history(org))["totalCessionTransactionsCount"] == 3
    reports(org, "applicationId,disbursements\nloan-1,2026-01-05:400.00\n")
    assert [r["type"] for r in history(org)] == ["direct"], "what was undone there is gone here"


def test_a_sum_in_the_file_grows_by_topups_of_the_day_before() -> None:
    org = organisation()
    sold(org)
    for day, total in ((6, "400.00"), (7, "400.00"), (8, "550.00"), (9, "")):
        days.send(org, date(2026, 1, day))
        reports(org, f"applicationId,disbursedAmount\nloan-1,{total}\n")
    assert [(r["type"], r["day"], r["price"]) for r in history(org)] == [
        ("direct", "2026-01-05", "400.00"),
        ("topup", "2026-01-07", "150.00"),
    ]


def test_what_was_paid_out_today_is_taken_on_trust_until_the_next_file() -> None:
    org = organisation()
    sold(org)
    (row,) = history(org)
    topup = {**row, "type": "topup", "price": "250.00"}
    rows = [{**row, "price": "400.00"}, topup, topup]
    assert reconciled(org, rows)["correctCessionTransactionsCount"] == 3
    other = {**topup, "loanId": "loan-2"}
    assert reconciled(org, [*rows, other])["platformMissing"][0]["loanId"] == "loan-2"
    dearer = {**topup, "servicingFee": "0.9"}
    assert len(reconciled(org, [*rows, dearer])["platformMissing"]) == 1
    state.put(org, {"drop_cessions": ["loan-1"]})
    assert len(reconciled(org, rows)["platformMissing"]) == 3
    state.put(org, {"drop_cessions": None})
    days.send(org, date(2026, 1, 6))
    assert reconciled(org, rows)["correctDirectCessionTransactionsCount"] == 0, "not any more"
    paid = "2026-01-05:400.00;2026-01-05:250.00;2026-01-05:250.00"
    reports(org, f"applicationId,disbursements\nloan-1,{paid}\n")
    assert reconciled(org, rows)["correctCessionTransactionsCount"] == 3
    wrong = [{**rows[0], "price": "400.01"}, topup, topup]
    assert reconciled(org, wrong)["correctDirectCessionTransactionsCount"] == 2


def test_only_sold_loans_have_cessions() -> None:
    org = organisation()
    offered(org)
    done(org, "offers.decline", offerId=offered(org, "loan-2"))
    reports(org, "applicationId,disbursedAmount\nloan-1,5\nloan-2,5\nloan-3,5\n")
    assert history(org) == []


def test_a_cancelled_offer_goes_back() -> None:
    org = organisation()
    offer = sold(org)
    done(org, "offers.cancel", offerId=offer)
    back = {"loanId": "loan-1", "price": "1000.00", "type": "Cancelled", "date": "2026-01-05"}
    assert done(org, REVERSES) == {"ready": True, "reverseCessionTransactions": [back]}
    assert reconciled(org, history(org))["totalCessionTransactionsCount"] == 1, "it had been sold"


def test_loans_are_sold_back_on_purpose() -> None:
    org = organisation()
    sold(org)
    state.put(org, {"reverse_cessions": ["loan-1"]})
    more = {"loanId": "loan-2", "price": "199.3", "type": "UpperThreshold", "date": "2026-01-02"}
    state.put(org, {"reverse_cessions": [more, {**more, "price": 200}]})
    found = done(org, REVERSES)["reverseCessionTransactions"]
    assert found == [
        {"loanId": "loan-1", "price": "1000.00", "type": "Overdue", "date": "2026-01-05"},
        {**more, "price": "200"},
    ]
    state.put(org, {"reverse_cessions": []})
    assert done(org, REVERSES)["reverseCessionTransactions"] == []


ROW = {"investorLegalEntityId": 24, "loanId": "1", "type": "direct", "day": "2026-01-05",
       "price": 10, "originationFee": 1, "servicingFee": "0.1"}  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    ["{", "{}", "7", "[7]", "[null]", "[{}]",
     *(json.dumps([{**ROW, name: None}]) for name in ROW),
     json.dumps([{**ROW, "type": "reverse"}]), json.dumps([{**ROW, "day": "20260105"}])],
)  # fmt: skip
def test_cessions_that_cannot_be_read(rows: str) -> None:
    org = organisation()
    assert refused(org, RECONCILE, cessionTransactions=rows) == 1
    assert refused(org, RECONCILE) == 1


def test_nothing_is_ready_at_first_each_date_and_method() -> None:
    org = organisation(not_ready=2)
    methods = {
        REVERSES: "reverseCessionTransactions",
        "collateral.getRelevantPortfolio": "relevant",
        "collateral.getRetainedPortfolio": "retained",
        "collateral.getLeftPortfolio": "left",
    }
    for day in (5, 6):
        days.send(org, date(2026, 1, day))
        assert reconciled(org, []) == reconciled(org, []) == {"ready": False}
        assert reconciled(org, [])["ready"] is True
        for method, name in methods.items():
            assert done(org, method) == done(org, method) == {"ready": False}
            assert done(org, method) == {"ready": True, name: []}
    state.put(org, {"not_ready": 3})
    assert done(org, REVERSES) == {"ready": False}, "one more than there were"
    assert done(org, REVERSES)["ready"] is True


def test_the_markup() -> None:
    org = organisation()
    assert done(org, "collateral.getLastUpdateDate") == "2026-01-05"
    row = {"loanId": "1", "flici": "77", "investorId": "25"}
    state.put(org, {"collateral": {"date": "2026-01-12", "relevant": [row, "2"]}})
    state.put(org, {"collateral": {"date": "2026-01-19", "relevant": ["2", 3]}})
    two, three = ({"loanId": n, "flici": n, "investorId": "24"} for n in "23")
    assert done(org, "collateral.getLastUpdateDate") == "2026-01-19"
    assert done(org, "collateral.getRelevantPortfolio")["relevant"] == [two, three]
    assert done(org, "collateral.getRetainedPortfolio")["retained"] == [two]
    assert done(org, "collateral.getLeftPortfolio")["left"] == [row]
    state.put(org, {"collateral": {"relevant": [], "retained": ["5"], "left": []}})
    assert [r["loanId"] for r in done(org, "collateral.getRetainedPortfolio")["retained"]] == ["5"]
    assert answered(org, "collateral.getLastUpdateDate") == {"success": "2026-01-05"}
