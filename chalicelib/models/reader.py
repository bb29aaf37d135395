"""Reading items and index rows as DynamoDB gives them, retries and expiry taken care of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from pynamodb.expressions.condition import Condition

from chalicelib.models.calls import Backoff, read
from chalicelib.models.kinds import INDEXES, IndexName, instant
from chalicelib.models.records import Record

Raw = Mapping[str, Mapping[str, Any]]
"""An item in DynamoDB's own spelling: ``{"pk": {"S": "…"}, "v": {"N": "1"}}``."""
Key = tuple[str, str]
Until = date | datetime | str

BATCH_KEYS = 100
_BEFORE_NEXT = " "  # sorts below every character of a sort key, so it bounds from just after one
_AFTER_MOMENT = "$"  # follows "#", which ends the moment in a sort key


def key_of(raw: Raw) -> Key:
    """The primary key of an item or of an index row."""
    return raw["pk"]["S"], raw["sk"]["S"]


class Reader:
    """``seconds`` is real time since 1970: an item whose ``ttl`` has passed is not there."""

    def __init__(
        self, record: type[Record], seconds: Callable[[], float], backoff: Backoff
    ) -> None:
        self._table = record.table()
        self._record = record
        self._seconds = seconds
        self._backoff = backoff

    def get(self, key: Key, *, consistent: bool) -> Raw | None:
        """The item, or ``None``."""
        answer = read(
            lambda: self._table.get_item(key[0], key[1], consistent_read=consistent), self._backoff
        )
        raw = answer.get("Item")
        return raw if raw and self._is_there(raw) else None

    def get_many(self, wanted: Sequence[Key], *, consistent: bool) -> dict[Key, Raw]:
        """The items of these keys, which must differ; what DynamoDB leaves over is asked again."""
        found: dict[Key, Raw] = {}
        for start in range(0, len(wanted), BATCH_KEYS):
            left = [{"pk": pk, "sk": sk} for pk, sk in wanted[start : start + BATCH_KEYS]]
            tries = 0
            while left:
                answer = self._batch(left, consistent)
                items = answer["Responses"].get(self._table.table_name, [])
                found |= {key_of(raw): raw for raw in items if self._is_there(raw)}
                over = answer.get("UnprocessedKeys", {}).get(self._table.table_name, {})
                left = [{n: v["S"] for n, v in key.items()} for key in over.get("Keys", [])]
                tries = 0 if items else tries + 1
                if left:
                    self._backoff.pause_bounded(tries)
        return found

    def group(
        self,
        pk: str,
        sk_prefix: str,
        *,
        forward: bool,
        limit: int | None,
        after: str | None,
        consistent: bool,
    ) -> list[Raw]:
        """The items of a partition whose sort key begins with ``sk_prefix``, in order."""
        condition = self._record.sk.startswith(sk_prefix) if sk_prefix else None
        start = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
        found: list[Raw] = []
        for answer in self._query(
            pk, condition, forward=forward, limit=limit, start=start, consistent=consistent
        ):
            found += [raw for raw in answer["Items"] if self._is_there(raw)]
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def rows(
        self,
        index: IndexName,
        partition: str,
        *,
        forward: bool,
        limit: int,
        after: str | None = None,
        until: Until | None = None,
    ) -> list[Raw]:
        """At most ``limit`` rows of an index: keys only.  ``after`` is a row's sort key."""
        condition = self._between(index, after, until, forward)
        found: list[Raw] = []
        for answer in self._query(
            partition, condition, index=INDEXES[index][0], forward=forward, limit=limit
        ):
            found += answer["Items"]
            if len(found) >= limit:
                break
        return found[:limit]

    def count(
        self, index: IndexName, partition: str, until: Until | None, since: Until | None = None
    ) -> int:
        """How many rows an index has in a partition, up to a moment, after another."""
        after = None if since is None else moment(since) + _AFTER_MOMENT
        condition = self._between(index, after, until, True)
        name = INDEXES[index][0]
        answers = self._query(partition, condition, index=name, forward=True, select="COUNT")
        return sum(answer["Count"] for answer in answers)

    def _query(
        self,
        partition: str,
        condition: Condition | None,
        *,
        forward: bool,
        index: str | None = None,
        limit: int | None = None,
        start: Any = None,
        select: str | None = None,
        consistent: bool = False,
    ) -> Iterator[dict[str, Any]]:
        while True:
            place = start
            answer = read(
                lambda place=place: self._table.query(  # type: ignore[misc]
                    partition,
                    range_key_condition=condition,
                    index_name=index,
                    scan_index_forward=forward,
                    limit=limit,
                    exclusive_start_key=place,
                    select=select,
                    consistent_read=consistent,
                ),
                self._backoff,
            )
            yield answer
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def _batch(self, left: Sequence[Mapping[str, str]], consistent: bool) -> dict[str, Any]:
        return read(
            lambda: self._table.batch_get_item(cast(Any, left), consistent_read=consistent),
            self._backoff,
        )

    def _between(
        self, index: IndexName, after: str | None, until: Until | None, forward: bool
    ) -> Condition | None:
        place = getattr(self._record, INDEXES[index][2])
        last = None if until is None else moment(until) + _AFTER_MOMENT
        if after is None:
            return None if last is None else cast(Condition, place <= last)
        if not forward:
            return cast(Condition, place < after)
        if last is None:
            return cast(Condition, place > after)
        return cast(Condition, place.between(after + _BEFORE_NEXT, last))

    def _is_there(self, raw: Raw) -> bool:
        ttl = raw.get("ttl")
        return ttl is None or int(ttl["N"]) > self._seconds()


def moment(until: Until) -> str:
    """A moment as sort keys spell it."""
    if isinstance(until, datetime):
        return instant(until)
    return until.isoformat() if isinstance(until, date) else until
