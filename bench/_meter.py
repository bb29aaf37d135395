"""What DynamoDB and Lambda would charge for, counted at the client.

An emulator does not know how many units a call consumes.  Here they are worked out by DynamoDB's
published rules from the items that are really read and written: a unit is 4 KB read consistently
(half of one otherwise) or 1 KB written, twice that in a transaction, and each index whose entry
comes, goes or moves is a write of its own.  To know what was there before, the meter remembers
every item that went through its client.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

Raw = Mapping[str, Mapping[str, Any]]
INDEXES = (("lp", "ls"), ("gp", "gs"), ("op", "os"), ("dp", "ds"))
WRITE_BYTES, READ_BYTES = 1024, 4096
INDEX_ROW_BYTES = 200
"""Of an index entry that is only counted (``Select=COUNT``) and so not seen."""
ENTRY_OVERHEAD_BYTES = 100
"""What DynamoDB stores beside each item and index entry, and charges."""
CALLS = ("GetItem", "PutItem", "DeleteItem", "Query", "BatchGetItem", "BatchWriteItem",
         "TransactWriteItems")  # fmt: skip
NOBODY = "-"


@dataclass
class Used:
    """What one function used within one operation."""

    reads: float = 0.0
    writes: float = 0.0
    calls: int = 0
    runs: int = 0
    seconds: float = 0.0
    """Processor time of its own, without the table's part."""
    messages: int = 0
    log_bytes: int = 0

    def plus(self, other: Used, times: float = 1) -> Used:
        """The sum of both, the other so many times."""
        names = ("reads", "writes", "calls", "runs", "seconds", "messages", "log_bytes")
        return Used(**{one: getattr(self, one) + times * getattr(other, one) for one in names})


Uses = dict[str, Used]


@dataclass
class Meter:
    """Counts by operation and function: ``used["a repayment"]["api_handler"]``."""

    used: dict[str, Uses] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Used)))
    items: dict[tuple[str, str], Raw] = field(default_factory=dict)
    operation: str | None = None
    function: str = NOBODY
    _asked: tuple[str, Mapping[str, Any]] = ("", {})
    _since: float = 0.0

    # --- who is at work --------------------------------------------------------------------------

    @contextmanager
    def doing(self, operation: str | None) -> Iterator[None]:
        """What happens inside belongs to this operation; to none with ``None``."""
        before, self.operation = self.operation, operation
        try:
            yield
        finally:
            self.operation = before

    @contextmanager
    def running(self, function: str) -> Iterator[None]:
        """One invocation of a function; one inside another is counted for itself."""
        outer = self.function
        self._lap()
        self.function = function
        self.now.runs += 1
        try:
            yield
        finally:
            self._lap()
            self.function = outer

    @property
    def now(self) -> Used:
        """Where the present work is counted."""
        if self.operation is None or self.function == NOBODY:
            return Used()
        return self.used[self.operation][self.function]

    def _lap(self) -> None:
        at = time.thread_time()
        self.now.seconds += at - self._since
        self._since = at

    def write(self, text: str) -> int:
        """A line of the log, as a stream takes it."""
        self.now.log_bytes += len(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""

    # --- the client ------------------------------------------------------------------------------

    def watch(self, client: Any) -> None:
        """Count what goes through this DynamoDB client."""
        events = client.meta.events
        for name in CALLS:
            events.register(f"provide-client-params.dynamodb.{name}", self._asking)
            events.register(f"before-call.dynamodb.{name}", self._leaving)
            events.register(f"after-call.dynamodb.{name}", self._answered)

    def _asking(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self._asked = (model.name, dict(params))

    def _leaving(self, **_: Any) -> None:
        self._lap()

    def _answered(self, parsed: Mapping[str, Any], **_: Any) -> None:
        self._since = time.thread_time()
        name, params = self._asked
        self.now.calls += 1
        failed = "Error" in parsed
        if name in ("GetItem", "Query", "BatchGetItem"):
            self.now.reads += 0 if failed else _read_units(name, params, parsed)
        elif name == "TransactWriteItems":
            for one in params["TransactItems"]:
                self._wrote(one, 2, failed)
        elif name == "BatchWriteItem":
            for one in next(iter(params["RequestItems"].values())):
                self._wrote({kind.removesuffix("Request"): one[kind] for kind in one}, 1, failed)
        else:
            self._wrote({name.removesuffix("Item"): params}, 1, failed)

    def _wrote(self, one: Mapping[str, Any], times: int, failed: bool) -> None:
        [(kind, what)] = one.items()
        key = (
            (what.get("Item") or what["Key"])["pk"]["S"],
            (what.get("Item") or what["Key"])["sk"]["S"],
        )
        before, after = self.items.get(key, {}), what.get("Item", {})
        if kind == "ConditionCheck" or failed:
            self.now.writes += times * _blocks(max(size(before), size(after)), WRITE_BYTES)
            return
        self.now.writes += write_units(before, after, times)
        if after:
            self.items[key] = after
        else:
            self.items.pop(key, None)

    def stored(self, prefix: str = "") -> int:
        """Bytes of the items in partitions that begin with ``prefix``, with their index entries."""
        return sum(
            size(item) + ENTRY_OVERHEAD_BYTES + sum(
                size(row) + ENTRY_OVERHEAD_BYTES for row in entries(item).values()
            )
            for (pk, _), item in self.items.items()
            if pk.startswith(prefix)
        )  # fmt: skip


def size(item: Raw) -> int:
    """The bytes of an item: names and values, as DynamoDB counts them."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: Mapping[str, Any]) -> int:
    [(kind, held)] = value.items()
    return (len(held) + 1) // 2 + 1 if kind == "N" else len(str(held).encode())


def entries(item: Raw) -> dict[str, Raw]:
    """The item's index entries, keys only, by the index's partition attribute."""
    return {
        names[0]: {name: item[name] for name in ("pk", "sk", *names)}
        for names in INDEXES
        if all(name in item for name in names)
    }


def write_units(before: Raw, after: Raw, times: int = 1) -> float:
    """Units of one write; ``times`` is 2 in a transaction, which indexes are not part of."""
    units = times * _blocks(max(size(before), size(after)), WRITE_BYTES)
    old, new = entries(before), entries(after)
    for index in {*old, *new}:
        if old.get(index) != new.get(index):
            units += _blocks(size(old[index]), WRITE_BYTES) if index in old else 0
            units += _blocks(size(new[index]), WRITE_BYTES) if index in new else 0
    return units


def _read_units(name: str, params: Mapping[str, Any], parsed: Mapping[str, Any]) -> float:
    if name == "BatchGetItem":
        [asked] = params["RequestItems"].values()
        items = [item for found in parsed["Responses"].values() for item in found]
        absent = len(asked["Keys"]) - len(items)
        blocks = sum(_blocks(size(item), READ_BYTES) for item in items) + absent
        return blocks * (1.0 if asked.get("ConsistentRead") else 0.5)
    if name == "GetItem":
        read = size(parsed.get("Item", {}))
    elif params.get("Select") == "COUNT":
        read = int(parsed["ScannedCount"]) * INDEX_ROW_BYTES
    else:
        read = sum(size(item) for item in parsed["Items"])
    return _blocks(read, READ_BYTES) * (1.0 if params.get("ConsistentRead") else 0.5)


def _blocks(size_: int, block: int) -> int:
    return max(1, ceil(size_ / block))
