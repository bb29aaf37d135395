"""``/risk_engine_selector/``: which engines decide a product's applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from chalicelib.domain.risk import MAX_ENGINES, Choice, Selector
from chalicelib.handlers.risk_engines import Version
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Exact, Instant, RateOut, Uuid
from chalicelib.models.unit import Stored
from chalicelib.usecases import risk_engines
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.models.store import Page

api = Resource("/risk_engine_selector", tag="Risk")


class ChoiceIn(Body):
    """An active engine and its share of the applications, 0 to 1."""

    version: Version
    weight: Exact


class SelectorIn(Body):
    """A product has one selector; the weights sum to exactly 1."""

    product: Uuid
    risk_engines: Annotated[list[ChoiceIn], Field(json_schema_extra={"maxItems": MAX_ENGINES})]


class ChoiceOut(Out):
    version: str
    weight: RateOut


class SelectorOut(Out):
    id: str
    product: str
    risk_engines: list[ChoiceOut]
    created_at: Instant
    updated_at: Instant


@api.collection(answer=SelectorOut, summary="List risk engine selectors")
def listing(ctx: Context, query: PageQuery) -> Page[Selector]:
    return risk_engines.selectors(ctx, query.limit, query.offset, query.cursor)


@api.post(
    body=SelectorIn,
    answer=SelectorOut,
    refuses=("conflict", "invalid_status"),
    summary="Create a risk engine selector",
)
def create(ctx: Context, body: SelectorIn) -> Stored[Selector]:
    return risk_engines.create_selector(ctx, _values(body))


@api.get("/{pk}", answer=SelectorOut, summary="Read a risk engine selector")
def read(ctx: Context, pk: str) -> Stored[Selector]:
    return risk_engines.selector(ctx, pk)


@api.put(
    "/{pk}",
    body=SelectorIn,
    answer=SelectorOut,
    refuses=("conflict", "invalid_status"),
    summary="Replace a risk engine selector",
)
@api.patch(
    "/{pk}",
    body=SelectorIn,
    answer=SelectorOut,
    refuses=("conflict", "invalid_status"),
    summary="Change a risk engine selector",
)
def change(ctx: Context, pk: str, body: SelectorIn) -> Stored[Selector]:
    return risk_engines.change_selector(ctx, pk, _values(body))


def _values(body: SelectorIn) -> dict[str, Any]:
    values = body.values()
    if "risk_engines" in values:
        values["risk_engines"] = tuple(Choice(**one.values()) for one in body.risk_engines)
    return values
