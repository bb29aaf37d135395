"""A sandbox's day with its simulators: one worker at a time is with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from chalicelib import runtime
from chalicelib.domain.partners import Clock
from chalicelib.models.keys import CLOCK_STATE
from chalicelib.usecases import days
from chalicelib.usecases.context import Context
from tests.scenarios.world import World

KEY = "not-a-real-key-of-a-day"


class Simulators:
    """Simulators whose day takes as long as another worker needs to come by."""

    def __init__(self, meanwhile: Any) -> None:
        self.meanwhile, self.done = meanwhile, list[str]()

    def follows(self, ctx: Context) -> bool:
        return True

    def arrive(self, ctx: Context, day: date) -> bool:
        self.done.append("arrive")
        return True

    def rest(self, ctx: Context, last: bool) -> bool:
        self.done.append("rest")
        return bool(self.meanwhile())


@pytest.fixture
def world() -> Iterator[World]:
    with runtime.use(World()) as used:
        runtime.bootstrap(KEY)
        yield used  # type: ignore[misc]


def draining(world: World) -> tuple[Context, datetime]:
    """A partner whose day's jobs are done, but for what they brought about outside."""
    [partner] = days.every_partner(world.store)
    ctx = world.context_for(partner)
    stored = world.store.get(CLOCK_STATE, partner.id, partner.id)
    assert stored is not None
    unit = ctx.unit()
    unit.update(CLOCK_STATE, partner.id, stored, replace(stored.value, draining=True))
    world.store.commit(unit)
    return ctx, world.clock()


def clock(ctx: Context) -> Clock:
    stored = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    assert stored is not None
    found: Clock = stored.value
    return found


def test_a_second_message_leaves_the_simulators_to_the_first(world: World) -> None:
    ctx, wall = draining(world)

    def meanwhile() -> bool:
        assert days.step(ctx, wall, simulators).draining, "it does not say that the day is over"
        return True

    simulators = Simulators(meanwhile)
    assert days.step(ctx, wall, simulators).settled
    assert simulators.done == ["rest"]
    assert clock(ctx).held is None


def test_what_takes_too_long_or_fails_is_gone_on_with(world: World) -> None:
    ctx, wall = draining(world)
    days.step(ctx, wall, Simulators(lambda: False))
    assert clock(ctx).draining and clock(ctx).held is None

    def fails() -> bool:
        raise RuntimeError("the simulator does not answer")

    with pytest.raises(RuntimeError):
        days.step(ctx, wall, Simulators(fails))
    assert clock(ctx).draining and clock(ctx).held is None
    assert days.step(ctx, wall, Simulators(lambda: True)).settled
