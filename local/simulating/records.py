"""One partner's organisation at a provider: its records, changed only inside ``changing()``.

Pure.  A record is its JSON as the provider shows it (``doc``) and what only the simulator knows
(``hidden``); records are replaced, never changed in place, so that a refused request can be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, Protocol, TypeVar

Json = dict[str, Any]
Place = tuple[str, str]


class Head(Protocol):
    """An organisation's own state: a frozen dataclass of JSON values and one date."""

    @property
    def partner(self) -> str:
        """Whose it is."""

    @property
    def business_date(self) -> date:
        """Its date."""


H = TypeVar("H", bound=Head)


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


class Holding(Generic[H]):
    """All of one partner's records of the given kinds, and keys that lead to some of them."""

    def __init__(self, head: H, kinds: Iterable[str]) -> None:
        self.head = head
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in kinds}
        self.keys: dict[Place, str] = {}
        self._before: dict[Place, Record | None] = {}
        self._new_keys: list[Place] = []

    @property
    def today(self) -> date:
        """Its business date."""
        return self.head.business_date

    def all(self, kind: str) -> Iterable[Record]:
        """Records of a kind, oldest first."""
        return self.records[kind].values()

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
        """What the last ``changing()`` left: records and keys to be kept."""
        records = [self.records[kind][identity] for kind, identity in self._before]
        keys, self._before, self._new_keys = self._new_keys, {}, []
        return records, keys

    def put(self, record: Record) -> Record:
        """Keeps the record in place of the one with its id."""
        place = (record.kind, record.id)
        self._before.setdefault(place, self.records[record.kind].get(record.id))
        self.load(record)
        return record

    def load(self, record: Record) -> None:
        """Takes the record as it was kept, without noting a change."""
        self.records[record.kind][record.id] = record

    def drop(self, place: Place) -> None:
        """The record was never there."""
        del self.records[place[0]][place[1]]

    def remember(self, kind: str, key: str, identity: str) -> None:
        """The key leads to this."""
        self.keys[kind, key] = identity
        self._new_keys.append((kind, key))

    def _put_back(self, place: Place, record: Record | None) -> None:
        if record is None:
            self.drop(place)
        else:
            self.load(record)
