"""Accounts compared with their journals: one, or all of them."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import click

from chalicelib.models.keys import TERMS
from chalicelib.usecases import verifying
from chalicelib.usecases.context import Context
from chalicelib.usecases.verifying import Verdict
from tools.aws.stages import Trouble
from tools.ops.where import Where


@dataclass
class Tally:
    """How many loans were looked at, and those that differ (at most ``MOST`` are kept)."""

    looked_at: int = 0
    differ: int = 0
    first: list[Verdict] = field(default_factory=list)

    MOST = 10_000

    def take(self, verdict: Verdict | None) -> None:
        """Count one more."""
        if verdict is None:
            return
        self.looked_at += 1
        if verdict.differ:
            self.differ += 1
            if len(self.first) < self.MOST:
                self.first.append(verdict)


@click.group("ledger")
def ledger() -> None:
    """Balances and journals."""


@ledger.command("verify")
@click.option("--loan", "loan_id", help="One loan.")
@click.option("--all", "every", is_flag=True, help="Every loan of every partner.")
@click.option("--partner", "partner_id", help="Only this partner's.")
@click.option("--part", default="1/1", show_default=True, help="One of several parts, such as 2/8.")
@click.pass_obj
def verify(
    where: Where, loan_id: str | None, every: bool, partner_id: str | None, part: str
) -> None:
    """Compare accounts with the sum of their entries and the telling of their facts.

    Reads only.  Loans that differ are listed with what differs; the exit code is then 1.
    """
    if bool(loan_id) == every:
        raise click.UsageError("Say --loan ID or --all.")
    worlds = where.partners(partner_id)
    tally = one(worlds, loan_id) if loan_id else walk(worlds, _part(part), say=sys.stderr.isatty())
    for verdict in tally.first:
        click.echo(f"{verdict.loan}  {', '.join(verdict.differ)}")
    click.echo(f"{tally.looked_at} loan(s) looked at, {tally.differ} differ", err=True)
    if tally.differ:
        sys.exit(1)


def one(worlds: Iterable[Context], loan_id: str) -> Tally:
    """One loan, whoever's it is; :class:`Trouble` if nobody's."""
    tally = Tally()
    for ctx in worlds:
        verdict = verifying.verdict(ctx, loan_id)
        if verdict is not None:
            tally.take(verdict)
            return tally
    raise Trouble(f"There is no loan {loan_id}.")


def walk(worlds: Iterable[Context], part: tuple[int, int] = (1, 1), *, say: bool = False) -> Tally:
    """All loans, or one of several parts, one after the other; ``say`` shows how far it is."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    tally = Tally()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not say) as progress:
        for ctx in worlds:
            total = ctx.store.count(TERMS, ctx.partner.id) if say else None
            task = progress.add_task(ctx.partner.name or ctx.partner.id, total=total)
            for loan_id in verifying.loans(ctx):
                if _mine(loan_id, part):
                    tally.take(verifying.verdict(ctx, loan_id))
                progress.advance(task)
    return tally


def _mine(loan_id: str, part: tuple[int, int]) -> bool:
    number, parts = part
    return zlib.crc32(loan_id.encode()) % parts == number - 1


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts) <= 1000):
        raise click.UsageError(f"--part is {text!r}; it is such as 2/8.")
    return int(number), int(parts)


COMMANDS = (ledger,)
