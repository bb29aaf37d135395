"""The operators' commands over a world in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from click.testing import CliRunner, Result

from app import app
from chalicelib import runtime
from chalicelib.models.keys import PARTNER
from chalicelib.usecases import bootstrap
from tests.http_support import Api
from tests.scenarios.partner import Partner
from tests.scenarios.world import World
from tools.ops import tables
from tools.ops.cli import group
from tools.ops.where import Where

KEY = "not-a-real-key-of-the-operators"


@dataclass
class Operated:
    """A partner at work, and whoever runs the platform."""

    world: World
    partner: Partner
    partner_id: str
    where: Where

    def says(self, *words: str, code: int = 0, yes: bool = True) -> Result:
        """A command line, which ends with ``code``."""
        where = replace(self.where, yes=yes)
        where.__dict__.update(edge=self.world, actor="someone")
        result = CliRunner().invoke(group, words, obj=where)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def items(self) -> dict[tuple[str, str], Any]:
        """All that the table has."""
        found = tables.scan(tables.of(self.where.config))
        return {(one["pk"]["S"], one["sk"]["S"]): one for one in found}


@contextmanager
def operated() -> Iterator[Operated]:
    """A world of its own with one sandbox partner."""
    world = World()
    with runtime.use(world):
        partner_id = bootstrap.first_partner(world.store, KEY, world.new_id, world.wall)
        name = world.store._record.Meta.table_name  # type: ignore[attr-defined]
        where = Where(replace(world.settings, table_name=name), yes=True, name="someone")
        where.__dict__.update(edge=world, actor="someone")
        assert world.store.get(PARTNER, partner_id, partner_id) is not None
        yield Operated(world, Partner(Api(app, KEY)), partner_id, where)
