"""``/application/``: what borrowers ask for, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import PlainSerializer, WithJsonSchema

from chalicelib.domain.applications import Application
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import (
    Instant,
    JsonObject,
    MoneyText,
    PositiveMoney,
    Rate,
    RateText,
    Uuid,
    Whole,
)
from chalicelib.models.unit import Stored
from chalicelib.usecases import applications
from chalicelib.usecases.context import Context, Source

api = Resource("/application", tag="Applications")

CountTextOrNone = Annotated[
    int | None,
    PlainSerializer(lambda count: None if count is None else str(count), return_type=str | None),
    WithJsonSchema({"type": ["string", "null"], "examples": ["4"]}),
]


class ApplicationIn(Body):
    """What is not said, or null, comes from the product."""

    read_only: ClassVar[frozenset[str]] = frozenset({"status", "reason", "decision", "loan"})

    product: Uuid
    end_user: Uuid
    amount: PositiveMoney | None = None
    installments: Annotated[int, Whole(1, 600)] | None = None
    rate: Rate | None = None
    custom_fields: JsonObject | None = None


class ApplicationOut(Out):
    id: str
    status: Literal["incomplete", "approved", "declined", "withdrawn"]
    product: str
    end_user: str
    amount: MoneyText
    installments: CountTextOrNone
    rate: RateText
    custom_fields: dict[str, Any]
    reason: str
    decision: str | None
    loan: str | None
    created_at: Instant
    updated_at: Instant


@api.collection(answer=ApplicationOut, summary="List applications")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[Application]]:
    return applications.listing(ctx, query.criteria)


@api.post(
    body=ApplicationIn,
    answer=ApplicationOut,
    refuses=("product_is_draft",),
    summary="Create an application",
)
def create(ctx: Context, body: ApplicationIn) -> Stored[Application]:
    return applications.create(ctx, body.values())


@api.get("/{pk}", answer=ApplicationOut, summary="Read an application")
def read(ctx: Context, pk: str) -> Stored[Application]:
    return applications.read(ctx, pk)


@api.put(
    "/{pk}",
    body=ApplicationIn,
    answer=ApplicationOut,
    refuses=("end_user_immutable", "invalid_status", "application_immutable"),
    summary="Replace an application",
)
@api.patch(
    "/{pk}",
    body=ApplicationIn,
    answer=ApplicationOut,
    refuses=("end_user_immutable", "invalid_status", "application_immutable"),
    summary="Change an application",
)
def change(ctx: Context, pk: str, body: ApplicationIn) -> Stored[Application]:
    return applications.change(ctx, pk, body.values())


@api.post(
    "/{pk}/complete",
    status=200,
    answer=ApplicationOut,
    refuses=(
        "invalid_status",
        "application_immutable",
        "risk_engine_not_configured",
        "data_points_missing",
    ),
    summary="Complete an application: have it decided",
)
def complete(ctx: Context, pk: str) -> Stored[Application]:
    return applications.complete(ctx, pk)


@api.post(
    "/{pk}/reopen",
    status=200,
    answer=ApplicationOut,
    refuses=("invalid_status", "application_immutable"),
    summary="Reopen an application",
)
def reopen(ctx: Context, pk: str) -> Stored[Application]:
    return applications.reopen(ctx, pk)


@api.post(
    "/{pk}/withdraw",
    status=200,
    answer=ApplicationOut,
    refuses=("invalid_status", "application_immutable"),
    summary="Withdraw an application",
)
def withdraw(ctx: Context, pk: str) -> Stored[Application]:
    return applications.withdraw(ctx, pk)
