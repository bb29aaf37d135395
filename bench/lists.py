"""What a page of a partner's loans costs, at the beginning of the list and deep in it.

``python -m bench lists [--loans=20000] [--page=900]`` writes that many loans of one partner into an
embedded DynamoDB, through the store, and follows ``next`` through the real application.  The read
units are DynamoDB's own ``ConsumedCapacity`` (see :func:`watch_batches` for one call).  It fails if
the deep page costs over 10 % more or less than the first.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from chalicelib import runtime
from chalicelib.domain import disbursing
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.loans import Asked
from chalicelib.domain.partners import Clock, Partner
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.http import Backbone
from chalicelib.models import records
from chalicelib.models.keys import ACCOUNT, CLOCK_STATE, TERMS
from chalicelib.models.store import Store
from chalicelib.models.unit import Unit
from chalicelib.runtime import Runtime
from tests.http_support import Api
from tests.ministack import CREDENTIALS, ministack
from tests.support import Table, table_store

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LOANS_A_COMMIT = 50
PAGE, LARGEST = 20, 200
PATIENCE_SECONDS = 60
TOLERANCE = Decimal("0.10")


@dataclass
class Meter:
    """Read units since it was last asked, by what consumed them."""

    units: dict[str, float] = field(default_factory=dict)

    def __call__(self, operation: str, table: float, indexes: float) -> None:
        self.units[operation] = self.units.get(operation, 0) + table + indexes

    def taken(self) -> float:
        """All units since the last time."""
        total = sum(self.units.values())
        self.units.clear()
        return total


def watch_batches(store: Store, meter: Meter) -> None:
    """Count what ``BatchGetItem`` consumes, of which the embedded DynamoDB says nothing.

    By DynamoDB's rule each item costs half a unit (eventually consistent) for each 4 KB begun.
    """

    def tell(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if not parsed.get("ConsumedCapacity"):
            items = [item for found in parsed.get("Responses", {}).values() for item in found]
            meter(model.name, sum(0.5 * -(-_size(item) // 4096) for item in items), 0)

    client = store._record.table().connection.client
    client.meta.events.register("after-call.dynamodb.BatchGetItem", tell)


def _size(item: dict[str, dict[str, Any]]) -> int:
    """The bytes of an item of strings and short numbers: names and values."""
    return sum(len(name) + len(str(next(iter(value.values())))) for name, value in item.items())


class Bench(Runtime):
    """The real runtime over one table, with one partner whose day is done."""

    def __init__(self, store: Store, partner: Partner) -> None:
        super().__init__()
        self.store = store
        self.partner = partner
        self.config = SimpleNamespace(  # type: ignore[assignment]
            stage="bench",
            version="bench",
            public_base_url=None,
            log_level="ERROR",
            csv_limit_bytes=5_000_000,
        )

    def identify(self, hashed: str) -> Partner:
        """Everybody is this partner."""
        return self.partner

    def moment(self, partner: Partner) -> tuple[datetime, date]:
        """Nine in the morning."""
        return NOW, TODAY


def fill(store: Store, partner: Partner, many: int) -> None:
    """Write ``many`` running loans, opened one after the other over the last months."""
    terms, account = _running(partner)
    for start in range(0, many, LOANS_A_COMMIT):
        unit = Unit(NOW - timedelta(days=60) + timedelta(minutes=start // LOANS_A_COMMIT))
        for number in range(start, min(start + LOANS_A_COMMIT, many)):
            loan_id = str(uuid4())
            status = "late" if number % 10 == 0 else "active"
            unit.create(TERMS, partner.id, replace(terms, id=loan_id, application=str(uuid4())))
            unit.create(ACCOUNT, partner.id, replace(account, id=loan_id, status=status))
        store.commit(unit)
    unit = Unit(NOW)
    unit.create(CLOCK_STATE, partner.id, Clock(partner.id, closed=TODAY))
    store.commit(unit)


def _running(partner: Partner) -> tuple[Terms, Account]:
    """A term loan that was disbursed yesterday."""
    before = TODAY - timedelta(days=1)
    moment = Moment(NOW - timedelta(days=1), before, partner.begins)
    loan_id, borrower = str(uuid4()), str(uuid4())
    terms = Terms(
        loan_id, str(uuid4()), borrower, str(uuid4()), "term_loan", Decimal(1200), Decimal(12),
        installments=12, repayment_date_period=14,
    )  # fmt: skip
    asked = disbursing.disburse(terms, Account(loan_id, borrower), moment, Decimal(1200), Asked())
    assert asked.transaction is not None
    done = disbursing.apply_disbursement(terms, asked.account, moment, asked.transaction, None)
    return done.terms or terms, done.account


@dataclass(frozen=True)
class Reading:
    """A page's read units and its time in milliseconds."""

    units: float
    ms: float
    results: int


def read(api: Api, meter: Meter, url: str) -> tuple[Reading, str]:
    """One page: what it cost, and where the next one is."""
    meter.taken()
    began = time.perf_counter()
    answer = api.get(url).ok()
    took = (time.perf_counter() - began) * 1000
    onward = (answer["next"] or "").partition("/api/v1")[2]
    return Reading(meter.taken(), took, len(answer["results"])), onward


def follow(api: Api, meter: Meter, path: str, page: int) -> tuple[Reading, Reading]:
    """The first page, and page number ``page`` by following ``next``.

    On the way as many results as possible are taken by pages of 200 instead of 20, because the
    embedded DynamoDB takes a second for a query of so large an index; cursors do not mind.
    """
    first, url = read(api, meter, path)
    missing = (page - 2) * PAGE
    while missing:
        size = LARGEST if missing >= LARGEST else PAGE
        _, url = read(api, meter, url.replace(f"limit={PAGE}&", f"limit={size}&"))
        url = url.replace(f"limit={size}&", f"limit={PAGE}&")
        missing -= size
    deep, _ = read(api, meter, url)
    return first, deep


def measure(endpoint: str, many: int, page: int, path: str = "/loan/") -> dict[str, Reading]:
    """The first page never counted before, the first page again, and a deep one."""
    meter = Meter()
    table = Table(f"bench-{uuid4()}", CREDENTIALS["AWS_DEFAULT_REGION"], endpoint)
    store = table_store(table, on_capacity=meter)
    watch_batches(store, meter)
    partner = Partner(str(uuid4()))
    began = time.perf_counter()
    fill(store, partner, many)
    print(f"{many} loans written in {time.perf_counter() - began:.0f} s")
    app = Backbone(app_name="bench", configure_logs=False)
    app.mount(RESOURCES)
    with runtime.use(Bench(store, partner)):
        api = Api(app, "not-a-real-key")
        api.get("/product/").ok()  # builds models and connections
        cold, _ = read(api, meter, path)
        first, deep = follow(api, meter, path, page)
    return {"first ever": cold, "page 1": first, f"page {page}": deep}


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if the deep page differs by more than the tolerance."""
    given = dict(argument.lstrip("-").split("=") for argument in arguments)
    many, page = int(given.get("loans", 20_000)), int(given.get("page", 900))
    os.environ.update(CREDENTIALS)
    records.READ_SECONDS = PATIENCE_SECONDS  # the emulator's, not DynamoDB's
    with tempfile.TemporaryDirectory() as scratch, ministack(Path(scratch)) as endpoint:
        found = measure(endpoint, many, page)
    for name, reading in found.items():
        print(f"{name:12} {reading.units:8.1f} read units  {reading.ms:6.1f} ms"
              f"  {reading.results} results")  # fmt: skip
    ratio = deviation(found["page 1"].units, found[f"page {page}"].units)
    print(json.dumps({"loans": many, "page": page, "deviation": str(ratio)}))
    return 0 if ratio <= TOLERANCE else 1


def deviation(first: float, deep: float) -> Decimal:
    """By how much of the first page's units the deep page's differ."""
    return round(abs(Decimal(str(deep)) / Decimal(str(first)) - 1), 3)
