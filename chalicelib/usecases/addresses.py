"""An end user's addresses: the current one is what its own address fields say, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain import addresses as domain
from chalicelib.domain.addresses import Address
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import NotFound
from chalicelib.models.keys import ADDRESS, END_USER
from chalicelib.usecases import end_users

if TYPE_CHECKING:
    from chalicelib.models.store import Page, Stored, Unit
    from chalicelib.usecases.context import Context


def listing(
    ctx: Context, end_user_id: str, limit: int, offset: int, cursor: str | None
) -> Page[Address]:
    """An end user's addresses, the last that was added first."""
    end_users.read(ctx, end_user_id)
    return ctx.store.page(
        ADDRESS,
        ctx.partner.id,
        index="owner",
        group={"end_user": end_user_id},
        limit=limit,
        offset=offset,
        cursor=cursor,
        count=True,
    )


def read(ctx: Context, end_user_id: str, address_id: str) -> Stored[Address]:
    """One address of an end user, or :class:`NotFound`."""
    found: Stored[Address] | None = ctx.store.get(ADDRESS, ctx.partner.id, address_id)
    if found is None or found.value.end_user != end_user_id:
        raise NotFound("address")
    return found


def create(ctx: Context, end_user_id: str, values: Mapping[str, Any]) -> Stored[Address]:
    """Add an address; unless it says otherwise, the end user lives there now."""
    holder = end_users.read(ctx, end_user_id)
    current = end_users.current_address(ctx, holder.value)
    moved = domain.create(
        ctx.new_id(), holder.value, current.value if current else None, values, ctx.business_date
    )
    unit = ctx.unit()
    made = unit.create(ADDRESS, ctx.partner.id, moved.address)
    _others(ctx, unit, holder, moved, current)
    return ctx.commit(unit, made)


def change(
    ctx: Context, end_user_id: str, address_id: str, values: Mapping[str, Any]
) -> Stored[Address]:
    """Change an address: correct it, or make it the current one."""
    stored = read(ctx, end_user_id, address_id)
    holder = end_users.read(ctx, end_user_id)
    current = end_users.current_address(ctx, holder.value)
    moved = domain.change(
        holder.value, current.value if current else None, stored.value, values, ctx.business_date
    )
    unit = ctx.unit()
    after = unit.update(ADDRESS, ctx.partner.id, stored, moved.address)
    _others(ctx, unit, holder, moved, current)
    return ctx.commit(unit, after)


def remove(ctx: Context, end_user_id: str, address_id: str) -> None:
    """Delete an address; without its current one, the end user has none."""
    stored = read(ctx, end_user_id, address_id)
    holder = end_users.read(ctx, end_user_id)
    left = domain.remove(holder.value, stored.value)
    unit = ctx.unit()
    unit.delete(ADDRESS, ctx.partner.id, stored)
    _write_holder(ctx, unit, holder, left)
    ctx.commit(unit, None)


def _others(
    ctx: Context,
    unit: Unit,
    holder: Stored[EndUser],
    moved: domain.Moved,
    current: Stored[Address] | None,
) -> None:
    """What is written beside the address itself: the end user, and who was current before."""
    if moved.former is not None and current is not None:
        unit.update(ADDRESS, ctx.partner.id, current, moved.former)
    _write_holder(ctx, unit, holder, moved.end_user)


def _write_holder(ctx: Context, unit: Unit, holder: Stored[EndUser], after: EndUser) -> None:
    """The end user, or a check that it is what it was: which address is current hangs on it."""
    if after == holder.value:
        unit.guard(END_USER, ctx.partner.id, holder)
    else:
        unit.update(END_USER, ctx.partner.id, holder, after)
