"""A table item by item, as DynamoDB spells them: read whole, copied, compared.

For operators alone: the application never reads a table whole.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.config import Config
from tools.aws.account import Account
from tools.aws.stages import Trouble

Item = dict[str, Any]
WRITTEN_AT_ONCE, READ_AT_ONCE = 25, 100
TRIES = 10
READY_SECONDS = 900
_DEFINITION = ("AttributeDefinitions", "KeySchema")
_INDEX = ("IndexName", "KeySchema", "Projection")


@dataclass(frozen=True)
class Table:
    """One table and the client that reads it."""

    client: Any
    name: str


def of(config: Config, name: str | None = None) -> Table:
    """The stage's table, or another one of its account."""
    account = Account(config.region, config.endpoint_url)
    return Table(account.client("dynamodb"), name or config.table_name)


def scan(table: Table, **asked: Any) -> Iterator[Item]:
    """Every item, a page of 1 MB at a time, in no order."""
    for page in table.client.get_paginator("scan").paginate(TableName=table.name, **asked):
        yield from page["Items"]


def make_like(table: Table, name: str) -> Table:
    """An empty table, keyed and sealed like the other; :class:`Trouble` if there is one."""
    known = table.client.describe_table(TableName=table.name)["Table"]
    wanted = {part: known[part] for part in _DEFINITION}
    wanted["GlobalSecondaryIndexes"] = [
        {part: index[part] for part in _INDEX} for index in known["GlobalSecondaryIndexes"]
    ]
    sealed = known.get("SSEDescription", {})
    if sealed.get("SSEType") == "KMS":
        key = sealed["KMSMasterKeyArn"]
        wanted["SSESpecification"] = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    try:
        table.client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **wanted)
    except table.client.exceptions.ResourceInUseException:
        raise Trouble(f"There is a table {name} already.") from None
    made = Table(table.client, name)
    until_ready(made)
    return made


def until_ready(table: Table) -> None:
    """Wait until the table and its indexes can be used; :class:`Trouble` after a quarter hour."""
    for _ in range(READY_SECONDS):
        found = table.client.describe_table(TableName=table.name)["Table"]
        indexes = found.get("GlobalSecondaryIndexes", [])
        states = [found["TableStatus"], *(one.get("IndexStatus", "ACTIVE") for one in indexes)]
        if set(states) == {"ACTIVE"}:
            return
        time.sleep(1)
    raise Trouble(f"{table.name} is not ready after {READY_SECONDS // 60} minutes.")


def drop(table: Table) -> None:
    """Delete the table."""
    table.client.delete_table(TableName=table.name)


# --- files ----------------------------------------------------------------------------------------


def save(items: Iterable[Item], path: Path) -> int:
    """Write items to a compressed file, one a line; how many."""
    number = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as lines:
        for item in items:
            lines.write(json.dumps(item, sort_keys=True, ensure_ascii=False) + "\n")
            number += 1
    return number


def saved(path: Path) -> Iterator[Item]:
    """The items of such a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def fill(table: Table, items: Iterable[Item]) -> int:
    """Write items into an empty table; how many."""
    number = 0
    for batch in batches(items, WRITTEN_AT_ONCE):
        left = [{"PutRequest": {"Item": item}} for item in batch]
        for tries in range(TRIES):
            answer = table.client.batch_write_item(RequestItems={table.name: left})
            left = answer.get("UnprocessedItems", {}).get(table.name, [])
            if not left:
                break
            time.sleep(min(2.0**tries / 10, 5.0))
        else:
            raise Trouble(f"{table.name} does not take what is written.")
        number += len(batch)
    return number


def differing(table: Table, items: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """The keys of those items that the table has otherwise, or not at all."""
    for batch in batches(items, READ_AT_ONCE):
        found = _found(table, [{"pk": one["pk"], "sk": one["sk"]} for one in batch])
        for item in batch:
            key = (item["pk"]["S"], item["sk"]["S"])
            if found.get(key) != item:
                yield key


def _found(table: Table, keys: list[Item]) -> dict[tuple[str, str], Item]:
    found: dict[tuple[str, str], Item] = {}
    for tries in range(TRIES):
        asked = {table.name: {"Keys": keys, "ConsistentRead": True}}
        answer = table.client.batch_get_item(RequestItems=asked)
        items = answer["Responses"].get(table.name, [])
        found |= {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        keys = answer.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", [])
        if not keys:
            return found
        time.sleep(min(2.0**tries / 10, 5.0))
    raise Trouble(f"{table.name} does not give what is asked for.")


def batches(items: Iterable[Item], size: int) -> Iterator[Sequence[Item]]:
    """Items in groups of at most ``size``."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
