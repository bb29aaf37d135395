"""Scorecards: the rules that an application is scored by (partner API, "Risk")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib.domain import risk as domain
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.expression import StatementError, parse
from chalicelib.domain.risk import Scorecard
from chalicelib.models.keys import SCORECARD
from chalicelib.usecases import inputs

if TYPE_CHECKING:
    from chalicelib.domain.inputs import InputSource
    from chalicelib.models.store import Page
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

MAX_SOURCES = 50
"""Input sources that one scorecard may read: each may have to be marked in its transaction."""


def listing(ctx: Context, limit: int, offset: int, cursor: str | None) -> Page[Scorecard]:
    """The partner's scorecards, newest first."""
    return ctx.store.page(
        SCORECARD, ctx.partner.id, limit=limit, offset=offset, cursor=cursor, count=True
    )


def read(ctx: Context, scorecard_id: str) -> Stored[Scorecard]:
    """One scorecard."""
    found = ctx.store.get(SCORECARD, ctx.partner.id, scorecard_id)
    if found is None:
        raise NotFound("scorecard")
    return found


def create(ctx: Context, values: Mapping[str, Any]) -> Stored[Scorecard]:
    """A new scorecard; its statements are checked now."""
    new, sources = _with_sources(ctx, Scorecard(ctx.new_id(), **values))
    made = domain.create_scorecard(new, _by_name(sources))
    unit = ctx.unit()
    stored = unit.create(SCORECARD, ctx.partner.id, made)
    inputs.mark_used(ctx, unit, sources.values())
    return ctx.commit(unit, stored)


def change(ctx: Context, scorecard_id: str, values: Mapping[str, Any]) -> Stored[Scorecard]:
    """Change a scorecard that has not decided anything yet; or only whether it is active."""
    stored = read(ctx, scorecard_id)
    old = stored.value
    new, sources = _with_sources(ctx, replace(old, **values))
    changed = domain.update_scorecard(old, new, _by_name(sources), active_engines=old.used_by)
    unit = ctx.unit()
    after = unit.update(SCORECARD, ctx.partner.id, stored, changed)
    inputs.mark_used(ctx, unit, sources.values())
    return ctx.commit(unit, after)


def activate(ctx: Context, scorecard_id: str) -> Stored[Scorecard]:
    """Make a scorecard usable by active risk engines."""
    stored = read(ctx, scorecard_id)
    unit = ctx.unit()
    active = domain.activate_scorecard(stored.value)
    return ctx.commit(unit, unit.update(SCORECARD, ctx.partner.id, stored, active))


Sources = dict[str, "Stored[InputSource]"]


def _with_sources(ctx: Context, card: Scorecard) -> tuple[Scorecard, Sources]:
    """The card with the ids of the sources that its statements name, and those sources by name."""
    names: set[str] = set()
    for rule in card.rules[: domain.MAX_RULES]:
        try:
            names |= parse(rule.statement).inputs
        except StatementError:
            continue  # the domain says what is wrong with it
    if len(names) > MAX_SOURCES:
        message = f"A scorecard reads at most {MAX_SOURCES} input sources; these are {len(names)}."
        raise Invalid(Flaw("rules", "too_many", message))
    found = inputs.by_names(ctx, names)
    return replace(card, sources={name: one.value.id for name, one in found.items()}), found


def _by_name(sources: Sources) -> dict[str, InputSource]:
    return {name: stored.value for name, stored in sources.items()}
