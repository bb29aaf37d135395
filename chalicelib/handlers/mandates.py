"""``/mandate/``: direct debit mandates, and which of them a loan is collected by."""

from __future__ import annotations

from typing import Annotated, Literal

from chalicelib import runtime
from chalicelib.domain.mandates import Mandate
from chalicelib.handlers import direct_debit
from chalicelib.handlers.loans import LoanOut, loan_out
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Flag, Instant, TextRule, Uuid
from chalicelib.models.unit import Stored
from chalicelib.usecases import mandate_loans, mandates
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
    """Give `authorisation_url` to the end user: it leads to the provider's form.

    The mandate is `pending_customer_approval` until the form is filled in, and `active` some
    working days later: then `mandate_created` is sent. Where the form leads to afterwards says
    nothing of that.
    """
    ask = mandates.Ask(body.end_user, body.success_url, body.failure_url)
    return mandates.create(ctx, ask, runtime.get().collects(ctx.partner), direct_debit.form_of)


@api.get("/{pk}", answer=MandateOut, summary="Read a mandate")
def read(ctx: Context, pk: str) -> Stored[Mandate]:
    """One mandate."""
    return mandates.read(ctx, pk)


@api.post(
    "/{pk}/manage_state",
    body=StateIn,
    answer=MandateOut,
    summary="Disable or enable a mandate",
    refuses=("invalid_status", *UNCONFIGURED),
)
def manage_state(ctx: Context, pk: str, body: StateIn) -> Stored[Mandate]:
    """One that an open loan still uses cannot be disabled until another is set on the loan."""
    return mandates.manage_state(ctx, pk, body.is_disabled, runtime.get().collects(ctx.partner))


@loan_api.post(
    "/{pk}/set_go_cardless_mandate",
    body=LoanMandateIn,
    answer=LoanOut,
    view=loan_out,
    summary="Choose the mandate that a loan is collected by",
    refuses=("loan_not_open", "mandate_not_usable", *UNCONFIGURED),
)
def set_on_loan(ctx: Context, pk: str, body: LoanMandateIn) -> Shown:
    """Only a usable mandate of the same end user; the one before it is left."""
    return mandate_loans.set_on_loan(ctx, pk, body.mandate, runtime.get().collects(ctx.partner))
