"""What is asked of Blackmoon every hour of a business date, until the answer is ready.

An answer that says ``ready: false`` and a call that comes to nothing are tries alike; after
:data:`MOST` of them a person has to look (partner API, Blackmoon).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from chalicelib.domain.blackmoon_answers import FEW, Remedy

MOST = 24
"""Tries of what is asked hourly: a business date's."""
HOURS = 24

MOST_FAILURES: Mapping[Remedy, int] = {"retry": MOST, "few_retries": FEW, "person": MOST}
"""How many failures running are borne; of all others the first is enough."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How far a question has come: asked last at ``hour`` (0 to 23) of its date.

    ``failures`` counts the calls running that came to nothing.
    """

    ready: bool = False
    tries: int = 0
    hour: int = -1
    failures: int = 0
    given_up: bool = False
    error_code: str | None = None

    @property
    def waiting(self) -> bool:
        """Whether it is to be asked again."""
        return not (self.ready or self.given_up)

    def due(self, hour: int) -> bool:
        """Whether it is to be asked at this hour, and was not."""
        return self.waiting and hour > self.hour

    def answered(self, hour: int, ready: bool) -> Asking:
        """There was an answer."""
        tries = self.tries + 1
        over = not ready and tries >= MOST
        return Asking(ready, tries, hour, given_up=over)

    def failed(self, hour: int, remedy: Remedy, code: str | None) -> Asking:
        """The call came to nothing."""
        tries, failures = self.tries + 1, self.failures + 1
        over = tries >= MOST or failures >= MOST_FAILURES.get(remedy, 1)
        return Asking(False, tries, hour, failures, over, code or self.error_code)

    def held(self, hour: int) -> Asking:
        """Not asked in this hour: what it depends on is not done."""
        return replace(self, hour=hour)

    def ended(self) -> Asking:
        """Its date is over."""
        return replace(self, given_up=True) if self.waiting else self


UNASKED = Asking()


@dataclass(frozen=True, slots=True)
class Hours:
    """How far a sandbox partner's hours of a date have come: ``hour`` is the next one."""

    id: str
    day: date
    hour: int = 0
