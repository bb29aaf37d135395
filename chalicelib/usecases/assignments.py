"""The people of a company: assigned once each, however many requests come at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.domain import assignments as domain
from chalicelib.domain.assignments import Assigned, Assignment
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import NotFound
from chalicelib.models.keys import ASSIGNMENT, END_USER
from chalicelib.usecases import end_users
from chalicelib.usecases.unique import unique

if TYPE_CHECKING:
    from chalicelib.models.store import Page, Stored, Unit
    from chalicelib.usecases.context import Context

PERSON = "assignment.person"
"""The scope in which a company's person is claimed."""

_TWICE = "This person is assigned to the company already."


def listing(
    ctx: Context, company_id: str, limit: int, offset: int, cursor: str | None
) -> Page[Assignment]:
    """A company's people, the last that was assigned first."""
    end_users.read(ctx, company_id)
    return ctx.store.page(
        ASSIGNMENT,
        ctx.partner.id,
        index="owner",
        group={"company": company_id},
        limit=limit,
        offset=offset,
        cursor=cursor,
        count=True,
    )


def read(ctx: Context, company_id: str, assignment_id: str) -> Stored[Assignment]:
    """One person of a company, or :class:`NotFound`."""
    found: Stored[Assignment] | None = ctx.store.get(ASSIGNMENT, ctx.partner.id, assignment_id)
    if found is None or found.value.company != company_id:
        raise NotFound("assignment")
    return found


def create(ctx: Context, company_id: str, values: Mapping[str, Any]) -> Stored[Assignment]:
    """Assign a person to a company."""
    company = end_users.read(ctx, company_id)
    person = _find(ctx, values["end_user"])
    decided = domain.create(ctx.new_id(), company.value, person.value if person else None, values)
    unit = ctx.unit()
    made = unit.create(ASSIGNMENT, ctx.partner.id, decided.assignment)
    unit.claim(ctx.partner.id, PERSON, _pair(decided.assignment), decided.assignment.id)
    _write_people(ctx, unit, decided, (company, person))
    with unique(PERSON, _TWICE):
        return ctx.commit(unit, made)


def change(
    ctx: Context, company_id: str, assignment_id: str, values: Mapping[str, Any]
) -> Stored[Assignment]:
    """Another role for a person, or another person in the role."""
    stored = read(ctx, company_id, assignment_id)
    old = stored.value
    company, former = end_users.read(ctx, company_id), end_users.read(ctx, old.end_user)
    named = values.get("end_user", old.end_user)
    person = former if named == old.end_user else _find(ctx, named)
    decided = domain.change(
        old, company.value, person.value if person else None, former.value, values
    )
    new, unit = decided.assignment, ctx.unit()
    after = unit.update(ASSIGNMENT, ctx.partner.id, stored, new)
    if new.end_user != old.end_user:
        unit.release(ctx.partner.id, PERSON, _pair(old))
        unit.claim(ctx.partner.id, PERSON, _pair(new), new.id)
        _write_people(ctx, unit, decided, (company, person, former))
    with unique(PERSON, _TWICE):
        return ctx.commit(unit, after)


def remove(ctx: Context, company_id: str, assignment_id: str) -> None:
    """Take a person out of a company."""
    stored = read(ctx, company_id, assignment_id)
    company = end_users.read(ctx, company_id)
    person = end_users.read(ctx, stored.value.end_user)
    decided = domain.remove(stored.value, company.value, person.value)
    unit = ctx.unit()
    unit.delete(ASSIGNMENT, ctx.partner.id, stored)
    unit.release(ctx.partner.id, PERSON, _pair(stored.value))
    _write_people(ctx, unit, decided, (company, person))
    ctx.commit(unit, None)


def _find(ctx: Context, end_user_id: str) -> Stored[EndUser] | None:
    return ctx.store.get(END_USER, ctx.partner.id, end_user_id)


def _pair(assignment: Assignment) -> str:
    return f"{assignment.company}/{assignment.end_user}"


def _write_people(
    ctx: Context, unit: Unit, decided: Assigned, read: tuple[Stored[EndUser] | None, ...]
) -> None:
    """Write the end users that the decision counted anew, each over what was read of it."""
    after = {one.id: one for one in (decided.company, decided.joins, decided.leaves) if one}
    for stored in read:
        if stored is not None and after.get(stored.value.id, stored.value) != stored.value:
            unit.update(END_USER, ctx.partner.id, stored, after[stored.value.id], touch=False)
