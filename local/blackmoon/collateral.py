"""The collateral markup: which loans are pledged to whom, as the control routes say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from local.blackmoon import wire
from local.blackmoon.errors import Json
from local.blackmoon.organisation import Organisation

LISTS = ("relevant", "retained", "left")
INVESTOR = "24"


def portfolio(org: Organisation, method: str, name: str) -> Json:
    """One of the three lists."""
    if not org.ready(method):
        return {"ready": False}
    return {"ready": True, name: list((org.head.collateral or {}).get(name, ()))}


def last_update(org: Organisation) -> str:
    """The date of the markup; before the first one that on which the organisation was made."""
    return str((org.head.collateral or {}).get("date") or org.head.made_on)


def marked(org: Organisation, given: Mapping[str, Any]) -> Json:
    """The markup that a control call describes; raises :class:`ValueError`.

    ``retained`` and ``left`` follow from the markup before, where they are not said.
    """
    unknown = set(given) - {"date", *LISTS}
    if unknown:
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    day = date.fromisoformat(str(given.get("date") or org.today))
    before = {row["loanId"]: row for row in (org.head.collateral or {}).get("relevant", ())}
    relevant = [_row(one) for one in _list(given, "relevant")]
    loans = {row["loanId"] for row in relevant}
    follows = {
        "relevant": relevant,
        "retained": [row for row in relevant if row["loanId"] in before],
        "left": [row for loan, row in before.items() if loan not in loans],
    }
    found: Json = {"date": day.isoformat()}
    for name in LISTS:
        said = name in given and given[name] is not None
        found[name] = [_row(one) for one in _list(given, name)] if said else follows[name]
    return found


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    found = given.get(name) or []
    if not isinstance(found, list):
        raise ValueError(f"{name} must be a list")
    return found


def _row(one: Any) -> Json:
    """``{"loanId", "flici", "investorId"}``; a loan's id alone will do."""
    row = one if isinstance(one, dict) else {"loanId": one}
    loan = wire.identity(row.get("loanId"))
    if not loan:
        raise ValueError("each row needs a loanId")
    return {
        "loanId": loan,
        "flici": wire.identity(row.get("flici")) or loan,
        "investorId": wire.identity(row.get("investorId")) or INVESTOR,
    }
