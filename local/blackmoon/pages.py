"""What the simulator holds, on one page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from local.blackmoon.organisation import Organisation
from local.blackmoon.world import World
from local.simulating import pages
from local.simulating.faults import Faults
from local.simulating.pages import Columns
from local.simulating.records import Record


def _of(name: str) -> Callable[[Record], object]:
    return partial(_member, name)


def _member(name: str, record: Record) -> object:
    return record.doc.get(name, "")


COLUMNS: Columns = {
    "offers": (
        "Offers",
        (
            ("Status", _of("status")),
            ("Loan", _of("loanId")),
            ("Amount of the loan", _of("loanAmount")),
            ("Amount bid", _of("bidAmount")),
            ("Investor", _of("investorLegalEntityId")),
            ("Updated", _of("updatedDatetime")),
        ),
    ),
    "cessions": (
        "Cessions",
        (
            ("Type", _of("type")),
            ("Loan", _of("loanId")),
            ("Amount", _of("price")),
            ("Day", _of("day")),
            ("Investor", _of("investorLegalEntityId")),
        ),
    ),
    "reverses": (
        "Sold back",
        (
            ("Type", _of("type")),
            ("Loan", _of("loanId")),
            ("Amount", _of("price")),
            ("Day", _of("date")),
        ),
    ),
    "files": (
        "Files",
        (
            ("Holds", _of("part")),
            ("Business date", _of("business_date")),
            ("Rows", _of("rows")),
            ("Amount", _of("amount")),
        ),
    ),
}


def overview(world: World, faults: Faults) -> tuple[int, str]:
    """What each organisation holds: no token."""
    return pages.overview("Blackmoon simulator", world, faults, _facts, COLUMNS)


def _facts(org: Organisation) -> tuple[str, list[tuple[str, object]]]:
    head = org.head
    pledged = (head.collateral or {}).get("relevant", ())
    return head.id, [
        ("Partner", head.partner),
        ("Business date", f"{head.business_date} {head.time}"),
        ("Access token expires", head.access_expires),
        ("Loans pledged", len(pledged)),
    ]
