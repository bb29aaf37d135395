"""Cessions compared, loans sold back, collateral: the worker and the Blackmoon simulator, by HTTP.

The hours of a date go by as in the sandbox's clock, with the simulator brought along.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.domain import disbursing
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.data_files import DataFile
from chalicelib.domain.loans import Outcome
from chalicelib.integrations.blackmoon.results import ReverseRow
from chalicelib.jobs import schedules
from chalicelib.models.keys import CESSION, DATA_FILE
from chalicelib.usecases import (
    daily_files,
    loans,
    offers,
    ownership,
    reconciliation,
    reversals,
    selling_hours,
    transactions,
)
from chalicelib.usecases.context import Context
from chalicelib.usecases.simulators import Outside
from tests.scenarios.partner import Loan
from tests.usecases.selling import NINE, Shop, shop

COMPARE = "portfolio.reconcileDirectCessionTransactions"
REVERSES = "portfolio.getReverseCessionTransactions"
UPDATED = "collateral.getLastUpdateDate"
LISTS = [f"collateral.get{name}Portfolio" for name in ("Relevant", "Retained", "Left")]
BID = "2000.00"


@dataclass
class Days:
    """A shop whose days go by; ``seen`` is how many requests an earlier look has seen."""

    shop: Shop
    outside: Outside
    seen: int = 0

    @property
    def ctx(self) -> Context:
        return self.shop.market.context_for(self.shop.market.partner)

    @property
    def tomorrow(self) -> str:
        return str(self.today + timedelta(days=1))

    @property
    def today(self) -> date:
        return self.ctx.business_date

    def sells(self) -> Loan:
        """A loan that is offered, disbursed in full, and sold."""
        loan = self.shop.opens(amount=BID)
        self.shop.works()
        loan.disburses(BID).confirmed()
        self.shop.works()
        assert self.shop.offer(loan)["status"] == "accepted"
        return loan

    def goes_on(self, hours: bool = True) -> Any:
        """The next day, its hours too; its reconciliation."""
        market = self.shop.market
        market.now = market.now.replace(hour=0, minute=0, second=5) + timedelta(days=1)
        assert self.outside.arrive(self.ctx, self.today)
        if hours:
            assert self.outside.rest(self.ctx, last=False)
        return self.row()

    def row(self) -> Any:
        found = self.shop.person.get(f"/blackmoon/reconciliation/?business_date={self.today}")
        return found["results"][0] if found["results"] else None

    def asked(self) -> list[str]:
        """The methods that were called since the last look."""
        received = self.shop.there.received()
        new, self.seen = received[self.seen :], len(received)
        return [one["path"].removeprefix("/") for one in new]

    def investor(self, loan: Loan) -> Any:
        return self.shop.person.get(f"/loan/{loan.id}/")["investor"]

    def reverses(self, loan: Loan) -> list[Any]:
        return [one for one in self.shop.cessions(loan) if one["type"] == "reverse"]

    def says_of(self, loan: Loan, price: str) -> None:
        """Our own record of the loan's direct cession says another price."""
        ctx = self.ctx
        key = offers.direct_of(offers.id_of(loan.id))
        stored = ctx.store.get(CESSION, ctx.partner.id, key)
        assert stored is not None
        unit = ctx.unit()
        altered = replace(stored.value, price=Decimal(price))
        unit.update(CESSION, ctx.partner.id, stored, altered)
        ctx.store.commit(unit)

    def collateral(self, **filters: str) -> list[Any]:
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        rows: list[Any] = self.shop.person.get(f"/blackmoon/collateral/?limit=200&{query}")[
            "results"
        ]
        return rows


def days_of(made: Shop) -> Days:
    def quiet() -> bool:
        made.works()
        return True

    selling = made.market.selling_simulator
    nobody: Any = SimpleNamespace(follows=lambda partner_id: False)
    outside = Outside(nobody, nobody, quiet, lambda _: None, lambda: 0.0, selling)
    return Days(made, outside)


@pytest.fixture(scope="module")
def the_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("blackmoon")) as made:
        yield made


@pytest.fixture
def days(the_shop: Shop) -> Iterator[Days]:
    """Each test goes on from the last one's date, with what was sold before."""
    the_shop.begin()
    the_shop.there.says(not_ready=1)
    found = days_of(the_shop)
    found.asked()
    yield found
    the_shop.there.says(platform_only=[], drop_cessions=None, reverse_cessions=[], collateral=None)


# --- the comparison -------------------------------------------------------------------------------


def test_sold_and_matched(days: Days) -> None:
    loan = days.sells()
    offer = days.shop.offer(loan)
    assert days.investor(loan) == offer["investor_legal_entity_id"]
    days.asked()
    row = days.goes_on()
    assert (row["status"], row["ready"], row["tries"]) == ("matched", True, 2)
    assert (row["reverse_ready"], row["alarmed_at"]) == (True, None)
    assert row["total_count"] == row["correct_count"] == len(list(ownership.ever_ceded(days.ctx)))
    assert row["platform_only"] == row["platform_missing"] == []
    asked = days.asked()
    assert (asked.count(COMPARE), asked.count(REVERSES)) == (2, 2)
    assert days.shop.alarms() == []
    [told] = [
        one["form"]["cessionTransactions"]
        for one in days.shop.there.received()
        if one["path"] == f"/{COMPARE}"
    ][-1:]
    assert f'"loanId":"{loan.id}","type":"direct","day":"{days.shop.cessions(loan)[0]["day"]}"' in (
        told
    )
    assert '"price":2000.00' in told


def test_what_blackmoon_lacks_and_what_it_alone_has(days: Days) -> None:
    loan = days.sells()
    days.goes_on()
    stranger = str(uuid4())
    days.shop.there.says(drop_cessions=[loan.id], platform_only=[stranger])
    row = days.goes_on()
    assert row["status"] == "discrepant" and row["alarmed_at"] is not None
    [missing], [only] = row["platform_missing"], row["platform_only"]
    [cession] = days.shop.cessions(loan)
    for name in missing:
        if name != "reverse_type":
            assert missing[name] == cession[name], name
    assert (only["loan"], only["type"], only["price"]) == (stranger, "direct", Decimal("100.00"))
    assert row["total_count"] - row["correct_count"] == 2
    [alarm] = days.shop.alarms()
    assert str(days.today) in alarm and loan.id in alarm and stranger in alarm
    days.shop.there.says(drop_cessions=None, platform_only=[])
    assert days.goes_on()["status"] == "matched", "what was mended is not held against us"
    assert len(days.shop.alarms()) == 1


def test_a_price_that_differs_is_a_difference(days: Days) -> None:
    loan = days.sells()
    days.goes_on()
    days.says_of(loan, "1999.99")
    row = days.goes_on()
    assert row["status"] == "discrepant"
    assert [one["price"] for one in row["platform_missing"]] == [Decimal("1999.99")]
    assert [one["price"] for one in row["platform_only"]] == [Decimal(BID)]
    days.says_of(loan, BID)


@pytest.mark.parametrize(("not_ready", "status", "tries"), [(5, "matched", 6), (99, "failed", 24)])
def test_until_it_is_ready(days: Days, not_ready: int, status: str, tries: int) -> None:
    days.sells()
    days.shop.there.says(not_ready=not_ready)
    days.asked()
    row = days.goes_on()
    assert (row["status"], row["tries"], row["reverse_tries"]) == (status, tries, tries)
    assert row["ready"] is (status == "matched")
    asked = days.asked()
    assert asked.count(COMPARE) == asked.count(REVERSES) == tries
    assert (row["alarmed_at"] is not None) is (status == "failed")
    assert len(days.shop.alarms()) == (2 if status == "failed" else 0), "each question's"
    days.shop.there.says(not_ready=0)
    assert days.goes_on()["status"] == "matched", "a new date is asked for anew"


FAULTS = [
    ("html502", {}, 3, "matched", 2),
    ("error", {"code": 160}, 9, "failed", 3),
    ("error", {"code": 11}, 1, "failed", 1),
    ("error", {"code": 10}, 2, "matched", 3),
]


@pytest.mark.parametrize(("kind", "more", "times", "status", "tries"), FAULTS)
def test_errors_go_by_the_table(
    days: Days, kind: str, more: dict[str, int], times: int, status: str, tries: int
) -> None:
    days.sells()
    days.shop.there.says(not_ready=0)
    days.shop.there.fails(COMPARE, kind, times, **more)
    row = days.goes_on()
    assert (row["status"], row["tries"]) == (status, tries)
    assert row["error_code"] == (str(more["code"]) if status == "failed" else None)
    alarms = days.shop.alarms()
    assert len(alarms) == (1 if status == "failed" else 0)
    assert all(str(more["code"]) in alarm for alarm in alarms)


def test_every_message_may_come_twice_and_late(days: Days) -> None:
    days.sells()
    days.goes_on(hours=False)
    for message in selling_hours.questions(days.ctx.partner.id, days.today, 0):
        days.shop.market.send_soon([message], 0)
    days.shop.works(twice=True)
    row = days.row()
    assert (row["tries"], row["reverse_tries"], row["status"]) == (1, 1, "waiting")
    late = selling_hours.questions(days.ctx.partner.id, days.today - timedelta(days=400), 3)
    days.shop.market.send_soon(late, 0)
    days.asked()
    days.shop.works()
    assert days.asked() == [], "nothing is begun for a date that is over"
    days.goes_on()
    earlier = days.shop.person.get(
        f"/blackmoon/reconciliation/?business_date={days.today - timedelta(days=1)}"
    )["results"][0]
    assert earlier["status"] == "failed" and days.row()["status"] == "matched"


def test_not_before_the_days_files_are_through(days: Days) -> None:
    days.sells()
    days.goes_on(hours=False)
    ctx, partner = days.ctx, days.ctx.partner.id
    file = DataFile(daily_files.id_of(partner, days.today, "loans"), days.today, "loans")
    unit = ctx.unit()
    stored = unit.create(DATA_FILE, partner, replace(file, status="retrying"))
    ctx.store.commit(unit)
    days.asked()
    for hour in range(3):
        selling_hours.pass_hour(days.ctx, hour)
        days.shop.works(twice=True)
    row = days.row()
    assert (row["status"], row["tries"], row["reverse_ready"]) == ("waiting", 0, True)
    assert COMPARE not in days.asked()
    unit = ctx.unit()
    unit.update(DATA_FILE, partner, stored, replace(file, status="sent"))
    ctx.store.commit(unit)
    assert days.outside.rest(days.ctx, last=False)
    assert (days.row()["status"], days.row()["tries"]) == ("matched", 2)


# --- loans that are sold back ---------------------------------------------------------------------


def test_a_loan_sold_back_is_ours_again_once(days: Days) -> None:
    loan, other = days.sells(), days.sells()
    days.goes_on()
    day = str(days.today)
    back = {"loanId": loan.id, "type": "UpperThreshold", "price": "199.3", "date": day}
    days.shop.there.says(reverse_cessions=[back])
    before = days.shop.person.get(f"/loan/{loan.id}/")["updated_at"]
    row = days.goes_on()
    assert row["status"] == "matched", "what was bought is not undone by it"
    assert days.shop.person.get(f"/loan/{loan.id}/")["updated_at"] > before
    assert days.investor(loan) is None and days.investor(other) is not None
    [cession] = days.reverses(loan)
    assert (cession["price"], cession["day"]) == (Decimal("199.30"), day)
    assert cession["reverse_type"] == "UpperThreshold"
    assert (
        cession["investor_legal_entity_id"]
        == days.shop.cessions(loan)[0]["investor_legal_entity_id"]
    )
    for _ in range(2):
        assert days.goes_on()["status"] == "matched"
    assert len(days.reverses(loan)) == 1, "told each day, recorded once"
    assert loan.id in set(ownership.ever_ceded(days.ctx))
    [held] = ownership.holdings_of(days.ctx, loan.id)
    assert str(held.until) == day
    owned = days.shop.person.get(f"/loan/?investor={days.investor(other)}")["results"]
    assert other.id in {one["id"] for one in owned} and loan.id not in {one["id"] for one in owned}
    assert days.shop.alarms() == []


def test_a_reversal_that_cannot_be_is_shown_and_alarmed(days: Days) -> None:
    mine = days.shop.opens(amount=BID)  # offered, not sold
    days.shop.works()
    stranger = str(uuid4())
    days.shop.there.says(reverse_cessions=[mine.id, {"loanId": stranger, "type": "Overdue"}])
    row = days.goes_on()
    found = {one["loan"]: one for one in row["platform_only"] if one["type"] == "reverse"}
    assert set(found) == {mine.id, stranger} and row["alarmed_at"] is not None
    assert found[stranger]["reverse_type"] == "Overdue"
    assert row["status"] == "discrepant"
    assert any(stranger in alarm and "not sold" in alarm for alarm in days.shop.alarms())
    assert days.reverses(mine) == [] and days.investor(mine) is None


def test_an_offer_that_is_cancelled_gives_the_loan_back_and_both_sides_agree(days: Days) -> None:
    loan = days.shop.opens(amount=BID)
    days.shop.works()
    days.shop.api.post(f"/blackmoon/offer/{days.shop.offer(loan)['id']}/accept/").ok(201)
    days.shop.works()
    assert days.investor(loan) == days.shop.offer(loan)["investor_legal_entity_id"]
    assert days.goes_on()["status"] == "matched", "sold for the bid before it is paid out"
    loan.does("cancel").ok(201)
    days.shop.works()
    assert days.investor(loan) is None
    [expected] = days.reverses(loan)
    assert (expected["reverse_type"], expected["price"]) == ("Cancelled", Decimal(BID))
    told = ReverseRow(loan.id, Decimal(BID), "CANCELLED", days.today)
    assert reversals.record(days.ctx, [told]) == (), "however it is written"
    for _ in range(2):
        assert days.goes_on()["status"] == "matched"
    assert days.reverses(loan) == [expected | {"updated_at": days.reverses(loan)[0]["updated_at"]}]
    assert days.shop.alarms() == []


def test_a_sold_loan_whose_money_comes_back_was_never_lent(days: Days) -> None:
    loan = days.sells()
    comes_back(days, loan)
    assert days.shop.offer(loan)["status"] == "cancelled"
    assert days.shop.offer(loan)["reason"] == "disbursement_returned"
    assert days.investor(loan) is None and len(days.reverses(loan)) == 1
    assert days.goes_on()["status"] == "matched"
    loan.disburses(BID).confirmed()
    days.shop.works()
    assert days.investor(loan) is None, "paid out once more, it is ours"
    assert len(days.shop.cessions(loan)) == 2


def comes_back(days: Days, loan: Loan) -> None:
    """The bank brings the loan's disbursement back."""
    ctx = days.ctx
    [paid] = days.shop.person.get(f"/transaction/?loan={loan.id}&type=disbursement")["results"]
    original = transactions.read(ctx, paid["id"])

    def command(terms: Terms, account: Account, moment: Moment) -> Outcome:
        return disbursing.return_disbursement(terms, account, moment, original, "bank")

    loans.carry_out(ctx, loans.load(ctx, loan.id), command)
    days.shop.works()


def test_the_past_has_its_own_owner(days: Days) -> None:
    loan = days.sells()
    owner, sold = days.investor(loan), days.today
    days.goes_on()
    days.shop.there.says(reverse_cessions=[{"loanId": loan.id, "date": str(days.today)}])
    days.goes_on()
    then = days.shop.person.get(f"/loan/{loan.id}/?as_of={sold}")
    assert then["investor"] == owner and days.investor(loan) is None


# --- collateral -----------------------------------------------------------------------------------


def test_a_markup_and_the_one_that_replaces_it(days: Days) -> None:
    first, second, third = days.sells(), days.sells(), days.sells()
    day = days.tomorrow
    days.shop.there.says(collateral={"date": day, "relevant": [first.id, second.id]})
    days.goes_on()
    rows = days.collateral(list="relevant")
    assert {one["loan"] for one in rows} == {first.id, second.id}
    assert {(one["as_of"], one["investor_id"], one["flaw"]) for one in rows} == {(day, "24", None)}
    old = rows[0]["id"]
    assert days.shop.person.get(f"/blackmoon/collateral/{old}/")["loan"] in {first.id, second.id}
    days.asked()
    days.goes_on()
    assert days.asked().count(UPDATED) == 1, "nothing newer, nothing fetched"
    later = days.tomorrow
    days.shop.there.says(collateral={"date": later, "relevant": [second.id, third.id]})
    days.goes_on()
    shown = {(one["list"], one["loan"]) for one in days.collateral()}
    assert shown == {
        ("relevant", second.id), ("relevant", third.id), ("retained", second.id),
        ("left", first.id),
    }  # fmt: skip
    assert {one["as_of"] for one in days.collateral()} == {later}
    days.shop.api.get(f"/blackmoon/collateral/{old}/").refused("not_found", 404)
    assert days.shop.alarms() == []


def test_a_markup_that_does_not_fit(days: Days) -> None:
    loan, other, stranger = days.sells(), days.sells(), str(uuid4())
    wrong = {
        "date": days.tomorrow, "relevant": [loan.id, stranger], "retained": [other.id],
        "left": [loan.id],
    }  # fmt: skip
    days.shop.there.says(collateral=wrong)
    days.goes_on()
    flaws = {(one["list"], one["loan"]): one["flaw"] for one in days.collateral()}
    assert flaws == {
        ("relevant", loan.id): None,
        ("relevant", stranger): "unknown_loan",
        ("retained", other.id): "retained_not_relevant",
        ("left", loan.id): "left_but_relevant",
    }
    [alarm] = days.shop.alarms()
    assert stranger in alarm and other.id in alarm and loan.id in alarm
    days.goes_on()
    assert len(days.shop.alarms()) == 1


def test_a_markup_that_cannot_be_had_leaves_the_one_before(days: Days) -> None:
    loan = days.sells()
    days.shop.there.says(collateral={"date": days.tomorrow, "relevant": [loan.id]})
    days.goes_on()
    before = days.collateral()
    days.shop.there.says(collateral={"date": days.tomorrow, "relevant": []})
    days.shop.there.fails(LISTS[1], "error", 9, code=11)
    days.goes_on()
    assert days.collateral() == before
    [alarm] = days.shop.alarms()
    assert "collateral" in alarm and "error 11" in alarm
    days.shop.there.control("faults", method="DELETE")
    days.goes_on()
    assert {one["list"] for one in days.collateral()} == {"left"}


# --- hours ----------------------------------------------------------------------------------------


def test_hours_in_which_nothing_waits_cost_nothing(days: Days) -> None:
    days.sells()
    days.goes_on()
    days.shop.there.says(not_ready=0)
    days.asked()
    days.goes_on()
    asked = days.asked()
    assert sorted(asked) == sorted([COMPARE, REVERSES, UPDATED]), "one hour, and no more"
    assert days.outside.rest(days.ctx, last=False)
    assert days.asked() == [], "the same date again has no hours"


def test_an_offer_that_was_lost_is_asked_for_as_the_hours_end(days: Days) -> None:
    days.shop.there.fails("offers.create", "html502")
    loan = days.shop.opens(amount=BID)
    days.shop.works()
    assert days.shop.offer(loan)["status"] == "retrying"
    days.goes_on()
    assert days.shop.offer(loan)["status"] == "offered"
    loan.disburses(BID).confirmed()
    days.shop.works()
    assert days.shop.offer(loan)["status"] == "accepted", "its hour is not over there"


def test_a_partner_that_sells_nothing_pays_nothing(tmp_path: Path) -> None:
    with shop(tmp_path) as made:
        found = days_of(made)
        made.market.now = NINE
        product = made.person.publishes()
        made.person.opens_loan(product).disburses("1500.00").confirmed()
        assert found.goes_on() is None and found.goes_on() is None
        assert found.asked() == []


def test_a_stages_hours_come_from_the_schedule(tmp_path: Path) -> None:
    with shop(tmp_path, sandbox=False, not_ready=2) as stage:
        found = days_of(stage)
        partners = [stage.market.partner]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("chalicelib.usecases.days.every_partner", lambda _: iter(partners))
            assert schedules.poll_blackmoon() == 0, "nothing was ever offered"
            found.sells()
            for hour, status in (
                (10, "waiting"),
                (11, "waiting"),
                (12, "matched"),
                (13, "matched"),
            ):
                stage.market.now = NINE.replace(hour=hour)
                assert schedules.poll_blackmoon() == 1
                stage.works(twice=True)
                assert found.row()["status"] == status
            asked = found.asked()
            assert asked.count(COMPARE) == 3 and asked.count(UPDATED) > 3
            stage.market.config.blackmoon_url = None
            assert schedules.poll_blackmoon() == 0
        assert reconciliation.waiting(found.ctx, found.today) is False
