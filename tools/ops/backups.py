"""Backups: a drill on this very data, and AWS's own restore (``docs/operators/backups.md``)."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tools.aws.stages import Trouble
from tools.ops import ledgers, tables
from tools.ops.tables import Table
from tools.ops.where import Where

T = TypeVar("T")
SHOWN = 20


@dataclass
class Drill:
    """What a drill found: seconds by step, counts, and what is wrong."""

    seconds: dict[str, float] = field(default_factory=dict)
    items: int = 0
    restored: int = 0
    bytes: int = 0
    loans: int = 0
    wrong: list[str] = field(default_factory=list)

    def timed(self, step: str, work: Callable[[], T]) -> T:
        """Do ``work`` and note how long it took."""
        begun = time.perf_counter()
        done = work()
        self.seconds[step] = time.perf_counter() - begun
        return done


def drill(where: Where, directory: Path, copy: str, *, keep: bool = False) -> Drill:
    """Save the table to a file, restore that into a new table ``copy``, and look at it.

    The copy must have what the file has, item by item, and every loan in it must be what its
    journal tells.  It goes again afterwards, unless it is to be kept.
    """
    found, file = Drill(), directory / f"{where.config.table_name}.jsonl.gz"
    own = tables.of(where.config)
    found.items = found.timed("save", lambda: tables.save(tables.scan(own), file))
    found.bytes = file.stat().st_size
    made = found.timed("make a table", lambda: tables.make_like(own, copy))
    try:
        found.timed("restore", lambda: tables.fill(made, tables.saved(file)))
        found.timed("compare items", lambda: _compare(found, made, file))
        there = replace(where, config=replace(where.config, table_name=copy))
        found.timed("verify ledgers", lambda: _verify(found, there))
    finally:
        if not keep:
            tables.drop(made)
    return found


def _compare(found: Drill, made: Table, file: Path) -> None:
    for pk, sk in tables.differing(made, tables.saved(file)):
        found.wrong.append(f"item {pk} {sk} is not as it was saved")
    found.restored = sum(1 for _ in tables.scan(made, ProjectionExpression="pk"))
    if found.restored != found.items:
        found.wrong.append(f"{found.items} items were saved, {found.restored} are there")


def _verify(found: Drill, there: Where) -> None:
    tally = ledgers.walk(there.partners())
    found.loans = tally.looked_at
    found.wrong += [f"loan {one.loan}: {', '.join(one.differ)}" for one in tally.first]


@click.group("backup")
def backup() -> None:
    """Backups and restoring."""


@backup.command("drill")
@click.option("--keep", is_flag=True, help="Leave the restored table.")
@click.option("--as", "copy", help="The restored table's name.")
@click.pass_obj
def drilled(where: Where, keep: bool, copy: str | None) -> None:
    """Save the table, restore it into a new one, compare both, verify every ledger there.

    The stage's own table is only read.  Do it while little happens: a scan is no snapshot.
    """
    name = copy or f"{where.config.table_name}-drill-{datetime.now(UTC):%Y%m%d%H%M%S}"
    where.agree(f"Restore a copy as the new table {name}")
    with tempfile.TemporaryDirectory(prefix="backbone-drill-") as scratch:
        found = drill(where, Path(scratch), name, keep=keep)
    for step, seconds in found.seconds.items():
        click.echo(f"{step:15} {seconds:8.2f} s")
    size = found.bytes / 1e6
    click.echo(f"{found.items} items ({size:.1f} MB compressed), {found.loans} loans")
    for line in found.wrong[:SHOWN]:
        click.echo(f"WRONG: {line}")
    click.echo("the drill failed" if found.wrong else "the restored table is the same")
    if found.wrong:
        sys.exit(1)


@backup.command("restore")
@click.option("--as", "name", required=True, help="The new table's name.")
@click.option("--at", help="The instant, 2026-03-02T09:00:00Z; without: the latest there is.")
@click.pass_obj
def restore(where: Where, name: str, at: str | None) -> None:
    """Restore the stage's table as of an instant into a new one, by AWS's own backup.

    What AWS does not bring along is set again: expiry, point-in-time recovery, protection.
    """
    moment = _moment(at)
    where.agree(f"Restore {where.config.table_name} as the new table {name}")
    table = tables.of(where.config)
    which: dict[str, Any] = {"UseLatestRestorableTime": True}
    if moment is not None:
        which = {"RestoreDateTime": moment}
    table.client.restore_table_to_point_in_time(
        SourceTableName=table.name, TargetTableName=name, **which
    )
    click.echo(f"restoring {name}; this takes from minutes to hours", err=True)
    made = _waited_for(Table(table.client, name))
    _as_before(made, table)
    click.echo(f"{name} is there: ops --stage … --table {name} ledger verify --all")


def _waited_for(table: Table, patience_hours: int = 24) -> Table:
    """The restored table once it can be used."""
    for _ in range(patience_hours * 4):
        try:
            tables.until_ready(table)
            return table
        except Trouble:
            continue
    raise Trouble(f"{table.name} is not ready after {patience_hours} hours.")


def _as_before(made: Table, source: Table) -> None:
    client = made.client
    expiry = client.describe_time_to_live(TableName=source.name)["TimeToLiveDescription"]
    if expiry.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        specification = {"Enabled": True, "AttributeName": expiry["AttributeName"]}
        client.update_time_to_live(TableName=made.name, TimeToLiveSpecification=specification)
    client.update_continuous_backups(
        TableName=made.name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    known = client.describe_table(TableName=source.name)["Table"]
    if known.get("DeletionProtectionEnabled"):
        client.update_table(TableName=made.name, DeletionProtectionEnabled=True)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.UsageError(f"--at is {text!r}; it is an instant such as 2026-03-02T09:00:00Z.")
    return moment


COMMANDS = (backup,)
