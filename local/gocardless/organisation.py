"""One partner's organisation: all that it holds, changed only inside ``changing()``.

Pure: the date is set from outside, ids come from the ``new_id`` that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from local.gocardless.errors import Json, not_found
from local.simulating.records import Holding, Place, Record

__all__ = ["Head", "Organisation", "Place", "Record"]

#: The kinds of records and the prefixes of their ids, as GoCardless writes them.
PREFIXES: Mapping[str, str] = {
    "billing_request_flows": "BRF",
    "billing_requests": "BRQ",
    "creditor_bank_accounts": "BA",
    "creditors": "CR",
    "customer_bank_accounts": "BA",
    "customers": "CU",
    "events": "EV",
    "mandates": "MD",
    "outbound_payments": "OUT",
    "payments": "PM",
    "payout_items": "PI",
    "payouts": "PO",
    "refunds": "RF",
    "webhooks": "WB",
}

#: What the ids of these begin with; they are no records of their own.
PART_PREFIXES = {"customer_billing_detail": "CBD", "mandate_request": "MRQ", "organisation": "OR"}

#: Instants of a date begin here (the date is the same in London and in UTC), a millisecond apart.
DAY_BEGINS = time(6, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


#: Which records wait for the sender, or for the next payout.
WAITS: Mapping[str, Callable[[Record], bool]] = {
    "events": lambda record: "webhook" not in record.hidden,
    "payout_items": lambda record: record.doc["payout"] is None,
    "webhooks": lambda record: record.hidden.get("next") is not None,
}


@dataclass(frozen=True, slots=True)
class Head:
    """The organisation's own state."""

    partner: str
    id: str
    creditor: str
    access_token: str
    webhook_secret: str
    webhook_url: str | None
    business_date: date
    ticks: int = 0
    numbers: int = 0
    mandates_need_approval: bool = False
    outbound_needs_approval: bool = False
    public_keys: Mapping[str, str] = field(default_factory=dict)


class Organisation(Holding[Head]):
    """All of one partner's records."""

    def __init__(self, head: Head, new_id: Callable[[str], str]) -> None:
        super().__init__(head, PREFIXES)
        self.new_id = new_id
        self.dues: dict[Place, date] = {}
        #: Ids of events to be sent, webhooks to be tried again, payout items not paid out yet.
        self.waiting: dict[str, dict[str, None]] = {kind: {} for kind in WAITS}

    # -- reading

    def get(self, kind: str, identity: object) -> Record:
        """The record, or GoCardless's 404."""
        found = self.records[kind].get(identity) if isinstance(identity, str) else None
        if found is None:
            raise not_found()
        return found

    def waiting_of(self, kind: str) -> list[Record]:
        """Those of a kind that wait, oldest first."""
        found = [self.records[kind][identity] for identity in self.waiting[kind]]
        return sorted(found, key=lambda record: record.number)

    # -- writing

    def add(self, kind: str, doc: Mapping[str, Any], **hidden: Any) -> Record:
        """A new record; its id and ``created_at`` are made here."""
        identity = self.new_id(PREFIXES[kind])
        whole = {"id": identity, "created_at": self.now(), **doc}
        self.head = replace(self.head, numbers=self.head.numbers + 1)
        return self.put(Record(kind, identity, self.head.numbers, whole, hidden))

    def change(self, record: Record, hidden: Mapping[str, Any] | None = None, **doc: Any) -> Record:
        """The record with some of its fields replaced."""
        known = self.records[record.kind][record.id]
        whole, inside = known.doc | doc, known.hidden | dict(hidden or {})
        return self.put(replace(known, doc=whole, hidden=inside))

    def load(self, record: Record) -> None:
        """Takes the record as it was kept, without noting a change."""
        super().load(record)
        place = (record.kind, record.id)
        if (due := record.due) is not None:
            self.dues[place] = due
        else:
            self.dues.pop(place, None)
        if record.kind in WAITS:
            if WAITS[record.kind](record):
                self.waiting[record.kind][record.id] = None
            else:
                self.waiting[record.kind].pop(record.id, None)

    def drop(self, place: Place) -> None:
        """The record was never there."""
        super().drop(place)
        self.dues.pop(place, None)
        if place[0] in WAITS:
            self.waiting[place[0]].pop(place[1], None)

    # -- time

    def now(self) -> str:
        """The next instant of the business date; no two are equal."""
        ticks = self.head.ticks + 1
        self.head = replace(self.head, ticks=ticks)
        instant = datetime.combine(self.today, DAY_BEGINS) + ticks * MILLISECOND
        return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"

    def begin(self, day: date) -> None:
        """It is ``day`` now."""
        if day != self.today:
            self.head = replace(self.head, business_date=day, ticks=0)

    # -- events

    def emit(
        self, about: Record, action: str, details: Json, links: Json, metadata: Json | None = None
    ) -> Record:
        """An event about a record, to be sent with the next webhook."""
        return self.add(
            "events",
            {
                "resource_type": about.kind,
                "action": action,
                "metadata": metadata or {},
                "details": details,
                "links": links,
                "resource_metadata": about.doc.get("metadata") or {},
            },
        )
