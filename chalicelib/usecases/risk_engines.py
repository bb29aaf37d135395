"""Risk engines and the selectors that share out applications among them (partner API, "Risk").

An active engine is noted on its scorecards and a selector on its engines, in the same transaction:
so nothing that is in use can be made inactive, however many requests come at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib.domain import risk as domain
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.risk import RiskEngine, Scorecard, Selector
from chalicelib.models.keys import PRODUCT, RISK_ENGINE, SCORECARD, SELECTOR
from chalicelib.usecases.unique import unique

if TYPE_CHECKING:
    from chalicelib.domain.products import Product
    from chalicelib.models.kinds import Kind
    from chalicelib.models.store import Page
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context

VERSION, PRODUCT_SELECTOR = "risk_engine.version", "selector.product"
"""The scopes in which an engine's version and a selector's product are claimed."""

_ONE_SELECTOR = "The product has a risk engine selector already."


# --- engines --------------------------------------------------------------------------------------


def engines(ctx: Context, limit: int, offset: int, cursor: str | None) -> Page[RiskEngine]:
    """The partner's engines, newest first."""
    return ctx.store.page(
        RISK_ENGINE, ctx.partner.id, limit=limit, offset=offset, cursor=cursor, count=True
    )


def engine(ctx: Context, engine_id: str) -> Stored[RiskEngine]:
    """One engine."""
    found = ctx.store.get(RISK_ENGINE, ctx.partner.id, engine_id)
    if found is None:
        raise NotFound("risk engine")
    return found


def by_versions(ctx: Context, versions: Iterable[str]) -> dict[str, Stored[RiskEngine]]:
    """The engines with these versions, by version; unknown ones are left out."""
    owners = (ctx.store.claimed(ctx.partner.id, VERSION, version) for version in set(versions))
    found = ctx.store.get_many(RISK_ENGINE, ctx.partner.id, [id for id in owners if id])
    return {stored.value.version: stored for stored in found.values()}


def create_engine(ctx: Context, values: Mapping[str, Any]) -> Stored[RiskEngine]:
    """A new engine; its version is unique."""
    new = RiskEngine(ctx.new_id(), **values)
    cards = _cards(ctx, new.scorecards)
    made = domain.create_engine(new, _values(cards))
    unit = ctx.unit()
    stored = unit.create(RISK_ENGINE, ctx.partner.id, made)
    unit.claim(ctx.partner.id, VERSION, made.version, made.id)
    _note_cards(ctx, unit, None, made, cards)
    with unique(VERSION, f"There is a risk engine {made.version} already."):
        return ctx.commit(unit, stored)


def change_engine(ctx: Context, engine_id: str, values: Mapping[str, Any]) -> Stored[RiskEngine]:
    """Change an engine that has not decided anything yet; or only whether it is active."""
    stored = engine(ctx, engine_id)
    old = stored.value
    new = replace(old, **values)
    cards = _cards(ctx, [*old.scorecards, *new.scorecards])
    changed = domain.update_engine(old, new, _values(cards), selectors=old.used_by)
    unit = ctx.unit()
    after = unit.update(RISK_ENGINE, ctx.partner.id, stored, changed)
    if changed.version != old.version:
        unit.release(ctx.partner.id, VERSION, old.version)
        unit.claim(ctx.partner.id, VERSION, changed.version, changed.id)
    _note_cards(ctx, unit, old, changed, cards)
    with unique(VERSION, f"There is a risk engine {changed.version} already."):
        return ctx.commit(unit, after)


def activate_engine(ctx: Context, engine_id: str) -> Stored[RiskEngine]:
    """Make an engine usable by selectors; all its scorecards must be active."""
    stored = engine(ctx, engine_id)
    cards = _cards(ctx, stored.value.scorecards)
    active = domain.activate_engine(stored.value, _values(cards))
    unit = ctx.unit()
    after = unit.update(RISK_ENGINE, ctx.partner.id, stored, active)
    _note_cards(ctx, unit, stored.value, active, cards)
    return ctx.commit(unit, after)


Cards = dict[str, "Stored[Scorecard]"]


def _cards(ctx: Context, ids: Iterable[str]) -> Cards:
    wanted = list(dict.fromkeys(ids))[: 4 * domain.MAX_SCORECARDS]
    return ctx.store.get_many(SCORECARD, ctx.partner.id, wanted)


def _values(cards: Cards) -> dict[str, Scorecard]:
    return {scorecard_id: stored.value for scorecard_id, stored in cards.items()}


def _note_cards(
    ctx: Context, unit: Unit, old: RiskEngine | None, new: RiskEngine, cards: Cards
) -> None:
    """Keep on each scorecard which active engines use it."""
    before = set(old.scorecards) if old is not None and old.is_active else set[str]()
    after = set(new.scorecards) if new.is_active else set[str]()
    _note_users(ctx, unit, SCORECARD, new.id, before, after, cards)


def _note_users(
    ctx: Context,
    unit: Unit,
    kind: Kind[Any],
    user: str,
    before: set[str],
    after: set[str],
    stored: Mapping[str, Stored[Any]],
) -> None:
    for key in sorted(before ^ after):
        value = stored[key].value
        others = tuple(other for other in value.used_by if other != user)
        used_by = (*others, user) if key in after else others
        unit.update(kind, ctx.partner.id, stored[key], replace(value, used_by=used_by), touch=False)


# --- selectors ------------------------------------------------------------------------------------


def selectors(ctx: Context, limit: int, offset: int, cursor: str | None) -> Page[Selector]:
    """The partner's selectors, newest first."""
    return ctx.store.page(
        SELECTOR, ctx.partner.id, limit=limit, offset=offset, cursor=cursor, count=True
    )


def selector(ctx: Context, selector_id: str) -> Stored[Selector]:
    """One selector."""
    found = ctx.store.get(SELECTOR, ctx.partner.id, selector_id)
    if found is None:
        raise NotFound("risk engine selector")
    return found


def selector_of(ctx: Context, product_id: str) -> Stored[Selector] | None:
    """The selector of a product, if it has one."""
    owner = ctx.store.claimed(ctx.partner.id, PRODUCT_SELECTOR, product_id)
    return ctx.store.get(SELECTOR, ctx.partner.id, owner) if owner is not None else None


def create_selector(ctx: Context, values: Mapping[str, Any]) -> Stored[Selector]:
    """A new selector; a product has one at most."""
    new = Selector(ctx.new_id(), **values)
    product, named = _product(ctx, new), _engines(ctx, new)
    made = domain.create_selector(new, _engine_values(named))
    unit = ctx.unit()
    stored = unit.create(SELECTOR, ctx.partner.id, made)
    _claim_product(ctx, unit, made, product)
    _note_engines(ctx, unit, None, made, named)
    with unique(PRODUCT_SELECTOR, _ONE_SELECTOR):
        return ctx.commit(unit, stored)


def change_selector(ctx: Context, selector_id: str, values: Mapping[str, Any]) -> Stored[Selector]:
    """Other engines, other weights, or another product that has no selector yet."""
    stored = selector(ctx, selector_id)
    old = stored.value
    new = replace(old, **values)
    product = _product(ctx, new) if new.product != old.product else None
    named = _engines(ctx, old, new)
    changed = domain.create_selector(new, _engine_values(named))
    unit = ctx.unit()
    after = unit.update(SELECTOR, ctx.partner.id, stored, changed)
    if product is not None:
        unit.release(ctx.partner.id, PRODUCT_SELECTOR, old.product)
        _claim_product(ctx, unit, changed, product)
    _note_engines(ctx, unit, old, changed, named)
    with unique(PRODUCT_SELECTOR, _ONE_SELECTOR):
        return ctx.commit(unit, after)


def _product(ctx: Context, new: Selector) -> Stored[Product]:
    found: Stored[Product] | None = ctx.store.get(PRODUCT, ctx.partner.id, new.product)
    if found is None:
        raise Invalid(Flaw("product", "unknown", "There is no such product."))
    return found


def _claim_product(ctx: Context, unit: Unit, new: Selector, product: Stored[Product]) -> None:
    unit.claim(ctx.partner.id, PRODUCT_SELECTOR, new.product, new.id)
    if product.value.is_draft:  # a draft may be deleted at the same time
        unit.guard(PRODUCT, ctx.partner.id, product)


Engines = dict[str, "Stored[RiskEngine]"]


def _engines(ctx: Context, *named_by: Selector) -> Engines:
    versions = [
        choice.version for one in named_by for choice in one.risk_engines[: domain.MAX_ENGINES]
    ]
    return by_versions(ctx, versions)


def _engine_values(engines: Engines) -> dict[str, RiskEngine]:
    return {version: stored.value for version, stored in engines.items()}


def _note_engines(
    ctx: Context, unit: Unit, old: Selector | None, new: Selector, engines: Engines
) -> None:
    """Keep on each engine which selectors name it."""
    before = {choice.version for choice in old.risk_engines} if old is not None else set[str]()
    after = {choice.version for choice in new.risk_engines}
    _note_users(ctx, unit, RISK_ENGINE, new.id, before, after, engines)
