"""``/end_user/{pk}/assign-enduser/``: the people of a company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chalicelib.domain.assignments import Assignment
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Instant, Uuid
from chalicelib.models.unit import Stored
from chalicelib.usecases import assignments
from chalicelib.usecases.context import Context

if TYPE_CHECKING:
    from chalicelib.models.store import Page

api = Resource("/end_user", tag="End users")

Role = Literal["director", "partner", "guarantor", "owner", "other"]


class AssignmentIn(Body):
    """An individual, and what this person is to the company."""

    read_only = frozenset({"company"})

    end_user: Uuid
    role: Role


class AssignmentOut(Out):
    """A person of a company."""

    id: str
    company: str
    end_user: str
    role: Role
    created_at: Instant
    updated_at: Instant


@api.collection("/{pk}/assign-enduser", answer=AssignmentOut, summary="List a company's people")
def listing(ctx: Context, pk: str, query: PageQuery) -> Page[Assignment]:
    """The last that was assigned first."""
    return assignments.listing(ctx, pk, query.limit, query.offset, query.cursor)


@api.post(
    "/{pk}/assign-enduser",
    body=AssignmentIn,
    answer=AssignmentOut,
    summary="Assign a person to a company",
    refuses=("conflict", "invalid_status"),
)
def create(ctx: Context, pk: str, body: AssignmentIn) -> Stored[Assignment]:
    """Nobody is assigned to the same company twice."""
    return assignments.create(ctx, pk, body.values())


@api.get("/{pk}/assign-enduser/{sub}", answer=AssignmentOut, summary="Read a company's person")
def read(ctx: Context, pk: str, sub: str) -> Stored[Assignment]:
    """One assignment of the company."""
    return assignments.read(ctx, pk, sub)


@api.put(
    "/{pk}/assign-enduser/{sub}",
    body=AssignmentIn,
    answer=AssignmentOut,
    summary="Replace a company's person",
    refuses=("conflict",),
)
@api.patch(
    "/{pk}/assign-enduser/{sub}",
    body=AssignmentIn,
    answer=AssignmentOut,
    summary="Change a company's person",
    refuses=("conflict",),
)
def change(ctx: Context, pk: str, sub: str, body: AssignmentIn) -> Stored[Assignment]:
    """Another role, or another person in it."""
    return assignments.change(ctx, pk, sub, body.values())


@api.delete("/{pk}/assign-enduser/{sub}", summary="Take a person out of a company")
def remove(ctx: Context, pk: str, sub: str) -> None:
    """The person itself stays."""
    assignments.remove(ctx, pk, sub)
