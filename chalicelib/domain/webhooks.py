"""Webhooks: who wants to hear of what, with which secret it is signed, and what was sent.

Partner API, Webhooks.  The secrets stand apart from their endpoint, so that whatever shows or lists
endpoints never has them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.decision import Decision
from chalicelib.domain.errors import Flaw, Invalid

EVENTS = (
    "application_processing_finished",
    "disbursement_result",
    "loan_closed",
    "loan_is_arrears",
    "loan_is_default",
    "loan_is_late",
    "mandate_created",
    "repayment_charged_back",
    "repayment_created",
    "repayment_due_day_soon",
    "repayment_result",
    "statement_ready",
)
ALL = "*"

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
MAX_VALID = 5
"""Secrets that sign at the same time, each with a signature in every delivery's header."""

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events go.  ``events`` are names of :data:`EVENTS`, or :data:`ALL` alone."""

    id: str
    url: str
    events: tuple[str, ...] = (ALL,)
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """``whsec_…``; ``until`` is the wall-clock instant from which it does not sign any more."""

    text: str = field(repr=False)
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """An endpoint's secrets, newest first; ``id`` is the endpoint's."""

    id: str
    all: tuple[Secret, ...]

    def valid(self, wall: datetime) -> tuple[str, ...]:
        """Those that sign at ``wall``, newest first."""
        return tuple(one.text for one in self.all if one.until is None or wall < one.until)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: a response's status, or what went wrong, and when the next attempt is."""

    attempted_at: datetime
    response_status: int | None = None
    error: str | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event for one endpoint; ``timestamp`` in Unix seconds, ``data`` as it is sent."""

    id: str
    event: str
    webhook_endpoint: str
    timestamp: int
    data: dict[str, Any] = field(default_factory=dict)
    deliveries: tuple[Delivery, ...] = ()
    status: str = PENDING


def secret_text(random: bytes) -> str:
    """A secret of the Standard Webhooks form, made of 32 random bytes."""
    if len(random) != SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} bytes")
    return SECRET_PREFIX + base64.b64encode(random).decode()


def create(endpoint_id: str, values: Mapping[str, Any]) -> Decision[Endpoint]:
    """A new endpoint; where its URL leads is checked by :mod:`chalicelib.domain.networks`."""
    return Decision(_checked(Endpoint(endpoint_id, **_tidy(values))))


def change(endpoint: Endpoint, values: Mapping[str, Any]) -> Decision[Endpoint]:
    """The endpoint with other values."""
    return Decision(_checked(replace(endpoint, **_tidy(values))))


def rotated(secrets: Secrets, new: str, wall: datetime) -> Secrets:
    """A new secret; those before it go on signing for 24 hours from when they were replaced."""
    ending = (
        replace(one, until=wall + OVERLAP) if one.until is None else one for one in secrets.all
    )
    still = tuple(one for one in ending if one.until is not None and wall < one.until)
    return replace(secrets, all=(Secret(new), *still[: MAX_VALID - 1]))


def _tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    tidy = dict(values)
    if "events" in tidy:
        tidy["events"] = tuple(dict.fromkeys(tidy["events"]))
    return tidy


def _checked(endpoint: Endpoint) -> Endpoint:
    flaws = list(_event_flaws(endpoint.events))
    if flaws:
        raise Invalid(*flaws)
    return endpoint


def _event_flaws(events: Sequence[str]) -> list[Flaw]:
    if not events:
        return [Flaw("events", "required", f'Name events, or give ["{ALL}"] for all of them.')]
    if ALL in events and len(events) > 1:
        return [Flaw("events", "not_alone", f'"{ALL}" stands alone.')]
    return [
        Flaw(
            f"events[{number}]",
            "unknown",
            f"There is no such event; there are {', '.join(EVENTS)}.",
        )
        for number, name in enumerate(events)
        if name not in EVENTS and name != ALL
    ]
