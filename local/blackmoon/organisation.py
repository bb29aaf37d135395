"""One originator's organisation at Blackmoon: all that it holds, changed only in ``changing()``.

Pure: date and time are set from outside, ids and tokens come from the ``new_id`` that it is given.
Amounts are kept as texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.simulating.records import Holding, Record

#: ``offers``; ``cessions`` (direct and topup) and ``reverses``; ``files`` that were taken.
KINDS = ("offers", "cessions", "reverses", "files")
LONDON = ZoneInfo("Europe/London")
TOKEN_DAYS = 14
LARGEST_FILE_BYTES = 32_000_000
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Head:
    """The organisation's own state, what the control routes have set included.

    ``id`` is the ``organizationId``; ``time`` (``HH:MM``) and ``business_date`` are London's.  The
    access token is good before ``access_expires`` (a date).  ``asked`` counts the answers of each
    method that said ``ready: false`` on the business date.
    """

    partner: str
    id: str
    access_token: str
    refresh_token: str
    business_date: date
    made_on: str
    access_expires: str
    time: str = "00:00"
    access_expired: bool = False
    refresh_expired: bool = False
    ticks: int = 0
    numbers: int = 0
    decision: bool | None = None
    bid: str | None = None
    not_ready: int = 1
    suspended: bool = False
    largest_file_bytes: int = LARGEST_FILE_BYTES
    platform_only: tuple[Mapping[str, Any], ...] = ()
    drop_cessions: Any = None
    collateral: Mapping[str, Any] | None = None
    asked: Mapping[str, int] = field(default_factory=dict)


class Organisation(Holding[Head]):
    """All of one originator's records.  The key ``("loan", id)`` leads to a loan's offer."""

    def __init__(self, head: Head, new_id: Callable[[str], str]) -> None:
        super().__init__(head, KINDS)
        self.new_id = new_id

    @property
    def clock(self) -> datetime:
        """Its instant, in UTC."""
        at = time.fromisoformat(self.head.time)
        return datetime.combine(self.today, at, LONDON).astimezone(UTC)

    def now(self) -> str:
        """The next instant, as Blackmoon writes it; no two of a date and time are equal."""
        ticks = self.head.ticks + 1
        self.head = replace(self.head, ticks=ticks)
        return shown(self.clock + ticks * MICROSECOND)

    def add(self, kind: str, doc: Mapping[str, Any], identity: str = "", **hidden: Any) -> Record:
        """A new record."""
        self.head = replace(self.head, numbers=self.head.numbers + 1)
        known = identity or f"{self.head.numbers:09d}"
        return self.put(Record(kind, known, self.head.numbers, dict(doc), hidden))

    def change(self, record: Record, hidden: Mapping[str, Any] | None = None, **doc: Any) -> Record:
        """The record with some of its fields replaced."""
        known = self.records[record.kind][record.id]
        whole, inside = known.doc | doc, known.hidden | dict(hidden or {})
        return self.put(replace(known, doc=whole, hidden=inside))

    def begin(self, day: date, at: str) -> None:
        """It is this date and time now."""
        same = day == self.today
        asked = self.head.asked if same else {}
        ticks = self.head.ticks if same and at == self.head.time else 0
        self.head = replace(self.head, business_date=day, time=at, ticks=ticks, asked=asked)

    def ready(self, method: str) -> bool:
        """Whether a method's data is processed; if not, this answer is counted."""
        told = self.head.asked.get(method, 0)
        if told >= self.head.not_ready:
            return True
        self.head = replace(self.head, asked={**self.head.asked, method: told + 1})
        return False


def shown(at: datetime) -> str:
    """ISO text with London's offset."""
    return at.astimezone(LONDON).isoformat(timespec="microseconds")


def lives_until(day: date) -> str:
    """When an access token made on ``day`` expires: as that date begins."""
    return (day + timedelta(days=TOKEN_DAYS)).isoformat()
