"""``/webhook_endpoint/`` and ``/webhook/``: who hears of events, and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib import runtime
from chalicelib.domain.deliveries import Webhook
from chalicelib.domain.webhooks import Endpoint
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Flag, Instant, JsonObject, TextRule
from chalicelib.models.unit import Stored
from chalicelib.usecases import webhooks
from chalicelib.usecases.context import Context, Source
from chalicelib.usecases.webhooks import NewEndpoint, NewSecret, Reach

api = Resource("/webhook_endpoint", tag="Webhooks")
log_api = Resource("/webhook", tag="Webhooks")

EventName = Literal[
    "*",
    "application_processing_finished",
    "disbursement_result",
    "loan_closed",
    "loan_is_arrears",
    "loan_is_default",
    "loan_is_late",
    "mandate_created",
    "repayment_charged_back",
    "repayment_created",
    "repayment_due_day_soon",
    "repayment_result",
    "statement_ready",
]


def _all() -> list[EventName]:
    return ["*"]


class EndpointIn(Body):
    """Where events go: https on port 443 to public addresses (in the sandbox also to this machine).

    ``events`` are names, or ``["*"]`` for all of them.
    """

    read_only = frozenset({"secret"})

    url: Annotated[str, TextRule(1, 2000, r"https?://[\x21-\x7e]+", "Must be an https URL.")]
    events: Annotated[list[EventName], Field(min_length=1, max_length=50, default_factory=_all)]
    is_disabled: Flag = False


class EndpointOut(Out):
    """An endpoint, without its secret."""

    id: str
    url: str
    events: list[EventName]
    is_disabled: bool
    created_at: Instant
    updated_at: Instant


class NewEndpointOut(EndpointOut):
    """An endpoint that was just made; ``secret`` is shown this once."""

    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    secret: str = ""


class NewSecretOut(Out):
    """A secret that was just made, shown this once."""

    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    secret: str = ""


def new_endpoint_out(_: Context, new: NewEndpoint) -> Mapping[str, Any]:
    """A new endpoint as it is shown once."""
    value = new.stored.value
    return {
        "id": value.id,
        "url": value.url,
        "events": value.events,
        "is_disabled": value.is_disabled,
        "secret": new.secret,
        "created_at": new.stored.created_at,
        "updated_at": new.stored.updated_at,
    }


def _reach(ctx: Context) -> Reach:
    edge = runtime.get()
    return Reach(edge.resolve, loopback=edge.config.sandbox and ctx.partner.sandbox)


@api.collection(answer=EndpointOut, summary="List webhook endpoints")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[Endpoint]]:
    """Newest first."""
    return webhooks.listing(ctx, query.criteria)


@api.post(
    body=EndpointIn,
    answer=NewEndpointOut,
    view=new_endpoint_out,
    summary="Register an endpoint",
    refuses=("invalid_status",),
)
def create(ctx: Context, body: EndpointIn) -> NewEndpoint:
    """Its host must have addresses, all of them public.  A partner has at most 50 endpoints."""
    return webhooks.create(ctx, body.values(), _reach(ctx))


@api.get("/{pk}", answer=EndpointOut, summary="Read an endpoint")
def read(ctx: Context, pk: str) -> Stored[Endpoint]:
    """One endpoint, without its secret."""
    return webhooks.read(ctx, pk)


@api.put("/{pk}", body=EndpointIn, answer=EndpointOut, summary="Replace an endpoint")
@api.patch("/{pk}", body=EndpointIn, answer=EndpointOut, summary="Change an endpoint")
def change(ctx: Context, pk: str, body: EndpointIn) -> Stored[Endpoint]:
    """Its secret stays."""
    return webhooks.change(ctx, pk, body.values(), _reach(ctx))


@api.delete("/{pk}", summary="Delete an endpoint")
def remove(ctx: Context, pk: str) -> None:
    """Nothing is sent to it any more."""
    webhooks.remove(ctx, pk)


@api.post("/{pk}/rotate_secret", answer=NewSecretOut, summary="Make a new secret")
def rotate_secret(ctx: Context, pk: str) -> NewSecret:
    """The old one signs beside it for 24 hours."""
    return webhooks.rotate_secret(ctx, pk, runtime.get().clock())


class DeliveryOut(Out):
    """One attempt to deliver a webhook."""

    attempted_at: Instant
    response_status: int | None
    error: str | None
    next_attempt_at: Instant | None


class WebhookOut(Out):
    """One event for one endpoint; ``timestamp`` in Unix seconds."""

    id: str
    event: str
    webhook_endpoint: str
    data: JsonObject
    timestamp: int
    deliveries: list[DeliveryOut]
    status: Literal["pending", "delivered", "failed"]
    created_at: Instant
    updated_at: Instant


@log_api.collection(answer=WebhookOut, summary="List what was sent")
def sent(ctx: Context, query: PageQuery) -> Source[Stored[Webhook]]:
    """One row an event and endpoint, newest first."""
    return webhooks.sent(ctx, query.criteria)


@log_api.get("/{pk}", answer=WebhookOut, summary="Read a webhook with its deliveries")
def sent_one(ctx: Context, pk: str) -> Stored[Webhook]:
    """One row of the log."""
    return webhooks.sent_one(ctx, pk)


@log_api.post(
    "/{pk}/retry", answer=WebhookOut, summary="Send a webhook again", refuses=("invalid_status",)
)
def retry(ctx: Context, pk: str) -> Stored[Webhook]:
    """At once, whatever became of it, and with all its retries anew."""
    return webhooks.retry(ctx, pk)
