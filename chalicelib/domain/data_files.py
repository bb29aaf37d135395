"""A day's file for Blackmoon: written, compared with the ledger, sent once (partner API, "Daily").

There is one for each business date and data set.  Each function gives the file as it is afterwards;
what it takes to get there is ``usecases/daily_files.py``.  Whoever works on a file and dies leaves
it as it was after the last of these steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain.blackmoon_answers import FEW, Remedy
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Refused
from chalicelib.domain.money import ZERO

QUEUE = "blackmoon"
LOANS, REPAYMENTS = "loans", "repayments"
KINDS = (LOANS, REPAYMENTS)
STATUSES = ("writing", "checking", "sending", "retrying", "sent", "failed")
WRITING, CHECKING, SENDING, RETRYING, SENT, FAILED = STATUSES
AT_REST = (SENT, FAILED)

MOST_CHECKS = 3
"""Times that a file is written before a person has to see why it is not what the ledger says."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 30, 60, 120, 240))
MOST = len(PAUSES) + 1
"""Calls for one part; then the file has failed, some eight hours into the day."""

BUSY = timedelta(minutes=5)
BUSY_CLOCKED = timedelta(seconds=25)
"""How long a call is left to whoever announced it; a function does not live longer."""


class Piece(NamedTuple):
    """A stored object with some of a file's rows under a header of ``head`` bytes."""

    key: str
    rows: int
    sum: Decimal
    size: int
    head: int

    @property
    def body(self) -> int:
        """The bytes of its rows."""
        return self.size - self.head


class Part(NamedTuple):
    """What one call sends: the bytes of rows from ``start`` to before ``end``, headers left out."""

    start: int
    end: int
    sent: bool = False


@dataclass(frozen=True, slots=True)
class DataFile:
    """One business date's file of one data set.

    ``rows`` and ``sum`` are what it holds; the sum is of the loans' principal, or of what has been
    repaid.  ``size`` is in bytes.  ``error_code`` is Blackmoon's, or says in a word what was wrong
    here; ``tries`` counts the calls.

    What follows is ours alone.  ``run`` counts how often it was asked for.  ``summed`` is the title
    of the column that is added up, if the partner's files have it.  ``place`` is how far
    the walk under way has come, ``counted_rows`` and ``counted_sum`` what the ledger came to so
    far, ``checks`` how often the file was compared.  ``attempt`` counts the calls for the part
    under way; until ``busy_until`` (real time) it is left to whoever announced it.
    """

    id: str
    business_date: date
    kind: str
    status: str = WRITING
    rows: int = 0
    sum: Decimal = ZERO
    size: int = 0
    sent_at: datetime | None = None
    error_code: str | None = None
    tries: int = 0
    partner: str = ""
    clocked: bool = False
    run: int = 1
    summed: str | None = None
    pieces: tuple[Piece, ...] = ()
    place: str | None = ""
    counted_rows: int = 0
    counted_sum: Decimal = ZERO
    checks: int = 0
    parts: tuple[Part, ...] = ()
    attempt: int = 0
    busy_until: datetime | None = None
    wakes: datetime | None = None

    @property
    def swept(self) -> datetime | None:
        """When the sweeper has to look at it; a sandbox's time goes by its clock."""
        return None if self.clocked else self.wakes

    @property
    def body(self) -> int:
        """The bytes of all its rows."""
        return sum(piece.body for piece in self.pieces)


def message(file: DataFile) -> Message:
    """Has a worker go on with a file."""
    return Message(QUEUE, {"do": "file", "partner": file.partner, "file": file.id, "run": file.run})


def again(file: DataFile) -> DataFile:
    """The file is made and sent once more; :class:`Refused` while it is on its way."""
    if file.status not in AT_REST:
        raise Refused("invalid_status", f"The file is {file.status}.", {"status": file.status})
    return replace(anew(file), run=file.run + 1, error_code=None, tries=0, sent_at=None, checks=0)


def anew(file: DataFile) -> DataFile:
    """What was written and counted so far does not count: it is begun again."""
    return replace(
        file,
        status=WRITING,
        rows=0,
        sum=ZERO,
        size=0,
        pieces=(),
        place="",
        counted_rows=0,
        counted_sum=ZERO,
        parts=(),
        attempt=0,
        busy_until=None,
        wakes=None,
    )


# --- written and compared -------------------------------------------------------------------------


def wrote(file: DataFile, piece: Piece, place: str | None, summed: str | None) -> DataFile:
    """Another piece is stored; behind the last one the ledger is counted."""
    pieces = (*file.pieces, piece)
    after = replace(
        file,
        pieces=pieces,
        rows=file.rows + piece.rows,
        sum=file.sum + piece.sum,
        size=pieces[0].head + sum(one.body for one in pieces),
        place=place,
        summed=summed,
    )
    return after if place is not None else replace(after, status=CHECKING, place="")


def counted(file: DataFile, rows: int, total: Decimal, place: str | None) -> DataFile:
    """The ledger was counted up to ``place``."""
    return replace(
        file,
        counted_rows=file.counted_rows + rows,
        counted_sum=file.counted_sum + total,
        place=place,
    )


def compared(file: DataFile, rows: int, total: Decimal | None) -> DataFile:
    """What the stored file holds, read again, against what was written and what the ledger says.

    ``total`` is ``None`` where the file has no column to add up.  A file that differs is written
    anew: the book may have moved under the walk.  After some times that is not why.
    """
    same_rows = file.rows == rows == file.counted_rows
    same_sum = file.sum == file.counted_sum and total in (None, file.sum)
    if same_rows and same_sum:
        return replace(file, status=SENDING, parts=(Part(0, file.body),), attempt=0)
    if file.checks + 1 < MOST_CHECKS:
        return replace(anew(file), checks=file.checks + 1)
    return failed(file, "not_what_the_ledger_says")


# --- sent -----------------------------------------------------------------------------------------


def next_part(file: DataFile) -> int | None:
    """The number of the first part that has not been sent."""
    return next((number for number, part in enumerate(file.parts) if not part.sent), None)


def is_busy(file: DataFile, wall: datetime) -> bool:
    """Whether somebody is at a call, as far as is known."""
    return file.busy_until is not None and wall < file.busy_until


def calling(file: DataFile, wall: datetime) -> DataFile:
    """The next part's call is announced, at the real instant ``wall``."""
    until = wall + (BUSY_CLOCKED if file.clocked else BUSY)
    return replace(
        file, tries=file.tries + 1, attempt=file.attempt + 1, busy_until=until, wakes=None
    )


def taken(file: DataFile, number: int, at: datetime) -> DataFile:
    """Blackmoon has taken part ``number``; with the last one the file is sent."""
    parts = tuple(part._replace(sent=part.sent or n == number) for n, part in enumerate(file.parts))
    after = replace(file, parts=parts, attempt=0, busy_until=None, error_code=None, status=SENDING)
    return after if next_part(after) is not None else replace(after, status=SENT, sent_at=at)


def split(file: DataFile, number: int, middle: int | None) -> DataFile:
    """Part ``number`` is too large: it goes in two, cut at ``middle``, where a row begins.

    ``None`` if it is a single row: then nothing can be done.
    """
    if middle is None:
        return failed(file, "12")
    part = file.parts[number]
    halves: Sequence[Part] = (Part(part.start, middle), Part(middle, part.end))
    parts = (*file.parts[:number], *halves, *file.parts[number + 1 :])
    return replace(file, parts=parts, attempt=0, busy_until=None)


def trouble(file: DataFile, remedy: Remedy, code: str | None, at: datetime) -> DataFile:
    """A call came to nothing: the same part again later, or the file has failed.

    ``at`` is the partner's instant.  A sandbox's file is tried again at once.
    """
    known = replace(file, busy_until=None, error_code=code or file.error_code)
    most = FEW if remedy == "few_retries" else MOST
    if remedy not in ("retry", "few_retries", "person") or file.attempt >= most:
        return failed(known, known.error_code or "no_answer")
    pause = PAUSES[min(file.attempt, len(PAUSES)) - 1]
    return replace(known, status=RETRYING, wakes=at if file.clocked else at + pause)


def failed(file: DataFile, error_code: str) -> DataFile:
    """A person has to look."""
    return replace(
        file, status=FAILED, error_code=error_code, busy_until=None, wakes=None, place=None
    )
