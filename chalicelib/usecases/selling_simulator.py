"""The sandbox's Blackmoon: each partner's organisation there, its tokens, and its date."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.domain.blackmoon_tokens import Pair
from chalicelib.integrations.blackmoon.reading import instant
from chalicelib.models.keys import TERMS

if TYPE_CHECKING:
    from datetime import date

    from chalicelib.integrations.simulators import BlackmoonSimulator, SellerAccess
    from chalicelib.usecases.blackmoon_vaults import Granted, TableVault
    from chalicelib.usecases.context import Context


@dataclass(frozen=True, slots=True)
class BlackmoonAccess:
    """What a sandbox partner needs to play Blackmoon's customer."""

    url: str
    organization_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SellingSimulator:
    """Blackmoon's simulator; ``vault`` keeps the partners' tokens, as it keeps real ones."""

    vault: TableVault
    simulator: BlackmoonSimulator
    url: str

    def granted(self, ctx: Context) -> Granted:
        """The partner's organisation and tokens, made now if it has none."""
        return self.vault.read(ctx.partner.id) or self._kept(ctx)[1]

    def access(self, ctx: Context) -> BlackmoonAccess:
        """The tokens as they are there now; whoever renewed them, they are kept from now on."""
        made, _ = self._kept(ctx)
        return BlackmoonAccess(
            self.url, made.organization_id, made.access_token, made.refresh_token
        )

    def follows(self, partner_id: str) -> bool:
        """Whether there is an organisation whose date has to follow."""
        return self.vault.read(partner_id) is not None

    def move(self, ctx: Context, day: date, hour: int | None = None) -> None:
        """Bring the partner's organisation to ``day``, or to a full ``hour`` of it (London's time).

        While there is no loan a new day has the tokens begin their lives anew.
        """
        if hour is not None:
            self.simulator.move(ctx.partner.id, day, hour=hour)
            return
        fresh = not ctx.store.page(TERMS, ctx.partner.id, index="list", limit=1).items
        self.simulator.move(ctx.partner.id, day, renew=fresh)
        if fresh:
            self._kept(ctx)

    def _kept(self, ctx: Context) -> tuple[SellerAccess, Granted]:
        """What the simulator says, and what is kept after it was told so.

        What is kept is read first: a pair that somebody stores meanwhile is never overwritten.
        """
        partner_id = ctx.partner.id
        before = self.vault.read(partner_id)
        made = self.simulator.organisation(partner_id, ctx.business_date)
        pair = Pair(made.access_token, made.refresh_token, instant(made.expires))
        if before is None:
            return made, self.vault.add(partner_id, made.organization_id, pair)
        if before.organization_id != made.organization_id:  # the simulator has forgotten everything
            return made, self.vault.reset(partner_id, made.organization_id, pair)
        if before.pair != pair:
            self.vault.replace(partner_id, before.pair, pair)
        return made, self.vault.read(partner_id) or before
