"""Failing on purpose, and remembering what was received."""

from __future__ import annotations

import re
import threading
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from local.simulating.records import Json

#: What an answer may suffer.
ANSWERS = frozenset({"timeout", "drop_answer", "429", "500", "html502"})
#: What webhooks may suffer besides; ``delay_webhooks`` holds a date's back until a later one.
DELIVERIES = frozenset({"duplicate_webhook", "reorder_webhooks", "delay_webhooks"})
WEBHOOKS = "webhooks"
MOST_REQUESTS = 20_000
MOST_TIMES = 1_000_000


@dataclass(slots=True)
class Fault:
    """``times`` are left of it; ``code`` is the provider's own, of the kind ``error``."""

    match: str
    kind: str
    times: int
    code: int | None = None

    def fits(self, what: str) -> bool:
        """Whether ``POST /payments/PM1/actions/retry`` or ``webhooks`` is meant."""
        return fits(self.match, what)


def fits(match: str, what: str) -> bool:
    """``*`` is everything but the webhooks; inside a path it is one part of it.

    A match without a method and a slash means a path: ``ping`` is ``GET /ping`` and ``POST /ping``.
    """
    if match == "*":
        return what != WEBHOOKS
    if "/" not in match:
        what = what.partition("/")[2] or what
    return re.fullmatch(re.escape(match).replace(r"\*", "[^/ ]+"), what) is not None


class Faults:
    """Every partner's faults still to come, and what its organisation has received."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, list[Fault]] = defaultdict(list)
        self._requests: dict[str, deque[Json]] = defaultdict(lambda: deque(maxlen=MOST_REQUESTS))

    def add(self, partner: str, fault: Fault) -> None:
        """One more fault, after those that are there."""
        with self._lock:
            self._faults[partner].append(fault)

    def clear(self, partner: str) -> None:
        """None any more."""
        with self._lock:
            self._faults[partner].clear()

    def left(self, partner: str) -> list[Fault]:
        """The faults still to come."""
        with self._lock:
            return list(self._faults[partner])

    def take(self, partner: str, what: str) -> Fault | None:
        """The first fault that fits a request (or a delivery), used once."""
        return self._take(partner, lambda fault: fault.kind not in DELIVERIES and fault.fits(what))

    def take_kind(self, partner: str, kinds: Collection[str]) -> Fault | None:
        """The first fault of one of the kinds, used once."""
        return self._take(partner, lambda fault: fault.kind in kinds)

    def has(self, partner: str, kind: str) -> bool:
        """Whether there is a fault of the kind."""
        with self._lock:
            return any(fault.kind == kind for fault in self._faults[partner])

    def _take(self, partner: str, fits_it: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            found = next((fault for fault in self._faults[partner] if fits_it(fault)), None)
            if found is None:
                return None
            found.times -= 1
            if found.times == 0:
                self._faults[partner].remove(found)
            return found

    def note(self, partner: str, request: Json) -> None:
        """A request was received and answered, or not; the texts of files are kept compressed."""
        files = {part: zlib.compress(text.encode()) for part, text in request["files"].items()}
        with self._lock:
            self._requests[partner].append({**request, "files": files})

    def requests(
        self, partner: str, match: str | None, business_date: str | None = None
    ) -> list[Json]:
        """What was received, or what was on one date there, oldest first."""
        with self._lock:
            found = list(self._requests[partner])
        if business_date is not None:
            found = [r for r in found if r["business_date"] == business_date]
        return [
            {**r, "files": {part: zlib.decompress(b).decode() for part, b in r["files"].items()}}
            for r in found
            if match is None or fits(match, f"{r['method']} {r['path']}")
        ]
