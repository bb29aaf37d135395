"""Who belongs to a company: directors, partners, guarantors, owners (partner API, End users)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import Flaw, Invalid, Refused

ROLES = ("director", "partner", "guarantor", "owner", "other")
MAX_PEOPLE = 1000
"""People of one company."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One person of a company; both are ids of end users, ``role`` is one of :data:`ROLES`."""

    id: str
    company: str
    end_user: str
    role: str


class Assigned(NamedTuple):
    """An assignment with the people whose counts of assignments it changes.

    They are written with it, so that nobody's type can change at the same moment.
    """

    assignment: Assignment
    company: EndUser
    joins: EndUser | None = None
    leaves: EndUser | None = None


def create(
    assignment_id: str, company: EndUser, person: EndUser | None, values: Mapping[str, Any]
) -> Assigned:
    """A person of a company.  That nobody is assigned twice is the store's to say.

    Raises ``invalid_status`` for a company that is none or has too many people, :class:`Invalid`
    for a person that does not exist or is none.
    """
    if not company.is_company:
        raise Refused(
            "invalid_status",
            "People are assigned to companies; this end user is an individual.",
            {"type": company.type},
        )
    joining = _person(person)
    if company.assigned >= MAX_PEOPLE:
        message = f"A company has at most {MAX_PEOPLE} people."
        raise Refused("invalid_status", message, {"people": company.assigned})
    made = Assignment(assignment_id, company.id, joining.id, values["role"])
    return Assigned(made, _counted(company, 1), joins=_counted(joining, 1))


def change(
    assignment: Assignment,
    company: EndUser,
    person: EndUser | None,
    former: EndUser,
    values: Mapping[str, Any],
) -> Assigned:
    """The assignment with another role, another person, or both.

    ``person`` is who it names now, ``former`` who it named before.  Raises as :func:`create`.
    """
    joining = _person(person)
    new = replace(assignment, **{**values, "end_user": joining.id})
    if joining.id == former.id:
        return Assigned(new, company)
    return Assigned(new, company, joins=_counted(joining, 1), leaves=_counted(former, -1))


def remove(assignment: Assignment, company: EndUser, person: EndUser) -> Assigned:
    """What is left when a person has nothing to do with the company any more."""
    return Assigned(assignment, _counted(company, -1), leaves=_counted(person, -1))


def _person(person: EndUser | None) -> EndUser:
    if person is None:
        raise Invalid(Flaw("end_user", "unknown", "There is no such end user."))
    if person.is_company:
        message = f"Must be an individual; this end user is of the type {person.type}."
        raise Invalid(Flaw("end_user", "not_an_individual", message))
    return person


def _counted(end_user: EndUser, by: int) -> EndUser:
    return replace(end_user, assigned=end_user.assigned + by)
