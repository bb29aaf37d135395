"""The daily files for Blackmoon: written, compared with the ledger, sent (partner API, "Daily").

A worker goes on with a file step by step; each step ends in one conditional write, so that a worker
that dies is followed by another from there, and of two that are at it one stops.  What the files
hold follows from what was known at the end of the day before (``usecases/data_walk.py``): made
again on a later day they are the same.  See ``docs/adr/0018-daily-files-and-replica.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from chalicelib.domain import data_files as domain
from chalicelib.domain.data_check import Ledger
from chalicelib.domain.data_files import (
    AT_REST,
    CHECKING,
    FAILED,
    KINDS,
    WRITING,
    DataFile,
    Piece,
)
from chalicelib.domain.data_windows import window
from chalicelib.domain.datasets import SUMMED, Column
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.integrations import tables
from chalicelib.models.keys import ANYONE, DATA_FILE, PRODUCT
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import file_sending, offers, replica
from chalicelib.usecases.alarms import raise_alarm
from chalicelib.usecases.data_walk import Walk
from chalicelib.usecases.file_sending import ALARM, NOT_CONFIGURED, Desk, kept

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.models.store import Store
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

LOANS_A_PIECE = 10_000
A_MESSAGE, A_STEP = timedelta(seconds=100), timedelta(seconds=60)
"""Real time that one message's work, and one piece of it, are given before the rest is left to the
next: a function lives for five minutes.
"""


class Busy(Exception):
    """Somebody else is at a call for this file: the message comes again."""


# --- beginning ------------------------------------------------------------------------------------


def id_of(partner: str, day: date, kind: str) -> str:
    """The id of a day's file: there is one, however often it is begun."""
    return str(uuid5(NAMESPACE_URL, f"data-file/{partner}/{day.isoformat()}/{kind}"))


def sells(ctx: Context) -> bool:
    """Whether the partner sells loans: it has offered one, or has a product that would be.

    Nobody else's day costs more than this look.
    """
    if offers.any_there(ctx.store, ctx.partner.id):
        return True
    return any(stored.value.sell_to_blackmoon for stored in ctx.store.each(PRODUCT, ctx.partner.id))


def on_closed(ctx: Context, day: date, *, rests: bool = True) -> list[Message]:
    """What the closing of ``day`` asks for; it leaves with the commit that closes it.

    ``rests`` says that no other day follows at once: of the days that a sandbox's clock passes
    through there is no replica.
    """
    if not sells(ctx):
        return []
    body = {"do": "daily", "partner": ctx.partner.id, "day": day.isoformat()}
    return [
        Message(domain.QUEUE, body),
        *(replica.messages(ctx.partner.id, day) if rests else ()),
    ]


def begin(ctx: Context, day: date) -> None:
    """Begin both files of a business date; those that were begun before stay as they are."""
    for kind in KINDS:
        _begin(ctx, day, kind)


def _begin(ctx: Context, day: date, kind: str) -> None:
    file_id = id_of(ctx.partner.id, day, kind)
    partner = ctx.partner
    file = DataFile(file_id, day, kind, partner=partner.id, clocked=partner.sandbox)
    unit = ctx.unit()
    unit.create(DATA_FILE, partner.id, file)
    unit.send(domain.message(file))
    try:
        ctx.commit(unit, None)
    except Conflict:
        return


def resend(ctx: Context, day: date) -> None:
    """Make and send both files of ``day`` once more, as they were known then.

    Raises :class:`Invalid` for a day to come, and ``invalid_status`` while one is on its way.
    """
    if day > ctx.business_date:
        message = f"{day} is after the business date, {ctx.business_date}."
        raise Invalid(Flaw("day", "out_of_range", message))
    for kind in KINDS:
        file_id = id_of(ctx.partner.id, day, kind)
        if ctx.store.get(DATA_FILE, ctx.partner.id, file_id) is None:
            _begin(ctx, day, kind)
        else:
            again(ctx, file_id)


def again(ctx: Context, file_id: str) -> Stored[DataFile]:
    """Make and send one file once more.

    Raises :class:`NotFound`, and ``invalid_status`` while it is on its way.
    """
    stored = ctx.store.get(DATA_FILE, ctx.partner.id, file_id)
    if stored is None:
        raise NotFound("file")
    after = domain.again(stored.value)
    unit = ctx.unit()
    written = unit.update(DATA_FILE, ctx.partner.id, stored, after)
    unit.send(domain.message(after))
    return ctx.commit(unit, written)


message = domain.message


def due(store: Store, now: datetime) -> Iterator[Stored[DataFile]]:
    """The files of all partners, sandboxes left out, that are to be tried again by ``now``."""
    return store.each(DATA_FILE, ANYONE, "due", until=now, newest_first=False)


# --- going on -------------------------------------------------------------------------------------


def go_on(desk: Desk, file_id: str, run: int) -> None:
    """Take a file as far as it comes; another message goes on where that takes too long.

    Raises :class:`Busy` while another worker has a call under way.
    """
    ctx, until = desk.ctx, desk.ctx.wall() + A_MESSAGE
    stored = ctx.store.get(DATA_FILE, ctx.partner.id, file_id)
    while stored is not None and stored.value.run == run and stored.value.status not in AT_REST:
        file: DataFile = stored.value
        if file.wakes is not None and file.wakes > ctx.now and not file.clocked:
            return
        if domain.is_busy(file, ctx.wall()):
            raise Busy
        if ctx.wall() > until:
            _pass_on(ctx, file)
            return
        try:
            stored = _step(desk, stored)
        except Conflict:  # another worker has gone on: it is theirs
            return
    if stored is not None and stored.value.status == FAILED:
        _tell_a_person(ctx, stored.value)


def _pass_on(ctx: Context, file: DataFile) -> None:
    unit = ctx.unit()
    unit.send(domain.message(file))
    ctx.commit(unit, None)


def _step(desk: Desk, stored: Stored[DataFile]) -> Stored[DataFile]:
    file = stored.value
    if file.status not in (WRITING, CHECKING):
        return file_sending.send(desk, stored)
    try:
        after = _write(desk, file) if file.status == WRITING else _check(desk, file)
    except Invalid:  # another month has begun: the place is one in a walk over fewer months
        after = domain.anew(file)
    return kept(desk.ctx, stored, after)


def _tell_a_person(ctx: Context, file: DataFile) -> None:
    detail = (
        f"The {file.kind} of {file.business_date} could not be sent to Blackmoon: "
        f"{file.error_code}. POST /blackmoon/file/{file.id}/resend/ makes and sends them again."
    )
    raise_alarm(ctx, ALARM, f"{file.id}/{file.run}", detail)


# --- writing --------------------------------------------------------------------------------------


def _write(desk: Desk, file: DataFile) -> DataFile:
    """Store the next piece: the rows of some thousand loans, a page in memory at a time."""
    try:
        columns = desk.asker(lambda blackmoon: blackmoon.shape.columns(file.kind))
    except LookupError:
        return domain.failed(file, NOT_CONFIGURED)
    walk = Walk(desk.ctx, window(file.business_date), file.kind, file.place)
    writer = Writer(columns, file.kind, walk)
    name = f"{file.kind}-{file.run}.{file.checks}-{len(file.pieces):04d}.csv"
    key = f"blackmoon/{file.partner}/{file.business_date}/{name}"
    size = desk.bucket.write(key, writer.pieces(_enough(desk.ctx, walk)), tables.CSV)
    piece = Piece(key, writer.rows, writer.sum, size, len(tables.header(columns)))
    summed = next((one.title for one in columns if one.name == SUMMED[file.kind]), None)
    return domain.wrote(file, piece, walk.place, summed)


def _enough(ctx: Context, walk: Walk) -> Callable[[], bool]:
    """Whether a walk that begins now has come far enough for one step."""
    until = ctx.wall() + A_STEP
    return lambda: walk.met >= LOANS_A_PIECE or ctx.wall() > until


class Writer:
    """Rows of a walk on their way into CSV; counts them and adds them up as they pass."""

    def __init__(self, columns: Sequence[Column], kind: str, walk: Walk) -> None:
        self._columns, self._walk = columns, walk
        self._summed = SUMMED[kind]
        self.rows, self.sum = 0, Decimal(0)

    def pieces(self, enough: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """The header, then the rows, page by page, until that is ``enough``."""
        yield tables.header(self._columns)
        for page in self._walk.rows():
            self.rows += len(page)
            self.sum += sum((row[self._summed] for row in page), Decimal(0))
            yield tables.lines(self._columns, page)
            if enough():
                return


# --- the ledger's word ----------------------------------------------------------------------------


def _check(desk: Desk, file: DataFile) -> DataFile:
    """Walk over the book again and add up the ledger's own entries; at its end, compare."""
    walk = Walk(desk.ctx, window(file.business_date), file.kind, file.place, folds=True)
    ledger, enough = Ledger(file.kind), _enough(desk.ctx, walk)
    for page in walk.pages():
        for loan in page:
            ledger.add(loan, walk.repayments(loan))
        if enough():
            break
    after = domain.counted(file, ledger.rows, ledger.sum, walk.place)
    return after if after.place is not None else _compare(desk, after)


def _compare(desk: Desk, file: DataFile) -> DataFile:
    """Read what is stored and hold it against what was written and what was counted."""
    rows, total = 0, None if file.summed is None else Decimal(0)
    for piece in file.pieces:
        found = tables.totals(desk.bucket.read(piece.key), file.summed)
        rows += found.rows
        if total is not None and found.sum is not None:
            total += found.sum
    return domain.compared(file, rows, total)
