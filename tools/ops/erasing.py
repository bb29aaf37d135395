"""An end user's personal data taken away (``docs/operators/erasing.md``)."""

from __future__ import annotations

import click

from chalicelib.usecases import operating
from tools.ops.keys import partner_option
from tools.ops.where import Where

RETENTION_YEARS = 6
"""Claims under a simple contract lapse after six years in England (Limitation Act 1980, s. 5);
money-laundering rules ask for five (Regulations 2017, reg. 40).
"""
GROUNDS = ("request", "retention_over", "order")


@click.group("end-user")
def end_user() -> None:
    """Borrowers."""


@end_user.command("erase")
@partner_option
@click.option("--ground", required=True, type=click.Choice(GROUNDS), help="Why; kept in the audit.")
@click.option(
    "--retention-years",
    default=RETENTION_YEARS,
    show_default=True,
    type=click.IntRange(0, 50),
    help="How long records are kept after the last loan's end; kept in the audit.",
)
@click.argument("end_user_id")
@click.pass_obj
def erase(
    where: Where, partner_id: str, ground: str, retention_years: int, end_user_id: str
) -> None:
    """Take away what identifies END_USER_ID.  Ids, loans, ledgers and decisions stay.

    Refused while anything is open, and within the years of retention.  It cannot be undone.
    """
    ctx = where.operator(
        partner_id,
        "end_user.erase",
        end_user_id,
        ground=ground,
        retention_years=str(retention_years),
    )
    where.agree(f"Erase the personal data of the end user {end_user_id}, for good,")
    erased = operating.erase(ctx, end_user_id, retention_years)
    if not erased.items:
        click.echo(f"{end_user_id}: there was nothing left to erase")
        return
    click.echo(f"{end_user_id}: {erased.items} item(s) redacted")


COMMANDS = (end_user,)
