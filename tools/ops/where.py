"""Which platform a command works on, who gives it, and whether it may.

Without a stage it is the laptop stack that runs; in a stage's own environment (``BACKBONE_STAGE``
and the rest) it is that stage.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import click

from chalicelib.config import Config
from chalicelib.domain.partners import Partner
from chalicelib.models.keys import PARTNER
from chalicelib.models.store import Store
from chalicelib.runtime import Runtime
from chalicelib.usecases import days
from chalicelib.usecases.context import Context
from chalicelib.usecases.operating import Operator, operator
from local import network
from local.home import Home, read_json
from tools.aws.account import Account
from tools.aws.stages import Trouble, region, stage


class Quiet(Runtime):
    """The stage's runtime; nothing is counted for its dashboards, which are about the service."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    def count(self, metric: Any, value: Any, **_: str) -> None:
        """Nothing."""

    def context_for(self, partner: Partner) -> Context:
        """The partner's world, unmeasured."""
        return replace(super().context_for(partner), measure=lambda _: None, report=_report)


def _report(what: str, error: Exception, **facts: str) -> None:
    named = " ".join(f"{name}={value}" for name, value in facts.items())
    click.echo(f"{what}: {error} {named}", err=True)


@dataclass(frozen=True)
class Where:
    """One platform: its settings, and whether its operator has said yes to everything."""

    config: Config
    yes: bool = False
    name: str = ""

    @cached_property
    def edge(self) -> Runtime:
        """Its composition root."""
        return Quiet(self.config)

    @property
    def store(self) -> Store:
        """Its table."""
        return self.edge.store

    @cached_property
    def actor(self) -> str:
        """Who gives the commands: what AWS calls the caller, or this machine's user."""
        if self.config.endpoint_url is None:
            caller = Account(self.config.region).client("sts").get_caller_identity()
            return str(caller["Arn"])
        return self.name or getpass.getuser()

    def context(self, partner_id: str) -> Context:
        """A partner's world; :class:`Trouble` if there is no such partner."""
        try:
            return self.edge.context_of(partner_id)
        except LookupError as error:
            raise Trouble(f"{str(error)[0].upper()}{str(error)[1:]} on {self}.") from None

    def operator(self, partner_id: str, action: str, subject: str, **details: str) -> Operator:
        """The same for a deed that leaves a row of the audit."""
        return operator(self.context(partner_id), self.actor, action, subject, details)

    def partners(self, only: str | None = None) -> Iterator[Context]:
        """The worlds of all partners, or of one."""
        if only is not None:
            yield self.context(only)
            return
        for partner in days.every_partner(self.store):
            yield self.edge.context_for(partner)

    def agree(self, what: str) -> None:
        """Ask whether to do ``what``; ends the command if not."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise Trouble(f"{what}: nobody is here to say yes; --yes says it.")
        click.confirm(f"{what} on {self}?", abort=True, err=True)

    def __str__(self) -> str:
        return f"{self.config.stage} ({self.config.table_name})"


def find(
    name: str | None, table: str | None, yes: bool, env: Mapping[str, str] = os.environ
) -> Where:
    """The platform that a command line means; :class:`Trouble` or ``ConfigError`` if there is none.

    ``table`` is read instead of the stage's own: a restored one.
    """
    if name is not None and name != "laptop":
        settings = {
            **stage(name).environment,
            "AWS_REGION": region(env),
            "AWS_ENDPOINT_URL": env.get("AWS_ENDPOINT_URL", ""),
        }
        config = Config.from_environment(settings)
    elif name is None and env.get("BACKBONE_STAGE"):
        config = Config.from_environment(env)
    else:
        config = _laptop()
    who = env.get("BACKBONE_OPERATOR", "")
    return Where(config if table is None else replace(config, table_name=table), yes, who)


def _laptop() -> Config:
    home = Home.of_environment()
    run = read_json(home.run_file) if home.run_file.exists() else None
    if not run or not _lives(run["pid"]):
        raise Trouble("No laptop stack is running (`make run`); --stage names another one.")
    settings = network.application_environment(home, run["aws_url"], run["url"])
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[variable] = settings[variable]  # never a real account's at an emulator
    own = {
        "BACKBONE_GOCARDLESS_URL": run["gocardless_url"],
        "BACKBONE_BLACKMOON_URL": run["blackmoon_url"],
    }
    return Config.from_environment(settings | own)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def partner_of(where: Where, partner_id: str) -> Partner:
    """A partner by its id."""
    found = where.store.get(PARTNER, partner_id, partner_id)
    if found is None:
        raise Trouble(f"There is no partner {partner_id} on {where}.")
    partner: Partner = found.value
    return partner
