"""Mandates: listed and read; made, switched and used once a stage has a payments provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain import mandates as domain
from chalicelib.domain.errors import Flaw, Invalid, NotFound
from chalicelib.domain.mandates import Mandate
from chalicelib.models.keys import END_USER, MANDATE
from chalicelib.usecases import listings, loans
from chalicelib.usecases.context import Listing, Source

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.loans import Shown


BY_LOAN = ("loan", "product")
"""What a list of mandates can be filtered by although a mandate does not show it."""


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[Mandate]]:
    """The partner's mandates, newest first unless asked otherwise.

    No loan is collected by a mandate yet, so that a filter by loan or product finds none.
    """
    if any(criteria.any_of(name) is not None for name in BY_LOAN):
        return Source(lambda _: Listing([], 0), frozenset(BY_LOAN))
    return listings.source(ctx, MANDATE, criteria)


def read(ctx: Context, mandate_id: str) -> Stored[Mandate]:
    """One mandate, or :class:`NotFound`."""
    found: Stored[Mandate] | None = ctx.store.get(MANDATE, ctx.partner.id, mandate_id)
    if found is None:
        raise NotFound("mandate")
    return found


def create(ctx: Context, end_user_id: str) -> Stored[Mandate]:
    """Ask an end user for a mandate: refused, as there is no provider to ask."""
    if ctx.store.get(END_USER, ctx.partner.id, end_user_id) is None:
        raise Invalid(Flaw("end_user", "unknown", "There is no such end user."))
    raise domain.not_configured()


def manage_state(ctx: Context, mandate_id: str) -> Stored[Mandate]:
    """Disable or enable a mandate: refused, as there is no provider behind it."""
    read(ctx, mandate_id)
    raise domain.not_configured()


def set_on_loan(ctx: Context, loan_id: str, mandate_id: str) -> Shown:
    """Use a mandate for a loan: refused, as there is no provider to collect by it."""
    loans.load(ctx, loan_id)
    if ctx.store.get(MANDATE, ctx.partner.id, mandate_id) is None:
        raise Invalid(Flaw("mandate", "unknown", "There is no such mandate."))
    raise domain.not_configured()
