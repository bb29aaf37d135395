"""Asking the provider for a mandate's form: what a worker does with the message of a new mandate.

Every call has an idempotency key made of the message's id, and each answer is committed before the
next call: wherever the worker dies, the message comes again and goes on from there.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain import mandates as domain
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.mandates import Mandate
from chalicelib.integrations.gocardless.client import Customer
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.models.keys import END_USER, MANDATE
from chalicelib.models.store_errors import Conflict, UniqueTaken
from chalicelib.usecases.alarms import raise_alarm

if TYPE_CHECKING:
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.integrations.gocardless.results import Flow
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context

BILLING_REQUEST = "gocardless.billing_request"
PROVIDER_MANDATE = "gocardless.mandate"
"""Scopes in which the provider's ids lead to our mandates."""

MOST_FLOWS = 20
"""Forms asked for under one message: a lost answer costs one, and they cost nothing."""


def request(ctx: Context, provider: GoCardless, message_id: str, mandate_id: str) -> None:
    """Make billing request and form, as far as they are not there.

    Raises :class:`ProviderTrouble` where the message has to come again.
    """
    stored = _load(ctx, mandate_id)
    if stored is None or stored.value.form_url or stored.value.status != domain.ASKED:
        return
    try:
        if stored.value.billing_request is None:
            made = provider.create_billing_request(message_id, {"mandate": mandate_id})
            stored = _begun(ctx, mandate_id, made.id)
        flow = _flow(ctx, provider, message_id, stored.value)
    except ProviderTrouble as trouble:
        if trouble.remedy == "permanent":
            _refused(ctx, mandate_id, trouble)
            return
        if trouble.remedy != "retry":  # it waits among the dead letters until somebody mends it
            _alarm(ctx, mandate_id, trouble)
        raise
    _form_known(ctx, mandate_id, flow.authorisation_url, flow.expires_at)


def _flow(ctx: Context, provider: GoCardless, message_id: str, mandate: Mandate) -> Flow:
    """A form.  One whose answer was lost cannot be fetched: the next key makes another."""
    assert mandate.billing_request is not None
    person = ctx.store.get(END_USER, ctx.partner.id, mandate.end_user)
    who = customer(person.value) if person else Customer()
    for number in range(1, MOST_FLOWS):
        try:
            return provider.create_flow(
                f"{message_id}.{number}",
                mandate.billing_request,
                mandate.success_url,
                mandate.failure_url,
                who,
            )
        except ProviderTrouble as trouble:
            if trouble.remedy != "conflict":
                raise
    raise ProviderTrouble("POST /billing_request_flows", "person", "no free idempotency key")


def customer(person: EndUser) -> Customer:
    """What the form is filled in with; never bank details or a birth date."""
    return Customer(
        given_name=person.first_name,
        family_name=person.last_name,
        company_name=person.company_name if person.is_company else "",
        email=person.email,
        address_line1=person.address_line_1,
        address_line2=person.address_line_2,
        address_line3=person.address_line_3,
        city=person.city,
        postal_code=person.postal_code,
        country_code=person.country or "",
    )


def _load(ctx: Context, mandate_id: str) -> Stored[Mandate] | None:
    found: Stored[Mandate] | None = ctx.store.get(MANDATE, ctx.partner.id, mandate_id)
    return found


def _begun(ctx: Context, mandate_id: str, billing_request: str) -> Stored[Mandate]:
    """Commit that the provider has begun; what another worker committed before holds."""

    def once() -> Stored[Mandate]:
        stored = _load(ctx, mandate_id)
        assert stored is not None
        if stored.value.billing_request is not None:
            return stored
        unit = ctx.unit()
        after = domain.begun(stored.value, billing_request)
        written = unit.update(MANDATE, ctx.partner.id, stored, after, touch=False)
        unit.claim(ctx.partner.id, BILLING_REQUEST, billing_request, mandate_id)
        try:
            return ctx.commit(unit, written)
        except UniqueTaken:
            raise Conflict() from None  # the same message, delivered twice at once

    return ctx.store.attempt(once)


def _form_known(ctx: Context, mandate_id: str, url: str, expires_at: datetime | None) -> None:
    def once() -> None:
        stored = _load(ctx, mandate_id)
        if stored is None or stored.value.form_url:
            return
        unit = ctx.unit()
        after = domain.form_known(stored.value, url, expires_at)
        unit.update(MANDATE, ctx.partner.id, stored, after, touch=False)
        ctx.commit(unit, None)

    ctx.store.attempt(once)


def _refused(ctx: Context, mandate_id: str, trouble: ProviderTrouble) -> None:
    """It will not come to be: the mandate fails, and a person is told."""

    def once() -> None:
        stored = _load(ctx, mandate_id)
        if stored is None or stored.value.status != domain.ASKED:
            return
        unit = ctx.unit()
        after = domain.refused_by_provider(stored.value, trouble.reason)
        unit.update(MANDATE, ctx.partner.id, stored, after)
        ctx.commit(unit, None)

    ctx.store.attempt(once)
    _alarm(ctx, mandate_id, trouble)


def _alarm(ctx: Context, mandate_id: str, trouble: ProviderTrouble) -> None:
    raise_alarm(ctx, "mandate_not_requested", mandate_id, f"Mandate {mandate_id}: {trouble}")
