"""What GoCardless's events do to mandates.

An event that is expected moves the mandate by the table of :mod:`chalicelib.domain.mandates`; after
any other the mandate is looked at, at the provider, and taken as it is there.  So events may come
in any order, twice, a day late, or not at all for a while.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.domain import mandates as domain
from chalicelib.domain.alarms import APPLIED, IGNORED, WAITING, ProviderEvent
from chalicelib.domain.decision import Message
from chalicelib.domain.mandates import Mandate, Seen
from chalicelib.models.keys import END_USER, MANDATE, PROVIDER_EVENTS
from chalicelib.usecases import mandate_loans
from chalicelib.usecases.announcing import announce
from chalicelib.usecases.mandate_requests import BILLING_REQUEST, PROVIDER_MANDATE

if TYPE_CHECKING:
    from chalicelib.domain.decision import Decision
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.integrations.gocardless.results import MandateSeen
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context


def fulfilled(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """The form is filled in: from now on we know which of the provider's mandates is ours."""
    stored = _of_billing_request(ctx, event)
    if stored is None:
        return IGNORED
    made = provider.billing_request(event.links["billing_request"])
    if made.mandate is None:
        return WAITING
    return _look(ctx, unit, stored, provider.mandate(made.mandate), event)


def came_to_nothing(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """The set-up was cancelled or has failed."""
    stored = _of_billing_request(ctx, event)
    after = stored and domain.given_up(stored.value, event.action, event.happened_at)
    if stored is None or after is None:
        return IGNORED
    unit.update(MANDATE, ctx.partner.id, stored, after)
    return APPLIED


def replaced(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """Another mandate has taken the place of ours."""
    stored, successor = _of_mandate(ctx, event), event.links.get("new_mandate")
    if stored is None or successor is None:
        return WAITING if stored is None else IGNORED
    if stored.value.provider_mandate_id != event.links.get("mandate"):
        return IGNORED  # it is the successor's already
    return _look(ctx, unit, stored, provider.mandate(successor), event)


def moved(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """Something happened to a mandate."""
    stored = _of_mandate(ctx, event)
    named = event.links.get("mandate")
    if named is None:
        return IGNORED
    if stored is None:
        return _perhaps_ours(ctx, unit, event, provider, named)
    if stored.value.provider_mandate_id != named:
        return IGNORED  # one that ours has taken the place of
    decided = domain.happened(ctx.partner.id, stored.value, event.action, event.happened_at)
    if decided is None:
        return _look(ctx, unit, stored, provider.mandate(named), event)
    _write(ctx, unit, stored, decided, event)
    return APPLIED


def _perhaps_ours(
    ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless, named: str
) -> str:
    """An unknown mandate: ours if it says so; if not, it waits until a form turns out to be its."""
    seen = provider.mandate(named)
    stored: Stored[Mandate] | None = None
    if seen.metadata.get("mandate"):
        stored = mandate_loans.find(ctx, seen.metadata["mandate"])
    if stored is None:
        return WAITING
    return _look(ctx, unit, stored, seen, event)


def _look(
    ctx: Context, unit: Unit, stored: Stored[Mandate], seen: MandateSeen, event: ProviderEvent
) -> str:
    """Take the mandate as the provider has it."""
    there = Seen(seen.id, seen.status, seen.reference, seen.next_possible_charge_date)
    decided = domain.observed(ctx.partner.id, stored.value, there, event.happened_at)
    if stored.value.provider_mandate_id != seen.id:
        unit.claim(ctx.partner.id, PROVIDER_MANDATE, seen.id, stored.value.id)
        body = {"do": "waiting", "partner": ctx.partner.id, "resource": seen.id}
        unit.send(Message(PROVIDER_EVENTS, body))
    before = replace(stored.value, told_at=None)
    changed = replace(decided.state, told_at=None) != before
    _write(ctx, unit, stored, decided, event)
    return APPLIED if changed else IGNORED


def _write(
    ctx: Context,
    unit: Unit,
    stored: Stored[Mandate],
    decided: Decision[Mandate],
    event: ProviderEvent,
) -> None:
    has_died = event.details.get("reason_code") in domain.DECEASED
    stopped = domain.stopped(ctx.partner.id, decided.state) if has_died else None
    after = stopped.state if stopped else decided.state
    was = stored.value
    touch = (after.status, after.is_disabled) != (was.status, was.is_disabled)
    written = unit.update(MANDATE, ctx.partner.id, stored, after, touch=touch)
    announce(ctx, unit, decided.events, written)
    for message in (*decided.messages, *(stopped.messages if stopped else ())):
        unit.send(message)
    if has_died:
        stop_collecting(ctx, unit, after.end_user, written=after.id)


def stop_collecting(ctx: Context, unit: Unit, end_user: str, written: str | None = None) -> None:
    """The provider says that the end user has died: nothing is collected from them any more.

    ``written`` is the mandate that ``unit`` writes already.
    """
    person = ctx.store.get(END_USER, ctx.partner.id, end_user)
    if person is not None and not person.value.sensitive:
        unit.update(END_USER, ctx.partner.id, person, replace(person.value, sensitive=True))
    group = {"end_user": end_user}
    for stored in ctx.store.each(MANDATE, ctx.partner.id, "owner", group=group, consistent=True):
        decided = domain.stopped(ctx.partner.id, stored.value)
        if decided is None or stored.value.id == written:
            continue
        unit.update(MANDATE, ctx.partner.id, stored, decided.state)
        for message in decided.messages:
            unit.send(message)


def _of_billing_request(ctx: Context, event: ProviderEvent) -> Stored[Mandate] | None:
    return _owner(ctx, BILLING_REQUEST, event.links.get("billing_request"))


def _of_mandate(ctx: Context, event: ProviderEvent) -> Stored[Mandate] | None:
    return _owner(ctx, PROVIDER_MANDATE, event.links.get("mandate"))


def _owner(ctx: Context, scope: str, provider_id: str | None) -> Stored[Mandate] | None:
    """Our mandate that one of the provider's ids leads to."""
    ours = ctx.store.claimed(ctx.partner.id, scope, provider_id) if provider_id else None
    return mandate_loans.find(ctx, ours) if ours else None
