"""The replica: both data sets of the whole book, dated, as CSV and Parquet in a bucket of its own.

Investors' tools read them there without touching production (partner API, Blackmoon, "Files and
replica").  Of a business date D it tells what the daily files of D tell, of every loan that was
ever lent: balances at the end of D-1, and every repayment that was known by then.

    loans/date=2026-03-02/partner=<id>/part-0000.parquet
    csv/loans/date=2026-03-02/partner=<id>/part-0000.csv

Nothing is kept of how far a replica has come but what its next message says; done twice, it is
written over with the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from chalicelib.domain.data_windows import window
from chalicelib.domain.datasets import COLUMNS
from chalicelib.domain.decision import Message
from chalicelib.integrations import parquet, tables
from chalicelib.models.keys import REPLICA
from chalicelib.usecases.data_walk import BEGIN, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.usecases.context import Context

LOANS_A_PART = 5_000
"""Always as many: a part that is written twice has to be the same."""
READ_BYTES = 1024 * 1024


class Shelf(Protocol):
    """Where the replica is written (``integrations/objects.py``)."""

    def write(self, key: str, pieces: Iterable[bytes], content_type: str) -> int:
        """Store an object; its bytes."""


def messages(partner: str, day: date) -> list[Message]:
    """Have both data sets of a business date written."""
    return [_message(partner, day, kind, 0, BEGIN) for kind in COLUMNS]


def _message(partner: str, day: date, kind: str, number: int, place: str) -> Message:
    body = {
        "partner": partner,
        "day": day.isoformat(),
        "kind": kind,
        "part": number,
        "place": place,
    }
    return Message(REPLICA, body)


def write(ctx: Context, shelf: Shelf, day: date, kind: str, number: int, place: str) -> None:
    """Write part ``number``, which begins at ``place`` of the walk; the next one has a message."""
    walk = Walk(ctx, window(day), kind, place, whole=True)
    where = f"{kind}/date={day.isoformat()}/partner={ctx.partner.id}/part-{number:04d}"
    with TemporaryDirectory() as scratch:
        source, target = Path(scratch, "part.csv"), Path(scratch, "part.parquet")
        with source.open("wb") as file:
            for piece in _lines(walk, kind):
                file.write(piece)
        parquet.convert(COLUMNS[kind], source, target)
        shelf.write(f"csv/{where}.csv", _chunks(source), tables.CSV)
        shelf.write(f"{where}.parquet", _chunks(target), parquet.PARQUET)
    if walk.place is not None:
        unit = ctx.unit()
        unit.send(_message(ctx.partner.id, day, kind, number + 1, walk.place))
        ctx.commit(unit, None)


def _lines(walk: Walk, kind: str) -> Iterator[bytes]:
    yield tables.header(COLUMNS[kind])
    for page in walk.rows():
        yield tables.lines(COLUMNS[kind], page)
        if walk.met >= LOANS_A_PART:
            return


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            yield chunk
