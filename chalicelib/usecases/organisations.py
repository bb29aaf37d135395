"""Whose account at the payments provider is whose: by partner, and by who signed a webhook.

On a stage the organisations stand in one secret (partner's id → tokens), which the operator writes.
In the sandbox each partner has one at the simulator, made when it is first needed and kept in the
table, which is encrypted at rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.domain.organisations import Organisation
from chalicelib.integrations.gocardless.signature import signed
from chalicelib.models.keys import ANYONE, ORGANISATION
from chalicelib.models.store_errors import Conflict
from chalicelib.models.unit import Unit

if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.models.store import Store

KEPT_SECONDS = 60.0
SOONEST_SECONDS = 1.0
"""A signature that nobody made does not have the list read again more often than this."""

Secrets = Callable[[], Mapping[str, Any]]


@dataclass(slots=True)
class _Kept:
    at: float
    organisations: dict[str, Organisation]


class Organisations:
    """Organisations as a container knows them; safe to share between threads.

    ``secrets`` reads the stage's secret, ``None`` where there is none.
    """

    def __init__(
        self, store: Store, secrets: Secrets | None, monotonic: Callable[[], float]
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._monotonic = monotonic
        self._kept: _Kept | None = None
        self._made: dict[str, Organisation] = {}  # a sandbox's never change
        self._lock = threading.Lock()

    def of(self, partner_id: str) -> Organisation | None:
        """The partner's organisation, if it has one."""
        if self._secrets is not None:
            return self._all(KEPT_SECONDS).get(partner_id)
        if partner_id not in self._made:
            found = self._store.get(ORGANISATION, partner_id, partner_id)
            if found is None:
                return None
            self._made[partner_id] = found.value
        return self._made[partner_id]

    def every(self) -> list[str]:
        """The ids of all partners that have one, as they are now."""
        return list(self._all(SOONEST_SECONDS))

    def signer(self, body: bytes, signature: str | None) -> Organisation | None:
        """Whose webhook this is: whoever's secret signed it; ``None`` for nobody's."""
        found = _signer(self._all(KEPT_SECONDS), body, signature)
        return found or _signer(self._all(SOONEST_SECONDS), body, signature)

    def add(self, organisation: Organisation, wall: datetime) -> Organisation:
        """Keep a sandbox partner's new organisation; the one that is there wins."""
        unit = Unit(wall)
        unit.create(ORGANISATION, organisation.id, organisation)
        try:
            self._store.commit(unit)
        except Conflict:
            there = self._store.get(ORGANISATION, organisation.id, organisation.id)
            assert there is not None
            kept: Organisation = there.value
            return kept
        with self._lock:
            self._kept = None
        return organisation

    def _all(self, oldest: float) -> dict[str, Organisation]:
        """Every organisation, as it was at most ``oldest`` seconds ago."""
        with self._lock:
            kept = self._kept
            if kept is None or self._monotonic() - kept.at >= oldest:
                kept = self._kept = _Kept(self._monotonic(), self._read())
            return kept.organisations

    def _read(self) -> dict[str, Organisation]:
        if self._secrets is None:
            stored = self._store.each(ORGANISATION, ANYONE, consistent=True)
            return {one.value.id: one.value for one in stored}
        known: dict[str, Organisation] = {}
        for partner_id, given in self._secrets().items():
            if isinstance(given, Mapping) and {"access_token", "webhook_secret"} <= set(given):
                known[partner_id] = Organisation(
                    partner_id,
                    str(given["access_token"]),
                    str(given["webhook_secret"]),
                    str(given.get("creditor", "")),
                    str(given.get("signing_key_id", "")),
                    str(given.get("signing_key", "")),
                )
        return known


def _signer(
    known: Mapping[str, Organisation], body: bytes, signature: str | None
) -> Organisation | None:
    found = None
    for organisation in known.values():  # all of them: the time taken tells nothing
        if signed(organisation.webhook_secret, body, signature):
            found = organisation
    return found
