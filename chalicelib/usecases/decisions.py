"""Decisions: made when an application is completed, kept for ever (partner API, "Risk")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from chalicelib.domain import inputs as domain_inputs
from chalicelib.domain import risk, scoring
from chalicelib.domain.applications import Application
from chalicelib.domain.errors import NotFound, Refused
from chalicelib.domain.money import pence
from chalicelib.domain.risk import RiskDecision, RiskEngine, Scorecard
from chalicelib.domain.scoring import Verdict
from chalicelib.models.keys import DATA_POINT, DECISION, END_USER, RISK_ENGINE, SCORECARD
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import inputs, listings, risk_engines

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.domain.expression import Value
    from chalicelib.domain.inputs import InputSource
    from chalicelib.domain.products import Product
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context, Source

OWED = frozenset({"end_user_open_loans", "end_user_outstanding", "end_user_worst_days_past_due"})
"""The inputs for which the borrower's loans have to be looked at."""


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[RiskDecision]]:
    """The partner's decisions, newest first."""
    return listings.source(ctx, DECISION, criteria)


def read(ctx: Context, decision_id: str) -> Stored[RiskDecision]:
    """One decision."""
    found = ctx.store.get(DECISION, ctx.partner.id, decision_id)
    if found is None:
        raise NotFound("decision")
    return found


def decide(
    ctx: Context, unit: Unit, application: Application, product: Product
) -> tuple[RiskDecision, Verdict]:
    """Score ``application``; the decision and the freezing of what made it go into ``unit``.

    Raises ``risk_engine_not_configured`` and ``data_points_missing``.  The caller writes the
    application in the same unit, so that no data point can come in between.
    """
    engine = _engine(ctx, application)
    cards = _scorecards(ctx, engine.value)
    values = _values(ctx, application, product, [card.value for card in cards])
    verdict = scoring.decide([card.value for card in cards], values)
    decision = RiskDecision(ctx.new_id(), application.id, engine.value.version, verdict.result)
    unit.create(DECISION, ctx.partner.id, decision)
    if not engine.value.is_frozen:
        unit.update(RISK_ENGINE, ctx.partner.id, engine, risk.freeze(engine.value), touch=False)
    for card in cards:
        if not card.value.is_frozen:
            unit.update(SCORECARD, ctx.partner.id, card, risk.freeze(card.value), touch=False)
    return decision, verdict


def _engine(ctx: Context, application: Application) -> Stored[RiskEngine]:
    """The engine that the product's selector chooses for this application."""
    selector = risk_engines.selector_of(ctx, application.product)
    if selector is None:
        raise Refused(
            "risk_engine_not_configured",
            "The product has no risk engine selector: nothing can decide its applications.",
            {"product": application.product},
        )
    version = scoring.choose(selector.value, application.id)
    engine = risk_engines.by_versions(ctx, [version]).get(version)
    if engine is None or not engine.value.is_active:
        raise Conflict  # the selector was changed between the two reads: read both again
    return engine


def _scorecards(ctx: Context, engine: RiskEngine) -> list[Stored[Scorecard]]:
    found = ctx.store.get_many(SCORECARD, ctx.partner.id, engine.scorecards)
    return [found[scorecard_id] for scorecard_id in engine.scorecards]


def _values(
    ctx: Context, application: Application, product: Product, cards: Sequence[Scorecard]
) -> Mapping[str, Value]:
    """What is known now of all that the scorecards read: by the name of the input source."""
    ids = {source_id for card in cards for source_id in card.sources.values()}
    sources = [stored.value for stored in inputs.by_ids(ctx, sorted(ids)).values()]
    given = [application.data_points[key] for key in sorted(ids) if key in application.data_points]
    points = ctx.store.get_many(DATA_POINT, ctx.partner.id, given) if given else {}
    current = _current(ctx, application, product, sources)
    return domain_inputs.input_values(
        sources, [stored.value for stored in points.values()], current
    )


def _current(
    ctx: Context, application: Application, product: Product, sources: Sequence[InputSource]
) -> dict[str, Value]:
    """The details of the pre-configured sources at this moment, as far as they are read."""
    names = {source.name for source in sources if source.preconfigured}
    details: dict[str, Value] = {
        "application_amount": application.amount,
        "application_installments": _whole(application.installments),
        "application_rate": application.rate,
        "product_type": product.type,
    }
    if any(name.startswith("end_user_") for name in names - OWED):
        details |= _borrower(ctx, application.end_user)
    if names & OWED:
        details |= _owed(ctx, application.end_user)
    return {name: details[name] for name in names}


def _whole(number: int | None) -> Value:
    return None if number is None else Decimal(number)


def _borrower(ctx: Context, end_user_id: str) -> dict[str, Value]:
    found = ctx.store.get(END_USER, ctx.partner.id, end_user_id)
    assert found is not None, "end users are never deleted"
    return {
        "end_user_age": _whole(found.value.age_on(ctx.business_date)),
        "end_user_type": found.value.type,
        "end_user_country": found.value.country,
        "end_user_regulated": found.value.regulated,
    }


def _owed(ctx: Context, end_user_id: str) -> dict[str, Value]:
    from chalicelib.usecases import exposure

    owed = exposure.of(ctx, end_user_id)
    return {
        "end_user_open_loans": _whole(owed.open_loans),
        "end_user_outstanding": pence(owed.outstanding),
        "end_user_worst_days_past_due": _whole(owed.worst_days_past_due),
    }
