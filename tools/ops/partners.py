"""Partners: made with a first key, and taken home whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from chalicelib.domain.audit import Entry
from chalicelib.domain.partners import Partner
from chalicelib.models.keys import AUDIT
from chalicelib.models.store import Store
from chalicelib.models.unit import Unit
from chalicelib.usecases import days, partners
from tools.aws.stages import Trouble
from tools.ops import exports
from tools.ops.where import Where, partner_of


def make(store: Store, name: str, *, sandbox: bool, allowed: bool, actor: str) -> tuple[str, str]:
    """A new partner's id and key; :class:`Trouble` if the stage has no such partners.

    ``allowed`` says whether the stage is a sandbox.
    """
    if not name.strip():
        raise Trouble("NAME is empty: say what the partner is called.")
    if sandbox and not allowed:
        raise Trouble("This stage is no sandbox: leave SANDBOX out.")
    now, key = datetime.now(UTC), partners.new_key()
    partner = Partner(id=str(uuid4()), name=name.strip(), sandbox=sandbox)
    unit = Unit(now)
    partners.add(unit, partner, key, lambda: str(uuid4()), now)
    row = Entry(str(uuid4()), "partner.create", partner.id, actor, now)
    unit.create(AUDIT, partner.id, row)
    store.commit(unit)
    return partner.id, key


@click.group("partner")
def partner() -> None:
    """Partners of the platform."""


@partner.command("create")
@click.argument("name")
@click.option("--sandbox", is_flag=True, help="With a clock of its own.")
@click.pass_obj
def create(where: Where, name: str, sandbox: bool) -> None:
    """Make a partner and its first API key, which is shown this once."""
    where.agree(f"Make the partner {name!r}")
    made, key = make(
        where.store, name, sandbox=sandbox, allowed=where.config.sandbox, actor=where.actor
    )
    click.echo(f"partner {made}\napi key {key}\nNobody can show this key again.")


@partner.command("list")
@click.pass_obj
def listing(where: Where) -> None:
    """Every partner: id, sandbox or live, how many keys, name."""
    for one in days.every_partner(where.store):
        kind = "sandbox" if one.sandbox else "live"
        click.echo(f"{one.id}  {kind:7}  {one.keys:2} key(s)  {one.name}")


@partner.command("export")
@click.option("--partner", "partner_id", required=True)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export(where: Where, partner_id: str, out: Path) -> None:
    """Write all that is stored of a partner to OUT (.jsonl.gz), but its secrets.

    Reads the whole table once, a page at a time.  The file holds personal data.
    """
    one = partner_of(where, partner_id)
    where.agree(f"Write all of {one.name!r}, personal data with it, to {out}")
    counts = exports.write(where, one, out)
    ctx = where.operator(partner_id, "partner.export", partner_id, items=str(counts.total()))
    ctx.commit(ctx.unit(), None)
    for kind, number in sorted(counts.items()):
        click.echo(f"{number:9} {kind}")
    click.echo(f"{counts.total():9} items in {out}")


COMMANDS = (partner,)
