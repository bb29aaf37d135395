"""Products: made, changed while they are drafts, published, quoted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from chalicelib.domain import products as domain
from chalicelib.domain import quotes
from chalicelib.domain.errors import NotFound
from chalicelib.domain.products import Product
from chalicelib.domain.quotes import Quote
from chalicelib.models.keys import PRODUCT
from chalicelib.usecases import listings

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.domain.decision import Decision
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context, Source


def create(ctx: Context, values: Mapping[str, Any]) -> Stored[Product]:
    """Make a draft."""
    decided = domain.create(ctx.new_id(), values)
    unit = ctx.unit()
    return ctx.commit(unit, unit.create(PRODUCT, ctx.partner.id, decided.state))


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[Product]]:
    """The partner's products, newest first."""
    return listings.source(ctx, PRODUCT, criteria)


def read(ctx: Context, product_id: str) -> Stored[Product]:
    """One product, or :class:`NotFound`."""
    found: Stored[Product] | None = ctx.store.get(PRODUCT, ctx.partner.id, product_id)
    if found is None:
        raise NotFound("product")
    return found


def change(ctx: Context, product_id: str, values: Mapping[str, Any]) -> Stored[Product]:
    """Change a draft: every value (``PUT``) or those given (``PATCH``)."""
    stored = read(ctx, product_id)
    return _keep(ctx, stored, domain.change(stored.value, values))


def publish(ctx: Context, product_id: str) -> Stored[Product]:
    """Publish a draft that is complete for its type."""
    stored = read(ctx, product_id)
    return _keep(ctx, stored, domain.publish(stored.value))


def _keep(ctx: Context, stored: Stored[Product], decided: Decision[Product]) -> Stored[Product]:
    unit = ctx.unit()
    return ctx.commit(unit, unit.update(PRODUCT, ctx.partner.id, stored, decided.state))


def delete(ctx: Context, product_id: str) -> None:
    """Delete a draft."""
    stored = read(ctx, product_id)
    domain.delete(stored.value)
    unit = ctx.unit()
    unit.delete(PRODUCT, ctx.partner.id, stored)
    ctx.commit(unit, None)


def quote(ctx: Context, product_id: str, asked: Mapping[str, Any], start: date | None) -> Quote:
    """What a loan of the product would repay if it were disbursed on ``start`` (today)."""
    product = read(ctx, product_id).value
    return quotes.quote(product, asked, start or ctx.business_date, ctx.partner.calendar)
