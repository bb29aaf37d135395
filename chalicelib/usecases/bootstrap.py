"""The first partner of a sandbox, made when the stage is set up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.partners import Partner
from chalicelib.models.keys import ANYONE, PARTNER
from chalicelib.models.unit import Unit
from chalicelib.usecases import partners
from chalicelib.usecases.keyring import key_hash

if TYPE_CHECKING:
    from chalicelib.models.store import Store

SCOPE, FIRST = "partner", "sandbox"


def first_partner(store: Store, key: str, new_id: Callable[[], str], wall: datetime) -> str:
    """The id of the first sandbox partner, made now if there is none; ``key`` is one of its keys.

    Doing it again changes nothing; with another key, that key is added.
    """
    holder = partners.identify(store, key_hash(key))
    if holder is not None:
        return holder.id
    unit = Unit(wall)
    known = store.claimed(ANYONE, SCOPE, FIRST)
    stored = store.get(PARTNER, known, known) if known is not None else None
    if known is not None and stored is not None:
        partners.add_another(unit, stored, key, new_id)
        store.commit(unit)
        return known
    partner = Partner(id=new_id(), name="Sandbox partner", sandbox=True)
    unit.claim(ANYONE, SCOPE, FIRST, partner.id)
    partners.add(unit, partner, key, new_id, wall)
    store.commit(unit)
    return partner.id
