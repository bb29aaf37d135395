"""End users: made, read, changed at any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain import addresses
from chalicelib.domain import end_users as domain
from chalicelib.domain.addresses import Address
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import NotFound
from chalicelib.models.keys import ADDRESS, END_USER
from chalicelib.usecases import listings

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context, Source


def create(ctx: Context, values: Mapping[str, Any]) -> Stored[EndUser]:
    """Make an end user, who must be 18 on the business date."""
    made = domain.create(ctx.new_id(), values, ctx.business_date).state
    unit = ctx.unit()
    moved = addresses.mirrored(made, None, ctx.new_id(), ctx.business_date)
    if moved is not None:
        made = moved.end_user
        unit.create(ADDRESS, ctx.partner.id, moved.address)
    return ctx.commit(unit, unit.create(END_USER, ctx.partner.id, made))


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[EndUser]]:
    """The partner's end users, newest first."""
    return listings.source(ctx, END_USER, criteria)


def read(ctx: Context, end_user_id: str) -> Stored[EndUser]:
    """One end user, or :class:`NotFound`."""
    found: Stored[EndUser] | None = ctx.store.get(END_USER, ctx.partner.id, end_user_id)
    if found is None:
        raise NotFound("end user")
    return found


def change(ctx: Context, end_user_id: str, values: Mapping[str, Any]) -> Stored[EndUser]:
    """Change an end user: every value (``PUT``) or those given (``PATCH``)."""
    stored = read(ctx, end_user_id)
    after = domain.change(stored.value, values, ctx.business_date).state
    unit = ctx.unit()
    current = current_address(ctx, after)
    moved = addresses.mirrored(
        after, current.value if current else None, ctx.new_id(), ctx.business_date
    )
    if moved is not None:
        after = moved.end_user
        if current is None:
            unit.create(ADDRESS, ctx.partner.id, moved.address)
        else:
            unit.update(ADDRESS, ctx.partner.id, current, moved.address)
    return ctx.commit(unit, unit.update(END_USER, ctx.partner.id, stored, after))


def current_address(ctx: Context, end_user: EndUser) -> Stored[Address] | None:
    """The address that the end user's own address fields are, if it has one."""
    if end_user.current_address is None:
        return None
    found: Stored[Address] | None = ctx.store.get(ADDRESS, ctx.partner.id, end_user.current_address)
    return found
