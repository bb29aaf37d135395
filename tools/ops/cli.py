"""The command line: ``make ops ARGS='--help'``.  Each room adds its own commands."""

from __future__ import annotations

from typing import Any

import click

from chalicelib.config import ConfigError
from chalicelib.domain.errors import Invalid, NotFound, Refused
from chalicelib.models.store_errors import StoreError
from local.home import Trouble as LocalTrouble
from tools.aws.stages import Trouble
from tools.ops import backups, days, erasing, keys, ledgers, letters, partners, where

HELP = ("-h", "--help")
HELPS = "tools.ops.helps"


class Commands(click.Group):
    """Commands whose known failures are one line and exit code 1."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether only help is asked for: that needs no stack and no credentials."""
        ctx.meta[HELPS] = not set(HELP).isdisjoint(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and say what went wrong without a trace, a request or a value."""
        from botocore.exceptions import BotoCoreError, ClientError
        from pynamodb.exceptions import PynamoDBException

        try:
            return super().invoke(ctx)
        except (Trouble, LocalTrouble, ConfigError) as error:
            raise click.ClickException(str(error)) from None
        except LookupError as error:
            raise click.ClickException(str(error.args[0] if error.args else error)) from None
        except Refused as error:
            raise click.ClickException(error.message) from None
        except Invalid as error:
            told = "; ".join(f"{flaw.field}: {flaw.message}" for flaw in error.flaws)
            raise click.ClickException(told) from None
        except NotFound as error:
            raise click.ClickException(str(error)) from None
        except (StoreError, PynamoDBException, BotoCoreError, ClientError) as error:
            told = f"AWS does not do it: {type(error).__name__}: {str(error)[:300]}"
            raise click.ClickException(told) from None


@click.group(cls=Commands, context_settings={"help_option_names": list(HELP)})
@click.option("--stage", help="A stage of .chalice/config.json; without: the laptop stack.")
@click.option("--table", help="Another table than the stage's: a restored one.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_context
def group(ctx: click.Context, stage: str | None, table: str | None, yes: bool) -> None:
    """What operators do: partners, keys, dead letters, days, ledgers, backups."""
    if ctx.obj is None and not ctx.meta[HELPS]:
        ctx.obj = where.find(stage, table, yes)


for room in (partners, keys, letters, days, ledgers, erasing, backups):
    for command in room.COMMANDS:
        group.add_command(command)


def main() -> None:
    """``python -m tools.ops``."""
    group(prog_name="ops")
