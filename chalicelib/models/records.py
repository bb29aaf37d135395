"""The one table as pynamodb sees it: attributes, indexes and the connection.

Only attributes that are set are stored.  ``w`` marks the commit that wrote the item's present
version, so that a commit whose answer was lost can find out whether it happened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import new_class
from typing import Any, Protocol, cast

from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection.table import TableConnection
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

CONNECT_SECONDS = 2
READ_SECONDS = 5
POOL_CONNECTIONS = 64


class TableConfig(Protocol):
    """What the table needs to know; ``endpoint_url`` is an emulator's, ``None`` AWS itself."""

    @property
    def table_name(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def endpoint_url(self) -> str | None: ...


class IntAttribute(Attribute[int]):
    """A whole number; pynamodb's own number goes through float."""

    attr_type = "N"

    def serialize(self, value: int) -> str:
        """The number's digits."""
        return str(int(value))

    def deserialize(self, value: str) -> int:
        """The number."""
        return int(value)


class _ByList(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_list"
        projection = KeysOnlyProjection()

    lp = UnicodeAttribute(hash_key=True)
    ls = UnicodeAttribute(range_key=True)


class _ByStatus(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    gp = UnicodeAttribute(hash_key=True)
    gs = UnicodeAttribute(range_key=True)


class _ByOwner(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_owner"
        projection = KeysOnlyProjection()

    op = UnicodeAttribute(hash_key=True)
    os = UnicodeAttribute(range_key=True)


class _ByDue(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    dp = UnicodeAttribute(hash_key=True)
    ds = UnicodeAttribute(range_key=True)


class Record(Model):
    """An item.  Use the class that :func:`make_record` gives: this one has no table."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    v = IntAttribute()
    t = UnicodeAttribute()
    doc = UnicodeAttribute()
    c = UnicodeAttribute(null=True)
    u = UnicodeAttribute(null=True)
    w = UnicodeAttribute(null=True)
    lp = UnicodeAttribute(null=True)
    ls = UnicodeAttribute(null=True)
    gp = UnicodeAttribute(null=True)
    gs = UnicodeAttribute(null=True)
    op = UnicodeAttribute(null=True)
    os = UnicodeAttribute(null=True)
    dp = UnicodeAttribute(null=True)
    ds = UnicodeAttribute(null=True)
    ttl = IntAttribute(null=True)

    by_list = _ByList()
    by_status = _ByStatus()
    by_owner = _ByOwner()
    by_due = _ByDue()

    @classmethod
    def table(cls) -> TableConnection:
        """The connection, made once; its client may be used by several threads."""
        return cls._get_connection()


CapacityHook = Callable[[str, float, float], None]
"""``(operation, table units, index units)``, called after each call to DynamoDB."""

_LOCK = threading.Lock()


def make_record(
    config: TableConfig,
    *,
    on_capacity: CapacityHook | None = None,
    like: type[Record] | None = None,
) -> type[Record]:
    """The record class of one table, with a connection of its own, or with the client of ``like``.

    pynamodb's own retries are off: the store retries, because it must know when an answer was lost.
    """
    meta = type(
        "Meta",
        (),
        {
            "table_name": config.table_name,
            "region": config.region,
            "host": config.endpoint_url,
            "connect_timeout_seconds": CONNECT_SECONDS,
            "read_timeout_seconds": READ_SECONDS,
            "max_retry_attempts": 0,
            "max_pool_connections": POOL_CONNECTIONS,
            "billing_mode": "PAY_PER_REQUEST",
        },
    )
    with _LOCK:
        record = cast("type[Record]", new_class("BoundRecord", (Record,), {}, _with_meta(meta)))
        connection = record.table().connection
        if like is not None:
            connection._client = like.table().connection.client
        client = connection.client
    if on_capacity is not None:
        _watch(client, on_capacity)
    return record


def _with_meta(meta: type) -> Callable[[dict[str, Any]], None]:
    return lambda namespace: namespace.update(Meta=meta)


def _watch(client: Any, hook: CapacityHook) -> None:
    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def tell(parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        found = parsed.get("ConsumedCapacity") or []
        for one in found if isinstance(found, list) else [found]:
            indexes = one.get("GlobalSecondaryIndexes", {}).values()
            in_indexes = sum(index.get("CapacityUnits", 0) for index in indexes)
            in_all = one.get("CapacityUnits", 0)
            in_table = one.get("Table", {}).get("CapacityUnits", in_all - in_indexes)
            hook(model.name, in_table, in_indexes)

    events = client.meta.events
    for name in (
        "GetItem",
        "PutItem",
        "DeleteItem",
        "Query",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactWriteItems",
    ):
        events.register(f"provide-client-params.dynamodb.{name}", ask)
        events.register(f"after-call.dynamodb.{name}", tell)
