"""The keeper of tokens: every call to Blackmoon goes through it.

One worker at a time renews a partner's tokens, under a lease in the table; the others use the old
pair while it is good and wait for the new one when it is not.  A new pair is stored before it is
used.  See ``docs/adr/0016-blackmoon.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from chalicelib.domain.blackmoon_tokens import (
    USUAL_LIFE,
    Access,
    Pair,
    freed,
    held,
    taken,
)
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.models.keys import BLACKMOON_ACCESS
from chalicelib.models.store_errors import StoreError
from chalicelib.models.unit import Unit
from chalicelib.usecases.alarms import raise_alarm

if TYPE_CHECKING:
    from chalicelib.integrations.blackmoon.results import NewTokens
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.blackmoon_vaults import Granted, Vault
    from chalicelib.usecases.context import Context

T = TypeVar("T")
REFRESH = "auth.refreshTokens"
ALARM = "blackmoon_tokens"

KEPT_SECONDS = 60.0
POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0
"""How long a pair may be on its way into the store after its lease ran out."""


@dataclass(frozen=True, slots=True)
class Leases:
    """How long things take, in seconds.

    ``life`` is longer than a refresh call and the storing of its answer; ``patience`` is how long
    the others wait for both.  ``pauses`` lie between tries to store a new pair.
    """

    life: float = 75.0
    patience: float = 90.0
    pauses: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Keeper:
    """The tokens of all partners as a container knows them; safe to share between threads.

    ``refresh(granted)`` asks for a new pair.  ``sleep`` and ``monotonic`` are in seconds.
    """

    def __init__(
        self,
        vault: Vault,
        refresh: Callable[[Granted], NewTokens],
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        leases: Leases | None = None,
    ) -> None:
        self._vault = vault
        self._refresh = refresh
        self._sleep = sleep
        self._monotonic = monotonic
        self._leases = leases or Leases()
        self._known: dict[str, tuple[float, Granted]] = {}
        self._unstored: dict[str, tuple[Pair, Pair]] = {}

    def knows(self, partner_id: str) -> bool:
        """Whether the partner has an organisation at Blackmoon."""
        return self._kept(partner_id) is not None

    def using(self, ctx: Context, work: Callable[[Granted], T]) -> T:
        """``work`` with tokens that are good; done again with newer ones where that may help.

        Raises :class:`LookupError` for a partner without tokens, :class:`BlackmoonTrouble` as
        ``work`` does, with the remedy ``person`` (and an alarm) where no tokens are good.
        """
        granted = self._current(ctx)
        left = {"refresh", "reread"}
        while True:
            try:
                return work(granted)
            except BlackmoonTrouble as trouble:
                if trouble.remedy not in ("refresh", "reread"):
                    raise
                if trouble.remedy not in left:
                    raise self._no_way(ctx, trouble) from None
                left.discard(trouble.remedy)
                if trouble.remedy == "refresh":
                    granted = self._renewed(ctx, granted)
                else:
                    granted = self._reread(ctx, granted, trouble)

    # --- what is kept -----------------------------------------------------------------------------

    def _kept(self, partner_id: str) -> Granted | None:
        found = self._known.get(partner_id)
        if found is not None and self._monotonic() - found[0] < KEPT_SECONDS:
            return found[1]
        return self._looked_up(partner_id)

    def _looked_up(self, partner_id: str) -> Granted | None:
        """What is stored now, remembered for a minute."""
        granted = self._vault.read(partner_id)
        if granted is not None:
            self._known[partner_id] = (self._monotonic(), granted)
        return granted

    def _current(self, ctx: Context) -> Granted:
        """Good tokens, as far as is known; renewed if it is time and nobody else is at it."""
        granted = self._kept(ctx.partner.id)
        if granted is None:
            raise LookupError(f"partner {ctx.partner.id} has no organisation at Blackmoon")
        if ctx.partner.id in self._unstored:
            return self._renewed(ctx, granted)
        if not granted.pair.due(ctx.now):
            return granted
        granted = self._looked_up(ctx.partner.id) or granted
        if not granted.pair.due(ctx.now):
            return granted
        try:
            return self._under_lease(ctx, granted) or granted
        except (BlackmoonTrouble, StoreError) as error:  # two days are left to mend it
            ctx.report("tokens could not be renewed yet", error)
            return granted

    # --- newer ones -------------------------------------------------------------------------------

    def _renewed(self, ctx: Context, used: Granted) -> Granted:
        """Newer tokens than those ``used``, by whoever renews them."""
        until = self._monotonic() + self._leases.patience
        while True:
            there = self._newer(ctx, used) or self._under_lease(ctx, used)
            if there is not None:
                return there
            if self._monotonic() > until:
                raise BlackmoonTrouble(REFRESH, "retry", "others are renewing the tokens")
            self._sleep(POLL_SECONDS)

    def _reread(self, ctx: Context, used: Granted, trouble: BlackmoonTrouble) -> Granted:
        """Newer tokens that somebody has stored meanwhile, or is about to."""
        begun = self._monotonic()
        while True:
            access = self._access(ctx)
            there = self._newer(ctx, used)
            if there is not None:
                return there
            if self._monotonic() - begun >= self._worth_waiting(ctx, access):
                raise self._no_way(ctx, trouble)
            self._sleep(POLL_SECONDS)

    def _worth_waiting(self, ctx: Context, access: Stored[Access] | None) -> float:
        """Seconds: as long as somebody renews them, a little for one whose lease has run out."""
        if access is None or access.value.holder is None:
            return 0.0
        return self._leases.patience if held(access.value, ctx.wall()) else GRACE_SECONDS

    def _newer(self, ctx: Context, used: Granted) -> Granted | None:
        there = self._looked_up(ctx.partner.id)
        return there if there and there.pair.access_token != used.pair.access_token else None

    def _under_lease(self, ctx: Context, used: Granted) -> Granted | None:
        """Renew the tokens; ``None`` if another is at it.

        With the lease in hand the store is read again: another may have been quicker.
        """
        access = self._access(ctx)
        waiting = ctx.partner.id in self._unstored
        if access is not None and access.value.refused == used.pair.mark and not waiting:
            raise BlackmoonTrouble(REFRESH, "person", "the refresh token is not good any more")
        holder = ctx.new_id()
        if not self._take(ctx, holder):
            return None
        try:
            there = self._newer(ctx, used)
            if there is not None:
                return there
            return self._new_pair(ctx, self._looked_up(ctx.partner.id) or used)
        finally:
            self._give_back(ctx, holder)

    def _new_pair(self, ctx: Context, granted: Granted) -> Granted:
        partner_id, used = ctx.partner.id, granted.pair
        waiting = self._unstored.get(partner_id)
        if waiting is not None and waiting[0] == used:  # asked for before, and not written down yet
            return self._stored(ctx, granted, waiting[1])
        try:
            told = self._refresh(granted)
        except BlackmoonTrouble as trouble:
            if trouble.remedy not in ("person", "permanent"):
                raise
            return self._burnt(ctx, granted, trouble)
        ends = told.expires_at or ctx.now + USUAL_LIFE
        new = Pair(told.access_token, told.refresh_token, ends, ctx.now)
        return self._stored(ctx, granted, new)

    def _stored(self, ctx: Context, granted: Granted, new: Pair) -> Granted:
        """Write a new pair down, before anybody uses it; the pair that is kept then."""
        partner_id = ctx.partner.id
        self._unstored[partner_id] = (granted.pair, new)
        for pause in (*self._leases.pauses, None):
            try:
                pair = self._vault.replace(partner_id, granted.pair, new)
                break
            except Exception as error:
                if pause is None:
                    ctx.report("a new pair of tokens could not be stored", error)
                    raise BlackmoonTrouble(REFRESH, "retry", "not stored yet") from None
                self._sleep(pause)
        self._unstored.pop(partner_id, None)
        there = replace(granted, pair=pair)
        self._known[partner_id] = (self._monotonic(), there)
        return there

    def _burnt(self, ctx: Context, granted: Granted, trouble: BlackmoonTrouble) -> Granted:
        """The refresh token is no good: another has used it, and stores what came of it, or never.

        Then nobody but a person can help, and nobody tries that pair again.
        """
        until = self._monotonic() + GRACE_SECONDS
        while self._monotonic() <= until:
            there = self._newer(ctx, granted)
            if there is not None:
                return there
            self._sleep(POLL_SECONDS)
        self._change(ctx, lambda access: replace(access, refused=granted.pair.mark))
        raise self._no_way(ctx, trouble)

    def _no_way(self, ctx: Context, trouble: BlackmoonTrouble) -> BlackmoonTrouble:
        """Tell a person."""
        detail = f"Blackmoon takes none of the tokens that are kept: {trouble}"
        granted = self._known.get(ctx.partner.id)
        subject = granted[1].pair.mark if granted else ctx.partner.id
        raise_alarm(ctx, ALARM, subject, detail)
        return BlackmoonTrouble(trouble.method, "person", trouble.reason, code=trouble.code)

    # --- the lease --------------------------------------------------------------------------------

    def _access(self, ctx: Context) -> Stored[Access] | None:
        found: Stored[Access] | None = ctx.store.get(
            BLACKMOON_ACCESS, ctx.partner.id, ctx.partner.id
        )
        return found

    def _take(self, ctx: Context, holder: str) -> bool:
        """Whether the lease is ours now; of several at once it is one's."""
        stored = self._access(ctx)
        before = Access(ctx.partner.id) if stored is None else stored.value
        life = timedelta(seconds=self._leases.life)
        after = taken(before, holder, ctx.wall(), life)
        if after is None:
            return False
        unit = Unit(ctx.wall())
        if stored is None:
            unit.create(BLACKMOON_ACCESS, ctx.partner.id, after)
        else:
            unit.update(BLACKMOON_ACCESS, ctx.partner.id, stored, after)
        try:
            ctx.store.commit(unit)
        except StoreError:  # a lost race, or nobody knows: what is there says whose it is
            now = self._access(ctx)
            return now is not None and now.value.holder == holder
        return True

    def _give_back(self, ctx: Context, holder: str) -> None:
        """What cannot be given back runs out."""
        try:
            self._change(ctx, lambda access: freed(access, holder))
        except StoreError as error:
            ctx.report("a lease was not given back", error)

    def _change(self, ctx: Context, change: Callable[[Access], Access]) -> None:
        def once() -> None:
            stored = self._access(ctx)
            if stored is None:
                return
            after = change(stored.value)
            if after != stored.value:
                unit = Unit(ctx.wall())
                unit.update(BLACKMOON_ACCESS, ctx.partner.id, stored, after)
                ctx.store.commit(unit)

        ctx.store.attempt(once)
