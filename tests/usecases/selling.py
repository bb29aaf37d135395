"""A partner that sells loans: the real routes and worker, and the Blackmoon simulator over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from chalicelib import runtime
from chalicelib.domain.decision import Message
from chalicelib.domain.partners import Partner
from chalicelib.integrations.transport import Limits, Transport
from chalicelib.jobs import blackmoon as jobs
from chalicelib.models.unit import Outgoing
from chalicelib.usecases import offers
from chalicelib.usecases.context import Context
from tests.http_support import Api
from tests.local.blackmoon.support import Partner as There
from tests.local.blackmoon.support import running
from tests.scenarios.partner import Loan
from tests.scenarios.partner import Partner as Person
from tests.served import KEY, TODAY, StandingRuntime, _app

NINE = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)


class Market(StandingRuntime):
    """The runtime of a stage that sells; its time is what the test says."""

    def __init__(self, partner: Partner, url: str) -> None:
        super().__init__({KEY: partner})
        self.partner, self.now = partner, NINE
        self.clock = lambda: self.now
        self.waiting: list[Outgoing] = []
        self.reported: list[str] = []
        self.config = SimpleNamespace(  # type: ignore[assignment]
            **vars(self.config) | {"blackmoon_url": url, "blackmoon_secret": None}
            | {"blackmoon_simulated": True}
        )  # fmt: skip
        limits = Limits(connect_seconds=1.0, read_seconds=0.25, attempts=2)
        self.transport = Transport(limits, sleep=lambda _: None, uniform=max)

    def moment(self, partner: Partner) -> tuple[datetime, date]:
        """As the test says."""
        return self.now, partner.date_of(self.now)

    def context_of(self, partner_id: str) -> Context:
        """A worker's; partners are not in the table here."""
        return self.context_for(self.partner)

    def dispatch(self, messages: Sequence[Outgoing]) -> None:
        """Keep what is for the worker."""
        self.waiting += [message for message in messages if message.queue == "blackmoon"]

    def send_soon(self, messages: Sequence[Message], delay_seconds: int) -> bool:
        """As sent past the outbox."""
        self.waiting += [Outgoing(self.new_id(), one.queue, one.body, self.now) for one in messages]
        return True

    def count(self, *_: Any, **__: Any) -> None:
        """No metrics here."""

    def report(self, what: str, error: Exception, **facts: str) -> None:
        """Take note."""
        self.reported.append(f"{what}: {error}")


@dataclass
class Shop:
    """The partner, its side of the market, and the simulator's view of it."""

    market: Market
    there: There
    api: Api
    person: Person
    product: str = ""
    sold: str = ""
    known: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """A test begins: what was before it does not count."""
        self.product = ""
        self.market.waiting.clear()
        self.market.reported.clear()
        self.there.control("faults", method="DELETE")
        self.there.says(decision=True)
        self.known = set()
        self.known = set(self.alarms())

    def opens(self, **more: Any) -> Loan:
        """A new loan of a product that is sold."""
        self.sold = self.sold or self.person.publishes(sell_to_blackmoon=True)
        return self.person.opens_loan(self.product or self.sold, **{"amount": "2000.00", **more})

    def works(self, twice: bool = False) -> None:
        """The worker does what waits, and what follows from it; each message twice if so."""
        while self.market.waiting:
            message = self.market.waiting.pop(0)
            for _ in range(2 if twice else 1):
                jobs.ask(message.body)

    def passes(self, minutes: int) -> None:
        """Time passes here and there, and what is due is looked at."""
        self.market.now += timedelta(minutes=minutes)
        local = self.market.now
        self.there.control(
            "clock", {"business_date": local.date().isoformat(), "time": f"{local:%H:%M}"}
        )
        offers.tick(self.market.context_for(self.market.partner))
        self.works()

    def offer(self, loan: Loan) -> Any:
        """The loan's offer, as the partner sees it."""
        [found] = self.person.get(f"/blackmoon/offer/?loan={loan.id}")["results"]
        return found

    def cessions(self, loan: Loan) -> list[Any]:
        """The loan's cessions, oldest first."""
        found = self.person.get(f"/blackmoon/cession/?loan={loan.id}")["results"]
        return sorted(found, key=lambda one: str(one["created_at"]))

    def asked(self, loan: Loan) -> list[str]:
        """The methods that the simulator received for a loan."""
        offer = str(self.offer(loan)["offer_id"])
        return [
            one["path"].removeprefix("/")
            for one in self.there.received()
            if loan.id in one["form"].get("applicationFields", "")
            or one["form"].get("offerId") == offer
        ]

    def alarms(self) -> list[str]:
        """What a person was told."""
        rows = self.person.get("/alarm/?limit=200")["results"]
        return sorted({str(one["detail"]) for one in rows} - self.known)


@contextmanager
def shop(directory: Path, sandbox: bool = True, **state: Any) -> Iterator[Shop]:
    """A market for one partner; ``state`` is the simulator's (``decision=True``)."""
    partner = Partner(str(uuid4()), sandbox=sandbox)
    with running(directory) as simulator:
        there = simulator.partner(partner.id, TODAY)
        there.control("clock", {"business_date": TODAY.isoformat(), "time": "09:00"})
        there.says(**{"decision": True, **state})
        market = Market(partner, simulator.url)
        with runtime.use(market):
            api = Api(_app(), KEY)
            made = Shop(market, there, api, Person(api))
            selling = market.selling_simulator
            assert selling is not None
            selling.granted(market.context_for(partner))
            yield made
