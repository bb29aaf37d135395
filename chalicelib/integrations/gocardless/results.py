"""What GoCardless answers, as far as we act on it.  Amounts are pence there and pounds here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chalicelib.integrations.gocardless.events import Said, instant


class Incomplete(ValueError):
    """An answer lacks what it must have."""


@dataclass(frozen=True, slots=True)
class BillingRequest:
    """A set-up under way; ``mandate`` is there once the customer has done their part."""

    id: str
    status: str
    mandate: str | None = None
    customer: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the customer fills in the form, and until when."""

    id: str
    authorisation_url: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MandateSeen:
    """A mandate as the provider has it."""

    id: str
    status: str
    reference: str | None = None
    next_possible_charge_date: date | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """A payment as the provider has it."""

    id: str
    status: str
    amount: Decimal
    charge_date: date | None = None
    mandate: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, newest first; ``after`` leads to older ones."""

    events: tuple[Said, ...]
    after: str | None = None


def billing_request(data: Mapping[str, Any]) -> BillingRequest:
    """A billing request's attributes."""
    links, asked = _links(data), data.get("mandate_request")
    inner = _links(asked) if isinstance(asked, Mapping) else {}
    return BillingRequest(
        id=_must(data, "id"),
        status=_must(data, "status"),
        mandate=_optional(links.get("mandate_request_mandate") or inner.get("mandate")),
        customer=_optional(links.get("customer")),
        metadata=_texts(data.get("metadata")),
    )


def flow(data: Mapping[str, Any]) -> Flow:
    """A billing request flow's attributes."""
    return Flow(
        _must(data, "id"), _must(data, "authorisation_url"), instant(data.get("expires_at"))
    )


def mandate(data: Mapping[str, Any]) -> MandateSeen:
    """A mandate's attributes."""
    return MandateSeen(
        id=_must(data, "id"),
        status=_must(data, "status"),
        reference=_optional(data.get("reference")),
        next_possible_charge_date=day(data.get("next_possible_charge_date")),
        metadata=_texts(data.get("metadata")),
        replaced_by=_optional(_links(data).get("new_mandate")),
    )


def payment(data: Mapping[str, Any]) -> PaymentSeen:
    """A payment's attributes."""
    pence = data.get("amount")
    if isinstance(pence, bool) or not isinstance(pence, int | str):
        raise Incomplete("amount")
    return PaymentSeen(
        id=_must(data, "id"),
        status=_must(data, "status"),
        amount=Decimal(int(pence)).scaleb(-2),
        charge_date=day(data.get("charge_date")),
        mandate=_optional(_links(data).get("mandate")),
        metadata=_texts(data.get("metadata")),
    )


def day(value: Any) -> date | None:
    """A date, ``None`` for anything else."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _links(data: Mapping[str, Any]) -> Mapping[str, Any]:
    links = data.get("links")
    return links if isinstance(links, Mapping) else {}


def _must(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise Incomplete(name)
    return value


def _optional(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {str(name): str(one) for name, one in value.items()}
