"""``/_control/blackmoon-state``: what is said about Blackmoon from outside, and how it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from local.blackmoon import cessions, collateral, wire
from local.blackmoon.decisions import INVESTORS
from local.blackmoon.errors import Json
from local.blackmoon.organisation import LARGEST_FILE_BYTES, Organisation
from local.simulating.fields import Fields

Put = Callable[[Organisation, Any], Mapping[str, Any]]
"""Members of the head that a value sets; raises :class:`ValueError` with what is wrong."""


def put(org: Organisation, body: object) -> None:
    """Sets what the body names; all of it or, with :class:`Flaws`, nothing."""
    fields = Fields({} if body is None else body)
    for name, value in fields.data.items():
        if name not in _MEMBERS:
            fields.wrong(name, "is no member of the state")
            continue
        try:
            members = _MEMBERS[name](org, value)  # may change the head by itself
            org.head = replace(org.head, **members)
        except (ValueError, TypeError, KeyError, AttributeError) as flaw:
            fields.wrong(name, str(flaw) or "is invalid")
    fields.done()


def told(org: Organisation) -> Json:
    """Everything that can be set, and what there is."""
    head = org.head
    return {
        "decision": head.decision,
        "bid": head.bid,
        "not_ready": head.not_ready,
        "expire_access_token": head.access_expired,
        "expire_refresh_token": head.refresh_expired,
        "suspended": head.suspended,
        "largest_file_bytes": head.largest_file_bytes,
        "platform_only": list(head.platform_only),
        "drop_cessions": head.drop_cessions,
        "reverse_cessions": [r.doc for r in org.all("reverses") if not r.hidden.get("gone")],
        "collateral": head.collateral,
        "business_date": head.business_date.isoformat(),
        "time": head.time,
        "access_token_expires_on": head.access_expires,
        "offers": [{"offerId": one.id, **one.doc} for one in org.all("offers")],
        "cessions": [one.doc for one in org.all("cessions") if not one.hidden.get("gone")],
        "files": [one.doc for one in org.all("files")],
    }


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("must be a whole number")
    return value


def _list(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise ValueError("must be a list")
    return value or []


def _decision(_: Organisation, value: Any) -> Mapping[str, Any]:
    return {"decision": None if value is None else _flag(value)}


def _bid(_: Organisation, value: Any) -> Mapping[str, Any]:
    share = wire.number(str(value))
    if value is not None and (share is None or not 0 < share <= 1):
        raise ValueError("must be a share of the loan's amount, above 0 and at most 1")
    return {"bid": None if value is None else str(share)}


def _platform_only(org: Organisation, value: Any) -> Mapping[str, Any]:
    rows = []
    for one in _list(value):
        row = {
            "investorLegalEntityId": INVESTORS[0],
            "type": "direct",
            "day": org.today.isoformat(),
            "price": "100.00",
            "originationFee": "0.00",
            "servicingFee": "0.01",
            **(one if isinstance(one, dict) else {"loanId": one}),
        }
        numbers = {name: str(row[name]) for name in ("price", "originationFee", "servicingFee")}
        rows.append(row | numbers)
        cessions.row_of(rows[-1])
    return {"platform_only": tuple(rows)}


def _drop_cessions(_: Organisation, value: Any) -> Mapping[str, Any]:
    if value is None or isinstance(value, bool):
        return {"drop_cessions": value or None}
    return {"drop_cessions": _list(value) if isinstance(value, list) else _whole(value)}


def _reverse_cessions(org: Organisation, value: Any) -> Mapping[str, Any]:
    rows = _list(value)
    if not rows:
        for known in list(org.all("reverses")):
            org.change(known, {"gone": True})
    for one in rows:
        row = one if isinstance(one, dict) else {"loanId": one}
        loan, kind = wire.identity(row.get("loanId")), row.get("type", cessions.REVERSE_TYPES[0])
        price = wire.number(str(row["price"])) if row.get("price") is not None else None
        if not loan or kind not in cessions.REVERSE_TYPES:
            raise ValueError("each needs a loanId and one of the documented types")
        if row.get("price") is not None and price is None:
            raise ValueError("price must be a number")
        cessions.give_back(org, loan, kind, price, row.get("date"))
    return {}


def _collateral(org: Organisation, value: Any) -> Mapping[str, Any]:
    return {"collateral": None if value is None else collateral.marked(org, dict(value))}


_MEMBERS: Mapping[str, Put] = {
    "decision": _decision,
    "bid": _bid,
    "not_ready": lambda _, value: {"not_ready": _whole(value)},
    "expire_access_token": lambda _, value: {"access_expired": _flag(value)},
    "expire_refresh_token": lambda _, value: {"refresh_expired": _flag(value)},
    "suspended": lambda _, value: {"suspended": _flag(value)},
    "largest_file_bytes": lambda _, value: {
        "largest_file_bytes": LARGEST_FILE_BYTES if value is None else _whole(value)
    },
    "platform_only": _platform_only,
    "drop_cessions": _drop_cessions,
    "reverse_cessions": _reverse_cessions,
    "collateral": _collateral,
}
