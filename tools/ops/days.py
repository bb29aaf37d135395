"""A partner's day done again."""

from __future__ import annotations

from datetime import date, datetime

import click

from chalicelib.models.keys import CLOCK_STATE
from chalicelib.usecases import operating
from tools.ops.keys import partner_option
from tools.ops.where import Where


@click.group("day")
def day() -> None:
    """Business dates."""


@day.command("show")
@partner_option
@click.pass_obj
def show(where: Where, partner_id: str) -> None:
    """How far the partner's days have come."""
    ctx = where.context(partner_id)
    stored = ctx.store.get(CLOCK_STATE, partner_id, partner_id)
    assert stored is not None, "a partner is made with its clock"
    clock = stored.value
    click.echo(f"business date {ctx.business_date}, closed {clock.closed}")
    if clock.open_shards:
        click.echo(f"closing {clock.closing}: {len(clock.open_shards)} shard(s) to do")


@day.command("replay")
@partner_option
@click.option("--date", "on", required=True, type=click.DateTime(["%Y-%m-%d"]))
@click.pass_obj
def replay(where: Where, partner_id: str, on: datetime) -> None:
    """Send all shards of a date to work again.  What was done stays as it is."""
    which: date = on.date()
    ctx = where.operator(partner_id, "day.replay", which.isoformat())
    where.agree(f"Do {which} of {ctx.partner.name!r} again")
    sent = ctx.store.attempt(lambda: operating.replay_day(ctx, which))
    click.echo(f"{sent} shard(s) of {which} sent to work")


COMMANDS = (day,)
