"""``/mandate/``: direct debit mandates, and which of them a loan is collected by."""

from __future__ import annotations

from typing import Annotated, Literal

from chalicelib.domain.mandates import Mandate
from chalicelib.handlers.loans import LoanOut, loan_out
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Flag, Instant, TextRule, Uuid
from chalicelib.models.unit import Stored
from chalicelib.usecases import mandates
from chalicelib.usecases.context import Context, Source
from chalicelib.usecases.loans import Shown

api = Resource("/mandate", tag="Mandates")
loan_api = Resource("/loan", tag="Loans")

READ_ONLY = frozenset(
    [
        "status",
        "is_disabled",
        "reference",
        "provider_mandate_id",
        "loans",
        "authorisation_url",
    ]
)
UNCONFIGURED = ("collections_not_configured",)

Status = Literal[
    "pending_customer_approval",
    "pending_submission",
    "submitted",
    "active",
    "failed",
    "cancelled",
    "expired",
    "consumed",
    "blocked",
    "suspended_by_payer",
]
Link = Annotated[
    str, TextRule(1, 2000, r"https?://[^\s/?#@\\]+([/?#][^\s\\]*)?", "Must be an absolute URL.")
]


class MandateIn(Body):
    """Whose mandate it is, and where the form leads to afterwards."""

    read_only = READ_ONLY

    end_user: Uuid
    success_url: Link
    failure_url: Link


class MandateOut(Out):
    """A mandate; ``authorisation_url`` is to be given to the end user."""

    id: str
    end_user: str
    success_url: str
    failure_url: str
    authorisation_url: str
    status: Status
    is_disabled: bool
    reference: str | None
    provider_mandate_id: str | None
    loans: list[str]
    created_at: Instant
    updated_at: Instant


class StateIn(Body):
    """Whether the mandate is not to be used."""

    is_disabled: Flag


class LoanMandateIn(Body):
    """The mandate that the loan is to be collected by."""

    mandate: Uuid


@api.collection(answer=MandateOut, related=mandates.BY_LOAN, summary="List mandates")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[Mandate]]:
    """Newest first."""
    return mandates.listing(ctx, query.criteria)


@api.post(
    body=MandateIn,
    answer=MandateOut,
    summary="Ask an end user for a mandate",
    refuses=UNCONFIGURED,
)
def create(ctx: Context, body: MandateIn) -> Stored[Mandate]:
    """Refused on a stage without a payments provider."""
    return mandates.create(ctx, body.end_user)


@api.get("/{pk}", answer=MandateOut, summary="Read a mandate")
def read(ctx: Context, pk: str) -> Stored[Mandate]:
    """One mandate."""
    return mandates.read(ctx, pk)


@api.post(
    "/{pk}/manage_state",
    body=StateIn,
    answer=MandateOut,
    summary="Disable or enable a mandate",
    refuses=("mandate_not_usable", *UNCONFIGURED),
)
def manage_state(ctx: Context, pk: str, body: StateIn) -> Stored[Mandate]:
    """Refused on a stage without a payments provider."""
    return mandates.manage_state(ctx, pk)


@loan_api.post(
    "/{pk}/set_go_cardless_mandate",
    body=LoanMandateIn,
    answer=LoanOut,
    view=loan_out,
    summary="Choose the mandate that a loan is collected by",
    refuses=("loan_not_open", "mandate_not_usable", *UNCONFIGURED),
)
def set_on_loan(ctx: Context, pk: str, body: LoanMandateIn) -> Shown:
    """Refused on a stage without a payments provider."""
    return mandates.set_on_loan(ctx, pk, body.mandate)
