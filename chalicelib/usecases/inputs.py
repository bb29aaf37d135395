"""Input sources and the data points given for them (partner API, "Risk")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain import applications
from chalicelib.domain import inputs as domain
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.inputs import DataPoint, InputSource
from chalicelib.models.keys import APPLICATION, DATA_POINT, INPUT_SOURCE
from chalicelib.models.unit import Stored, Unit
from chalicelib.usecases import listings
from chalicelib.usecases.context import Listing
from chalicelib.usecases.unique import unique

if TYPE_CHECKING:
    from chalicelib.domain.applications import Application
    from chalicelib.domain.criteria import Criteria
    from chalicelib.usecases.context import Context, Source

NAME = "input_source.name"
"""The scope in which a source's name is claimed."""

ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)
"""When the pre-configured sources were made: before anything of a partner's own."""


# --- input sources --------------------------------------------------------------------------------


def built_in(ctx: Context) -> list[Stored[InputSource]]:
    """The pre-configured sources, which are nowhere stored."""
    sources = domain.preconfigured(ctx.partner.id)
    return [Stored(source, 0, ALWAYS, ALWAYS) for source in sources]


def sources(
    ctx: Context, limit: int, offset: int, cursor: str | None
) -> Listing[Stored[InputSource]]:
    """The partner's own sources, newest first, then the pre-configured ones."""
    page = ctx.store.page(
        INPUT_SOURCE, ctx.partner.id, limit=limit, offset=offset, cursor=cursor, count=True
    )
    own, given = page.count or 0, built_in(ctx)
    results = list(page.items)
    if page.next_cursor is None:
        first = 0 if cursor else max(0, offset - own)
        results += given[first : first + limit - len(results)]
    return Listing(results, own + len(given), page.next_cursor)


def source(ctx: Context, source_id: str) -> Stored[InputSource]:
    """One source, pre-configured or the partner's own."""
    found = by_ids(ctx, [source_id]).get(source_id)
    if found is None:
        raise NotFound("input source")
    return found


def create_source(ctx: Context, values: Mapping[str, Any]) -> Stored[InputSource]:
    """A new source; its name is unique."""
    made = domain.create_source(InputSource(ctx.new_id(), **values))
    unit = ctx.unit()
    stored = unit.create(INPUT_SOURCE, ctx.partner.id, made)
    unit.claim(ctx.partner.id, NAME, made.name, made.id)
    with unique(NAME, f"There is an input source {made.name} already."):
        return ctx.commit(unit, stored)


def change_source(ctx: Context, source_id: str, values: Mapping[str, Any]) -> Stored[InputSource]:
    """Change a source; what has been used keeps its name and type."""
    stored = source(ctx, source_id)
    old = stored.value
    new = domain.update_source(old, replace(old, **values), used=old.used)
    unit = ctx.unit()
    after = unit.update(INPUT_SOURCE, ctx.partner.id, stored, new)
    if new.name != old.name:
        unit.release(ctx.partner.id, NAME, old.name)
        unit.claim(ctx.partner.id, NAME, new.name, new.id)
    with unique(NAME, f"There is an input source {new.name} already."):
        return ctx.commit(unit, after)


def by_ids(ctx: Context, ids: Iterable[str]) -> dict[str, Stored[InputSource]]:
    """The sources with these ids, by id; unknown ones are left out."""
    given = {stored.value.id: stored for stored in built_in(ctx)}
    wanted = list(ids)
    own = [source_id for source_id in wanted if source_id not in given]
    found = ctx.store.get_many(INPUT_SOURCE, ctx.partner.id, own) if own else {}
    known = {**given, **found}
    return {source_id: known[source_id] for source_id in wanted if source_id in known}


def by_names(ctx: Context, names: Iterable[str]) -> dict[str, Stored[InputSource]]:
    """The sources with these names, by name; unknown ones are left out."""
    given = {stored.value.name: stored for stored in built_in(ctx)}
    wanted = sorted(names)
    claims = {
        name: ctx.store.claimed(ctx.partner.id, NAME, name) for name in wanted if name not in given
    }
    own = by_ids(ctx, [owner for owner in claims.values() if owner is not None])
    given |= {stored.value.name: stored for stored in own.values()}
    return {name: given[name] for name in wanted if name in given}


def mark_used(ctx: Context, unit: Unit, used: Iterable[Stored[InputSource]]) -> None:
    """From this commit on, the sources keep their names and types."""
    for stored in used:
        if not (stored.value.used or stored.value.preconfigured):
            now_used = replace(stored.value, used=True)
            unit.update(INPUT_SOURCE, ctx.partner.id, stored, now_used, touch=False)


# --- data points ----------------------------------------------------------------------------------


def points(ctx: Context, criteria: Criteria) -> Source[Stored[DataPoint]]:
    """The partner's data points, newest first."""
    return listings.source(ctx, DATA_POINT, criteria)


def point(ctx: Context, point_id: str) -> Stored[DataPoint]:
    """One data point."""
    found = ctx.store.get(DATA_POINT, ctx.partner.id, point_id)
    if found is None:
        raise NotFound("data point")
    return found


def create_point(ctx: Context, values: Mapping[str, Any]) -> Stored[DataPoint]:
    """Give a value for an input source to an application that is incomplete.

    The application is written too: it lists its data points, so that there is one for each source,
    and none is added or changed while a decision is being made on the others.
    """
    new = DataPoint(ctx.new_id(), **values)
    found = by_ids(ctx, [new.input_source]).get(new.input_source)
    application = _application(ctx, new.application, unknown_source=found is None)
    made = domain.create_point(
        new, found.value if found else None, application_status=application.value.status
    )
    assert found is not None, "an unknown source was refused"
    decided = applications.with_data_point(application.value, made.input_source, made.id)
    unit = ctx.unit()
    stored = unit.create(DATA_POINT, ctx.partner.id, made)
    unit.update(APPLICATION, ctx.partner.id, application, decided.state, touch=False)
    mark_used(ctx, unit, [found])
    return ctx.commit(unit, stored)


def change_point(ctx: Context, point_id: str, values: Mapping[str, Any]) -> Stored[DataPoint]:
    """Another value for the same source and application, while that is incomplete."""
    stored = point(ctx, point_id)
    old = stored.value
    sent = {name: value for name, value in values.items() if value is not None or name == "value"}
    found = by_ids(ctx, [old.input_source])[old.input_source]
    application = _application(ctx, old.application)
    moved = [
        Flaw(name, "immutable", "Cannot be changed.")
        for name in ("input_source", "application")
        if sent.get(name, getattr(old, name)) != getattr(old, name)
    ]
    if moved:
        raise Invalid(*moved)
    new = domain.update_point(
        old, replace(old, **sent), found.value, application_status=application.value.status
    )
    unit = ctx.unit()
    after = unit.update(DATA_POINT, ctx.partner.id, stored, new)
    unit.update(APPLICATION, ctx.partner.id, application, application.value, touch=False)
    return ctx.commit(unit, after)


def _application(
    ctx: Context, application_id: str, *, unknown_source: bool = False
) -> Stored[Application]:
    found = ctx.store.get(APPLICATION, ctx.partner.id, application_id)
    if found is not None:
        return found
    flaws = [Flaw("application", "unknown", "There is no such application.")]
    if unknown_source:
        flaws.append(Flaw("input_source", "unknown", "There is no such input source."))
    raise Invalid(*flaws)
