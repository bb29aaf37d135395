"""``/decision/``: how applications were decided; read only, kept for ever."""

from __future__ import annotations

from typing import Literal

from chalicelib.domain.risk import RiskDecision
from chalicelib.handlers.input_sources import Scalar
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, PageQuery
from chalicelib.handlers.values import Instant, RateOut
from chalicelib.models.unit import Stored
from chalicelib.usecases import decisions
from chalicelib.usecases.context import Context, Source

api = Resource("/decision", tag="Risk")


class RuleResultOut(Out):
    """One rule: what it read, what came of it; ``reason`` where it failed on the data."""

    name: str | None
    statement: str
    inputs: dict[str, Scalar]
    value: Scalar
    weight: RateOut
    threshold: RateOut
    passed: bool
    evaluated: bool
    reason: str | None


class ScorecardResultOut(Out):
    name: str
    decision: Literal["pass", "fail"]
    score: RateOut
    threshold: RateOut
    stop_on_first_fail: bool
    rules: list[RuleResultOut]


class ResultOut(Out):
    decision: Literal["accept", "decline"]
    scorecards: list[ScorecardResultOut]


class DecisionOut(Out):
    id: str
    application: str
    risk_engine_version: str
    result: ResultOut
    created_at: Instant
    updated_at: Instant


@api.collection(answer=DecisionOut, summary="List decisions")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[RiskDecision]]:
    return decisions.listing(ctx, query.criteria)


@api.get("/{pk}", answer=DecisionOut, summary="Read a decision")
def read(ctx: Context, pk: str) -> Stored[RiskDecision]:
    return decisions.read(ctx, pk)
