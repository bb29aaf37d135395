"""Applications: created, changed, completed into a decision (partner API, "Applications")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import metrics
from chalicelib.domain import applications as domain
from chalicelib.domain.applications import Application
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.models.keys import APPLICATION, END_USER, PRODUCT
from chalicelib.usecases import decisions, listings
from chalicelib.usecases.announcing import announce

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.domain.decision import Decision
    from chalicelib.domain.products import Product
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context, Source


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[Application]]:
    """The partner's applications, newest first."""
    return listings.source(ctx, APPLICATION, criteria)


def read(ctx: Context, application_id: str) -> Stored[Application]:
    """One application."""
    found = ctx.store.get(APPLICATION, ctx.partner.id, application_id)
    if found is None:
        raise NotFound("application")
    return found


def create(ctx: Context, values: Mapping[str, Any]) -> Stored[Application]:
    """An application of one end user for one published product."""
    product = ctx.store.get(PRODUCT, ctx.partner.id, values["product"])
    end_user = ctx.store.get(END_USER, ctx.partner.id, values["end_user"])
    flaws = [
        Flaw(name, "unknown", f"There is no such {noun}.")
        for name, noun, found in (
            ("product", "product", product),
            ("end_user", "end user", end_user),
        )
        if found is None
    ]
    if flaws:
        raise Invalid(*flaws)
    assert product is not None
    decided = domain.create(ctx.new_id(), values["end_user"], product.value, values)
    unit = ctx.unit()
    unit.measures.append(metrics.measure(metrics.APPLICATIONS_CREATED))
    return ctx.commit(unit, unit.create(APPLICATION, ctx.partner.id, decided.state))


def change(ctx: Context, application_id: str, values: Mapping[str, Any]) -> Stored[Application]:
    """Change what is asked for, while the application is incomplete."""
    stored = read(ctx, application_id)
    product = _product(ctx, stored.value)
    return _move(ctx, stored, lambda application: domain.change(application, product, values))


def reopen(ctx: Context, application_id: str) -> Stored[Application]:
    """Back to incomplete."""
    return _move(ctx, read(ctx, application_id), domain.reopen)


def withdraw(ctx: Context, application_id: str) -> Stored[Application]:
    """Not wanted any more."""
    return _move(ctx, read(ctx, application_id), domain.withdraw)


def complete(ctx: Context, application_id: str) -> Stored[Application]:
    """Have the application decided: one transaction for it, the decision and the freezing."""
    stored = read(ctx, application_id)
    domain.refuse_unless_completable(stored.value)
    unit = ctx.unit()
    decision, verdict = decisions.decide(ctx, unit, stored.value, _product(ctx, stored.value))
    decided = domain.decided(stored.value, decision.id, verdict.accepted, verdict.reason, ctx.now)
    after = unit.update(APPLICATION, ctx.partner.id, stored, decided.state)
    result = decided.state.status
    unit.measures.append(metrics.measure(metrics.APPLICATIONS_DECIDED, result=result))
    announce(ctx, unit, decided.events, after)
    return ctx.commit(unit, after)


def _move(
    ctx: Context,
    stored: Stored[Application],
    decide: Callable[[Application], Decision[Application]],
) -> Stored[Application]:
    decided = decide(stored.value)
    unit = ctx.unit()
    after = unit.update(APPLICATION, ctx.partner.id, stored, decided.state)
    announce(ctx, unit, decided.events, after)
    return ctx.commit(unit, after)


def _product(ctx: Context, application: Application) -> Product:
    found: Stored[Product] | None = ctx.store.get(PRODUCT, ctx.partner.id, application.product)
    assert found is not None, "a published product is never deleted"
    return found.value
