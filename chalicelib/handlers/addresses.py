"""``/end_user/{pk}/address/``: where an end user lives and has lived."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from chalicelib.domain.addresses import Address
from chalicelib.handlers.end_users import CountryRule, Line
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Day, Flag, Instant, TextRule
from chalicelib.models.unit import Stored
from chalicelib.usecases import addresses
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.models.store import Page

api = Resource("/end_user", tag="End users")


class AddressIn(Body):
    """An address; at least a line, the city or the postal code.

    Without ``valid_from`` it holds from today on.  Without ``is_current`` a new address is the
    current one, unless it holds from a later day only, and a changed one stays what it was.
    """

    read_only = frozenset({"end_user"})

    address_line_1: Line | None = None
    address_line_2: Line | None = None
    address_line_3: Line | None = None
    city: Line | None = None
    postal_code: Annotated[str, TextRule(0, 20)] | None = None
    country: Annotated[str, CountryRule()] | None = None
    valid_from: Day | None = None
    is_current: Flag | None = None


class AddressOut(Out):
    """An address; the current one is what the end user's own address fields say."""

    id: str
    end_user: str
    address_line_1: str
    address_line_2: str
    address_line_3: str
    city: str
    postal_code: str
    country: str | None
    valid_from: date
    is_current: bool
    created_at: Instant
    updated_at: Instant


_MAY_BE_NONE = frozenset({"country", "valid_from", "is_current"})


def _values(body: AddressIn) -> dict[str, Any]:
    """What was sent; texts that are ``null`` are empty."""
    return {
        name: "" if value is None and name not in _MAY_BE_NONE else value
        for name, value in body.values().items()
    }


@api.collection("/{pk}/address", answer=AddressOut, summary="List an end user's addresses")
def listing(ctx: Context, pk: str, query: PageQuery) -> Page[Address]:
    """The last that was added first."""
    return addresses.listing(ctx, pk, query.limit, query.offset, query.cursor)


@api.post("/{pk}/address", body=AddressIn, answer=AddressOut, summary="Add an address")
def create(ctx: Context, pk: str, body: AddressIn) -> Stored[Address]:
    """A current address becomes the end user's own, and the one before is a former one."""
    return addresses.create(ctx, pk, _values(body))


@api.get("/{pk}/address/{sub}", answer=AddressOut, summary="Read an address")
def read(ctx: Context, pk: str, sub: str) -> Stored[Address]:
    """One address of the end user."""
    return addresses.read(ctx, pk, sub)


@api.put("/{pk}/address/{sub}", body=AddressIn, answer=AddressOut, summary="Replace an address")
@api.patch("/{pk}/address/{sub}", body=AddressIn, answer=AddressOut, summary="Change an address")
def change(ctx: Context, pk: str, sub: str, body: AddressIn) -> Stored[Address]:
    """Correct an address, or make it the current one."""
    return addresses.change(ctx, pk, sub, _values(body))


@api.delete("/{pk}/address/{sub}", summary="Delete an address")
def remove(ctx: Context, pk: str, sub: str) -> None:
    """After its current address is deleted, an end user has none."""
    addresses.remove(ctx, pk, sub)
