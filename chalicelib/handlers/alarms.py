"""``/provider_event/`` and ``/alarm/``: what providers reported, and what needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, PageQuery
from chalicelib.handlers.values import Instant
from chalicelib.models.keys import ALARM, PROVIDER_EVENT
from chalicelib.usecases import views
from chalicelib.usecases.context import Context, Source

if TYPE_CHECKING:
    from chalicelib.domain.alarms import Alarm, ProviderEvent
    from chalicelib.models.unit import Stored

api = Resource("/alarm", tag="Providers")
events_api = Resource("/provider_event", tag="Providers")


class ProviderEventOut(Out):
    """One event that a provider reported, and what became of it."""

    id: str
    provider: str
    event_id: str
    resource_type: str
    action: str
    outcome: Literal["applied", "ignored", "waiting"]
    received_at: Instant
    created_at: Instant
    updated_at: Instant


class AlarmOut(Out):
    """Something that went wrong and does not mend itself."""

    id: str
    name: str
    raised_at: Instant
    detail: str
    created_at: Instant
    updated_at: Instant


@events_api.collection(answer=ProviderEventOut, summary="List what providers reported")
def events(ctx: Context, query: PageQuery) -> Source[Stored[ProviderEvent]]:
    """Newest first."""
    return views.listing(ctx, PROVIDER_EVENT, query.criteria)


@api.collection(answer=AlarmOut, summary="List alarms")
def alarms(ctx: Context, query: PageQuery) -> Source[Stored[Alarm]]:
    """Newest first."""
    return views.listing(ctx, ALARM, query.criteria)
