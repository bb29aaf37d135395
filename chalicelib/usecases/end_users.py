"""End users: made, read, changed at any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain import end_users as domain
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import NotFound
from chalicelib.models.keys import END_USER

if TYPE_CHECKING:
    from chalicelib.models.store import Page, Stored
    from chalicelib.usecases.context import Context


def create(ctx: Context, values: Mapping[str, Any]) -> Stored[EndUser]:
    """Make an end user, who must be 18 on the business date."""
    decided = domain.create(ctx.new_id(), values, ctx.business_date)
    unit = ctx.unit()
    return ctx.commit(unit, unit.create(END_USER, ctx.partner.id, decided.state))


def listing(ctx: Context, limit: int, offset: int, cursor: str | None) -> Page[EndUser]:
    """The partner's end users, newest first."""
    return ctx.store.page(
        END_USER, ctx.partner.id, limit=limit, offset=offset, cursor=cursor, count=True
    )


def read(ctx: Context, end_user_id: str) -> Stored[EndUser]:
    """One end user, or :class:`NotFound`."""
    found: Stored[EndUser] | None = ctx.store.get(END_USER, ctx.partner.id, end_user_id)
    if found is None:
        raise NotFound("end user")
    return found


def change(ctx: Context, end_user_id: str, values: Mapping[str, Any]) -> Stored[EndUser]:
    """Change an end user: every value (``PUT``) or those given (``PATCH``)."""
    stored = read(ctx, end_user_id)
    decided = domain.change(stored.value, values, ctx.business_date)
    unit = ctx.unit()
    return ctx.commit(unit, unit.update(END_USER, ctx.partner.id, stored, decided.state))
