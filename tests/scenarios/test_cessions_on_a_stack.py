"""Cessions compared each day, loans sold back, collateral: on the running stack, by its clock."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.local.blackmoon.support import Partner as There
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack

pytestmark = pytest.mark.stack

COMPARE = "/portfolio.reconcileDirectCessionTransactions"


class Book:
    """A partner that sells loans, its days, and the simulator's word."""

    def __init__(self, stack: Stack) -> None:
        self.partner: Partner = new_partner(stack)
        access = self.partner.get("/sandbox/simulators/")["blackmoon"]
        name = str(self.partner.get("/partner/")["id"])
        self.there = There(str(stack.run["blackmoon_url"]), name, dict(access))
        self.there.says(decision=True)
        self.product = self.partner.publishes(sell_to_blackmoon=True)

    @property
    def today(self) -> date:
        return date.fromisoformat(str(self.partner.get("/sandbox/clock/")["business_date"]))

    def goes_on(self, days: int = 1) -> date:
        to = self.today + timedelta(days=days)
        self.partner.post("/sandbox/clock/", {"business_date": to.isoformat()}, 200)
        return to

    def sells(self, amount: str = "1500.00") -> Loan:
        loan = self.partner.opens_loan(self.product)
        self.goes_on(0)
        loan.disburses(amount).confirmed()
        self.goes_on(0)
        assert self.investor(loan) is not None
        return loan

    def row(self) -> Any:
        query = f"?business_date={self.today}"
        [found] = self.partner.get(f"/blackmoon/reconciliation/{query}")["results"]
        return found

    def investor(self, loan: Loan) -> Any:
        return self.partner.get(f"/loan/{loan.id}/")["investor"]

    def alarms(self) -> list[str]:
        return [one["name"] for one in self.partner.get("/alarm/")["results"]]


def test_a_sold_book_is_compared_each_day_and_what_differs_is_found(stack: Stack) -> None:
    book = Book(stack)
    kept, back, lost = book.sells(), book.sells(), book.sells("2000.00")
    book.goes_on(2)
    row = book.row()
    assert (row["status"], row["total_count"], row["correct_count"]) == ("matched", 3, 3)
    assert book.alarms() == []

    book.there.says(
        drop_cessions=[lost.id],
        reverse_cessions=[{"loanId": back.id, "type": "Overdue", "price": "1499.5"}],
        collateral={"date": str(book.today), "relevant": [kept.id]},
        not_ready=3,
    )
    day = book.goes_on()
    row = book.row()
    assert (row["status"], row["tries"], row["ready"]) == ("discrepant", 4, True)
    assert [one["loan"] for one in row["platform_missing"]] == [lost.id]
    assert row["platform_only"] == [] and row["alarmed_at"] is not None
    assert "blackmoon_reconciliation" in book.alarms()
    assert book.investor(back) is None and book.investor(kept) is not None
    [reverse] = book.partner.get(f"/blackmoon/cession/?loan={back.id}&type=reverse")["results"]
    assert (reverse["day"], str(reverse["price"])) == (str(day - timedelta(days=1)), "1499.50")
    [pledged] = book.partner.get("/blackmoon/collateral/")["results"]
    assert (pledged["loan"], pledged["list"]) == (kept.id, "relevant")

    book.there.says(drop_cessions=None, not_ready=99)
    book.goes_on()
    row = book.row()
    assert (row["status"], row["tries"]) == ("failed", 24)
    book.there.says(not_ready=1, platform_only=["no-loan-of-ours"])
    book.goes_on()
    [only] = book.row()["platform_only"]
    assert only["loan"] == "no-loan-of-ours"
    book.there.says(platform_only=[])
    book.goes_on()
    assert book.row()["status"] == "matched"


def test_a_partner_that_never_sold_asks_nothing(stack: Stack) -> None:
    partner = new_partner(stack)
    access = partner.get("/sandbox/simulators/")["blackmoon"]
    there = There(str(stack.run["blackmoon_url"]), str(partner.get("/partner/")["id"]), access)
    partner.opens_loan(partner.publishes()).disburses("1500.00").confirmed()
    now = date.fromisoformat(str(partner.get("/sandbox/clock/")["business_date"]))
    to = now + timedelta(days=3)
    partner.post("/sandbox/clock/", {"business_date": to.isoformat()}, 200)
    assert there.received() == []
    assert partner.get("/blackmoon/reconciliation/")["results"] == []
