"""``/blackmoon/``: what happens to loans that are sold to investors; views for the partner."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, PageQuery
from chalicelib.handlers.values import Instant, MoneyOut, RateOut
from chalicelib.models.keys import CESSION, OFFER, RECONCILIATION
from chalicelib.usecases import views
from chalicelib.usecases.context import Context, Source

if TYPE_CHECKING:
    from chalicelib.domain.blackmoon import Cession, Collateral, Offer, Reconciliation
    from chalicelib.models.unit import Stored

api = Resource("/blackmoon", tag="Blackmoon")


class OfferOut(Out):
    """A loan offered to investors; ``servicing_fee`` is a fraction, the other fee an amount.

    ``reason`` says why it was declined or failed (``bid_below_loan_amount``,
    ``not_accepted_in_time``, ``resolved_without_us``).
    """

    id: str
    loan: str
    status: Literal[
        "pending",
        "retrying",
        "offered",
        "refused",
        "accepted",
        "declined",
        "cancelled",
        "failed",
    ]
    offer_id: str | None
    will_participate: bool | None
    origination_fee: MoneyOut | None
    servicing_fee: RateOut | None
    bid_amount: MoneyOut | None
    loan_amount: MoneyOut | None
    investor_legal_entity_id: str | None
    updated_datetime: str | None
    warning_code: str | None
    error_code: str | None
    reason: str | None
    created_at: Instant
    updated_at: Instant


class CessionOut(Out):
    """A loan, or a further disbursement of it, that became an investor's, or came back."""

    id: str
    loan: str
    offer: str | None
    type: Literal["direct", "topup", "reverse"]
    day: date
    price: MoneyOut
    origination_fee: MoneyOut | None
    servicing_fee: RateOut | None
    investor_legal_entity_id: str | None
    reverse_type: str | None
    created_at: Instant
    updated_at: Instant


class CollateralOut(Out):
    """A loan on one of the lists of the latest collateral markup, of the date ``as_of``.

    ``flaw`` says what does not fit: ``unknown_loan``, ``retained_not_relevant``,
    ``left_but_relevant``.
    """

    id: str
    loan: str
    list: Literal["relevant", "retained", "left"]
    flici: str
    investor_id: str
    as_of: date
    flaw: Literal["unknown_loan", "retained_not_relevant", "left_but_relevant"] | None
    created_at: Instant
    updated_at: Instant


class CessionDifferenceOut(Out):
    """A cession that one side alone knows; ``servicing_fee`` is a fraction.

    A ``reverse`` one was reported of a loan that is not sold, or that is unknown.
    """

    loan: str
    type: str
    day: date | None
    price: MoneyOut
    origination_fee: MoneyOut | None
    servicing_fee: RateOut | None
    investor_legal_entity_id: str | None
    reverse_type: str | None


class ReconciliationOut(Out):
    """One business date's comparison of cessions; the lists hold what one side alone knows.

    `ready` and `tries` are those of the comparison, `reverse_ready` and `reverse_tries` those of
    the loans that were sold back. Of each list the first 500 are kept.
    """

    id: str
    business_date: date
    status: Literal["waiting", "matched", "discrepant", "failed"]
    ready: bool
    tries: int
    total_count: int | None
    correct_count: int | None
    platform_only: list[CessionDifferenceOut]
    platform_missing: list[CessionDifferenceOut]
    reverse_ready: bool
    reverse_tries: int
    error_code: str | None
    alarmed_at: Instant | None
    created_at: Instant
    updated_at: Instant


@api.collection("/offer", answer=OfferOut, summary="List offers")
def offers(ctx: Context, query: PageQuery) -> Source[Stored[Offer]]:
    """Newest first; a loan whose product is not sold has none."""
    return views.listing(ctx, OFFER, query.criteria)


@api.get("/offer/{pk}", answer=OfferOut, summary="Read an offer")
def offer(ctx: Context, pk: str) -> Stored[Offer]:
    """One offer."""
    return views.read(ctx, OFFER, "offer", pk)


@api.post(
    "/offer/{pk}/accept", answer=OfferOut, summary="Accept an offer", refuses=("invalid_status",)
)
def accept(ctx: Context, pk: str) -> Stored[Offer]:
    """By hand, before the platform does; the status follows once Blackmoon has been told."""
    from chalicelib.usecases import offers

    return offers.by_hand(ctx, pk, "accept")


@api.post(
    "/offer/{pk}/decline", answer=OfferOut, summary="Decline an offer", refuses=("invalid_status",)
)
def decline(ctx: Context, pk: str) -> Stored[Offer]:
    """By hand, before the platform does; the status follows once Blackmoon has been told."""
    from chalicelib.usecases import offers

    return offers.by_hand(ctx, pk, "decline")


@api.post(
    "/offer/{pk}/cancel", answer=OfferOut, summary="Cancel an offer", refuses=("invalid_status",)
)
def cancel(ctx: Context, pk: str) -> Stored[Offer]:
    """After it was accepted; the status follows once Blackmoon has been told."""
    from chalicelib.usecases import offers

    return offers.by_hand(ctx, pk, "cancel")


@api.collection("/cession", answer=CessionOut, summary="List cessions")
def cessions(ctx: Context, query: PageQuery) -> Source[Stored[Cession]]:
    """Newest first."""
    return views.listing(ctx, CESSION, query.criteria)


@api.get("/cession/{pk}", answer=CessionOut, summary="Read a cession")
def cession(ctx: Context, pk: str) -> Stored[Cession]:
    """One cession."""
    return views.read(ctx, CESSION, "cession", pk)


@api.collection("/collateral", answer=CollateralOut, summary="List collateral")
def collaterals(ctx: Context, query: PageQuery) -> Source[Stored[Collateral]]:
    """The latest markup's; when a newer one replaces it, a list that was begun is to begin anew."""
    from chalicelib.usecases import collateral as markup

    return markup.listing(ctx, query.criteria)


@api.get("/collateral/{pk}", answer=CollateralOut, summary="Read a row of collateral")
def collateral(ctx: Context, pk: str) -> Stored[Collateral]:
    """One loan on one list."""
    from chalicelib.usecases import collateral as markup

    return markup.read(ctx, pk)


@api.collection("/reconciliation", answer=ReconciliationOut, summary="List reconciliations")
def reconciliations(ctx: Context, query: PageQuery) -> Source[Stored[Reconciliation]]:
    """One a business date, newest first."""
    return views.listing(ctx, RECONCILIATION, query.criteria)


@api.get("/reconciliation/{pk}", answer=ReconciliationOut, summary="Read a reconciliation")
def reconciliation(ctx: Context, pk: str) -> Stored[Reconciliation]:
    """One business date's."""
    return views.read(ctx, RECONCILIATION, "reconciliation", pk)
