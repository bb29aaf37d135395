"""Webhook endpoints with their secrets, and the log of what was sent."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain import networks
from chalicelib.domain import webhooks as domain
from chalicelib.domain.errors import NotFound, Refused
from chalicelib.domain.webhooks import Endpoint, Secret, Secrets, Webhook
from chalicelib.models.keys import WEBHOOK, WEBHOOK_ENDPOINT, WEBHOOK_SECRETS
from chalicelib.usecases import listings

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.models.unit import Stored
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
    return ctx.commit(unit, unit.update(WEBHOOK_ENDPOINT, ctx.partner.id, stored, after))


def remove(ctx: Context, endpoint_id: str) -> None:
    """Forget an endpoint and its secrets."""
    stored, kept = read(ctx, endpoint_id), _secrets(ctx, endpoint_id)
    unit = ctx.unit()
    unit.delete(WEBHOOK_ENDPOINT, ctx.partner.id, stored)
    unit.delete(WEBHOOK_SECRETS, ctx.partner.id, kept)
    ctx.commit(unit, None)


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
    """Send a webhook again.  Nothing sends webhooks yet, so that there is none to send again."""
    found = sent_one(ctx, webhook_id)
    raise Refused("invalid_status", f"The webhook is {found.value.status}; it cannot be sent now.")


def _secrets(ctx: Context, endpoint_id: str) -> Stored[Secrets]:
    found: Stored[Secrets] | None = ctx.store.get(WEBHOOK_SECRETS, ctx.partner.id, endpoint_id)
    if found is None:
        raise NotFound("webhook endpoint")
    return found


def _new_secret() -> str:
    return domain.secret_text(secrets.token_bytes(domain.SECRET_BYTES))
