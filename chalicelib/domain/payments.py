"""A repayment at the payments provider: what became of the payment, and what follows for the loan.

The provider alone says what a payment's status is, by events.  One that fits moves the payment by
the table below; after any other the payment is looked at, and what is seen there holds.  What that
means for the repayment is decided from where the repayment stands, so that events may come in any
order and twice (partner API, Collections).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from chalicelib.domain import chargebacks, collecting, daily, loans, rebuild, retelling
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.calendar import Calendar, calendar_for
from chalicelib.domain.decision import Event, Message
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import ORIGIN_SCHEDULE, Transaction
from chalicelib.domain.loans import Outcome
from chalicelib.domain.machine import Machine
from chalicelib.domain.money import ZERO, exact

REQUESTS_QUEUE, PROVIDER = "gocardless", collecting.PROVIDER

ASKED, WAITING, SUBMITTED = "pending_customer_approval", "pending_submission", "submitted"
CONFIRMED, PAID_OUT, CHARGED_BACK = "confirmed", "paid_out", "charged_back"
FAILED, CANCELLED, DENIED = "failed", "cancelled", "customer_approval_denied"

PAYMENT = Machine(
    noun="payment",
    states=(
        ASKED,
        WAITING,
        SUBMITTED,
        CONFIRMED,
        PAID_OUT,
        CHARGED_BACK,
        FAILED,
        CANCELLED,
        DENIED,
    ),
    initial=ASKED,
    moves={
        "customer_approval_granted": {ASKED: WAITING},
        "customer_approval_denied": {ASKED: DENIED},
        "submitted": {WAITING: SUBMITTED},
        "confirmed": {SUBMITTED: CONFIRMED},
        "paid_out": {CONFIRMED: PAID_OUT},
        "failed": {SUBMITTED: FAILED, CONFIRMED: FAILED, PAID_OUT: FAILED},
        "resubmission_requested": {FAILED: WAITING},
        "cancelled": {ASKED: CANCELLED, WAITING: CANCELLED},
        "charged_back": {CONFIRMED: CHARGED_BACK, PAID_OUT: CHARGED_BACK},
        "chargeback_cancelled": {CHARGED_BACK: CONFIRMED},
    },
)
"""The provider's events and what they do to the status; the names are GoCardless's."""

UNSENT = frozenset({ASKED, WAITING})
"""A payment that can still be cancelled."""

ARRIVED = frozenset({CONFIRMED, PAID_OUT, CHARGED_BACK})
ALIVE = frozenset({ASKED, WAITING, SUBMITTED, CONFIRMED, PAID_OUT})
ENDS = {"failed": FAILED, "cancelled": CANCELLED, "customer_approval_denied": DENIED}
"""The events after which a repayment has failed, and the payment's status by then."""

RETRIED_CAUSES = frozenset({"refer_to_payer", "insufficient_funds"})
RETRIED_CODES = frozenset({"ARUDD-6"})
"""What may pass: all else needs another mandate or a person."""

DAYS_BETWEEN_ATTEMPTS = 3
OUR_CANCELLATION = "payment_cancelled"
"""GoCardless's word for a payment that was cancelled by its API."""

REFERENCE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as we know it, under the id of the repayment that it collects.

    ``attempt`` is the repayment's attempt that the provider has taken on, ``told_at`` the
    provider's instant of the newest event that was looked at, ``failed_at`` that of the newest
    failure.  ``cancelling`` says that we have asked for its cancellation.
    """

    id: str
    loan: str
    provider_id: str
    status: str
    amount: Decimal
    attempt: int = 1
    charge_date: date | None = None
    told_at: datetime | None = None
    failed_at: datetime | None = None
    cancelling: bool = False


# --- what is asked of the provider ----------------------------------------------------------------


def follow_ups(partner: str, terms: Terms, before: Account, outcome: Outcome) -> list[Message]:
    """What a commit asks of the provider: new repayments are collected, smaller debts looked at."""
    made = outcome.made()
    found = [collect(partner, item) for item in made if _is_new(item)]
    if _may_owe_less(terms, before, outcome, made):
        body = {"do": "review", "partner": partner, "loan": terms.id}
        found.append(Message(REQUESTS_QUEUE, body))
    return found


def collect(partner: str, item: Transaction) -> Message:
    """The provider is asked for a repayment."""
    return _message("collect", partner, item)


def retry_later(partner: str, item: Transaction) -> Message:
    """A failed repayment may be tried once more: a worker sees to it."""
    return _message("retry", partner, item)


def applied_by_hand(partner: str, item: Transaction) -> list[Message]:
    """The money came another way: it is not to be collected as well."""
    return [_message("withdraw", partner, item)] if is_collected(item) else []


def _message(do: str, partner: str, item: Transaction) -> Message:
    body = {"do": do, "partner": partner, "transaction": item.id, "attempt": item.attempt}
    return Message(REQUESTS_QUEUE, body)


def is_collected(item: Transaction) -> bool:
    """Whether it is a repayment that the payments provider collects."""
    return item.type == "repayment" and item.provider == PROVIDER


def _is_new(item: Transaction) -> bool:
    unknown = item.provider_transaction_id is None and item.compensates is None
    return is_collected(item) and item.status == "pending" and unknown


def _is_automatic(item: Transaction) -> bool:
    return is_collected(item) and item.origin == ORIGIN_SCHEDULE


def _may_owe_less(
    terms: Terms, before: Account, outcome: Outcome, made: Sequence[Transaction]
) -> bool:
    """Whether a pending automatic repayment may be for more than is asked for by now."""
    if not (terms.automatic_collection and before.collected and outcome.account.pending.total):
        return False
    changes = [change for batch in outcome.batches for change in batch.changes]
    stopped = any(change.field == "interest_calculation" for change in changes)
    return stopped or bool(outcome.rewritten) or not all(_is_automatic(item) for item in made)


def bacs() -> Calendar:
    """Bacs days are the business days of England, whatever the loan's calendar."""
    return calendar_for(rebuild.BACS)


def charge_date(item: Transaction, today: date, earliest: date | None) -> date | None:
    """When a payment is to be charged; ``None`` is as soon as possible.

    A first attempt at an automatic repayment: the later of the due date and ``earliest``, the
    mandate's next possible charge date.  A further attempt: 3 working days from today.
    """
    if item.attempt > 1:
        day = today
        for _ in range(DAYS_BETWEEN_ATTEMPTS):
            day = bacs().on_or_after(day + timedelta(days=1))
        return max(day, earliest) if earliest else day
    if item.due is None:
        return None
    if earliest is None:
        return item.due if item.due > today else None
    return max(item.due, earliest)


def reference(item: Transaction) -> str:
    """What the payer's bank shows: 10 characters that name the loan."""
    return item.loan.replace("-", "")[:REFERENCE_LENGTH].upper()


@exact
def submitted(
    terms: Terms, account: Account, moment: Moment, item: Transaction, provider_id: str
) -> Outcome:
    """The provider has accepted a repayment; an automatic one is announced now."""
    book = daily.bring_up(terms, account, moment)
    done = replace(item, provider_transaction_id=provider_id)
    book.updates.append(done)
    if _is_automatic(item) and item.provider_transaction_id is None:
        book.tell("repayment_created", **loans.result_of(done))
    return loans.close_book(book, transaction=done)


# --- what the provider reports --------------------------------------------------------------------


def happened(payment: Payment, action: str, at: datetime | None) -> Payment | None:
    """The payment after an event; ``None`` if the event was not to be expected now.

    An event that is older than one that has been looked at is never expected.
    """
    if at is None or (payment.told_at is not None and at < payment.told_at):
        return None
    status = PAYMENT.moves[action].get(payment.status)
    return None if status is None else replace(payment, status=status, told_at=at)


def observed(payment: Payment, status: str, charged: date | None, at: datetime | None) -> Payment:
    """The payment as it is at the provider; a status that we do not know leaves ours as it is."""
    return replace(
        payment,
        status=status if status in PAYMENT.states else payment.status,
        charge_date=charged or payment.charge_date,
        told_at=max(filter(None, (payment.told_at, at)), default=None),
    )


Step = Literal["nothing", "revive", "arrive", "fail", "charge_back", "give_back"]


def step(item: Transaction, before: Payment, after: Payment, action: str, at: datetime) -> Step:
    """What is to be done on the loan next, because of an event ``action`` that happened ``at``.

    ``revive``: it had failed, and the provider collects it all the same.  One that was applied by
    hand has not come from the provider, and does not fail there.
    """
    if item.status == "failed" and after.status in ALIVE:
        return "revive"
    if item.status == "pending" and (after.status in ARRIVED or action == "charged_back"):
        return "arrive"
    if item.status not in ("pending", "applied"):
        return "nothing"
    if action in ENDS and after.status == ENDS[action]:
        known = before.failed_at is not None and at <= before.failed_at
        by_hand = item.status == "applied" and before.status not in ARRIVED
        return "nothing" if known or by_hand else "fail"
    if action == "charged_back":
        return "charge_back"
    return "give_back" if action == "chargeback_cancelled" else "nothing"


def arrive(loan: retelling.Loan, moment: Moment, item: Transaction, charged: date) -> Outcome:
    """The money has arrived."""
    if _is_automatic(item):
        return rebuild.confirm_collection(loan, moment, item, charged)
    return loans.apply_repayment(loan.terms, loan.account, moment, item)


def end(loan: retelling.Loan, moment: Moment, item: Transaction, cause: str, anew: bool) -> Outcome:
    """A repayment has failed; ``anew``: we had it cancelled to collect what is left instead."""
    account = loan.account
    if anew and _is_automatic(item) and item.row == account.collected:
        loan = replace(loan, account=replace(account, collected=account.collected - 1))
    return rebuild.fail_repayment(loan, moment, item, cause)


def money_of(
    items: Sequence[Transaction], original: Transaction
) -> tuple[Transaction, Transaction | None]:
    """What a repayment's money is now, and the chargeback that has taken it, if one has.

    A chargeback that was cancelled after a statement had closed was paid again by another
    repayment: the money is that one's then.
    """
    money = original
    while True:
        of = {"status": "applied", "compensates": money.id}
        taken = _first(items, type="chargeback", **of)
        if taken is None:
            return money, None
        again = _first(items, type="repayment", status="applied", compensates=taken.id)
        if again is None:
            return money, taken
        money = again


def _first(items: Sequence[Transaction], **wanted: str) -> Transaction | None:
    for item in items:
        if all(getattr(item, name) == value for name, value in wanted.items()):
            return item
    return None


def charge_back(loan: retelling.Loan, moment: Moment, item: Transaction, cause: str) -> Outcome:
    """The provider has taken the money back."""
    return chargebacks.charge_back(loan.terms, loan.account, moment, item, cause)


def give_back(loan: retelling.Loan, moment: Moment, chargeback: Transaction) -> Outcome:
    """The provider has given back what it had taken: the repayment counts again, and says so.

    Behind a closed statement another repayment takes its place, and speaks for itself.
    """
    outcome = rebuild.cancel_chargeback(loan, moment, chargeback)
    undone = outcome.transaction
    if undone is None or undone.id != chargeback.id:
        return outcome
    again = next(item for item in loan.transactions() if item.id == chargeback.compensates)
    named, after = {"loan": loan.terms.id}, outcome.account
    told = [*outcome.events, Event("repayment_result", {**named, **loans.result_of(again)})]
    is_closed_again = after.status == "closed" != loan.account.status
    if is_closed_again and all(one.name != "loan_closed" for one in told):
        why = {"close_reason": after.close_reason, "close_substatus": after.close_substatus}
        told.append(Event("loan_closed", {**named, **why}, follows=True))
    return replace(outcome, events=tuple(told))


# --- trying again, asking for less ----------------------------------------------------------------


def may_pass(cause: str, reason_code: str) -> bool:
    """Whether a failure is of a kind that is worth another attempt."""
    return cause in RETRIED_CAUSES or reason_code in RETRIED_CODES


def has_attempts_left(terms: Terms, item: Transaction) -> bool:
    """Whether the product has a failed repayment collected once more."""
    return item.attempt <= terms.collection_retries


@exact
def asked_for(terms: Terms, account: Account, moment: Moment) -> dict[int, Decimal]:
    """What each row (or statement) that may be collected today asks for, in whole pence."""
    book = daily.bring_up(terms, account, moment)
    return {claim.number: claim.amount for claim in collecting.claims(book)}


def too_much(loan: retelling.Loan, moment: Moment) -> list[Transaction]:
    """The pending automatic repayments that are for more than their rows ask for by now."""
    asked = asked_for(loan.terms, loan.account, moment)
    return [
        item
        for item in loan.transactions()
        if _is_automatic(item)
        and item.status == "pending"
        and item.amount > asked.get(item.row or 0, ZERO)
    ]


@exact
def again(loan: retelling.Loan, moment: Moment, failed: Transaction, *, by_itself: bool) -> Outcome:
    """A failed repayment goes to the provider again: the same transaction, another attempt.

    Raises ``invalid_status`` unless it has failed at the provider, ``loan_not_open``,
    ``mandate_not_usable``, ``exceeds_outstanding``; ``by_itself`` also where its row asks for less.
    """
    if not is_collected(failed) or failed.status != "failed":
        raise Refused(
            "invalid_status",
            f"Only what has failed at a provider can be tried again; this {failed.type} is "
            f"{failed.status}" + ("." if failed.provider else " and has no provider."),
        )
    account = daily.bring_up(loan.terms, loan.account, moment).account
    loans.refuse_unless_open(account)
    if not account.mandate_usable:
        raise Refused("mandate_not_usable", "The loan has no mandate that can be used now.")
    loans.refuse_excess(account, failed.amount)
    if by_itself and _is_automatic(failed):
        asked = asked_for(loan.terms, loan.account, moment).get(failed.row or 0, ZERO)
        if failed.amount > asked:
            raise Refused("exceeds_outstanding", f"Only {asked} is asked for by now.")
    return rebuild.retry(loan, moment, failed)
