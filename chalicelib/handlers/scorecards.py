"""``/scorecard/``: weighted rules and the score from which they pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from chalicelib.domain import risk as domain
from chalicelib.domain.risk import Scorecard
from chalicelib.domain.statement import MAX_SOURCE
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Exact, Flag, Instant, RateOut, TextRule
from chalicelib.models.unit import Stored
from chalicelib.usecases import scorecards
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.models.store import Page

api = Resource("/scorecard", tag="Risk")

Name = Annotated[str, TextRule(1, domain.MAX_NAME)]
Statement = Annotated[str, TextRule(1, MAX_SOURCE, lines=True)]


class RuleIn(Body):
    """One expression over ``{{input_source}}`` names, its weight and its threshold."""

    name: Annotated[str, TextRule(0, domain.MAX_NAME)] | None = None
    statement: Statement
    weight: Exact
    threshold: Exact


class ScorecardIn(Body):
    """Rules whose weights sum to exactly 1, and the score from which the scorecard passes."""

    name: Name
    threshold: Exact
    stop_on_first_fail: Flag = False
    rules: Annotated[list[RuleIn], Field(json_schema_extra={"maxItems": domain.MAX_RULES})]
    is_active: Flag | None = None


class RuleOut(Out):
    name: str | None
    statement: str
    weight: RateOut
    threshold: RateOut


class ScorecardOut(Out):
    id: str
    name: str
    threshold: RateOut
    stop_on_first_fail: bool
    is_active: bool
    rules: list[RuleOut]
    created_at: Instant
    updated_at: Instant


@api.collection(answer=ScorecardOut, summary="List scorecards")
def listing(ctx: Context, query: PageQuery) -> Page[Scorecard]:
    return scorecards.listing(ctx, query.limit, query.offset, query.cursor)


@api.post(body=ScorecardIn, answer=ScorecardOut, summary="Create a scorecard")
def create(ctx: Context, body: ScorecardIn) -> Stored[Scorecard]:
    return scorecards.create(ctx, _values(body))


@api.get("/{pk}", answer=ScorecardOut, summary="Read a scorecard")
def read(ctx: Context, pk: str) -> Stored[Scorecard]:
    return scorecards.read(ctx, pk)


@api.put(
    "/{pk}",
    body=ScorecardIn,
    answer=ScorecardOut,
    refuses=("invalid_status",),
    summary="Replace a scorecard",
)
@api.patch(
    "/{pk}",
    body=ScorecardIn,
    answer=ScorecardOut,
    refuses=("invalid_status",),
    summary="Change a scorecard",
)
def change(ctx: Context, pk: str, body: ScorecardIn) -> Stored[Scorecard]:
    return scorecards.change(ctx, pk, _values(body))


@api.post(
    "/{pk}/activate",
    answer=ScorecardOut,
    refuses=("invalid_status",),
    summary="Activate a scorecard",
)
def activate(ctx: Context, pk: str) -> Stored[Scorecard]:
    return scorecards.activate(ctx, pk)


def _values(body: ScorecardIn) -> dict[str, Any]:
    """As the domain takes them; without ``is_active`` it stays as it is."""
    values = body.values()
    if values.get("is_active") is None:
        values.pop("is_active", None)
    if "rules" in values:
        values["rules"] = tuple(domain.Rule(**rule.values()) for rule in body.rules)
    return values
