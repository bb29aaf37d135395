"""The demo's stage: who plays, the partner's client and clock, and what has been seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

import httpx

from backbone_client import Client
from backbone_client.lending_records import Loan, Transaction
from local.demo_debits import Mandate
from local.demo_decisions import Decision
from local.demo_outside import Browser, Endpoint, Provider
from local.demo_record import Quote, Sight, Split


class StoryBroken(Exception):
    """The application did something else than the story needs to go on."""


class Narrator(Protocol):
    """Who is told how it goes."""

    def steps(self, more: int) -> None:
        """So many steps more are to come."""

    def done(self, steps: int, doing: str) -> None:
        """So many are done; what was being done."""

    def say(self, line: str) -> None:
        """Something worth a line."""


@dataclass
class Actor:
    """A borrower with a loan, and what has been seen of it.

    ``misses``, ``fails`` and ``disputes`` are numbers of rows: one that nobody pays in time, one
    whose collection the bank refuses at first, one that the bank takes back.  Who ``settles`` pays
    all that is left ahead of the last row.
    """

    title: str
    first_name: str
    points: dict[str, Any]
    collected: bool = True
    misses: int | None = None
    fails: int | None = None
    disputes: int | None = None
    settles: bool = False
    end_user: str = ""
    application: str = ""
    decision: Decision | None = None
    loan: str = ""
    mandate: str = ""
    typed: tuple[str, ...] = ()
    story: Mandate | None = None
    payoff: Decimal | None = None
    sights: list[Sight] = field(default_factory=list)

    @property
    def borrower(self) -> str:
        """The borrower's name."""
        return f"{self.first_name} Example"

    @property
    def status(self) -> str:
        """As it was last seen."""
        return self.sights[-1].status


class Stage:
    """The partner's client, the business date, the actors, and whoever else takes part."""

    def __init__(
        self,
        client: Client,
        narrator: Narrator,
        web: httpx.Client,
        endpoint: Endpoint,
        actors: Sequence[Actor],
        today: date,
    ) -> None:
        self.client, self.narrator = client, narrator
        self.browser, self._web, self.endpoint = Browser(web), web, endpoint
        self.actors, self.today = tuple(actors), today
        self.product = ""
        self.provider: Provider
        self.quote: Quote
        self._keys = 0

    def meets_the_provider(self) -> None:
        """The partner's organisation at the payments provider."""
        found = self.client.sandbox.simulators().gocardless
        if found is None:
            raise StoryBroken("This sandbox has no payments provider.")
        self.provider = Provider(found, self._web)

    def goes_to(self, day: date) -> None:
        """Moves the clock, and waits where a long move is answered before its end."""
        reached = None
        while reached != day:
            before = reached
            reached = self.client.sandbox.move_clock(day).business_date
            if reached == before:
                raise StoryBroken(f"The clock stands still on {reached} on its way to {day}.")
        if day > self.today:
            self.narrator.done((day - self.today).days, f"business date {day}")
        self.today = day

    def settles(self) -> None:
        """Waits until everything under way on this date is done, and looks at all loans."""
        self.goes_to(self.today)
        self.looks()

    def passes_to(self, day: date) -> None:
        """Goes on to ``day`` and looks at all loans."""
        self.goes_to(day)
        self.looks()

    def looks(self) -> None:
        """At every loan that is not over."""
        for actor in self.actors:
            if not actor.sights or actor.status != "closed":
                self.look(actor)

    def look(self, actor: Actor) -> Loan:
        """Reads a loan and keeps what was seen; a new status is told."""
        shown = self.client.loans.read(actor.loan)
        before = actor.sights[-1].status if actor.sights else None
        past = shown.days_past_due
        actor.sights.append(Sight(self.today, shown.status, Split.read(shown), past))
        if before != shown.status:
            more = f", {past} day{'s' if past > 1 else ''} past due" if past else ""
            self.narrator.say(f"{self.today}  {actor.title}: {shown.status}{more}")
        return shown

    def transacts(self, actor: Actor, kind: str, amount: Decimal) -> Transaction:
        """Makes a transaction and confirms it by hand, as money that moved elsewhere."""
        self._keys += 1
        key = f"demo-{self._keys}"
        if kind == "repayment":
            made = self.client.transactions.create(
                loan=actor.loan, type=kind, amount=amount, idempotency_key=key, collect=False
            )
        else:
            made = self.client.transactions.create(
                loan=actor.loan, type=kind, amount=amount, idempotency_key=key
            )
        expect(made.status, "pending", f"the {kind}")
        applied = self.client.transactions.apply(made.id)
        expect(applied.status, "applied", f"the {kind}")
        return applied

    def collection(self, actor: Actor) -> Transaction:
        """The loan's newest repayment that the provider collects."""
        found = self.client.transactions.iterate(
            loan=actor.loan, type="repayment", provider="gocardless"
        )
        newest = next(iter(found), None)
        if newest is None or newest.provider_transaction_id is None:
            raise StoryBroken(f"{actor.title}: nothing is collected on {self.today}")
        return newest


def expect(found: object, wanted: object, what: str) -> None:
    """Raises :class:`StoryBroken` unless it is so."""
    if found != wanted:
        raise StoryBroken(f"{what} is {found}, not {wanted}")
