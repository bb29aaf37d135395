"""The store: load a value, list values, commit a unit of work.  All of DynamoDB is behind it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast
from uuid import uuid4

from chalicelib.domain.errors import Refused
from chalicelib.models import codec, keys, outbox
from chalicelib.models import cursor as cursors
from chalicelib.models.calls import Backoff
from chalicelib.models.commit import Commit
from chalicelib.models.kinds import (
    INDEXES,
    BadKey,
    Groups,
    IndexName,
    Kind,
    parse_instant,
    partitions_of,
)
from chalicelib.models.reader import BATCH_KEYS, Key, Raw, Reader, Until, key_of, moment
from chalicelib.models.records import CapacityHook, Record, TableConfig, make_record
from chalicelib.models.store_errors import (
    AlreadyDone,
    Conflict,
    OutcomeUnknown,
    StoreError,
    TooManyOperations,
    Unavailable,
    UniqueTaken,
)
from chalicelib.models.unit import Outgoing, Stored, Unit

__all__ = [
    "AlreadyDone",
    "BadKey",
    "Conflict",
    "OutcomeUnknown",
    "Outgoing",
    "Page",
    "Remembered",
    "Store",
    "StoreError",
    "Stored",
    "TooManyOperations",
    "Unavailable",
    "UniqueTaken",
    "Unit",
    "open_store",
]

T = TypeVar("T")
R = TypeVar("R")

ATTEMPTS = 60
ATTEMPT_FIRST_SECONDS = 0.01
ATTEMPT_LONGEST_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.  ``next_cursor`` leads to the next one, ``None`` at the end; ``count``
    is the size of the whole list, where it was asked for; ``cursor_after(3)`` goes on behind the
    third item.
    """

    items: list[Stored[T]]
    next_cursor: str | None = None
    count: int | None = None
    cursor_after: Callable[[int], str] | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first answer to an idempotency key, and the fingerprint of the request it was for."""

    fingerprint: str
    status: int
    ref: str | None = None
    body: str = ""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _random_id() -> str:
    return str(uuid4())


def open_store(config: TableConfig, *, on_capacity: CapacityHook | None = None) -> Store:
    """The store of the table that the configuration names."""
    return Store(make_record(config, on_capacity=on_capacity))


class Store:
    """The one table.  Safe to share between threads.

    ``clock`` is real time (a partner's clock is in the :class:`Unit`), ``new_id`` names messages,
    ``sleep`` and ``uniform`` make the pauses between tries.  Every call may raise
    :class:`Unavailable` after bounded retries.
    """

    def __init__(
        self,
        record: type[Record],
        *,
        clock: Callable[[], datetime] = _wall_clock,
        new_id: Callable[[], str] = _random_id,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._record = record
        self._clock = clock
        self._new_id = new_id
        self._backoff = Backoff(sleep, uniform)
        self._races = Backoff(sleep, uniform, ATTEMPT_FIRST_SECONDS, ATTEMPT_LONGEST_SECONDS)
        self._reader = Reader(record, lambda: clock().timestamp(), self._backoff)

    # --- one value, or some ----------------------------------------------------------------------

    def get(
        self, kind: Kind[T], partner: str, id: str, *, consistent: bool = True, **parts: object
    ) -> Stored[T] | None:
        """The value with this id, or ``None``.  ``consistent=False`` costs half.

        ``parts`` are the other names of the kind's templates (``seq=4``).
        """
        try:
            key = kind.key(partner, id, **parts)
        except BadKey:
            return None
        raw = self._reader.get(key, consistent=consistent)
        return None if raw is None else _named(kind, id, raw)

    def get_many(
        self, kind: Kind[T], partner: str, ids: Iterable[str], *, consistent: bool = True
    ) -> dict[str, Stored[T]]:
        """The values with these ids, by id, in that order; what is not there is left out."""
        wanted: dict[str, Key] = {}
        for id in ids:
            try:
                wanted[id] = kind.key(partner, id)
            except BadKey:
                continue
        raws = self._reader.get_many(list(dict.fromkeys(wanted.values())), consistent=consistent)
        found = {id: _named(kind, id, raws[key]) for id, key in wanted.items() if key in raws}
        return {id: stored for id, stored in found.items() if stored is not None}

    def load_group(
        self,
        pk: str,
        sk_prefix: str = "",
        *,
        newest_first: bool = False,
        limit: int | None = None,
        after: str | None = None,
        consistent: bool = True,
    ) -> dict[str, Stored[Any]]:
        """What stands together in one partition, whatever its kinds, by sort key, in its order.

        ``pk`` is ``kind.key(partner, id)[0]``; ``after`` is the sort key to go on from.  One Query
        call as long as the group is below 1 MB.
        """
        raws = self._reader.group(
            pk,
            sk_prefix,
            forward=not newest_first,
            limit=limit,
            after=after,
            consistent=consistent,
        )
        known = ((raw, keys.KINDS.get(raw["t"]["S"])) for raw in raws)
        found = {raw["sk"]["S"]: _stored(kind, raw) for raw, kind in known if kind is not None}
        return {sk: stored for sk, stored in found.items() if stored is not None}

    # --- lists -----------------------------------------------------------------------------------

    def page(
        self,
        kind: Kind[T],
        partner: str,
        index: IndexName = "list",
        *,
        group: Groups | None = None,
        limit: int = 20,
        offset: int = 0,
        cursor: str | None = None,
        newest_first: bool = True,
        until: Until | None = None,
        count: bool | Callable[[], int] = False,
        consistent: bool = False,
    ) -> Page[T]:
        """A page of a list, newest first unless told otherwise.

        ``group`` gives the names of the index's template (``{"status": "approved"}``); several
        groups are woven into one list.  ``until`` keeps to what is due at or before it (index
        ``due``, where oldest first is usual).  A ``cursor`` goes on where its page ended, at the
        same cost however deep; ``offset`` skips, and costs what it skips.  ``count`` asks for the
        size of the whole, or gives it when it is called: cursors carry it on.
        What has left the list since its index was read is left out: a page may be short and go on.
        Raises ``Invalid`` (field ``cursor``) for a cursor of another list.
        """
        partitions = partitions_of(kind, index, partner, group)
        if not partitions:
            return Page([], None, 0 if count else None)
        bound = "\n".join(
            (kind.name, index, *partitions, str(newest_first), moment(until) if until else "")
        )
        place = None if cursor is None else cursors.read(cursor, bound)
        rows = [
            row
            for partition in partitions
            for row in self._reader.rows(
                index,
                partition,
                forward=not newest_first,
                limit=offset + limit + 1,
                after=place.after if place else None,
                until=until,
            )
        ]
        if len(partitions) > 1:
            rows.sort(key=lambda row: row[INDEXES[index][2]]["S"], reverse=newest_first)
        total = place.count if place else None
        if count and total is None:
            total = count() if callable(count) else self._size(index, partitions, until)
        shown = rows[offset : offset + limit]
        onward = None
        if shown and len(rows) > offset + limit:
            onward = _onward(shown[-1][INDEXES[index][2]]["S"], total, bound)
        found = self._shown(kind, index, partitions, shown, consistent)
        places = [row[INDEXES[index][2]]["S"] for row, _ in found]

        def after(number: int) -> str:
            return _onward(places[number - 1], total, bound)

        return Page([item for _, item in found], onward, total if count else None, after)

    def each(
        self,
        kind: Kind[T],
        partner: str,
        index: IndexName = "list",
        *,
        group: Groups | None = None,
        newest_first: bool = True,
        until: Until | None = None,
        consistent: bool = False,
    ) -> Iterator[Stored[T]]:
        """Every value of a list, a hundred at a time: memory does not grow with the list."""
        place: str | None = None
        while True:
            page = self.page(
                kind,
                partner,
                index,
                group=group,
                limit=BATCH_KEYS,
                cursor=place,
                newest_first=newest_first,
                until=until,
                consistent=consistent,
            )
            yield from page.items
            place = page.next_cursor
            if place is None:
                return

    def count(
        self,
        kind: Kind[Any],
        partner: str,
        index: IndexName = "list",
        *,
        group: Groups | None = None,
        until: Until | None = None,
        since: Until | None = None,
    ) -> int:
        """How many are in a list, of those after ``since``.  Half a read unit for 4 KB of index."""
        return self._size(index, partitions_of(kind, index, partner, group), until, since)

    def _size(
        self,
        index: IndexName,
        partitions: Sequence[str],
        until: Until | None,
        since: Until | None = None,
    ) -> int:
        return sum(self._reader.count(index, one, until, since) for one in partitions)

    def _shown(
        self,
        kind: Kind[T],
        index: IndexName,
        partitions: Sequence[str],
        rows: Sequence[Raw],
        consistent: bool,
    ) -> list[tuple[Raw, Stored[T]]]:
        raws = self._reader.get_many([key_of(row) for row in rows], consistent=consistent)
        attribute = INDEXES[index][1]
        found: list[tuple[Raw, Stored[T]]] = []
        for row in rows:
            raw = raws.get(key_of(row))
            if raw is not None and raw.get(attribute, {}).get("S") in partitions:
                stored = _stored(kind, raw)
                found += [(row, stored)] if stored is not None else []
        return found

    # --- committing ------------------------------------------------------------------------------

    def commit(self, unit: Unit) -> None:
        """Do all that ``unit`` holds, or nothing.

        One write alone is a plain conditional write, at half a transaction's price; all else is
        one transaction.  Raises :class:`AlreadyDone`, :class:`UniqueTaken`, :class:`Conflict` (in
        this order, if several are true), :class:`TooManyOperations`, :class:`OutcomeUnknown`.
        """
        if unit.committed:
            raise ValueError("this unit was committed before")
        at = self._clock()
        messages = tuple(
            Outgoing(id or self._new_id(), message.queue, message.body, at)
            for id, message in unit.messages
        )
        operations = [*unit.operations.values(), *map(outbox.put, messages)]
        Commit(self._record, operations, int(at.timestamp()), self._backoff).run()
        unit.committed = True
        unit.outbox = messages

    def attempt(self, work: Callable[[], R], attempts: int = ATTEMPTS) -> R:
        """Run ``work`` (load, decide, commit) until it loses no race; its answer.

        Raises ``Refused("conflict")`` after ``attempts`` lost races, some ten seconds later.
        """
        for tries in range(attempts):
            try:
                return work()
            except Conflict:
                if tries < attempts - 1:
                    self._races.pause(tries)
        raise Refused(
            "conflict", "Others are changing the same thing; nothing was done. Try again."
        )

    def claimed(self, partner: str, scope: str, value: str) -> str | None:
        """Who owns a claimed value, or ``None``."""
        raw = self._reader.get(keys.claim_key(partner, scope, value), consistent=True)
        return None if raw is None else cast(str, codec.loads_json(raw["doc"]["S"])["owner"])

    def recall(self, partner: str, key_hash: str) -> Remembered | None:
        """The answer kept under an idempotency key, or ``None``."""
        try:
            key = keys.remembered_key(partner, key_hash)
        except BadKey:
            return None
        raw = self._reader.get(key, consistent=True)
        return None if raw is None else Remembered(**codec.loads_json(raw["doc"]["S"]))

    # --- the outbox ------------------------------------------------------------------------------

    def pending_messages(self, before: datetime, limit: int = 100) -> list[Outgoing]:
        """Messages committed at or before a real instant and not yet done, oldest first."""
        return outbox.pending(self._reader, before, limit)

    def done(self, messages: Outgoing | Iterable[Outgoing]) -> None:
        """Take sent messages out of the outbox; those that are out already do not matter."""
        sent = [messages] if isinstance(messages, Outgoing) else list(messages)
        outbox.remove(self._record, sent, self._backoff)


def _stored(kind: Kind[T], raw: Raw) -> Stored[T] | None:
    """The value of an item; ``None`` if the item is of another kind."""
    if raw["t"]["S"] != kind.name:
        return None
    ttl = raw.get("ttl")
    return Stored(
        codec.loads(kind.load(), raw["doc"]["S"]),
        int(raw["v"]["N"]),
        parse_instant(raw["c"]["S"]),
        parse_instant(raw["u"]["S"]),
        None if ttl is None else int(ttl["N"]),
    )


def _named(kind: Kind[T], id: str, raw: Raw) -> Stored[T] | None:
    """The same, but ``None`` if the value has another id that leads to the same key."""
    stored = _stored(kind, raw)
    return stored if stored and getattr(stored.value, kind.id_of) == id else None


def _onward(after: str, total: int | None, bound: str) -> str:
    return cursors.write(cursors.Place(after, total), bound)
