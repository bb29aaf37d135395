"""The sandbox's simulators: each partner's organisation, and its date, which follows the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from chalicelib.domain.offers import OFFERED
from chalicelib.domain.organisations import Organisation
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.models.keys import MANDATE, OFFER
from chalicelib.usecases import disbursements, offers, provider_events, selling_hours

if TYPE_CHECKING:
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.integrations.simulators import Access, GoCardlessSimulator
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.organisations import Organisations
    from chalicelib.usecases.selling_simulator import SellingSimulator

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.01
LONGEST_POLL_SECONDS = 0.05  # each look is four calls: what is waited for needs the time itself
LOOKS = 2

WEBHOOK_PATH = "/providers/gocardless/webhook/"


@dataclass(frozen=True, slots=True)
class GoCardlessAccess:
    """What a sandbox partner needs to play the provider."""

    url: str
    access_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    creditor: str = ""
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Simulators:
    """The simulators of one stage.  ``base`` is where they reach this API."""

    organisations: Organisations
    gocardless: GoCardlessSimulator
    url: str
    base: str

    def organisation(self, ctx: Context) -> Organisation:
        """The partner's organisation, made now if it has none."""
        known = self.organisations.of(ctx.partner.id)
        return known or self._kept(ctx, self._made(ctx))

    def access(self, ctx: Context) -> GoCardlessAccess:
        """The partner's tokens."""
        made = self._made(ctx)
        kept = self._kept(ctx, made)
        return GoCardlessAccess(
            self.url, kept.access_token, kept.webhook_secret, kept.creditor, made.scenarios
        )

    def follows(self, partner_id: str) -> bool:
        """Whether there is an organisation whose date has to follow."""
        return self.organisations.of(partner_id) is not None

    def move(self, partner_id: str, day: date) -> None:
        """Bring the partner's organisation to ``day``."""
        self.gocardless.move(partner_id, day)

    def drain(self, partner_id: str) -> None:
        """Have the simulators tell what they have to tell, now."""
        self.gocardless.drain(partner_id)

    def _made(self, ctx: Context) -> Access:
        where = self.base + WEBHOOK_PATH
        return self.gocardless.organisation(ctx.partner.id, where, ctx.business_date)

    def _kept(self, ctx: Context, made: Access) -> Organisation:
        organisation = Organisation(
            ctx.partner.id, made.access_token, made.webhook_secret, made.creditor
        )
        return self.organisations.add(organisation, ctx.wall())


@dataclass(frozen=True, slots=True)
class Outside:
    """What a sandbox partner's days depend on: see :class:`chalicelib.usecases.days.Outside`.

    ``provider(ctx)`` is the partner's view of the payments provider; ``quiet`` says whether nothing
    is on its way to it or from it.  ``selling`` is Blackmoon's simulator, if there is one.
    """

    simulators: Simulators
    provider: Callable[[Context], GoCardless]
    quiet: Callable[[], bool]
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    selling: SellingSimulator | None = None

    def follows(self, ctx: Context) -> bool:
        """Whether the partner has an organisation, or will have one shortly."""
        if not ctx.partner.sandbox:
            return False
        if self.simulators.follows(ctx.partner.id) or self._sells(ctx):
            return True
        if disbursements.provider_of(ctx.partner) is not None:
            return True
        kinds = (MANDATE, OFFER)
        return any(ctx.store.page(kind, ctx.partner.id, limit=1).items for kind in kinds)

    def arrive(self, ctx: Context, day: date) -> bool:
        """Bring the partner's organisation to ``day`` and have what happens there taken in."""
        until = self.monotonic() + PATIENCE_SECONDS
        if not self._sold(ctx, day, until):
            return False
        if not self.simulators.follows(ctx.partner.id):
            return self._rest(until)
        self.simulators.move(ctx.partner.id, day)
        return self._looked(ctx, until)

    def rest(self, ctx: Context, last: bool) -> bool:
        """Wait until nothing is on its way, then let the day's hours pass; on the ``last`` day also
        wait for all that there is to tell.

        On others the simulator tells it as it comes to the next day.
        """
        until = self.monotonic() + PATIENCE_SECONDS
        if not self._rest(until) or not self._hours(ctx, until):
            return False
        if not last or not self.simulators.follows(ctx.partner.id):
            return True
        self.simulators.drain(ctx.partner.id)
        return self._looked(ctx, until)

    def _sold(self, ctx: Context, day: date, until: float) -> bool:
        """Bring Blackmoon to ``day``.

        Offers that nobody has accepted by then we decline first, as we do before their hour is
        over.  False if that takes too long.
        """
        if self.selling is None or not self._sells(ctx):
            return True
        begins = ctx.partner.begins(day)
        if offers.tick(replace(ctx, now=max(ctx.now, begins)), (OFFERED,)) and not self._rest(
            until
        ):
            return False
        self.selling.move(ctx, day)
        selling_hours.begin(ctx, day)
        return True

    def _hours(self, ctx: Context, until: float) -> bool:
        """Let the hours of the business date pass in which there is anything to ask of Blackmoon.

        False if that takes too long: they go on from there.
        """
        if self.selling is None or not self._sells(ctx):
            return True
        while (hour := selling_hours.following(ctx)) is not None:
            if self.monotonic() > until:
                return False
            if hour:  # it stands at the day's beginning
                self.selling.move(ctx, ctx.business_date, hour)
            selling_hours.pass_hour(ctx, hour)
            if not self._rest(until):
                return False
        return True

    def _sells(self, ctx: Context) -> bool:
        return self.selling is not None and self.selling.follows(ctx.partner.id)

    def _looked(self, ctx: Context, until: float) -> bool:
        """Wait for what was told, and take in what no webhook brought."""
        if not self._rest(until):
            return False
        try:
            missed = provider_events.poll(ctx, self.provider(ctx))
        except ProviderTrouble as trouble:
            ctx.report("the provider's events could not be read", trouble)
            return True  # the next look finds what there is
        return not missed or self._rest(until)

    def _rest(self, until: float) -> bool:
        """Wait for two quiet looks, one after the other; false if ``until`` comes before."""
        quiet, pause = 0, POLL_SECONDS
        while quiet < LOOKS:
            if self.quiet():
                quiet += 1
                continue
            quiet = 0
            if self.monotonic() > until:
                return False
            self.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
        return True
