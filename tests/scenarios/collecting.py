"""Loans that are collected, months in seconds.

From one day on which something is due, at the provider or on a loan, straight to the next: quiet
days bring nothing, so that the result is the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app import app
from chalicelib.integrations.gocardless.signature import signature
from chalicelib.models.keys import CLOCK_STATE
from chalicelib.usecases import days
from chalicelib.usecases import loans as usecase
from tests.http_support import Api
from tests.scenarios.partner import Loan
from tests.scenarios.paying import WEBHOOK, Paying

ONE_DAY = timedelta(days=1)


class Collector:
    """A partner whose loans are collected."""

    def __init__(self, pays: Paying, today: str) -> None:
        self.pays, self.loans = pays, list[Loan]()
        pays.partner.goes_to(today)
        pays.partner.get("/sandbox/simulators/")
        self.today = date.fromisoformat(today)

    # --- time ---

    def goes_to(self, day: date | str) -> None:
        """Each day up to ``day`` that brings something, and ``day`` itself."""
        until = date.fromisoformat(str(day))
        assert until >= self.today
        self.hears()
        while self.today < until:
            ahead = [one for one in self._due() if self.today < one < until]
            self._is(min(ahead, default=until))

    def passes(self, days: int) -> None:
        """So many days go by."""
        self.goes_to(self.today + timedelta(days=days))

    def _due(self) -> list[date]:
        records = [one for kind in self.pays.org.records.values() for one in kind.values()]
        found = [one.hidden.get("due") for one in records]
        wakes = [self.account(loan).wake for loan in self.loans]
        return [date.fromisoformat(day) for day in found if day] + [day for day in wakes if day]

    def _is(self, day: date) -> None:
        """The day begins: first the provider's, then the jobs, then what they brought about."""
        self._set_clock(day)
        self.pays.control("clock", {"business_date": day.isoformat()})
        self.pays.works()
        for loan in self.loans:
            assert days.bring_up(self.context(), loan.id)
        self.hears()

    def _set_clock(self, day: date) -> None:
        world, partner = self.pays.world, self.pays.partner_id
        stored = world.store.get(CLOCK_STATE, partner, partner)
        assert stored is not None
        unit = self.context().unit()
        after = replace(stored.value, day=day, target=day, closed=day, set_at=world.wall)
        unit.update(CLOCK_STATE, partner, stored, after)
        world.store.commit(unit)
        self.today = day

    def hears(self) -> None:
        """What the provider has to tell is taken in, and what follows is done."""
        self.pays.works()
        self.pays.control("drain", {})
        self.pays.works()
        assert self.pays.world.line.dead == []

    # --- loans ---

    def context(self) -> Any:
        """As a worker has it."""
        return self.pays.world.context_of(self.pays.partner_id)

    def account(self, loan: Loan) -> Any:
        """The account behind a loan."""
        return usecase.load(self.context(), loan.id).account.value

    def loan(self, amount: str = "12000.00", *, mandate: bool = True, **product: Any) -> Loan:
        """A new borrower's loan, paid out today; with an active mandate unless told otherwise."""
        return self.loans_of(1, amount, mandate=mandate, **product)[0]

    def loans_of(
        self, many: int, amount: str = "12000.00", *, mandate: bool = True, **product: Any
    ) -> list[Loan]:
        """Loans of one product, each of its own borrower, paid out on the same day."""
        partner = self.pays.partner
        of = partner.publishes(**product)
        made = [partner.opens_loan(of) for _ in range(many)]
        if mandate:
            for loan in made:
                self.pays.signs(self.pays.mandate(loan.now["end_user"]))
            self.passes(6)
        self.loans += [loan.disburses(amount).confirmed() for loan in made]
        return made

    # --- at the provider ---

    def payment(self, transaction: Any) -> Any:
        """The provider's record of a repayment, as its JSON."""
        return self.pays.org.records["payments"][transaction["provider_transaction_id"]].doc

    def payments(self, loan: Loan) -> list[Any]:
        """All that were made at the provider for a loan, oldest first."""
        made = [one.doc for one in self.pays.org.records["payments"].values()]
        return [one for one in made if one["metadata"]["loan"] == loan.id]

    def happens(self, action: str, transaction: Any, **details: str) -> None:
        """The provider reports something of a repayment's payment, and it is taken in."""
        self.tells("payments", action, {"payment": transaction["provider_transaction_id"]}, details)
        self.hears()

    def tells(self, kind: str, action: str, links: Any, details: Any) -> None:
        """Something happens at the provider."""
        body = {"resource_type": kind, "action": action, "links": links, "details": details}
        self.pays.control("events", body)

    def again(self, event: Any) -> None:
        """The provider sends one of its events once more, under an id that we do not know."""
        raw = json.dumps({"events": [{**event, "id": event["id"] + "AGAIN"}]}).encode()
        headers = {"Webhook-Signature": signature(self.pays.org.head.webhook_secret, raw)}
        assert Api(app, None).post(WEBHOOK, raw=raw, headers=headers, root=True).status == 204
        self.hears()


def repayments(loan: Loan) -> list[Any]:
    """The loan's repayments, newest first."""
    return [one for one in loan.all_transactions() if one["type"] == "repayment"]


def last(loan: Loan) -> Any:
    """The loan's newest repayment."""
    return repayments(loan)[0]


def interest(loan: Loan) -> Decimal:
    """All interest that counts."""
    nights = [one for one in loan.all_transactions() if one["type"] == "interest"]
    return sum((Decimal(n["exact"]["interest"]) for n in nights if n["status"] == "applied"),
               Decimal())  # fmt: skip
