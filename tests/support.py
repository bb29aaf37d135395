"""What tests of several layers share: a store in memory and a table from its one definition."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from chalicelib.models.records import CapacityHook, Record, make_record
from chalicelib.models.store import Store

DATA_TEMPLATE = Path(__file__).parent.parent / "infra" / "data.yaml"
REGION = "eu-west-2"
#: What a table in memory has no use for.
OF_A_STAGE = (
    "DeletionPolicy",
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "StreamSpecification",
)
_NUMBERS = count(1)
_mock: Any = None
_first: type[Record] | None = None  # its client serves all: making one takes 0.2 s


@dataclass(frozen=True)
class Table:
    """A table's configuration, as ``make_record`` wants it."""

    table_name: str
    region: str = REGION
    endpoint_url: str | None = None


def memory_store(**options: Any) -> Store:
    """A store on an empty table of its own, in this process (moto).

    For one thread: moto loses conditional updates under several.  ``options`` go to
    :class:`Store` (``clock``, ``new_id``, ``sleep``, ``uniform``) and ``on_capacity`` to its
    record.  The mock lives as long as the process, a table as long as its store.
    """
    global _first
    _start_mock()
    like = None if "on_capacity" in options else _first
    store = table_store(Table(f"memory-{next(_NUMBERS)}"), like=like, **options)
    if "on_capacity" not in options:
        _first = store._record
    weakref.finalize(store, _forget, store._record.Meta.table_name)
    return store


def _forget(table_name: str) -> None:
    from moto.dynamodb import dynamodb_backends

    for regions in dynamodb_backends.values():
        regions[REGION].tables.pop(table_name, None)
    forget_versions()


def forget_versions() -> None:
    """Let go of every item that was ever written: moto keeps them in case somebody asks."""
    from moto.core.model_instances import reset_model_data

    reset_model_data()


def table_store(
    table: Table,
    *,
    on_capacity: CapacityHook | None = None,
    like: type[Record] | None = None,
    **options: Any,
) -> Store:
    """A store on ``table``, which is created."""
    record = make_record(table, on_capacity=on_capacity, like=like)
    client: Any = record.table().connection.client
    definition = table_definition()
    expiry = definition.pop("TimeToLiveSpecification")
    for name in OF_A_STAGE:
        definition.pop(name, None)
    client.create_table(**definition | {"TableName": table.table_name})
    client.update_time_to_live(TableName=table.table_name, TimeToLiveSpecification=expiry)
    return Store(record, **options)


def table_definition() -> dict[str, Any]:
    """The table's properties in ``infra/data.yaml``, the one place that defines it."""
    resources = template()["Resources"].values()
    [table] = [one for one in resources if one["Type"] == "AWS::DynamoDB::Table"]
    return dict(table["Properties"])


def _start_mock() -> None:
    global _mock
    if _mock is None:
        from moto import mock_aws

        os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
        _mock = mock_aws()
        _mock.start(reset=False)


@cache
def template() -> dict[str, Any]:
    """``infra/data.yaml``; CloudFormation's own tags are left out."""

    class Loader(yaml.SafeLoader):
        """YAML whose CloudFormation tags stay as they are written."""

    def tagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        assert isinstance(node, yaml.MappingNode)
        return loader.construct_mapping(node, deep=True)

    constructor: Callable[..., Any] = tagged
    Loader.add_multi_constructor("!", constructor)
    parsed: dict[str, Any] = yaml.load(DATA_TEMPLATE.read_text(), Loader)
    return parsed
