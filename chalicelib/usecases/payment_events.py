"""What GoCardless's events do to repayments, on closed loans too.

An event that is expected moves the payment by the table of :mod:`chalicelib.domain.payments`; after
any other the payment is looked at, at the provider.  What that means for the loan follows from
where its repayment stands.  So events may come in any order, twice, a day late, or not at all for a
while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from chalicelib.domain import mandates, rebuild, retelling
from chalicelib.domain import payments as domain
from chalicelib.domain.alarms import APPLIED, IGNORED, WAITING, ProviderEvent
from chalicelib.domain.book import Moment
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.loans import Outcome
from chalicelib.domain.payments import Payment
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.models.keys import PAYMENT as PAYMENT_KIND
from chalicelib.models.keys import PROVIDER_EVENTS
from chalicelib.usecases import loans, mandate_events, payments
from chalicelib.usecases.alarms import raise_alarm
from chalicelib.usecases.loans import Retelling
from chalicelib.usecases.payments import PROVIDER_PAYMENT, Found

if TYPE_CHECKING:
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context

MOST_STEPS = 4
CHARGEBACKS = ("charged_back", "chargeback_cancelled")


def happened(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """Something happened to a payment."""
    named = event.links.get("payment")
    if named is None:
        return IGNORED
    stored = _known(ctx, named) or _adopted(ctx, provider, named)
    if stored is None or stored.value.provider_id != named:
        return IGNORED  # not of our making, or one that another has taken the place of
    if event.action not in domain.PAYMENT.moves:
        return APPLIED if event.action == "created" else IGNORED
    before = stored.value
    after = domain.happened(before, event.action, event.happened_at)
    if after is None:
        seen = provider.payment(named)
        after = domain.observed(before, seen.status, seen.charge_date, event.happened_at)
    return _Act(ctx, unit, event, provider, stored).act(after)


def _known(ctx: Context, named: str) -> Stored[Payment] | None:
    ours = ctx.store.claimed(ctx.partner.id, PROVIDER_PAYMENT, named)
    return payments.payment_of(ctx, ours) if ours else None


def _adopted(ctx: Context, provider: GoCardless, named: str) -> Stored[Payment] | None:
    """A payment of ours whose making we have not heard of: its worker died, or is not done yet."""
    try:
        seen = provider.payment(named)
    except ProviderTrouble as trouble:
        if trouble.remedy == "permanent":
            return None  # no such payment
        raise
    ours = seen.metadata.get("transaction", "")
    found = payments.find(ctx, ours) if _is_uuid(ours) else None
    if found is None or not domain.is_collected(found.item):
        return None
    payments.accepted(ctx, ours, seen)
    return _known(ctx, named)


def _is_uuid(text: str) -> bool:
    from uuid import UUID

    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


class _Act:
    """One event being acted on; ``unit`` takes what it does."""

    def __init__(
        self,
        ctx: Context,
        unit: Unit,
        event: ProviderEvent,
        provider: GoCardless,
        stored: Stored[Payment],
    ) -> None:
        self.ctx, self.unit, self.event, self.provider = ctx, unit, event, provider
        self.stored = stored
        self.cause = event.details.get("cause") or event.action
        self.code = event.details.get("reason_code", "")

    def act(self, after: Payment) -> str:
        """Do what follows on the loan, and remember the payment as it is; the outcome."""
        before, outcome = self.stored.value, IGNORED
        found, step = self._next(after)
        for _ in range(MOST_STEPS):
            prepares = _PREPARES.get(step)
            if prepares is None or (step == "arrive" and self.event.action not in CHARGEBACKS):
                outcome = _STEPS[step](self, found, after)
                break
            if not prepares(self, found, after):
                break
            found, step = self._next(after)
        if self.event.action == "failed" and self.code in mandates.DECEASED:
            end_user = found.loan.account.value.end_user
            mandate_events.stop_collecting(self.ctx, self.unit, end_user)
        after = self._known_since(found, after)
        if after != before:
            self.unit.update(PAYMENT_KIND, self.ctx.partner.id, self.stored, after)
        moved = replace(after, told_at=None) != replace(before, told_at=None)
        return APPLIED if moved and outcome == IGNORED else outcome

    def _next(self, after: Payment) -> tuple[Found, domain.Step]:
        before = self.stored.value
        found = payments.find(self.ctx, before.id)
        if found is None:
            raise LookupError(f"payment {before.provider_id} has no repayment")
        at = self.event.happened_at or self.ctx.now
        return found, domain.step(found.item, before, after, self.event.action, at)

    def _known_since(self, found: Found, after: Payment) -> Payment:
        action = self.event.action
        if action == "failed":
            at = self.event.happened_at
            newest = max(filter(None, (after.failed_at, at)), default=None)
            after = replace(after, failed_at=newest)
        if after.status in domain.ENDS.values():
            after = replace(after, cancelling=False)
        takes_on = action in (*domain.ENDS, "resubmission_requested")
        takes_on = takes_on or after.status in domain.ARRIVED
        attempt = max(after.attempt, found.item.attempt) if takes_on else after.attempt
        return replace(after, attempt=attempt)

    # --- what is committed by itself, before the event is ---

    def revive(self, found: Found, after: Payment) -> bool:
        """The provider collects what had failed with us: it is pending once more."""

        def decide(whole: retelling.Loan, moment: Moment) -> Outcome:
            return rebuild.retry(whole, moment, found.item)

        try:
            loans.carry_out(self.ctx, found.loan, Retelling(decide))
        except Refused as refused:
            detail = f"Repayment {found.item.id} is collected although it failed: {refused}"
            raise_alarm(self.ctx, "repayment_collected_again", found.item.id, detail)
            return False
        return True

    def arrive_first(self, found: Found, after: Payment) -> bool:
        """What is charged back had arrived before."""
        loans.carry_out(self.ctx, found.loan, self._arriving(found, after))
        return True

    # --- what is committed with the event ---

    def nothing(self, found: Found, after: Payment) -> str:
        """The loan does not change."""
        return IGNORED

    def arrive(self, found: Found, after: Payment) -> str:
        """The money is there."""
        self._carry(found, self._arriving(found, after))
        return APPLIED

    def _arriving(self, found: Found, after: Payment) -> Retelling:
        charged = self._charged(after)
        return Retelling(lambda whole, m: domain.arrive(whole, m, found.item, charged))

    def _charged(self, after: Payment) -> date:
        """The day it was charged: the banks may have taken it later than was asked for."""
        seen = self.provider.payment(after.provider_id)
        return seen.charge_date or after.charge_date or self.ctx.business_date

    def fail(self, found: Found, after: Payment) -> str:
        """It failed; perhaps it is tried again, or made anew for less."""
        anew = self.event.action == "cancelled" and self.stored.value.cancelling
        outcome = payments.end(self.ctx, self.unit, found, self.cause, anew=anew)
        failed, item = outcome.transaction, found.item
        has_failed = failed is not None and (failed.id, failed.status) == (item.id, "failed")
        if has_failed and self.event.action == "failed" and self._is_tried_again(found):
            self.unit.send(domain.retry_later(self.ctx.partner.id, item))
        return APPLIED

    def _is_tried_again(self, found: Found) -> bool:
        passes = domain.may_pass(self.cause, self.code) and self.code not in mandates.DECEASED
        return passes and domain.has_attempts_left(found.loan.terms.value, found.item)

    def charge_back(self, found: Found, after: Payment) -> str:
        """The money was taken back: once, however often it is said."""
        items = self._items(found)
        money, taken = domain.money_of(items, found.item)
        if taken is not None:
            return IGNORED
        cause = self.cause
        self._carry(found, Retelling(lambda w, m: domain.charge_back(w, m, money, cause)))
        body = {"do": "waiting", "partner": self.ctx.partner.id, "resource": after.provider_id}
        self.unit.send(Message(PROVIDER_EVENTS, body))
        return APPLIED

    def give_back(self, found: Found, after: Payment) -> str:
        """The chargeback was withdrawn; one that has not come yet is waited for."""
        _, taken = domain.money_of(self._items(found), found.item)
        if taken is None:
            return WAITING
        chargeback = taken
        self._carry(found, Retelling(lambda w, m: domain.give_back(w, m, chargeback)))
        return APPLIED

    def _items(self, found: Found) -> list[Transaction]:
        batches = loans.batches(self.ctx, found.loan)
        return [item for stored in batches for item in stored.value.transactions]

    def _carry(self, found: Found, command: Retelling) -> None:
        loans.carry_into(self.ctx, self.unit, found.loan, command)


_PREPARES: Mapping[str, Callable[[_Act, Found, Payment], bool]] = {
    "revive": _Act.revive,
    "arrive": _Act.arrive_first,
}
_STEPS: Mapping[str, Callable[[_Act, Found, Payment], str]] = {
    "nothing": _Act.nothing,
    "revive": _Act.nothing,
    "arrive": _Act.arrive,
    "fail": _Act.fail,
    "charge_back": _Act.charge_back,
    "give_back": _Act.give_back,
}
