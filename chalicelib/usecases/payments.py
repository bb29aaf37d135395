"""Collecting repayments: what a worker does with a message that something is to be collected.

The account has decided, and its commit has left a message; here the provider is asked, under the
message's id, and its answer is committed.  Wherever the worker dies, the message comes again and
goes on from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.domain import payments as domain
from chalicelib.domain import retelling
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Transaction, entry_of
from chalicelib.domain.loans import Outcome
from chalicelib.domain.mandates import Mandate
from chalicelib.domain.payments import Payment
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.models.keys import MANDATE, PAYMENT
from chalicelib.models.store_errors import Conflict, UniqueTaken
from chalicelib.usecases import journals, loans
from chalicelib.usecases.alarms import raise_alarm
from chalicelib.usecases.loans import Retelling

if TYPE_CHECKING:
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.integrations.gocardless.results import PaymentSeen
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.journals import Loan

PROVIDER_PAYMENT = "gocardless.payment"
"""The scope in which the provider's ids lead to our transactions."""

NO_MANDATE = "mandate_not_usable"
RETRY_REFUSED = "retry_failed"


class Found(NamedTuple):
    """A repayment and its loan, read together."""

    loan: Loan
    item: Transaction


def find(ctx: Context, transaction_id: str) -> Found | None:
    """A transaction of the caller's and its loan, at the cost of one journal batch."""
    entry = entry_of(transaction_id)
    loan = loans.of_transaction(ctx, transaction_id)
    if loan is None or entry is None or entry.seq is None:
        return None
    batch = journals.batch_with(ctx, loan.id, entry.seq)
    items = batch.value.transactions if batch else ()
    item = next((one for one in items if one.id == transaction_id), None)
    return Found(loan, item) if item else None


def payment_of(ctx: Context, transaction_id: str) -> Stored[Payment] | None:
    """What the provider makes of a repayment, if it has been asked."""
    found: Stored[Payment] | None = ctx.store.get(PAYMENT, ctx.partner.id, transaction_id)
    return found


# --- collecting -----------------------------------------------------------------------------------


def collect(
    ctx: Context, provider: GoCardless, message_id: str, transaction_id: str, attempt: int
) -> None:
    """Have the provider collect a pending repayment, once for each of its attempts.

    Raises :class:`ProviderTrouble` where the message has to come again.
    """
    found = find(ctx, transaction_id)
    if found is None or not _is_waiting(found.item, attempt):
        return
    stored = payment_of(ctx, transaction_id)
    if stored is None or stored.value.attempt < attempt:
        seen = _asked(ctx, provider, message_id, found, stored)
        if seen is None:
            return
        accepted(ctx, transaction_id, seen)
    review(ctx, provider, message_id, found.loan.id)


def _is_waiting(item: Transaction, attempt: int) -> bool:
    return item.status == "pending" and item.attempt == attempt


def _asked(
    ctx: Context,
    provider: GoCardless,
    message_id: str,
    found: Found,
    stored: Stored[Payment] | None,
) -> PaymentSeen | None:
    """The provider's payment; ``None`` where it will not make one: the repayment has failed."""
    item, payment = found.item, stored.value if stored else None
    mandate = _mandate(ctx, found.loan)
    if mandate is None or mandate.provider_mandate_id is None:
        _refused(ctx, item, NO_MANDATE)
        return None
    theirs = mandate.provider_mandate_id
    try:
        if payment is None or payment.status != domain.FAILED:
            return _create(ctx, provider, message_id, item, theirs)
        if provider.payment(payment.provider_id).mandate != theirs:
            return _create(ctx, provider, message_id, item, theirs)  # they have signed again since
        seen = _retry(ctx, provider, message_id, item, payment.provider_id, theirs)
    except ProviderTrouble as trouble:
        if trouble.remedy == "permanent":
            _refused(ctx, item, trouble.reason)
            return None
        if trouble.remedy != "retry":  # it waits among the dead letters until somebody mends it
            _alarm(ctx, item.id, trouble)
        raise
    if seen.status == domain.FAILED and seen.charge_date == payment.charge_date:
        _refused(ctx, item, RETRY_REFUSED)
        return None
    return seen


def _refused(ctx: Context, item: Transaction, cause: str) -> None:
    """The provider will not collect it: this attempt has failed."""

    def once() -> None:
        found = find(ctx, item.id)
        if found is not None and _is_waiting(found.item, item.attempt):
            unit = ctx.unit()
            end(ctx, unit, found, cause, anew=False)
            ctx.commit(unit, None)

    ctx.store.attempt(once)


def _mandate(ctx: Context, loan: Loan) -> Mandate | None:
    identity = loan.account.value.mandate
    stored = ctx.store.get(MANDATE, ctx.partner.id, identity) if identity else None
    return stored.value if stored else None


def _create(
    ctx: Context, provider: GoCardless, message_id: str, item: Transaction, mandate: str
) -> PaymentSeen:
    earliest = provider.mandate(mandate).next_possible_charge_date
    wanted = domain.charge_date(item, ctx.business_date, earliest)
    details = {"transaction": item.id, "loan": item.loan}

    def make(soon: bool) -> PaymentSeen:
        return provider.create_payment(
            message_id,
            mandate=mandate,
            amount=item.amount,
            metadata=details,
            charge_date=None if soon else wanted,
            reference=domain.reference(item),
        )

    try:
        return make(soon=False)
    except ProviderTrouble as trouble:
        if not _is_too_early(trouble):
            raise
    return make(soon=True)


def _retry(
    ctx: Context, provider: GoCardless, key: str, item: Transaction, payment: str, mandate: str
) -> PaymentSeen:
    earliest = provider.mandate(mandate).next_possible_charge_date
    wanted = domain.charge_date(item, ctx.business_date, earliest)
    try:
        return provider.retry_payment(key, payment, wanted)
    except ProviderTrouble as trouble:
        if not _is_too_early(trouble):
            raise
    return provider.retry_payment(key, payment)


def _is_too_early(trouble: ProviderTrouble) -> bool:
    """Whether the day has changed between our looking and our asking."""
    return trouble.remedy == "permanent" and trouble.fields == ("charge_date",)


def accepted(ctx: Context, transaction_id: str, seen: PaymentSeen) -> None:
    """Commit that the provider has taken a repayment on; what is known already stays."""

    def once() -> None:
        found, stored = find(ctx, transaction_id), payment_of(ctx, transaction_id)
        if found is None:
            return
        item, known = found.item, stored.value if stored else None
        is_known = known is not None and known.provider_id == seen.id
        if known is not None and known.attempt >= item.attempt:
            return
        payment = Payment(
            id=item.id,
            loan=item.loan,
            provider_id=seen.id,
            status=seen.status,
            amount=seen.amount,
            attempt=item.attempt,
            charge_date=seen.charge_date,
        )
        if known is not None and is_known:
            over = known.status in domain.ENDS.values()  # if not, events have gone ahead of us
            status = seen.status if over else known.status
            payment = replace(
                payment, status=status, told_at=known.told_at, failed_at=known.failed_at
            )

        def also(unit: Unit, _: Outcome) -> None:
            if stored is None:
                unit.create(PAYMENT, ctx.partner.id, payment)
            else:
                unit.update(PAYMENT, ctx.partner.id, stored, payment)
            if not is_known:
                unit.claim(ctx.partner.id, PROVIDER_PAYMENT, seen.id, item.id)

        try:
            loans.carry_out(
                ctx, found.loan, lambda t, a, m: domain.submitted(t, a, m, item, seen.id), also
            )
        except UniqueTaken:
            raise Conflict() from None  # the same message, delivered twice at once

    ctx.store.attempt(once)


def _alarm(ctx: Context, transaction_id: str, trouble: ProviderTrouble) -> None:
    detail = f"Repayment {transaction_id}: {trouble}"
    raise_alarm(ctx, "repayment_not_collected", transaction_id, detail)


# --- trying again ---------------------------------------------------------------------------------


def retry(ctx: Context, transaction_id: str) -> Transaction:
    """A failed repayment goes to its provider again, because the partner says so.

    Raises ``invalid_status``, ``loan_not_open``, ``mandate_not_usable``, ``exceeds_outstanding``.
    """
    found = find(ctx, transaction_id)
    if found is None:
        raise Refused("invalid_status", "Only a repayment that has failed can be tried again.")
    return _again(ctx, found, by_itself=False)


def retry_by_itself(ctx: Context, transaction_id: str, attempt: int) -> None:
    """The product's retry of a failed repayment; none where the loan does not take it."""

    def once() -> None:
        found = find(ctx, transaction_id)
        if found is None or found.item.status != "failed" or found.item.attempt != attempt:
            return
        try:
            _again(ctx, found, by_itself=True)
        except Refused as refused:
            if refused.code == "conflict":
                raise

    ctx.store.attempt(once)


def _again(ctx: Context, found: Found, *, by_itself: bool) -> Transaction:
    def decide(whole: retelling.Loan, moment: Moment) -> Outcome:
        return domain.again(whole, moment, found.item, by_itself=by_itself)

    def also(unit: Unit, outcome: Outcome) -> None:
        unit.send(domain.collect(ctx.partner.id, _asked_for(outcome)))

    outcome = loans.carry_out(ctx, found.loan, Retelling(decide), also, _asked_for)[1]
    return _asked_for(outcome)


def _asked_for(outcome: Outcome, _: object = None) -> Transaction:
    assert outcome.transaction is not None
    return outcome.transaction


# --- asking for less ------------------------------------------------------------------------------


def review(ctx: Context, provider: GoCardless, message_id: str, loan_id: str) -> None:
    """Cancel automatic repayments that are for more than is asked for by now, if that can be.

    Each is then made anew for what is left.  One that the provider has not taken on yet is looked
    at when it has.
    """
    for item in _too_much(ctx, loan_id):
        stored = payment_of(ctx, item.id)
        if stored is None or not _can_be_cancelled(stored.value, item):
            continue
        if not stored.value.cancelling:
            _mark_cancelling(ctx, item.id)
        try:
            seen = provider.cancel_payment(f"{message_id}.{item.seq}", stored.value.provider_id)
        except ProviderTrouble as trouble:
            if trouble.remedy == "permanent":
                continue  # there is nothing to cancel: its own events say what becomes of it
            if trouble.remedy != "retry":
                _alarm(ctx, item.id, trouble)
            raise
        _answered(ctx, item.id, seen)


def withdraw(ctx: Context, provider: GoCardless, message_id: str, transaction_id: str) -> None:
    """Cancel the payment of a repayment that was applied by hand, if that can still be."""
    found, stored = find(ctx, transaction_id), payment_of(ctx, transaction_id)
    if found is None or found.item.status == "pending" or stored is None:
        return
    if stored.value.status in domain.UNSENT:
        try:
            provider.cancel_payment(message_id, stored.value.provider_id)
        except ProviderTrouble as trouble:
            if trouble.remedy != "permanent":
                raise


def _too_much(ctx: Context, loan_id: str) -> list[Transaction]:
    def once() -> list[Transaction]:
        loan = loans.find(ctx, loan_id)
        if loan is None or not loan.account.value.pending_count:
            return []
        batches = tuple(stored.value for stored in journals.read(ctx, loan))
        whole = retelling.Loan(loan.terms.value, loan.account.value, batches)
        return domain.too_much(whole, journals.moment_of(ctx))

    return ctx.store.attempt(once)


def _can_be_cancelled(payment: Payment, item: Transaction) -> bool:
    return payment.attempt == item.attempt and payment.status in domain.UNSENT


def _mark_cancelling(ctx: Context, transaction_id: str) -> None:
    """Whatever tells of the cancellation, an answer or an event, is to know that it was ours."""

    def once() -> None:
        stored = payment_of(ctx, transaction_id)
        if stored is not None and not stored.value.cancelling:
            unit = ctx.unit()
            unit.update(PAYMENT, ctx.partner.id, stored, replace(stored.value, cancelling=True))
            ctx.commit(unit, None)

    ctx.store.attempt(once)


def _answered(ctx: Context, transaction_id: str, seen: PaymentSeen) -> None:
    """The provider has cancelled it, or says that it is too late."""

    def once() -> None:
        found, stored = find(ctx, transaction_id), payment_of(ctx, transaction_id)
        if found is None or stored is None or not stored.value.cancelling:
            return
        payment = domain.observed(stored.value, seen.status, seen.charge_date, None)
        payment = replace(payment, cancelling=False)
        unit = ctx.unit()
        unit.update(PAYMENT, ctx.partner.id, stored, payment)
        if payment.status == domain.CANCELLED and found.item.status == "pending":
            end(ctx, unit, found, domain.OUR_CANCELLATION, anew=True)
        ctx.commit(unit, None)

    ctx.store.attempt(once)


def end(ctx: Context, unit: Unit, found: Found, cause: str, *, anew: bool) -> Outcome:
    """Add to ``unit`` that a repayment has failed; ``anew``: what is left is collected instead."""

    def decide(whole: retelling.Loan, moment: Moment) -> Outcome:
        return domain.end(whole, moment, found.item, cause, anew)

    return loans.carry_into(ctx, unit, found.loan, Retelling(decide))
