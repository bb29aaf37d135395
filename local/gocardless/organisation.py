"""One partner's organisation: all that it holds, changed only inside ``changing()``.

Pure: the date is set from outside, ids come from the ``new_id`` that it is given.  A record is its
JSON as the API shows it (``doc``) and what only the simulator knows (``hidden``); records are
replaced, never changed in place, so that a refused request can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from local.gocardless.errors import Json, not_found

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


@dataclass(frozen=True, slots=True)
class Record:
    """A resource: what is shown, and what only the simulator knows."""

    kind: str
    id: str
    number: int
    doc: Json
    hidden: Json = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Its ``status``, empty where it has none."""
        return str(self.doc.get("status", ""))

    @property
    def links(self) -> Json:
        """Its ``links``."""
        found: Json = self.doc.get("links", {})
        return found

    @property
    def due(self) -> date | None:
        """The next date on which something happens to it by itself."""
        text = self.hidden.get("due")
        return date.fromisoformat(text) if text else None


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


Place = tuple[str, str]


class Organisation:
    """All of one partner's records."""

    def __init__(self, head: Head, new_id: Callable[[str], str]) -> None:
        self.head = head
        self.new_id = new_id
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in PREFIXES}
        self.keys: dict[Place, str] = {}
        self.dues: dict[Place, date] = {}
        #: Ids of events to be sent, webhooks to be tried again, payout items not paid out yet.
        self.waiting: dict[str, dict[str, None]] = {kind: {} for kind in WAITS}
        self._before: dict[Place, Record | None] = {}
        self._new_keys: list[Place] = []

    # -- reading

    @property
    def today(self) -> date:
        """Its business date."""
        return self.head.business_date

    def get(self, kind: str, identity: object) -> Record:
        """The record, or GoCardless's 404."""
        found = self.records[kind].get(identity) if isinstance(identity, str) else None
        if found is None:
            raise not_found()
        return found

    def all(self, kind: str) -> Iterable[Record]:
        """Records of a kind, oldest first."""
        return self.records[kind].values()

    def waiting_of(self, kind: str) -> list[Record]:
        """Those of a kind that wait, oldest first."""
        found = [self.records[kind][identity] for identity in self.waiting[kind]]
        return sorted(found, key=lambda record: record.number)

    # -- writing

    @contextmanager
    def changing(self) -> Iterator[None]:
        """What is changed inside stays, unless an error leaves: then nothing has changed."""
        head = self.head
        self._before, self._new_keys = {}, []
        try:
            yield
        except BaseException:
            for place, record in reversed(self._before.items()):
                self._put_back(place, record)
            for key in self._new_keys:
                del self.keys[key]
            self.head = head
            self._before, self._new_keys = {}, []
            raise

    def changed(self) -> tuple[list[Record], list[Place]]:
        """What the last ``changing()`` left: records and idempotency keys to be kept."""
        records = [self.records[kind][identity] for kind, identity in self._before]
        keys, self._before, self._new_keys = self._new_keys, {}, []
        return records, keys

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

    def put(self, record: Record) -> Record:
        """Keeps the record in place of the one with its id."""
        place = (record.kind, record.id)
        self._before.setdefault(place, self.records[record.kind].get(record.id))
        self.load(record)
        return record

    def load(self, record: Record) -> None:
        """Takes the record as it was kept, without noting a change."""
        place = (record.kind, record.id)
        self.records[record.kind][record.id] = record
        if (due := record.due) is not None:
            self.dues[place] = due
        else:
            self.dues.pop(place, None)
        if record.kind in WAITS:
            if WAITS[record.kind](record):
                self.waiting[record.kind][record.id] = None
            else:
                self.waiting[record.kind].pop(record.id, None)

    def remember(self, kind: str, key: str, identity: str) -> None:
        """The idempotency key has made this."""
        self.keys[kind, key] = identity
        self._new_keys.append((kind, key))

    def _put_back(self, place: Place, record: Record | None) -> None:
        if record is None:
            del self.records[place[0]][place[1]]
            self.dues.pop(place, None)
            if place[0] in WAITS:
                self.waiting[place[0]].pop(place[1], None)
        else:
            self.load(record)

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
