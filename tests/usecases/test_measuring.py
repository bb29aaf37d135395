"""What a commit tells those who watch: once, after it happened, in words of few."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app import app
from chalicelib import runtime
from chalicelib.domain.decision import Message
from chalicelib.jobs import schedules
from chalicelib.models.keys import ACCOUNT, ANYONE, PARTNER
from chalicelib.models.unit import Unit
from chalicelib.usecases import measuring
from tests.http_support import Api
from tests.scenarios.partner import Partner
from tests.scenarios.world import SETTINGS, World

KEY = "not-a-real-key-of-the-watched"
WATCHING = replace(SETTINGS, ledger_checks=1000, counts_book=True)


class Watched(World):
    """A world whose metrics are read."""

    def __init__(self) -> None:
        super().__init__(WATCHING)
        self.lines: list[str] = []
        self.reported: list[tuple[str, str, dict[str, str]]] = []
        self.metrics.write = self.lines.append

    def report(self, what: str, error: Exception, **facts: str) -> None:
        self.reported.append((what, str(error), facts))

    def values(self, name: str) -> Counter[tuple[str, ...]]:
        """The sums of a metric by its dimensions' values (without the stage), in order."""
        self.flush()
        found: Counter[tuple[str, ...]] = Counter()
        for line in map(json.loads, self.lines):
            if name in line:
                [*names] = line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]
                found[tuple(line[one] for one in names if one != "stage")] += sum(line[name])
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setattr("chalicelib.domain.self_check.ONE_IN", 1)
    monkeypatch.setattr("chalicelib.watching.BOOK_EVERY_SECONDS", 0.0)
    with runtime.use(Watched()) as used:
        runtime.bootstrap(KEY)
        yield used  # type: ignore[misc]


@pytest.fixture
def partner(world: Watched) -> Partner:
    return Partner(Api(app, KEY))


def test_a_loan_from_application_to_arrears_and_back(world: Watched, partner: Partner) -> None:
    partner.goes_to("2026-03-02")
    loan = partner.opens_loan(partner.publishes())
    loan.disburses("12000.00")
    assert not world.values("DisbursedAmount"), "it has not arrived"
    loan.confirmed()
    assert world.values("ApplicationsCreated") == {(): 1}
    assert world.values("ApplicationsDecided") == {("approved",): 1}
    assert world.values("LoansOpened") == {(): 1}
    assert world.values("LoansDisbursed") == {("manual",): 1}
    assert world.values("DisbursedAmount") == {("GBP",): 12000}
    partner.goes_to("2026-04-25")
    loan.repays("1000.00")
    assert not world.values("CollectedAmount"), "nor has this"
    loan.confirmed()
    assert world.values("RepaymentsCollected") == {("manual",): 1}
    assert world.values("CollectedAmount") == {("GBP",): 1000}
    moves = world.values("StatusMoves")
    assert moves[("inactive", "active")] == moves[("active", "late")] == 1
    assert moves[("late", "arrears")] == 1
    assert sum(moves.values()) == 3 + moves[("arrears", "active")]
    days = (date(2026, 4, 25) - date(2026, 3, 2)).days
    assert world.values("DaysClosed") == {(): days}
    assert world.values("LedgerChecks")[()] == world.values("LoansBroughtUp")[()] > 2
    assert world.values("LedgerMismatch") == {(): 0}
    assert not world.reported
    assert Decimal(str(world.values("LoansInBook")[("arrears",)])) >= 1
    _no_ids(world, [loan.id, loan.now["end_user"]])


def _no_ids(world: Watched, known: list[str]) -> None:
    text = "\n".join(world.lines)
    for an_id in known:
        assert an_id not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)


def test_a_commit_that_is_lost_tells_nothing(world: Watched, partner: Partner) -> None:
    loan = partner.opens_loan(partner.publishes())
    loan.transaction("disbursement", "999999.00").refused("credit_limit_exceeded")
    body = {"loan": loan.id, "type": "disbursement", "amount": "10.00", "idempotency_key": "k"}
    partner.post("/transaction/", body)
    made = partner.post("/transaction/", body)["id"]
    partner.post(f"/transaction/{made}/apply/", {})
    partner.http.request("POST", f"/transaction/{made}/apply/", {}).refused("invalid_status")
    assert world.values("LoansDisbursed") == {("manual",): 1}


def test_an_account_that_is_off_is_found_and_left_alone(world: Watched, partner: Partner) -> None:
    partner.goes_to("2026-03-02")
    loan = partner.opens_loan(partner.publishes())
    loan.disburses("12000.00").confirmed()
    ctx = _context(world)
    stored = ctx.store.get(ACCOUNT, ctx.partner.id, loan.id)
    assert stored is not None
    unit = Unit(ctx.now)
    off = replace(stored.value, principal=Decimal("11000.00"))
    unit.update(ACCOUNT, ctx.partner.id, stored, off)
    ctx.store.commit(unit)
    assert measuring.check_ledger(_context(world), loan.id)
    found = [one for one in world.reported if "journal tells" in one[0]]
    assert world.values("LedgerMismatch")[()] == len(found) == 1
    _what, error, facts = found[0]
    assert facts == {"loan": loan.id}
    assert "balances" in error
    assert not any(char.isdigit() for char in error), "names, no amounts"
    after = ctx.store.get(ACCOUNT, ctx.partner.id, loan.id)
    assert after is not None and after.value == off, "nothing was changed by looking"


def _context(world: Watched) -> Any:
    [row] = world.store.page(PARTNER, ANYONE).items
    return world.context_for(row.value)


def test_the_round_tells_how_far_behind_the_worst_partner_is(
    world: Watched, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedules.close_days()
    assert (world.values("CloseLag"), world.values("PartnersBehind")) == ({(): 0}, {(): 0})
    assert world.values("DaysNotBegun") == {(): 0}

    def behind(_: Any) -> timedelta:
        return timedelta(hours=7)

    def no_day(*_: Any) -> None:
        raise RuntimeError("no day")

    monkeypatch.setattr("chalicelib.usecases.measuring.behind", behind)
    monkeypatch.setattr("chalicelib.usecases.days.step", no_day)
    world.lines.clear()
    assert schedules.close_days() == 1
    assert world.values("CloseLag") == {(): 7 * 3600}
    assert world.values("PartnersBehind") == world.values("DaysNotBegun") == {(): 1}


def test_what_stays_in_the_outbox_has_an_age(world: Watched, partner: Partner) -> None:
    world.line.lose = True
    unit = _context(world).unit()
    unit.send(Message("clock", {"partner": _context(world).partner.id}))
    world.store.commit(unit)
    world.wall += timedelta(minutes=12)
    schedules.sweep_outbox()
    age = world.values("OutboxAge")[()]
    assert 12 * 60 <= age < 13 * 60
    world.line.lose = False
    schedules.sweep_outbox()
    world.lines.clear()
    schedules.sweep_outbox()
    assert world.values("OutboxAge") == {(): 0}
