"""A partner with endpoints and events, without loans: what tests of deliveries need, quickly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from chalicelib.domain.decision import Event
from chalicelib.domain.partners import Partner
from chalicelib.models.keys import WEBHOOK
from chalicelib.usecases import partners, webhooks
from chalicelib.usecases.announcing import announce
from chalicelib.usecases.context import Context
from chalicelib.usecases.webhooks import Reach
from tests.scenarios.world import World


def fact(name: str = "repayment_result", loan: str = "loan") -> Event:
    """An event about a transaction."""
    facts = {
        "id": str(uuid4()),
        "provider_transaction_id": None,
        "processing_date": date(2026, 3, 2),
        "amount": 100,
        "created_at": "2026-03-02T09:00:00Z",
        "loan": loan,
        "status": "applied",
    }
    return Event(name, facts)


@dataclass
class Lender:
    """One sandbox partner of a world."""

    world: World
    id: str

    @property
    def ctx(self) -> Context:
        """A context as a request or a job has it now."""
        return self.world.context_of(self.id)

    def registers(self, url: str, events: Sequence[str] = ("*",)) -> tuple[str, str]:
        """A new endpoint: its id and its secret."""
        reach = Reach(self.world.resolve, loopback=True)
        made = webhooks.create(self.ctx, {"url": url, "events": list(events)}, reach)
        return made.stored.value.id, made.secret

    def tells(self, *events: Event, loan: str | None = None) -> None:
        """Commit events as a state change would."""
        ctx = self.ctx
        unit = ctx.unit()
        announce(ctx, unit, events, loan=loan)
        ctx.commit(unit, None)

    def rows(self) -> list[Any]:
        """The log, oldest first."""
        found = self.world.store.each(WEBHOOK, self.id, newest_first=False, consistent=True)
        return [stored.value for stored in found]


def lender(world: World) -> Lender:
    """A new sandbox partner."""
    partner = Partner(str(uuid4()), sandbox=True)
    ctx = Context(partner, world.wall, world.wall.date(), world.store, world.new_id)
    unit = ctx.unit()
    partners.add(unit, partner, f"not-a-real-key-{partner.id}", world.new_id, world.wall)
    ctx.commit(unit, None)
    return Lender(world, partner.id)
