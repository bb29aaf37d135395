"""What a provider reports: kept first, acted on by a worker, each event once.

A webhook is kept as it came and answered; its message goes to the queue in the same transaction.
The worker takes the events one by one: what an event does and that it has been done are one commit,
under an id that follows from the provider's event id, so that an event that comes again (in the
same webhook, in another, or found by looking at the provider's list) changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from chalicelib.domain.alarms import IGNORED, WAITING, Inbound, Polled, ProviderEvent
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.integrations.gocardless.events import Said, Unreadable, parse
from chalicelib.models.keys import INBOUND, POLLED, PROVIDER_EVENT, PROVIDER_EVENTS
from chalicelib.models.store_errors import Conflict, UniqueTaken
from chalicelib.usecases import disbursements, mandate_events, payment_events
from chalicelib.usecases.alarms import raise_alarm

if TYPE_CHECKING:
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context

GOCARDLESS = "gocardless"
EVENTS_A_MESSAGE = 25
KEPT_SECONDS = 30 * 86_400
OVERLAP = timedelta(hours=24)
"""How far back the provider's list is read again: events may appear in it late."""

LONGEST_WAIT = timedelta(days=7)
"""What an event waits for comes within minutes, or by the next look at the provider's list."""

PAGE = 500  # the most that the provider gives at once
MOST_PAGES = 200
"""The banks' answers to a day's collections come at once: four events a payment."""

Act = Callable[["Context", "Unit", ProviderEvent, "GoCardless"], str]
"""Adds to the unit what the event does; its outcome.  May look at the provider, never change it.

What has to be there first it may commit by itself, as long as doing so again changes nothing.
"""


def _ignore(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """Recorded, and nothing else."""
    return IGNORED


ACTIONS: Mapping[tuple[str, str], Act] = {
    ("billing_requests", "fulfilled"): mandate_events.fulfilled,
    ("billing_requests", "cancelled"): mandate_events.came_to_nothing,
    ("billing_requests", "failed"): mandate_events.came_to_nothing,
    ("billing_requests", "payer_geo_blocked"): mandate_events.came_to_nothing,
    ("mandates", "replaced"): mandate_events.replaced,
    ("mandates", "*"): mandate_events.moved,
    ("payments", "*"): payment_events.happened,
    ("outbound_payments", "*"): disbursements.happened,
}
"""``(resource type, action)`` → what is done; ``*`` is every other action of the type."""


# --- keeping --------------------------------------------------------------------------------------


def take_in(ctx: Context, body: bytes) -> None:
    """Keep a webhook's events and send them to the worker; the same webhook again is one.

    The signature has been checked.  Raises :class:`Invalid` for what is no list of events.
    """
    try:
        events = [_event(ctx, one) for one in parse(body)]
    except Unreadable as error:
        raise Invalid(Flaw("", "malformed", f"The body is {error}.")) from None
    digest = hashlib.sha256(body).hexdigest()
    kept = [
        Inbound(
            _id(f"webhook/{digest}/{start}"),
            GOCARDLESS,
            tuple(events[start : start + EVENTS_A_MESSAGE]),
        )
        for start in range(0, len(events), EVENTS_A_MESSAGE)
    ]
    if kept:
        ctx.store.attempt(lambda: _keep(ctx, kept))


def _keep(ctx: Context, kept: Sequence[Inbound]) -> None:
    """Keep a webhook's events, unless the same bytes were kept before."""
    unit = ctx.unit()
    for inbound in kept:
        unit.create(INBOUND, ctx.partner.id, inbound, ttl_seconds=KEPT_SECONDS)
        unit.send(_message(ctx, inbound.id))
    try:
        ctx.commit(unit, None)
    except Conflict:
        if ctx.store.get(INBOUND, ctx.partner.id, kept[0].id) is None:
            raise  # the table was busy: what nobody has kept must not be answered as if it were


def _event(ctx: Context, said: Said) -> ProviderEvent:
    return ProviderEvent(
        id=_id(f"event/{said.id}"),
        provider=GOCARDLESS,
        event_id=said.id,
        resource_type=said.resource_type,
        action=said.action,
        outcome=WAITING,
        received_at=ctx.now,
        happened_at=said.created_at,
        links=dict(said.links),
        details=dict(said.details),
    )


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{GOCARDLESS}/{name}"))


def _message(ctx: Context, inbound: str) -> Message:
    return Message(
        PROVIDER_EVENTS, {"do": "inbound", "partner": ctx.partner.id, "inbound": inbound}
    )


# --- acting ---------------------------------------------------------------------------------------


def act_on(ctx: Context, provider: GoCardless, inbound_id: str) -> None:
    """Act on every event of a kept webhook that has not been acted on.

    One that fails does not hold up the others; the first failure is raised at the end, so that the
    message comes again.
    """
    found: Stored[Inbound] | None = ctx.store.get(INBOUND, ctx.partner.id, inbound_id)
    if found is not None:
        _all(ctx, provider, found.value.events)


def act_on_waiting(ctx: Context, provider: GoCardless, resource: str | None = None) -> None:
    """Look again at the events that waited for something else to become known.

    ``resource`` is the provider's id that has become known, ``None`` for all that wait.
    """
    waiting = ctx.store.each(
        PROVIDER_EVENT, ctx.partner.id, "status", group={"waiting": WAITING}, newest_first=False
    )
    events = [one.value for one in waiting]
    _all(ctx, provider, [one for one in events if resource in (None, *one.links.values())])


def _all(ctx: Context, provider: GoCardless, events: Iterable[ProviderEvent]) -> None:
    failure: Exception | None = None
    for event in events:
        try:
            ctx.store.attempt(lambda event=event: _once(ctx, provider, event))  # type: ignore[misc]
        except Exception as error:
            ctx.report("a provider's event could not be acted on", error, event=event.event_id)
            failure = failure or error
    if failure is not None:
        raise failure


def _once(ctx: Context, provider: GoCardless, event: ProviderEvent) -> None:
    """Act on one event unless it has been acted on; what it does and its outcome are one commit."""
    there: Stored[ProviderEvent] | None = ctx.store.get(PROVIDER_EVENT, ctx.partner.id, event.id)
    if there is not None and there.value.outcome != WAITING:
        return
    unit = ctx.unit()
    act = ACTIONS.get((event.resource_type, event.action))
    act = act or ACTIONS.get((event.resource_type, "*"), _ignore)
    done = replace(event, outcome=act(ctx, unit, event, provider))
    if done.outcome == WAITING and ctx.now - event.received_at > LONGEST_WAIT:
        done = replace(done, outcome=IGNORED)
    if there is None:
        unit.create(PROVIDER_EVENT, ctx.partner.id, done)
    elif done.outcome != there.value.outcome:
        after = replace(there.value, outcome=done.outcome)
        unit.update(PROVIDER_EVENT, ctx.partner.id, there, after)
    if not unit.operations:
        return
    try:
        ctx.commit(unit, None)
    except UniqueTaken:
        raise Conflict() from None  # another worker has linked the same resource just now


# --- looking --------------------------------------------------------------------------------------


def poll(ctx: Context, provider: GoCardless) -> int:
    """Read the provider's own list for events that no webhook brought; how many there were.

    What still waits is looked at again along the way.
    """
    stored: Stored[Polled] | None = ctx.store.get(POLLED, ctx.partner.id, ctx.partner.id)
    before = stored.value.newest if stored else None
    newest, missed = before, list[ProviderEvent]()
    for page in _listed(ctx, provider, before):
        events = [_event(ctx, one) for one in page]
        known = ctx.store.get_many(PROVIDER_EVENT, ctx.partner.id, [one.id for one in events])
        missed += [one for one in events if one.id not in known]
        newest = max(filter(None, (newest, *(one.created_at for one in page))), default=None)
    missed.reverse()  # the oldest first
    _all(ctx, provider, missed)
    act_on_waiting(ctx, provider)
    if newest != before:
        unit = ctx.unit()
        after = Polled(ctx.partner.id, newest)
        if stored is None:
            unit.create(POLLED, ctx.partner.id, after)
        else:
            unit.update(POLLED, ctx.partner.id, stored, after)
        try:
            ctx.commit(unit, None)
        except Conflict:
            return len(missed)  # somebody else has looked just now
    return len(missed)


def _listed(
    ctx: Context, provider: GoCardless, before: datetime | None
) -> Iterator[Sequence[Said]]:
    """The provider's events since a day before ``before``, newest first, page by page."""
    since = None if before is None else before - OVERLAP
    place: str | None = None
    for _ in range(MOST_PAGES):
        page = provider.events(after=place, since=since, limit=PAGE)
        yield page.events
        place = page.after
        if place is None:
            return
    detail = (
        f"There are more than {MOST_PAGES * PAGE} events since {since}: older ones were not read."
    )
    raise_alarm(ctx, "provider_events_not_read", str(since), detail)
