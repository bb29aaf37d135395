"""A daily file on its way to Blackmoon, part by part (partner API, Blackmoon, "Daily").

At first the whole file is one part.  One that is too large for them (code 12) goes in two, cut
where a row begins, each under the header; what has been taken is never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain import data_files as domain
from chalicelib.domain.data_files import LOANS, DataFile, Part
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.integrations.blackmoon.multipart import FilePart
from chalicelib.models.keys import DATA_FILE
from chalicelib.usecases.alarms import raise_alarm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.integrations.blackmoon.client import Blackmoon
    from chalicelib.integrations.blackmoon.results import Sent
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.offers import Asker

ALARM = "blackmoon_file"
NOT_CONFIGURED = "not_configured"


class Bucket(Protocol):
    """Where the files are kept (``integrations/objects.py``)."""

    def write(self, key: str, pieces: Iterable[bytes], content_type: str) -> int:
        """Store an object; its bytes."""

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its bytes from ``start`` to before ``end``, some at a time."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What working on a file takes: the partner's world, Blackmoon, and the bucket."""

    ctx: Context
    asker: Asker
    bucket: Bucket


def kept(ctx: Context, stored: Stored[DataFile], after: DataFile) -> Stored[DataFile]:
    """Write the file as it is afterwards; ``Conflict`` if another worker has gone on."""
    unit = ctx.unit()
    written = unit.update(DATA_FILE, ctx.partner.id, stored, after)
    return ctx.commit(unit, written)


def send(desk: Desk, stored: Stored[DataFile]) -> Stored[DataFile]:
    """Send the next part and take in what comes of it; the call is announced before it is made."""
    ctx = desk.ctx
    stored = kept(ctx, stored, domain.calling(stored.value, ctx.wall()))
    file: DataFile = stored.value
    number = domain.next_part(file)
    assert number is not None, "a file whose parts are all sent is sent"
    try:
        sent = desk.asker(lambda blackmoon: _call(desk.bucket, blackmoon, file, number))
    except BlackmoonTrouble as trouble:
        ctx.report("a daily file was not taken", trouble, file=file.id)
        return kept(ctx, stored, _after(desk, file, number, trouble))
    except LookupError:
        return kept(ctx, stored, domain.failed(file, NOT_CONFIGURED))
    if sent.warning.remedy == "notice":
        told = f"Blackmoon took the {file.kind} of {file.business_date} with a warning"
        raise_alarm(ctx, ALARM, f"{file.id}/warning", f"{told}, {sent.warning.code}.")
    return kept(ctx, stored, domain.taken(file, number, ctx.now))


def _after(desk: Desk, file: DataFile, number: int, trouble: BlackmoonTrouble) -> DataFile:
    if trouble.remedy == "split":
        known = replace(file, error_code=trouble.code)
        return domain.split(known, number, middle(desk.bucket, file, file.parts[number]))
    if trouble.remedy == "person":
        told = f"The {file.kind} of {file.business_date} cannot be sent: {trouble.reason}."
        raise_alarm(desk.ctx, ALARM, f"{file.id}/{file.run}/person", told)
    return domain.trouble(file, trouble.remedy, trouble.code, desk.ctx.now)


def _call(bucket: Bucket, blackmoon: Blackmoon, file: DataFile, number: int) -> Sent:
    part, first = file.parts[number], file.pieces[0]
    suffix = "" if len(file.parts) == 1 else f"-{number + 1}"

    def pieces() -> Iterator[bytes]:
        yield from bucket.read(first.key, 0, first.head)
        yield from rows(bucket, file, part.start, part.end)

    name = f"{file.kind}-{file.business_date}{suffix}.csv"
    whole = FilePart(name, first.head + part.end - part.start, pieces)
    ask: Callable[[FilePart], Sent] = (
        blackmoon.send_applications if file.kind == LOANS else blackmoon.send_repayments
    )
    return ask(whole)


def rows(bucket: Bucket, file: DataFile, start: int, end: int) -> Iterator[bytes]:
    """The bytes of a file's rows from ``start`` to before ``end``, whatever pieces hold them."""
    begins = 0
    for piece in file.pieces:
        first, last = max(start - begins, 0), min(end - begins, piece.body)
        if first < last:
            yield from bucket.read(piece.key, piece.head + first, piece.head + last)
        begins += piece.body


def middle(bucket: Bucket, file: DataFile, part: Part) -> int | None:
    """Where a row begins near the middle of a part; ``None`` if it holds no second row."""
    half = (part.start + part.end) // 2
    place = half
    for chunk in rows(bucket, file, half, part.end):
        found = chunk.find(b"\n")
        if found >= 0:
            place += found + 1
            break
        place += len(chunk)
    if part.start < place < part.end:
        return place
    place, before = part.start, None
    for chunk in rows(bucket, file, part.start, half):
        found = chunk.rfind(b"\n")
        before = place + found + 1 if found >= 0 else before
        place += len(chunk)
    return before
