"""A business date's reconciliation, as answers come in: pure.

Two questions are asked hourly: does Blackmoon know the cessions that we know, and which loans were
sold back.  The date's row is settled when both have an answer, or were given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.domain.blackmoon import MOST_SHOWN, Difference, Reconciliation
from chalicelib.domain.blackmoon_answers import Remedy
from chalicelib.domain.hours import Asking

Part = Literal["direct", "reverse"]

WAITING, MATCHED, DISCREPANT, FAILED = "waiting", "matched", "discrepant", "failed"

WHY: dict[str, str] = {
    "differs": "what we have sold is not what Blackmoon knows",
    "unexplained": "loans were sold back that are not sold",
    "direct_given_up": "the comparison could not be had",
    "reverse_given_up": "the loans that were sold back could not be had",
    "direct_person": "the comparison is refused",
    "reverse_person": "the list of loans that were sold back is refused",
    "warning": "an answer came with an unexpected warning",
}
"""Why a person has to look."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The row afterwards, and why a person has to look (names of :data:`WHY`)."""

    row: Reconciliation
    alarms: tuple[str, ...] = ()


def asking(row: Reconciliation, part: Part) -> Asking:
    """How far one of its questions has come."""
    return row.direct if part == "direct" else row.reverse


def compared(
    row: Reconciliation,
    hour: int,
    counts: tuple[int | None, int | None],
    only: Sequence[Difference],
    missing: Sequence[Difference],
    at: datetime,
) -> Heard:
    """Blackmoon has compared; ``counts`` are all cessions and those that both sides know."""
    total, correct = counts
    after = replace(
        row,
        direct=row.direct.answered(hour, ready=True),
        total_count=total,
        correct_count=correct,
        direct_only=tuple(only[:MOST_SHOWN]),
        platform_missing=tuple(missing[:MOST_SHOWN]),
    )
    differs = bool(only or missing) or (total != correct)
    return _settled(after, ("differs",) if differs else (), at)


def sold_back(
    row: Reconciliation, hour: int, unexplained: Sequence[Difference], at: datetime
) -> Heard:
    """What was sold back has been recorded, but for what cannot be."""
    after = replace(
        row,
        reverse=row.reverse.answered(hour, ready=True),
        unexplained=tuple(unexplained[:MOST_SHOWN]),
    )
    return _settled(after, ("unexplained",) if unexplained else (), at)


def not_ready(row: Reconciliation, part: Part, hour: int, at: datetime) -> Heard:
    """Their data is not processed yet."""
    return _asked(row, part, asking(row, part).answered(hour, ready=False), (), at)


def held(row: Reconciliation, part: Part, hour: int, at: datetime) -> Heard:
    """The day's files are on their way: it is not asked yet, which is no try."""
    return _asked(row, part, asking(row, part).held(hour), (), at)


def failed(
    row: Reconciliation, part: Part, hour: int, remedy: Remedy, code: str | None, at: datetime
) -> Heard:
    """A call came to nothing."""
    before = asking(row, part)
    person = remedy == "person" and not before.failures
    why = (f"{part}_person",) if person else ()
    return _asked(row, part, before.failed(hour, remedy, code), why, at)


def ended(row: Reconciliation, at: datetime) -> Heard:
    """The date is over: what was not answered by then is not asked for any more."""
    given_up = [part for part in ("direct", "reverse") if getattr(row, part).waiting]
    after = replace(row, direct=row.direct.ended(), reverse=row.reverse.ended())
    return _settled(after, tuple(f"{part}_given_up" for part in given_up), at)


def _asked(
    row: Reconciliation, part: Part, after: Asking, why: tuple[str, ...], at: datetime
) -> Heard:
    if after.given_up:
        why = (*why, f"{part}_given_up")
    changed = replace(row, direct=after) if part == "direct" else replace(row, reverse=after)
    return _settled(changed, why, at)


def _settled(row: Reconciliation, why: tuple[str, ...], at: datetime) -> Heard:
    alarmed = row.alarmed_at or (at if why else None)
    return Heard(replace(row, status=_status(row), alarmed_at=alarmed), why)


def _status(row: Reconciliation) -> str:
    if row.direct.waiting or row.reverse.waiting:
        return WAITING
    differs = row.total_count != row.correct_count
    if differs or row.platform_only or row.platform_missing:
        return DISCREPANT
    return FAILED if row.direct.given_up or row.reverse.given_up else MATCHED
