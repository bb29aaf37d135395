"""Partners: who holds a key, what time it is there, new tenants, settings."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain import partners as domain
from chalicelib.domain.partners import ApiKey, Clock, Partner
from chalicelib.models.keys import ANYONE, API_KEY, CLOCK_STATE, PARTNER
from chalicelib.usecases.keyring import key_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.models.store import Store, Stored, Unit
    from chalicelib.usecases.context import Context

KEY_BYTES = 32
PREFIX_LENGTH = 10


def identify(store: Store, hashed: str) -> Partner | None:
    """The partner of a key's hash; None if the key is unknown or revoked."""
    key = store.get(API_KEY, ANYONE, hashed)
    if key is None or key.value.revoked:
        return None
    found = store.get(PARTNER, key.value.partner, key.value.partner)
    return found.value if found else None


def moment(store: Store, partner: Partner, wall: datetime) -> tuple[datetime, date]:
    """The instant and the business date at ``partner``; a sandbox's clock is read each time."""
    clock = None
    if partner.sandbox:
        found = store.get(CLOCK_STATE, partner.id, partner.id)
        clock = found.value if found else None
    return domain.local_now(partner, clock, wall), domain.business_date(partner, clock, wall)


def new_key() -> str:
    """A random API key of 32 bytes."""
    return f"bk_{secrets.token_urlsafe(KEY_BYTES)}"


def add(
    unit: Unit, partner: Partner, key: str, new_id: Callable[[], str], wall: datetime
) -> ApiKey:
    """Write a partner with its clock and its first key into ``unit``."""
    unit.create(PARTNER, partner.id, domain.check(partner))
    unit.create(CLOCK_STATE, partner.id, domain.first_clock(partner, wall))
    return add_key(unit, partner.id, key, new_id)


def add_key(unit: Unit, partner_id: str, key: str, new_id: Callable[[], str]) -> ApiKey:
    """Write a further key of a partner into ``unit``; only its hash is kept."""
    made = ApiKey(new_id(), partner_id, key_hash(key), key[:PREFIX_LENGTH])
    unit.create(API_KEY, ANYONE, made)
    return made


def change(ctx: Context, values: Mapping[str, Any]) -> Partner:
    """Change the caller's own settings."""
    stored = ctx.store.get(PARTNER, ctx.partner.id, ctx.partner.id)
    assert stored is not None
    decided = domain.changed(stored.value, values)
    unit = ctx.unit()
    unit.update(PARTNER, ctx.partner.id, stored, decided.state)
    return ctx.commit(unit, decided.state)


def clock_of(store: Store, partner_id: str) -> Clock:
    """A partner's clock as it stands."""
    found: Stored[Clock] | None = store.get(CLOCK_STATE, partner_id, partner_id)
    if found is None:
        raise LookupError(f"partner {partner_id} has no clock")
    return found.value
