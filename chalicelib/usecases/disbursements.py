"""Paying loans out by a provider: submitted by a worker, confirmed by what the provider reports.

The commit that makes a disbursement leaves a message; the worker pays under the message's id, so
that it pays once however often the message comes.  An event makes us look at the payment, and what
is seen there decides: events may come in any order, twice, late, or not at all for a while
(``docs/adr/0015-disbursements.md``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain import disbursing
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.alarms import APPLIED, IGNORED, WAITING, ProviderEvent
from chalicelib.domain.book import Moment
from chalicelib.domain.decision import Message
from chalicelib.domain.end_users import EndUser
from chalicelib.domain.errors import NotFound
from chalicelib.domain.ledger import Transaction, entry_of
from chalicelib.domain.loans import Outcome
from chalicelib.integrations.disbursements.interface import Disbursed, Payee
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.models.keys import END_USER, GOCARDLESS, PROVIDER_EVENTS
from chalicelib.models.store_errors import Conflict, UniqueTaken
from chalicelib.usecases import journals, loans
from chalicelib.usecases.alarms import raise_alarm
from chalicelib.usecases.loans import Command

if TYPE_CHECKING:
    from chalicelib.domain.partners import Partner
    from chalicelib.integrations.disbursements.interface import DisbursementProvider
    from chalicelib.integrations.gocardless.client import GoCardless
    from chalicelib.models.unit import Unit
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.journals import Loan

    ProviderOf = Callable[[str], DisbursementProvider]

MANUAL = "manual"
PROVIDER_DISBURSEMENT = "gocardless.outbound_payment"
"""The scope in which the provider's ids lead to our transactions."""

NO_BANK_DETAILS = "bank_details_missing"
NO_PROVIDER = "provider_not_configured"
EXECUTED = "executed"
FASTER_PAYMENTS = ZoneInfo("Europe/London")
MOVED = ("executing", "paid", "returned")
"""Too late to be stopped."""


def provider_of(partner: Partner) -> str | None:
    """Who pays the partner's loans out; ``None`` is the partner itself."""
    name = partner.disbursement_provider
    return None if name == MANUAL else name


class Found(NamedTuple):
    """A disbursement and its loan, read together."""

    loan: Loan
    item: Transaction


def find(ctx: Context, transaction_id: str) -> Found | None:
    """The caller's disbursement, at the cost of one journal batch."""
    entry = entry_of(transaction_id)
    loan = loans.of_transaction(ctx, transaction_id) if entry else None
    if loan is None or entry is None or entry.seq is None:
        return None
    batch = journals.batch_with(ctx, loan.id, entry.seq)
    items = batch.value.transactions if batch else ()
    item = next((one for one in items if one.id == transaction_id), None)
    return Found(loan, item) if item and item.type == "disbursement" else None


# --- what partners ask for ------------------------------------------------------------------------


def send_out(ctx: Context, unit: Unit, item: Transaction | None) -> None:
    """With the commit that makes a disbursement: have its provider asked, if it has one."""
    if item is None or item.type != "disbursement" or item.provider is None:
        return
    body = {"do": "disburse", "partner": ctx.partner.id, "transaction": item.id}
    unit.send(Message(GOCARDLESS, {**body, "attempt": item.attempt}))


def retry(ctx: Context, transaction_id: str) -> Transaction:
    """Send a failed disbursement again, by whoever pays the partner's loans out now.

    The same transaction, a new attempt: it waits, pending, for its provider or for ``apply``.
    Raises :class:`NotFound`, and ``invalid_status`` for what is no failed disbursement.
    """
    found = find(ctx, transaction_id)
    if found is None:
        raise NotFound("transaction")
    provider = provider_of(ctx.partner)

    def again(terms: Terms, account: Account, moment: Moment) -> Outcome:
        return disbursing.retry_disbursement(terms, account, moment, found.item, provider)

    return _carry_out(ctx, found.loan, again, lambda unit, item: send_out(ctx, unit, item))


def apply_by_hand(
    ctx: Context, loan: Loan, waiting: Transaction, effective_date: date | None
) -> Transaction:
    """It has been paid out otherwise: what its provider still has of it is stopped if it can be."""
    not_before = None
    if effective_date is not None:
        journal = journals.read(ctx, loan)
        items = (item for batch in journal for item in batch.value.transactions)
        not_before = disbursing.came_back(items)

    def confirm(terms: Terms, account: Account, moment: Moment) -> Outcome:
        done = disbursing.by_hand(waiting)
        return disbursing.apply_disbursement(
            terms, account, moment, done, effective_date, not_before
        )

    def stop(unit: Unit, _: Transaction) -> None:
        if waiting.provider is not None and waiting.provider_transaction_id is not None:
            unit.send(_stopping(ctx, waiting, waiting.provider_transaction_id))

    return _carry_out(ctx, loan, confirm, stop)


def _stopping(ctx: Context, item: Transaction, ref: str) -> Message:
    body = {"do": "stop_disbursement", "partner": ctx.partner.id, "transaction": item.id}
    return Message(GOCARDLESS, {**body, "provider": item.provider or "", "ref": ref})


def _carry_out(
    ctx: Context,
    loan: Loan,
    command: Command,
    also: Callable[[Unit, Transaction], None] | None = None,
) -> Transaction:
    def add(unit: Unit, outcome: Outcome) -> None:
        if also is not None:
            also(unit, _of(outcome))

    outcome = loans.carry_out(ctx, loan, command, add, lambda done, _: _of(done))[1]
    return _of(outcome)


def _of(outcome: Outcome) -> Transaction:
    assert outcome.transaction is not None
    return outcome.transaction


# --- what the worker does -------------------------------------------------------------------------


def submit(
    ctx: Context, providers: ProviderOf, message_id: str, transaction_id: str, attempt: int
) -> None:
    """Have one attempt at a disbursement paid; what is no longer wanted is left alone.

    ``providers(name)`` is the partner's account there, or :class:`LookupError`.  Raises
    :class:`ProviderTrouble` where the message has to come again.
    """
    found = find(ctx, transaction_id)
    if found is None or not _waits(found.item, attempt) or found.item.provider_transaction_id:
        return
    item = found.item
    payee = _payee(ctx, found.loan.account.value.end_user)
    if payee is None:
        _failed(ctx, transaction_id, attempt, NO_BANK_DETAILS)
        return
    try:
        provider = providers(item.provider or MANUAL)
    except LookupError as missing:
        _failed(ctx, transaction_id, attempt, NO_PROVIDER)
        raise_alarm(ctx, "disbursement_not_submitted", transaction_id, str(missing))
        return
    try:
        made = provider.submit(message_id, payee, item.amount, _reference(item))
    except ProviderTrouble as trouble:
        if trouble.remedy == "permanent":
            _failed(ctx, transaction_id, attempt, trouble.reason)
            return
        if trouble.remedy != "retry":  # it waits among the dead letters until somebody mends it
            told = f"Disbursement {transaction_id}: {trouble}"
            raise_alarm(ctx, "disbursement_not_submitted", transaction_id, told)
        raise
    ctx.store.attempt(lambda: _submitted(ctx, item, made.ref))


def _waits(item: Transaction, attempt: int) -> bool:
    return item.status == "pending" and item.provider is not None and item.attempt == attempt


def _payee(ctx: Context, end_user: str) -> Payee | None:
    """Whom to pay; ``None`` without a bank account."""
    stored = ctx.store.get(END_USER, ctx.partner.id, end_user)
    person: EndUser | None = stored.value if stored else None
    if person is None or not person.bank_account_number or not person.sort_code:
        return None
    name = f"{person.first_name} {person.last_name}".strip()
    company = bool(person.is_company and person.company_name)
    return Payee(
        person.company_name if company else name,
        person.bank_account_number,
        person.sort_code,
        company,
    )


def _reference(item: Transaction) -> str:
    """The partner's words, or what names the loan."""
    return item.reference or f"LOAN {item.loan[:8].upper()}"


def _submitted(ctx: Context, asked: Transaction, ref: str) -> None:
    """Commit whose payment it is; one that is no longer wanted is stopped."""
    if ctx.store.claimed(ctx.partner.id, PROVIDER_DISBURSEMENT, ref) is not None:
        return  # the same message, before
    found = find(ctx, asked.id)
    assert found is not None, "transactions are never deleted"
    unit = ctx.unit()
    unit.claim(ctx.partner.id, PROVIDER_DISBURSEMENT, ref, asked.id)
    if _waits(found.item, asked.attempt):
        item = found.item
        loans.carry_into(
            ctx, unit, found.loan, lambda t, a, m: disbursing.submitted(t, a, m, item, ref)
        )
    else:
        unit.send(_stopping(ctx, asked, ref))
    body = {"do": "waiting", "partner": ctx.partner.id, "resource": ref}
    unit.send(Message(PROVIDER_EVENTS, body))
    try:
        ctx.commit(unit, None)
    except UniqueTaken:
        raise Conflict() from None  # the same message, delivered twice at once


def _failed(ctx: Context, transaction_id: str, attempt: int, cause: str) -> None:
    """It will not be paid: the disbursement fails, and the partner hears of it."""

    def once() -> None:
        found = find(ctx, transaction_id)
        if found is None or not _waits(found.item, attempt):
            return
        loan, item = found
        _carry_out(ctx, loan, lambda t, a, m: disbursing.fail_disbursement(t, a, m, item, cause))

    ctx.store.attempt(once)


def stop(ctx: Context, providers: ProviderOf, provider: str, transaction_id: str, ref: str) -> None:
    """Stop a payment that is no longer wanted; where it is too late, a person is told."""
    told = f"Disbursement {transaction_id} was applied by hand; {ref} at {provider or 'nobody'}"
    try:
        seen = providers(provider).cancel(ref)
    except LookupError:
        raise_alarm(ctx, "disbursement_paid_twice", ref, f"{told} could not be stopped.")
        return
    except ProviderTrouble as trouble:
        if trouble.remedy == "retry":
            raise
        raise_alarm(ctx, "disbursement_paid_twice", ref, f"{told} could not be stopped: {trouble}")
        return
    if seen.state in MOVED:
        raise_alarm(ctx, "disbursement_paid_twice", ref, f"{told} is {seen.state} as well.")


# --- what the provider reports --------------------------------------------------------------------


def happened(ctx: Context, unit: Unit, event: ProviderEvent, provider: GoCardless) -> str:
    """Something happened to a payment: look at it, and take it as it is."""
    from chalicelib.integrations.disbursements.gocardless_outbound import GoCardlessOutbound

    ref = event.links.get("outbound_payment")
    if ref is None:
        return IGNORED
    ours = ctx.store.claimed(ctx.partner.id, PROVIDER_DISBURSEMENT, ref)
    found = find(ctx, ours) if ours else None
    if found is None:
        return WAITING  # its making is not committed yet, or it is not of our making
    if found.item.provider_transaction_id != ref:
        return IGNORED  # applied by hand, or another attempt has taken its place
    seen = GoCardlessOutbound.looking(provider).fetch(ref)
    if found.item.status == "pending" and seen.state == "paid" and event.action != EXECUTED:
        return IGNORED  # we look ahead of the event that says when it was paid
    return _take(ctx, unit, found, seen, event.happened_at)


def _take(ctx: Context, unit: Unit, found: Found, seen: Disbursed, at: datetime | None) -> str:
    """Do what a payment's state means for its disbursement; the event's outcome."""
    command = _meaning(ctx, found, seen, at)
    if command is None:
        return IGNORED
    loans.carry_into(ctx, unit, found.loan, command)
    return APPLIED


def _meaning(ctx: Context, found: Found, seen: Disbursed, at: datetime | None) -> Command | None:
    """What is to be told to the loan, if anything, of what happened ``at``."""
    item, cause = found.item, seen.cause
    over = seen.state in ("failed", "returned")
    if item.status == "pending" and seen.state == "paid":
        paid_on = _paid_on(ctx, found, at)
        return lambda t, a, m: disbursing.apply_disbursement(t, a, m, item, paid_on)
    if item.status == "pending" and over:
        return lambda t, a, m: disbursing.fail_disbursement(t, a, m, item, cause)
    if item.status == "applied" and over and not _is_back(ctx, found):
        told = f"Disbursement {item.id} came back after it was paid: {cause}"
        raise_alarm(ctx, "disbursement_returned", item.id, told)
        return lambda t, a, m: disbursing.return_disbursement(t, a, m, item, cause)
    return None


def _paid_on(ctx: Context, found: Found, at: datetime | None) -> date | None:
    """The day since which interest is owed, should we hear of it late; ``None`` is today.

    Faster Payments have London's date.  Only a first disbursement can be dated back.
    """
    if at is None or found.loan.account.value.disbursed_on is not None:
        return None
    earliest = ctx.partner.date_of(found.item.created_at)
    day = max(at.astimezone(FASTER_PAYMENTS).date(), earliest)
    return day if day < ctx.business_date else None


def _is_back(ctx: Context, found: Found) -> bool:
    """Whether its return has been taken in before."""
    journal = journals.read(ctx, found.loan)
    items = (item for batch in journal for item in batch.value.transactions)
    return found.item.id in disbursing.returns(items)
