"""Webhooks: who wants to hear of what, and with which secret it is signed.

Partner API, Webhooks.  The secrets stand apart from their endpoint, so that whatever shows or lists
endpoints never has them.  What is sent, when and in which order: :mod:`deliveries`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.decision import Decision
from chalicelib.domain.errors import Flaw, Invalid, Refused

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

MOST_ENDPOINTS = 50
"""Of one partner: each of them is a row of the log for every event."""


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
class Subscription:
    """What recording an event has to know of an endpoint."""

    endpoint: str
    events: tuple[str, ...] = (ALL,)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Who listens at a partner, in one small item; ``id`` is the partner's.

    ``all`` holds the enabled endpoints, ``endpoints`` counts the disabled ones too.
    """

    id: str
    endpoints: int = 0
    all: tuple[Subscription, ...] = ()

    def to(self, event: str) -> tuple[str, ...]:
        """The endpoints that want to hear of ``event``."""
        return tuple(one.endpoint for one in self.all if event in one.events or ALL in one.events)


def joined(known: Subscriptions, endpoint: Endpoint) -> Subscriptions:
    """With a new endpoint.  Raises ``invalid_status`` where there are too many."""
    if known.endpoints >= MOST_ENDPOINTS:
        raise Refused(
            "invalid_status",
            f"There are {known.endpoints} webhook endpoints; delete one before you add another.",
            {"endpoints": known.endpoints},
        )
    return subscribed(replace(known, endpoints=known.endpoints + 1), endpoint)


def subscribed(known: Subscriptions, endpoint: Endpoint) -> Subscriptions:
    """With an endpoint as it is now: a disabled one hears nothing."""
    others = tuple(one for one in known.all if one.endpoint != endpoint.id)
    own = () if endpoint.is_disabled else (Subscription(endpoint.id, endpoint.events),)
    return replace(known, all=others + own)


def left(known: Subscriptions, endpoint: Endpoint) -> Subscriptions:
    """Without an endpoint."""
    gone = subscribed(known, replace(endpoint, is_disabled=True))
    return replace(gone, endpoints=max(0, known.endpoints - 1))


def signatures(secrets: Iterable[str], webhook_id: str, at: int, body: bytes) -> str:
    """The header ``webhook-signature``: one ``v1`` signature a secret, newest first.

    ``at`` is the attempt's own time in Unix seconds (Standard Webhooks: HMAC-SHA256 of id, time and
    body, joined by dots, under the base64 that follows ``whsec_``).
    """
    signed = f"{webhook_id}.{at}.".encode() + body
    return " ".join(
        "v1," + base64.b64encode(hmac.digest(_key(one), signed, hashlib.sha256)).decode()
        for one in secrets
    )


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


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
