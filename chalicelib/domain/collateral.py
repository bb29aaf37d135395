"""The collateral markup: which loans are pledged, of a date, and whether its lists agree: pure.

The lists of one markup replace those of the one before as a whole.  The rows of each are a
*generation*; :class:`Markup` names the one that is shown (partner API, Blackmoon).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from chalicelib.domain.hours import UNASKED, Asking

RELEVANT, RETAINED, LEFT = LISTS = ("relevant", "retained", "left")

FLAWS: Mapping[str, str] = {
    "unknown_loan": "there is no such loan",
    "retained_not_relevant": "retained, but not on the relevant list",
    "left_but_relevant": "left, but on the relevant list",
}
"""What may not fit, in the order in which it is looked at."""


class Pledge(NamedTuple):
    """A loan on a list; ids as Blackmoon writes them."""

    loan: str
    flici: str
    investor_id: str


@dataclass(frozen=True, slots=True)
class Markup:
    """Which generation of rows is shown, of which date, and how far the next one has come.

    ``id`` is the partner's.  ``asking`` counts the tries of the business date ``day``.  ``begun``
    is the last generation of which rows may have been written, ``cleaned`` the last one of which
    all are gone.
    """

    id: str
    as_of: date | None = None
    generation: int = 0
    day: date | None = None
    asking: Asking = UNASKED
    begun: int = 0
    cleaned: int = 0

    def of(self, day: date) -> Asking:
        """How far it has come on a business date."""
        return self.asking if self.day == day else UNASKED

    def due(self, day: date, hour: int) -> bool:
        """Whether to ask whether there is a newer one; also again once there was none."""
        if self.day is not None and day < self.day:
            return False
        there = self.of(day)
        return there.ready or there.due(hour)

    def heard(self, day: date, asking: Asking) -> Markup:
        """After an answer, or none."""
        return replace(self, day=day, asking=asking)

    def begin(self) -> Markup:
        """The rows of a new generation are about to be written."""
        return replace(self, begun=self.begun + 1)

    def shows(self, as_of: date, generation: int, day: date, hour: int) -> Markup:
        """That generation is complete, and shown from now on."""
        asking = self.of(day).answered(hour, ready=True)
        return replace(self, as_of=as_of, generation=generation, day=day, asking=asking)


def flaw_of(
    row: Pledge, name: str, relevant: Collection[str], known: Collection[str]
) -> str | None:
    """What does not fit about a row of the list ``name``; ``relevant`` and ``known`` are loans."""
    checks: Mapping[str, Callable[[], bool]] = {
        "unknown_loan": lambda: row.loan not in known,
        "retained_not_relevant": lambda: name == RETAINED and row.loan not in relevant,
        "left_but_relevant": lambda: name == LEFT and row.loan in relevant,
    }
    return next((flaw for flaw in FLAWS if checks[flaw]()), None)


def flawed(
    lists: Mapping[str, Sequence[Pledge]], known: Collection[str]
) -> list[tuple[str, Pledge, str | None]]:
    """Every row once, ``(list, row, flaw)``."""
    relevant = {row.loan for row in lists[RELEVANT]}
    return [
        (name, row, flaw_of(row, name, relevant, known))
        for name in LISTS
        for row in dict.fromkeys(lists[name])
    ]
