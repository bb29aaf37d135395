"""All organisations of a simulator: found by partner, changed one request at a time, and kept."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any, Generic, TypeVar

from local.simulating.records import Holding, Json
from local.simulating.store import Keep

Org = TypeVar("Org", bound=Holding[Any])


class Organisations(ABC, Generic[Org]):
    """Every organisation, each behind a lock of its own."""

    def __init__(self, store: Keep, known: Iterable[Org], today: Callable[[], date]) -> None:
        self.store = store
        self.today = today
        self._lock = threading.Lock()
        self._partners: dict[str, Org] = {}
        self._locks: dict[str, threading.RLock] = {}
        for org in known:
            self.know(org)

    @abstractmethod
    def make(self, partner: str, day: date) -> Org:
        """A new organisation, with what it has from the beginning."""

    def know(self, org: Org) -> None:
        """It is there from now on."""
        partner = org.head.partner
        self._locks[partner] = threading.RLock()
        self._partners[partner] = org

    def all(self) -> list[Org]:
        """Every organisation."""
        with self._lock:
            return list(self._partners.values())

    def of_partner(self, partner: str) -> Org | None:
        """A partner's organisation."""
        return self._partners.get(partner)

    @contextmanager
    def looking(self, org: Org) -> Iterator[Org]:
        """Nobody changes the organisation meanwhile."""
        with self._locks[org.head.partner]:
            yield org

    @contextmanager
    def changing(self, org: Org) -> Iterator[Org]:
        """What is changed inside is kept when the block ends; an error leaves all as it was."""
        with self._locks[org.head.partner]:
            with org.changing():
                yield org
            records, keys = org.changed()
            self.store.save(org, records, keys)

    def open(self, partner: str, settings: Json) -> tuple[Org, bool]:
        """The partner's organisation, made now unless there is one; whether it was made.

        ``settings`` are members of its head; ``business_date`` counts for a new one only.
        """
        with self._lock:
            found = self._partners.get(partner)
            made = found is None
            org = found or self._made(partner, settings.get("business_date"))
        given = {name: value for name, value in settings.items() if name != "business_date"}
        if given:
            with self.changing(org):
                org.head = replace(org.head, **given)
        return org, made

    def _made(self, partner: str, day: date | None) -> Org:
        org = self.make(partner, day or self.today())
        self.store.save(org, *org.changed())
        self.know(org)
        return org
