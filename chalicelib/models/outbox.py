"""Messages between their commit and their queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.models import codec, keys
from chalicelib.models.calls import Backoff, read
from chalicelib.models.kinds import instant, parse_instant
from chalicelib.models.reader import Raw, Reader, key_of
from chalicelib.models.records import Record
from chalicelib.models.unit import Operation, Outgoing

_BATCH_DELETES = 25


def put(message: Outgoing) -> Operation:
    """The write of a message.  Unconditional: the same id again is the same message."""
    at = instant(message.at)
    item = {
        "v": 1,
        "t": keys.MESSAGE,
        "doc": codec.dumps_json({"queue": message.queue, "body": message.body}),
        "c": at,
        "dp": keys.outbox_partition(keys.outbox_shard(message.id)),
        "ds": f"{at}#{message.id}",
    }
    return Operation("put", *keys.message_key(message.id), None, item)


def pending(reader: Reader, before: datetime, limit: int) -> list[Outgoing]:
    """At most ``limit`` messages committed at or before a real instant, oldest first."""
    rows: list[Raw] = []
    for shard in range(keys.OUTBOX_SHARDS):
        partition = keys.outbox_partition(shard)
        rows += reader.rows("due", partition, forward=True, limit=limit, until=before)
    first = sorted(rows, key=lambda row: str(row["ds"]["S"]))[:limit]
    found = reader.get_many([key_of(row) for row in first], consistent=True)
    return [_message(found[key_of(row)]) for row in first if key_of(row) in found]


def remove(record: type[Record], messages: Sequence[Outgoing], backoff: Backoff) -> None:
    """Take messages out; those that are out already do not matter."""
    table = record.table()
    ids = list(dict.fromkeys(message.id for message in messages))
    if len(ids) == 1:
        read(lambda: table.delete_item(*keys.message_key(ids[0])), backoff)
        return
    for start in range(0, len(ids), _BATCH_DELETES):
        wanted = (keys.message_key(id) for id in ids[start : start + _BATCH_DELETES])
        left = [{"pk": pk, "sk": sk} for pk, sk in wanted]
        tries = 0
        while left:
            answer = _delete(table, left, backoff)
            over = answer.get("UnprocessedItems", {}).get(table.table_name, [])
            again = [one["DeleteRequest"]["Key"] for one in over]
            tries = 0 if len(again) < len(left) else tries + 1
            left = [{name: value["S"] for name, value in key.items()} for key in again]
            if left:
                backoff.pause_bounded(tries)


def _delete(table: Any, left: Sequence[Any], backoff: Backoff) -> dict[str, Any]:
    return read(lambda: table.batch_write_item(delete_items=left), backoff)


def _message(raw: Raw) -> Outgoing:
    doc = codec.loads_json(raw["doc"]["S"])
    id = str(raw["pk"]["S"]).partition("#")[2]
    return Outgoing(id, doc["queue"], doc["body"], parse_instant(raw["c"]["S"]))
