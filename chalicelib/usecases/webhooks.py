"""Webhook endpoints with their secrets, and the log of what was sent."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain import deliveries, networks
from chalicelib.domain import webhooks as domain
from chalicelib.domain.deliveries import Webhook
from chalicelib.domain.errors import NotFound
from chalicelib.domain.webhooks import Endpoint, Secret, Secrets, Subscriptions
from chalicelib.models.keys import SUBSCRIPTIONS, WEBHOOK, WEBHOOK_ENDPOINT, WEBHOOK_SECRETS
from chalicelib.usecases import listings
from chalicelib.usecases.deliveries import lane_message

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context, Source


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a URL may lead: ``resolve`` asks for a host's addresses, ``loopback`` allows this
    machine itself (the sandbox).
    """

    resolve: Callable[[str], Sequence[str]]
    loopback: bool = False

    def check(self, url: str) -> None:
        """Refuse a URL that webhooks must not go to.  Raises :class:`Invalid`."""
        where = networks.target(url)
        networks.check(where, self.resolve(where.host), loopback=self.loopback)


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint that was just made; its secret is shown this once."""

    stored: Stored[Endpoint]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret that was just made, shown this once."""

    secret: str = field(repr=False)


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[Endpoint]]:
    """The partner's endpoints, newest first unless asked otherwise."""
    return listings.source(ctx, WEBHOOK_ENDPOINT, criteria)


def read(ctx: Context, endpoint_id: str) -> Stored[Endpoint]:
    """One endpoint, or :class:`NotFound`."""
    found: Stored[Endpoint] | None = ctx.store.get(WEBHOOK_ENDPOINT, ctx.partner.id, endpoint_id)
    if found is None:
        raise NotFound("webhook endpoint")
    return found


def create(ctx: Context, values: Mapping[str, Any], reach: Reach) -> NewEndpoint:
    """Register an endpoint and make its secret."""
    made = domain.create(ctx.new_id(), values).state
    reach.check(made.url)
    secret = _new_secret()
    unit = ctx.unit()
    stored = unit.create(WEBHOOK_ENDPOINT, ctx.partner.id, made)
    unit.create(WEBHOOK_SECRETS, ctx.partner.id, Secrets(made.id, (Secret(secret),)))
    _listen(ctx, unit, lambda known: domain.joined(known, made))
    return ctx.commit(unit, NewEndpoint(stored, secret))


def change(
    ctx: Context, endpoint_id: str, values: Mapping[str, Any], reach: Reach
) -> Stored[Endpoint]:
    """Change an endpoint; another URL is checked as a new one's is."""
    stored = read(ctx, endpoint_id)
    after = domain.change(stored.value, values).state
    if after.url != stored.value.url:
        reach.check(after.url)
    unit = ctx.unit()
    _listen(ctx, unit, lambda known: domain.subscribed(known, after))
    if after.is_disabled and not stored.value.is_disabled:
        unit.send(lane_message(ctx.partner.id, endpoint_id))  # what is pending fails
    return ctx.commit(unit, unit.update(WEBHOOK_ENDPOINT, ctx.partner.id, stored, after))


def remove(ctx: Context, endpoint_id: str) -> None:
    """Forget an endpoint and its secrets."""
    stored, kept = read(ctx, endpoint_id), _secrets(ctx, endpoint_id)
    unit = ctx.unit()
    unit.delete(WEBHOOK_ENDPOINT, ctx.partner.id, stored)
    unit.delete(WEBHOOK_SECRETS, ctx.partner.id, kept)
    _listen(ctx, unit, lambda known: domain.left(known, stored.value))
    unit.send(lane_message(ctx.partner.id, endpoint_id))
    ctx.commit(unit, None)


def _listen(ctx: Context, unit: Unit, decide: Callable[[Subscriptions], Subscriptions]) -> None:
    """Keep the item that says who listens in step with the endpoints."""
    own = ctx.partner.id
    stored: Stored[Subscriptions] | None = ctx.store.get(SUBSCRIPTIONS, own, own)
    before = stored.value if stored is not None else Subscriptions(own)
    after = decide(before)
    if stored is None:
        unit.create(SUBSCRIPTIONS, own, after)
    elif after != before:
        unit.update(SUBSCRIPTIONS, own, stored, after)


def rotate_secret(ctx: Context, endpoint_id: str, wall: datetime) -> NewSecret:
    """Make a new secret; the old one signs beside it for 24 hours of real time."""
    stored, kept = read(ctx, endpoint_id), _secrets(ctx, endpoint_id)
    secret = _new_secret()
    unit = ctx.unit()
    unit.guard(WEBHOOK_ENDPOINT, ctx.partner.id, stored)
    after = domain.rotated(kept.value, secret, wall)
    unit.update(WEBHOOK_SECRETS, ctx.partner.id, kept, after)
    return ctx.commit(unit, NewSecret(secret))


def sent(ctx: Context, criteria: Criteria) -> Source[Stored[Webhook]]:
    """What was sent, newest first unless asked otherwise."""
    return listings.source(ctx, WEBHOOK, criteria)


def sent_one(ctx: Context, webhook_id: str) -> Stored[Webhook]:
    """One row of the log, or :class:`NotFound`."""
    found: Stored[Webhook] | None = ctx.store.get(WEBHOOK, ctx.partner.id, webhook_id)
    if found is None:
        raise NotFound("webhook")
    return found


def retry(ctx: Context, webhook_id: str) -> Stored[Webhook]:
    """Send a webhook again, now and with a schedule of its own, whatever became of it."""
    stored = sent_one(ctx, webhook_id)
    endpoint_id = stored.value.webhook_endpoint
    endpoint = ctx.store.get(WEBHOOK_ENDPOINT, ctx.partner.id, endpoint_id)
    enabled = endpoint is not None and not endpoint.value.is_disabled
    after = deliveries.again(stored.value, enabled, ctx.wall())
    unit = ctx.unit()
    unit.send(lane_message(ctx.partner.id, endpoint_id, [webhook_id]))
    return ctx.commit(unit, unit.update(WEBHOOK, ctx.partner.id, stored, after))


def _secrets(ctx: Context, endpoint_id: str) -> Stored[Secrets]:
    found: Stored[Secrets] | None = ctx.store.get(WEBHOOK_SECRETS, ctx.partner.id, endpoint_id)
    if found is None:
        raise NotFound("webhook endpoint")
    return found


def _new_secret() -> str:
    return domain.secret_text(secrets.token_bytes(domain.SECRET_BYTES))
