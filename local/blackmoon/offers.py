"""Offers: made, accepted, declined, cancelled, and declined by themselves after an hour.

An offer is ``open``, then ``accepted`` or ``declined``; an accepted one may be ``cancelled``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from local.blackmoon import cessions, rules, wire
from local.blackmoon.decisions import Decision, decide
from local.blackmoon.errors import ApiError, Json, warning
from local.blackmoon.organisation import Organisation, shown
from local.simulating.records import Record

HOUR = timedelta(hours=1)
AMOUNTS = ("loanAmount", "amount")
#: Fees are known up to this amount.
MOST = Decimal(1_000_000)
ZERO = Decimal(0)


def create(org: Organisation, parameters: Mapping[str, str]) -> Json:
    """``offers.create``: the decision, and an offer to be answered within an hour if it is yes."""
    fields = _fields(parameters)
    loan, amount = _checked(fields)
    if identity := org.keys.get(("loan", loan)):
        resolved = org.records["offers"][identity].status != "open"
        raise ApiError(102 if resolved else 103)
    if amount > MOST:
        raise ApiError(101, f"no fee is known for more than {MOST}")
    share = None if org.head.bid is None else Decimal(org.head.bid)
    decided = decide(fields, amount, org.head.decision, share)
    at = org.now()
    if not decided.participates:
        return _answer(at, 0, None, amount)
    identity = org.new_id("offer")
    while identity in org.records["offers"]:
        identity = org.new_id("offer")
    doc = {
        "status": "open",
        "loanId": loan,
        "loanAmount": str(amount),
        "bidAmount": str(decided.bid),
        "originationFee": str(decided.origination_fee),
        "servicingFee": str(decided.servicing_fee),
        "investorLegalEntityId": decided.investor,
        "createdDatetime": at,
        "updatedDatetime": at,
    }
    org.add("offers", doc, identity, lapses=(org.clock + HOUR).isoformat())
    org.remember("loan", loan, identity)
    return _answer(at, identity, decided, amount)


def _fields(parameters: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        fields = wire.parsed(parameters["applicationFields"])
    except (KeyError, ValueError):
        raise ApiError(100) from None
    if not isinstance(fields, dict):
        raise ApiError(100, "it must be an object")
    return fields


def _checked(fields: Mapping[str, Any]) -> tuple[str, Decimal]:
    """The loan's id and amount; every field that is wrong is named."""
    wrong = []
    for name, value in fields.items():
        if value is None or isinstance(value, bool | list | dict):
            continue
        text = format(value, "f") if isinstance(value, Decimal) else str(value)
        if text and (flaw := rules.of(name)(text)):
            wrong.append(f"{name} {flaw}")
    loan = wire.identity(fields.get("applicationId"))
    if not loan:
        wrong.append("applicationId is required")
    named = next((name for name in AMOUNTS if name in fields), AMOUNTS[0])
    amount = wire.number(fields.get(named))
    if amount is None or amount <= 0:
        wrong.append(f"{named} must be a number greater than 0")
    if wrong or amount is None:
        raise ApiError(1, "; ".join(wrong[:20]))
    return loan, amount


def _answer(at: str, identity: str | int, decided: Decision | None, amount: Decimal) -> Json:
    return {
        "updatedDatetime": at,
        "willParticipate": decided is not None,
        "offerId": identity,
        "originationFee": decided.origination_fee if decided else 0,
        "servicingFee": decided.servicing_fee if decided else 0,
        "bidAmount": decided.bid if decided else 0,
        "loanAmount": amount,
        "investorLegalEntityId": decided.investor if decided else None,
    }


def _found(org: Organisation, parameters: Mapping[str, str]) -> Record:
    found = org.records["offers"].get(parameters.get("offerId", ""))
    if found is None:
        raise ApiError(9)
    return found


def _moved(org: Organisation, offer: Record, status: str) -> Json:
    offer = org.change(offer, status=status, updatedDatetime=org.now())
    return _told(offer)


def _told(offer: Record) -> Json:
    return {"updatedDatetime": offer.doc["updatedDatetime"], "offerId": offer.id}


def accept(org: Organisation, parameters: Mapping[str, str]) -> tuple[Json, Json | None]:
    """``offers.accept``: the loan is ceded.  The answer, and a warning."""
    offer = _found(org, parameters)
    match offer.status:
        case "open":
            told = _moved(org, offer, "accepted")
            cessions.cede(org, offer)
            return told, None
        case "accepted":
            return _told(offer), warning(100)
        case "declined":
            return _told(offer), warning(101)
    raise ApiError(110)


def decline(org: Organisation, parameters: Mapping[str, str]) -> tuple[Json, Json | None]:
    """``offers.decline``.  The answer, and a warning."""
    offer = _found(org, parameters)
    match offer.status:
        case "open":
            return _moved(org, offer, "declined"), None
        case "declined":
            return _told(offer), warning(101)
        case "accepted":
            return _told(offer), warning(100)
    raise ApiError(120)


def cancel(org: Organisation, parameters: Mapping[str, str]) -> Json:
    """``offers.cancel``: an accepted offer's loan goes back."""
    offer = _found(org, parameters)
    if offer.status != "accepted":
        raise ApiError(170)
    told = _moved(org, offer, "cancelled")
    cessions.give_back(org, offer.doc["loanId"], "Cancelled")
    return told


def lapse(org: Organisation) -> None:
    """Whatever nobody has answered for an hour is declined."""
    for offer in list(org.all("offers")):
        if offer.status != "open":
            continue
        until = datetime.fromisoformat(offer.hidden["lapses"])
        if until <= org.clock:
            org.change(offer, {"lapsed": True}, status="declined", updatedDatetime=shown(until))
