"""Sources of stored collections: the narrowest index for what a list is asked for."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any, TypeVar

from chalicelib.domain.criteria import CREATED, ORDERING, Criteria
from chalicelib.models import tally
from chalicelib.usecases.context import Listing, Source, Window

if TYPE_CHECKING:
    from chalicelib.models.kinds import IndexName, Kind
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

T = TypeVar("T")
BY_NARROWNESS: tuple[IndexName, ...] = ("owner", "status")


def source(ctx: Context, kind: Kind[T], criteria: Criteria) -> Source[Stored[T]]:
    """The partner's things of one kind, by the index that fits ``criteria`` best.

    An index ``{partner}#…#{status}`` fits where ``status`` must have one of some values.  All
    indexes are sorted by creation, so they give either order of it.
    """
    index, name = choose(kind, criteria)
    values = criteria.any_of(name) if name else None
    groups = None if values is None else [{name: value} for value in values]
    by_creation = criteria.field == CREATED

    def size() -> int:
        if index == "list":
            return tally.size(ctx.store, kind, ctx.partner.id, ctx.now)
        return ctx.store.count(kind, ctx.partner.id, index, group=groups)

    def read(window: Window) -> Listing[Stored[T]]:
        page = ctx.store.page(
            kind,
            ctx.partner.id,
            index,
            group=groups,
            limit=window.limit,
            offset=window.offset,
            cursor=window.cursor,
            newest_first=criteria.descending or not by_creation,
            count=size if window.count else False,
        )
        return Listing(page.items, page.count, page.next_cursor, after=page.cursor_after)

    covers = {name} if name else set()
    return Source(read, frozenset(covers | ({ORDERING} if by_creation else set())))


def choose(kind: Kind[Any], criteria: Criteria) -> tuple[IndexName, str]:
    """The index to read, and the criterion that it meets (``""`` for the whole list)."""
    for index in BY_NARROWNESS:
        names = _names(getattr(kind, index))
        if len(names) == 1 and criteria.any_of(names[0]) is not None:
            return index, names[0]
    return "list", ""


def _names(template: Any) -> list[str]:
    """The names of an index's template besides the partner."""
    if not isinstance(template, str):
        return []
    return [name for _, name, _, _ in Formatter().parse(template) if name and name != "partner"]
