"""Direct debit mandates: an end user's leave to collect (partner API, Mandates).

The provider alone says what a mandate's status is, by events.  An event that fits moves the mandate
by the table below; one that does not (out of order, late, of a kind that says nothing of a status)
makes us look at the mandate itself, and what is seen there holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from chalicelib.domain.decision import Decision, Event, Message
from chalicelib.domain.errors import Refused
from chalicelib.domain.machine import Machine

REQUESTS_QUEUE, EVENTS_QUEUE = "gocardless", "provider_events"

ASKED, FAILED, CANCELLED, ACTIVE = "pending_customer_approval", "failed", "cancelled", "active"
STATUSES = (
    ASKED,
    "pending_submission",
    "submitted",
    ACTIVE,
    FAILED,
    CANCELLED,
    "expired",
    "consumed",
    "blocked",
    "suspended_by_payer",
)
"""GoCardless's names."""

_LIVING = (ASKED, "pending_submission", "submitted", ACTIVE, "suspended_by_payer")


def _from(states: tuple[str, ...], to: str) -> dict[str, str]:
    return {state: to for state in states if state != to}


MANDATE = Machine(
    noun="mandate",
    states=STATUSES,
    initial=ASKED,
    moves={
        "created": {ASKED: "pending_submission"},
        "customer_approval_granted": {ASKED: "pending_submission"},
        "customer_approval_skipped": {ASKED: "pending_submission"},
        "submitted": {"pending_submission": "submitted"},
        "active": {"pending_submission": ACTIVE, "submitted": ACTIVE},
        "failed": _from(("pending_submission", "submitted", ACTIVE), FAILED),
        "cancelled": _from(_LIVING, CANCELLED),
        "expired": _from(_LIVING, "expired"),
        "consumed": _from((ACTIVE,), "consumed"),
        "blocked": _from(_LIVING, "blocked"),
        "suspended_by_payer": {ACTIVE: "suspended_by_payer"},
    },
)
"""The provider's events and what they do to the status; the names are GoCardless's actions."""

CLOSED = frozenset({FAILED, CANCELLED, "expired", "consumed", "blocked"})
GIVEN_UP: Mapping[str, str] = {
    "cancelled": CANCELLED,
    "failed": FAILED,
    "payer_geo_blocked": FAILED,
}
"""What ends a set-up before there is a mandate: the billing request's action, our status."""

DECEASED = frozenset({"ARUDD-2", "ADDACS-2"})
"""Reason codes that say that the payer has died."""


@dataclass(frozen=True, slots=True)
class Mandate:
    """A mandate; ``loans`` are the ids of the loans that it was set on.

    ``billing_request`` and ``form_url`` are the provider's, ``form_expires_at`` by its clock;
    ``told_at`` is the provider's instant of the newest event that has been looked at.
    """

    id: str
    end_user: str
    success_url: str
    failure_url: str
    authorisation_url: str = ""
    status: str = STATUSES[0]
    is_disabled: bool = False
    reference: str | None = None
    provider_mandate_id: str | None = None
    loans: tuple[str, ...] = ()
    billing_request: str | None = None
    form_url: str | None = field(default=None, repr=False)
    form_expires_at: datetime | None = None
    next_possible_charge_date: date | None = None
    failure: str | None = None
    told_at: datetime | None = None
    announced: bool = False

    @property
    def usable(self) -> bool:
        """Whether money can be collected by it."""
        return self.status == ACTIVE and not self.is_disabled


@dataclass(frozen=True, slots=True)
class Seen:
    """A mandate as the provider has it."""

    id: str
    status: str
    reference: str | None = None
    next_possible_charge_date: date | None = None


def not_configured() -> Refused:
    """Why nothing can be collected here."""
    return Refused(
        "collections_not_configured",
        "Collections are not configured on this stage: there is no provider that could hold a "
        "mandate. Repayments can be recorded by hand.",
    )


def asked(partner: str, mandate: Mandate) -> Decision[Mandate]:
    """A new mandate: the provider is asked for a form."""
    return Decision(mandate, messages=(_request(partner, mandate.id),))


def begun(mandate: Mandate, billing_request: str) -> Mandate:
    """The provider has begun the set-up."""
    return replace(mandate, billing_request=billing_request)


def form_known(mandate: Mandate, url: str, expires_at: datetime | None) -> Mandate:
    """The form is there."""
    return replace(mandate, form_url=url, form_expires_at=expires_at)


def form_again(partner: str, mandate: Mandate, now: datetime) -> Decision[Mandate] | None:
    """A new form in place of one that has expired; ``None`` if the one there is still good."""
    expires = mandate.form_expires_at
    if mandate.form_url is None or mandate.status != ASKED or expires is None or now < expires:
        return None
    after = replace(mandate, form_url=None, form_expires_at=None)
    return Decision(after, messages=(_request(partner, mandate.id),))


def _request(partner: str, mandate_id: str) -> Message:
    body = {"do": "request_mandate", "partner": partner, "mandate": mandate_id}
    return Message(REQUESTS_QUEUE, body)


def refused_by_provider(mandate: Mandate, reason: str) -> Mandate:
    """The provider will not make it: a mandate that failed before it began."""
    return replace(mandate, status=FAILED, failure=reason)


def happened(
    partner: str, mandate: Mandate, action: str, at: datetime | None
) -> Decision[Mandate] | None:
    """The mandate after an event; ``None`` if the event was not to be expected now.

    An event that is older than one that has been looked at is never expected.
    """
    if at is None or (mandate.told_at is not None and at < mandate.told_at):
        return None
    moves = MANDATE.moves.get(action)
    if moves is None or mandate.status not in moves or mandate.provider_mandate_id is None:
        return None
    return _became(partner, mandate, replace(mandate, status=moves[mandate.status], told_at=at))


def observed(
    partner: str, mandate: Mandate, seen: Seen, at: datetime | None = None
) -> Decision[Mandate]:
    """The mandate as it is at the provider, looked at because of an event that happened ``at``.

    A status that we do not know leaves ours as it is.
    """
    newest = max(filter(None, (mandate.told_at, at)), default=None)
    after = replace(
        mandate,
        status=seen.status if seen.status in STATUSES else mandate.status,
        provider_mandate_id=seen.id,
        reference=seen.reference or mandate.reference,
        next_possible_charge_date=seen.next_possible_charge_date
        or mandate.next_possible_charge_date,
        told_at=newest,
    )
    return _became(partner, mandate, after)


def given_up(mandate: Mandate, action: str, at: datetime | None) -> Mandate | None:
    """The set-up came to nothing; ``None`` if there is a mandate all the same."""
    if mandate.status != ASKED or mandate.provider_mandate_id is not None:
        return None
    return replace(mandate, status=GIVEN_UP[action], told_at=at or mandate.told_at)


def _became(partner: str, before: Mandate, after: Mandate) -> Decision[Mandate]:
    """Its loans hear of it when it becomes usable or stops being so; partners when it begins."""
    events: tuple[Event, ...] = ()
    if after.status == ACTIVE and not after.announced:
        after = replace(after, announced=True)
        events = (Event("mandate_created", {"mandate": after.id}),)
    return Decision(after, _loans_hear(partner, before, after), events)


def _loans_hear(partner: str, before: Mandate, after: Mandate) -> tuple[Message, ...]:
    if before.usable == after.usable:
        return ()
    body = {"do": "mandate_changed", "partner": partner, "mandate": after.id}
    return (Message(EVENTS_QUEUE, body),)


def switched(partner: str, mandate: Mandate, is_disabled: bool, in_use: int) -> Decision[Mandate]:
    """Disabled or enabled; ``in_use`` counts the open loans that it is set on.

    Raises ``invalid_status`` for one that open loans still use; the same again changes nothing.
    """
    if is_disabled and not mandate.is_disabled and in_use:
        raise Refused(
            "invalid_status",
            f"{in_use} open loan(s) are collected by this mandate: set another one on them first.",
            {"loans": in_use},
        )
    after = replace(mandate, is_disabled=is_disabled)
    return Decision(after, _loans_hear(partner, mandate, after))


def stopped(partner: str, mandate: Mandate) -> Decision[Mandate] | None:
    """Disabled because its end user has died; ``None`` if it has ended or is disabled already."""
    if mandate.is_disabled or mandate.status in CLOSED:
        return None
    return switched(partner, mandate, True, 0)


def refuse_unless_usable(mandate: Mandate, end_user: str) -> None:
    """Refuse a mandate that cannot collect from ``end_user``."""
    if mandate.end_user != end_user:
        message = "The mandate is another end user's."
    elif mandate.is_disabled:
        message = "The mandate is disabled."
    elif mandate.status != ACTIVE:
        message = f"The mandate is {mandate.status}; only an active one can be used."
    else:
        return
    raise Refused("mandate_not_usable", message, {"status": mandate.status})


def used_by(mandate: Mandate, loan: str) -> Mandate:
    """With ``loan`` among those that it is set on."""
    return replace(mandate, loans=(*(one for one in mandate.loans if one != loan), loan))


def left_by(mandate: Mandate, loan: str) -> Mandate:
    """Without ``loan``."""
    return replace(mandate, loans=tuple(one for one in mandate.loans if one != loan))
