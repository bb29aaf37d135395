"""API keys and webhook secrets of a partner, and what was done by operators."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from chalicelib.models.keys import API_KEY, AUDIT
from chalicelib.usecases import partners, webhooks
from tools.ops.where import Where

partner_option = click.option("--partner", "partner_id", required=True, help="The partner's id.")


@click.group("keys")
def keys() -> None:
    """API keys of a partner."""


@keys.command("list")
@partner_option
@click.pass_obj
def listing(where: Where, partner_id: str) -> None:
    """The valid keys: id, first characters, made, last used."""
    where.context(partner_id)
    for stored in where.store.each(API_KEY, partner_id):
        key, used = stored.value, stored.value.last_used_at
        last = "never used" if used is None else f"last used {used:%Y-%m-%d %H:%M}"
        click.echo(f"{key.id}  {key.prefix}…  made {stored.created_at:%Y-%m-%d}  {last}")


@keys.command("create")
@partner_option
@click.pass_obj
def create(where: Where, partner_id: str) -> None:
    """Make a further key, which is shown this once."""
    ctx = where.operator(partner_id, "api_key.create", partner_id)
    where.agree(f"Make another API key of {ctx.partner.name!r}")
    made = ctx.store.attempt(lambda: partners.make_key(ctx, datetime.now(UTC)))
    click.echo(f"id {made.stored.value.id}\napi key {made.key}\nNobody can show this key again.")


@keys.command("revoke")
@partner_option
@click.argument("key_id")
@click.pass_obj
def revoke(where: Where, partner_id: str, key_id: str) -> None:
    """Revoke a key; it works for another minute at most.  The last one stays."""
    ctx = where.operator(partner_id, "api_key.revoke", key_id)
    where.agree(f"Revoke the API key {key_id} of {ctx.partner.name!r}")
    ctx.store.attempt(lambda: partners.revoke_key(ctx, key_id, datetime.now(UTC)))
    click.echo(f"revoked {key_id}; it may work for another minute")


@click.group("secrets")
def secrets() -> None:
    """Secrets that the platform keeps for partners."""


@secrets.command("rotate")
@partner_option
@click.option("--endpoint", required=True, help="The webhook endpoint's id.")
@click.pass_obj
def rotate(where: Where, partner_id: str, endpoint: str) -> None:
    """Make a new secret of a webhook endpoint, shown this once; the old one signs for 24 hours."""
    ctx = where.operator(partner_id, "webhook_endpoint.rotate", endpoint)
    where.agree(f"Rotate the secret of the webhook endpoint {endpoint} of {ctx.partner.name!r}")
    made = ctx.store.attempt(lambda: webhooks.rotate_secret(ctx, endpoint, datetime.now(UTC)))
    click.echo(f"secret {made.secret}\nNobody can show it again. The old one signs for 24 hours.")


@click.group("audit")
def audit() -> None:
    """What operators did."""


@audit.command("list")
@partner_option
@click.option("--action", help="Only these, such as end_user.erase.")
@click.pass_obj
def rows(where: Where, partner_id: str, action: str | None) -> None:
    """The rows of a partner, oldest first."""
    for stored in where.store.each(AUDIT, partner_id, newest_first=False):
        row = stored.value
        if action in (None, row.action):
            more = " ".join(f"{name}={value}" for name, value in sorted(row.details.items()))
            line = f"{row.at:%Y-%m-%d %H:%M:%S}  {row.action}  {row.subject}  {row.actor}  {more}"
            click.echo(line.rstrip())


COMMANDS = (keys, secrets, audit)
