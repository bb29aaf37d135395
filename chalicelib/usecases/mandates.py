"""Mandates as partners meet them: asked for, listed, read, switched, and the way to the form."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain import mandates as domain
from chalicelib.domain.criteria import Criteria
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.mandates import Mandate
from chalicelib.models.keys import ANYONE, END_USER, MANDATE
from chalicelib.usecases import listings, mandate_loans
from chalicelib.usecases.context import Listing, Source

if TYPE_CHECKING:
    from chalicelib.models.store import Store
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

BY_LOAN = ("loan", "product")
"""What a list of mandates can be filtered by although a mandate does not show it."""

TOKEN_BYTES = 32
TOKEN = "direct_debit.token"
"""The scope in which a form's token, hashed, leads to its partner and mandate."""


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[Mandate]]:
    """The partner's mandates, newest first unless asked otherwise.

    By loan or product: those that the loans in question are collected by now.
    """
    if any(criteria.any_of(name) is not None for name in BY_LOAN):
        return Source(lambda _: _by_loans(ctx, criteria), frozenset(BY_LOAN), in_order=False)
    return listings.source(ctx, MANDATE, criteria)


def _by_loans(ctx: Context, criteria: Criteria) -> Listing[Stored[Mandate]]:
    wanted, products = criteria.any_of("loan"), criteria.any_of("product")
    if wanted is not None:
        loans = {str(one) for one in wanted}
    else:
        every = ctx.store.each(MANDATE, ctx.partner.id)
        loans = {loan for mandate in every for loan in mandate.value.loans}
    if products is not None:
        loans = mandate_loans.of_products(ctx, loans, {str(one) for one in products})
    found = mandate_loans.with_loans(ctx, loans)
    return Listing(found, len(found))


def read(ctx: Context, mandate_id: str) -> Stored[Mandate]:
    """One mandate, or :class:`NotFound`."""
    found = mandate_loans.find(ctx, mandate_id)
    if found is None:
        raise NotFound("mandate")
    return found


@dataclass(frozen=True, slots=True)
class Ask:
    """What a mandate is asked for with: whose it is, and where the form leads to afterwards."""

    end_user: str
    success_url: str
    failure_url: str


def create(
    ctx: Context, ask: Ask, collects: bool, form_of: Callable[[str], str]
) -> Stored[Mandate]:
    """Ask an end user for a mandate.

    ``collects`` says whether there is a provider; ``form_of(token)`` is the URL that leads to the
    form.  Raises :class:`Invalid` and ``collections_not_configured``.
    """
    if ctx.store.get(END_USER, ctx.partner.id, ask.end_user) is None:
        raise Invalid(Flaw("end_user", "unknown", "There is no such end user."))
    if not collects:
        raise domain.not_configured()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    mandate = Mandate(
        id=ctx.new_id(),
        end_user=ask.end_user,
        success_url=ask.success_url,
        failure_url=ask.failure_url,
        authorisation_url=form_of(token),
    )
    decided = domain.asked(ctx.partner.id, mandate)
    unit = ctx.unit()
    stored = unit.create(MANDATE, ctx.partner.id, decided.state)
    unit.claim(ANYONE, TOKEN, _hashed(token), f"{ctx.partner.id}/{mandate.id}")
    for message in decided.messages:
        unit.send(message)
    return ctx.commit(unit, stored)


def manage_state(
    ctx: Context, mandate_id: str, is_disabled: bool, collects: bool
) -> Stored[Mandate]:
    """Disable or enable a mandate; the same again changes nothing."""
    stored = read(ctx, mandate_id)
    if not collects:
        raise domain.not_configured()
    in_use = 0
    if is_disabled:
        loans = mandate_loans.open_loans(ctx, stored.value.loans)
        in_use = sum(loan.account.value.mandate == mandate_id for loan in loans)
    decided = domain.switched(ctx.partner.id, stored.value, is_disabled, in_use)
    unit = ctx.unit()
    if decided.state == stored.value:
        return ctx.commit(unit, stored)
    after = unit.update(MANDATE, ctx.partner.id, stored, decided.state)
    for message in decided.messages:
        unit.send(message)
    return ctx.commit(unit, after)


# --- the way to the form --------------------------------------------------------------------------


def of_token(store: Store, token: str) -> tuple[str, str] | None:
    """The partner's and the mandate's id that a form's token stands for."""
    owner = store.claimed(ANYONE, TOKEN, _hashed(token))
    if owner is None:
        return None
    partner, _, mandate = owner.partition("/")
    return partner, mandate


def way(ctx: Context, mandate_id: str) -> str | None:
    """Where whoever follows ``authorisation_url`` goes: the form, or where it would have led.

    ``None`` while the provider has not answered, and while a form that has expired is made anew.
    """
    stored = read(ctx, mandate_id)
    mandate = stored.value
    if mandate.status in domain.CLOSED:
        return mandate.failure_url
    if mandate.status != domain.ASKED:
        return mandate.success_url
    renewed = domain.form_again(ctx.partner.id, mandate, ctx.now)
    if renewed is None:
        return mandate.form_url
    unit = ctx.unit()
    unit.update(MANDATE, ctx.partner.id, stored, renewed.state, touch=False)
    for message in renewed.messages:
        unit.send(message)
    ctx.commit(unit, None)
    return None


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
