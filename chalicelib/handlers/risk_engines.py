"""``/risk_engine/``: versions of how applications are decided."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue

from chalicelib.domain.risk import MAX_NAME, MAX_SCORECARDS, RiskEngine
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Flag, Instant, Rule, TextRule, Uuid
from chalicelib.models.unit import Stored
from chalicelib.usecases import risk_engines
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.models.store import Page

api = Resource("/risk_engine", tag="Risk")


class VersionRule(Rule):
    """A version's name; a number stands for its digits (``2`` is ``"2"``, ``1.10`` ``"1.10"``)."""

    def read(self, value: Any) -> str:
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            value = f"{value:f}" if isinstance(value, Decimal) else str(value)
        return TextRule(1, MAX_NAME).read(value)

    def schema(self) -> JsonSchemaValue:
        return {"anyOf": [TextRule(1, MAX_NAME).schema(), {"type": "number"}]}


Version = Annotated[str, VersionRule()]


#: Said here and checked by the domain, which looks at all of an engine at once.
SCORECARDS: JsonDict = {"maxItems": MAX_SCORECARDS, "uniqueItems": True}


class RiskEngineIn(Body):
    """Scorecards that must all pass. It is inactive until it is activated."""

    version: Version
    scorecards: Annotated[list[Uuid], Field(json_schema_extra=SCORECARDS)]
    is_active: Flag | None = None


class RiskEngineOut(Out):
    id: str
    version: str
    is_active: bool
    scorecards: list[str]
    created_at: Instant
    updated_at: Instant


@api.collection(answer=RiskEngineOut, summary="List risk engines")
def listing(ctx: Context, query: PageQuery) -> Page[RiskEngine]:
    return risk_engines.engines(ctx, query.limit, query.offset, query.cursor)


@api.post(
    body=RiskEngineIn,
    answer=RiskEngineOut,
    refuses=("conflict", "invalid_status"),
    summary="Create a risk engine",
)
def create(ctx: Context, body: RiskEngineIn) -> Stored[RiskEngine]:
    return risk_engines.create_engine(ctx, _values(body))


@api.get("/{pk}", answer=RiskEngineOut, summary="Read a risk engine")
def read(ctx: Context, pk: str) -> Stored[RiskEngine]:
    return risk_engines.engine(ctx, pk)


@api.put(
    "/{pk}",
    body=RiskEngineIn,
    answer=RiskEngineOut,
    refuses=("conflict", "invalid_status"),
    summary="Replace a risk engine",
)
@api.patch(
    "/{pk}",
    body=RiskEngineIn,
    answer=RiskEngineOut,
    refuses=("conflict", "invalid_status"),
    summary="Change a risk engine",
)
def change(ctx: Context, pk: str, body: RiskEngineIn) -> Stored[RiskEngine]:
    return risk_engines.change_engine(ctx, pk, _values(body))


@api.post(
    "/{pk}/activate",
    answer=RiskEngineOut,
    refuses=("invalid_status",),
    summary="Activate a risk engine",
)
def activate(ctx: Context, pk: str) -> Stored[RiskEngine]:
    return risk_engines.activate_engine(ctx, pk)


def _values(body: RiskEngineIn) -> dict[str, Any]:
    """As the domain takes them; without ``is_active`` it stays as it is."""
    values = body.values()
    if values.get("is_active") is None:
        values.pop("is_active", None)
    if "scorecards" in values:
        values["scorecards"] = tuple(values["scorecards"])
    return values
