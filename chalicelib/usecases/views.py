"""What partners only look at: rows that the platform's own work writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.domain.errors import NotFound
from chalicelib.usecases import listings

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.models.kinds import Kind
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context, Source

T = TypeVar("T")


def listing(ctx: Context, kind: Kind[T], criteria: Criteria) -> Source[Stored[T]]:
    """The partner's rows of a kind, newest first unless asked otherwise."""
    return listings.source(ctx, kind, criteria)


def read(ctx: Context, kind: Kind[T], noun: str, row_id: str) -> Stored[T]:
    """One row, or :class:`NotFound` calling it ``noun``."""
    found = ctx.store.get(kind, ctx.partner.id, row_id)
    if found is None:
        raise NotFound(noun)
    return found
