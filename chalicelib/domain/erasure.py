"""A borrower's personal data taken away, once nothing needs it any more.

What identifies a person goes; ids, loans, their ledger and how applications were decided stay,
because the lender's books and its duty to explain a decision outlive the borrower's request.
See ``docs/operators/erasing.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from chalicelib.domain.account import Account
from chalicelib.domain.addresses import LINES, Address
from chalicelib.domain.applications import APPROVED, INCOMPLETE, Application
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import Refused
from chalicelib.domain.mandates import CLOSED as ENDED
from chalicelib.domain.mandates import Mandate

KEPT = frozenset({"id", "type", "country", "current_address", "assigned"})
"""Fields of an end user that say nothing of who it is."""

AT_REST = frozenset({"closed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Ties:
    """All that an end user has with the lender."""

    accounts: tuple[Account, ...] = ()
    applications: tuple[Application, ...] = ()
    mandates: tuple[Mandate, ...] = ()


def end_user(person: EndUser) -> EndUser:
    """The end user with nothing that identifies it; the same if there was nothing."""
    blank = EndUser(person.id)
    names = [one.name for one in fields(EndUser) if one.name not in KEPT]
    return replace(person, **{name: getattr(blank, name) for name in names})


def address(one: Address) -> Address:
    """The address without all but its country and dates."""
    blank: dict[str, Any] = dict.fromkeys(LINES, "")
    return replace(one, **blank)


def application(one: Application) -> Application:
    """The application without what the partner wrote into it freely."""
    return replace(one, custom_fields={})


def check(person: EndUser, ties: Ties, today: date, retention_years: int) -> None:
    """Refuse while the data is needed or must be kept (``invalid_status``).

    There is no way around an open loan: a lender that cannot say who owes it money cannot serve
    the loan, and no law asks it to.  ``retention_years`` count from the last loan's end.
    """
    needed = tuple(_needed(person, ties))
    if needed:
        raise Refused("invalid_status", f"Its data is still needed: {'; '.join(needed)}.")
    ends = [one.as_of for one in ties.accounts if one.disbursed_on and one.as_of]
    if not ends:
        return
    until = _years_after(max(ends), retention_years)
    if today < until:
        raise Refused(
            "invalid_status",
            f"Its last loan ended on {max(ends)}: records are kept for {retention_years} years, "
            f"until {until}.",
        )


def _needed(person: EndUser, ties: Ties) -> Iterable[str]:
    for account in ties.accounts:
        if account.status not in AT_REST:
            yield f"loan {account.id} is {account.status}"
        elif any(account.balances) or account.overpayment or account.pending_count:
            yield f"loan {account.id} still holds money"
    for one in ties.applications:
        if one.status == INCOMPLETE or (one.status == APPROVED and one.loan is None):
            yield f"application {one.id} is {one.status}: withdraw it first"
    for mandate in ties.mandates:
        if mandate.status not in ENDED:
            yield f"mandate {mandate.id} is {mandate.status}: cancel it first"
    if person.assigned:
        yield f"{person.assigned} assignment(s) to companies or of people: remove them first"


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 3, 1)
