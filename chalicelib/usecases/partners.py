"""Partners: who holds a key, what time it is there, new tenants, settings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain import partners as domain
from chalicelib.domain.errors import NotFound
from chalicelib.domain.partners import ApiKey, Clock, Partner
from chalicelib.models.keys import ANYONE, API_KEY, CLOCK_STATE, PARTNER, TERMS
from chalicelib.usecases import listings
from chalicelib.usecases.keyring import key_hash

if TYPE_CHECKING:
    from chalicelib.domain.criteria import Criteria
    from chalicelib.models.store import Store, Stored, Unit
    from chalicelib.usecases.context import Context, Source

KEY_BYTES = 32
PREFIX_LENGTH = 10

KEY_ID = "api_key.id"
"""The scope in which a key's id leads to its hash."""

OnUse = Callable[["Stored[ApiKey]"], None]


def identify(store: Store, hashed: str, on_use: OnUse | None = None) -> Partner | None:
    """The partner of a key's hash; None if the key is unknown or revoked.

    ``on_use`` is told of a key that was found good; what it does must not take time.
    """
    key = store.get(API_KEY, ANYONE, hashed)
    if key is None or key.value.revoked:
        return None
    found: Stored[Partner] | None = store.get(PARTNER, key.value.partner, key.value.partner)
    if found is None:
        return None
    if on_use is not None:
        on_use(key)
    return found.value


def note_use(store: Store, key: Stored[ApiKey], wall: datetime) -> Callable[[], None] | None:
    """The write that notes a key's use at ``wall``; None if one was noted within the last hour.

    It is one conditional write.  Whoever loses it to another has nothing left to note.
    """
    used = domain.used(key.value, wall)
    if used is None:
        return None

    def write() -> None:
        from chalicelib.models.store_errors import StoreError
        from chalicelib.models.unit import Unit

        unit = Unit(wall)
        unit.update(API_KEY, ANYONE, key, used, touch=False)
        try:
            store.commit(unit)
        except StoreError:
            return  # somebody else noted it or revoked the key, or it is noted the next time

    return write


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
    """Write a key of a partner into ``unit``; only its hash is kept.

    The partner counts its keys: write it in the same unit, with its first key or by
    :func:`add_another`.
    """
    made = ApiKey(new_id(), partner_id, key_hash(key), key[:PREFIX_LENGTH])
    unit.create(API_KEY, ANYONE, made)
    unit.claim(partner_id, KEY_ID, made.id, made.hash)
    return made


def add_another(unit: Unit, stored: Stored[Partner], key: str, new_id: Callable[[], str]) -> ApiKey:
    """Write a further key of a partner that has some into ``unit``."""
    more = domain.key_added(stored.value)
    unit.update(PARTNER, stored.value.id, stored, more, touch=False)
    return add_key(unit, stored.value.id, key, new_id)


# --- settings -------------------------------------------------------------------------------------


def own(ctx: Context) -> Stored[Partner]:
    """The caller itself."""
    found: Stored[Partner] | None = ctx.store.get(PARTNER, ctx.partner.id, ctx.partner.id)
    if found is None:
        raise NotFound("partner")
    return found


def change(ctx: Context, values: Mapping[str, Any]) -> Stored[Partner]:
    """Change the caller's own settings."""
    stored = own(ctx)
    has_loans = "currency" in values and bool(ctx.store.page(TERMS, stored.value.id, limit=1).items)
    decided = domain.changed(stored.value, values, has_loans)
    unit = ctx.unit()
    return ctx.commit(unit, unit.update(PARTNER, ctx.partner.id, stored, decided.state))


# --- keys -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, shown this once."""

    stored: Stored[ApiKey]
    key: str = field(repr=False)


def api_keys(ctx: Context, criteria: Criteria) -> Source[Stored[ApiKey]]:
    """The caller's valid keys, newest first unless asked otherwise."""
    return listings.source(ctx, API_KEY, criteria)


def make_key(ctx: Context, wall: datetime) -> NewKey:
    """Make a further key.  Keys live by the wall clock, in the sandbox too."""
    from chalicelib.models.unit import Stored, Unit

    key = new_key()
    unit = Unit(wall)
    made = add_another(unit, own(ctx), key, ctx.new_id)
    return ctx.commit(unit, NewKey(Stored(made, 1, wall, wall), key))


def revoke_key(ctx: Context, key_id: str, wall: datetime) -> None:
    """Revoke a key: wherever it is remembered, it works for another minute at most."""
    from chalicelib.models.unit import Unit

    hashed = ctx.store.claimed(ctx.partner.id, KEY_ID, key_id)
    stored = ctx.store.get(API_KEY, ANYONE, hashed) if hashed else None
    if stored is None:
        raise NotFound("API key")
    holder = own(ctx)
    unit = Unit(wall)
    fewer = domain.key_revoked(holder.value)
    unit.update(PARTNER, ctx.partner.id, holder, fewer, touch=False)
    unit.delete(API_KEY, ANYONE, stored)
    unit.release(ctx.partner.id, KEY_ID, key_id)
    ctx.commit(unit, None)


def clock_of(store: Store, partner_id: str) -> Clock:
    """A partner's clock as it stands."""
    found: Stored[Clock] | None = store.get(CLOCK_STATE, partner_id, partner_id)
    if found is None:
        raise LookupError(f"partner {partner_id} has no clock")
    return found.value
