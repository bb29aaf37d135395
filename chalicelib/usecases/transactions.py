"""Transactions: asked for once and only once, confirmed, read one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from chalicelib.domain import disbursing, journal, rebuild, redate, retelling
from chalicelib.domain import loans as domain
from chalicelib.domain.account import DefaultFee, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Flaw, Invalid, NotFound, Refused
from chalicelib.domain.ledger import ORIGIN_SCHEDULE, Transaction, entry_of
from chalicelib.domain.loans import Asked, Outcome
from chalicelib.domain.payments import applied_by_hand
from chalicelib.models.store_errors import AlreadyDone
from chalicelib.usecases import disbursements, journals, loans, payments, previews
from chalicelib.usecases.context import Idempotency, Replayed
from chalicelib.usecases.journals import Loan
from chalicelib.usecases.loans import Command, Retelling
from chalicelib.usecases.previews import Preview

if TYPE_CHECKING:
    from chalicelib.models.store import Unit
    from chalicelib.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction as a partner asks for it; ``provider`` is who pays the partner's loans out."""

    loan: str
    type: str
    amount: Decimal | None = None
    name: str = ""
    fee_type: str | None = None
    idempotency_key: str | None = None
    reference: str = ""
    effective_date: date | None = None
    collect: bool | None = None
    provider: str | None = None


def post(ctx: Context, request: Request) -> Transaction | Replayed[Transaction]:
    """Make the transaction, or find again the one that its key made."""
    key = ctx.idempotency
    assert key is not None, "the route requires a key"
    try:
        return _first(ctx, key) or _make(ctx, request, key)
    except AlreadyDone:  # the same key at the same time: the other one made it
        found = _first(ctx, key)
        if found is None:
            raise
        return found


def _first(ctx: Context, key: Idempotency) -> Replayed[Transaction] | None:
    """The transaction that this key made before, if it made one."""
    before = ctx.store.recall(ctx.partner.id, key.key_hash)
    if before is None:
        return None
    if before.fingerprint != key.fingerprint:
        raise Refused(
            "idempotency_key_reused", "This idempotency key was used for another request."
        )
    return Replayed(read(ctx, before.ref or ""))


def _make(ctx: Context, request: Request, key: Idempotency) -> Transaction:
    loan, command = _command(ctx, request)

    def remember(unit: Unit, outcome: Outcome) -> None:
        assert outcome.transaction is not None
        disbursements.send_out(ctx, unit, outcome.transaction)
        unit.remember(
            ctx.partner.id,
            key.key_hash,
            fingerprint=key.fingerprint,
            status=key.status,
            ref=outcome.transaction.id,
        )

    outcome = loans.carry_out(ctx, loan, command, remember, _asked_for)[1]
    return _asked_for(outcome)


def _command(ctx: Context, request: Request) -> tuple[Loan, Command | Retelling]:
    loan = loans.find(ctx, request.loan)
    if loan is None:
        raise Invalid(Flaw("loan", "unknown", "There is no such loan."))
    request = replace(request, provider=disbursements.provider_of(ctx.partner))
    return loan, COMMANDS[request.type](request, loan.terms.value, ctx.business_date)


def preview(ctx: Context, request: Request) -> Preview:
    """What a repayment would change; nothing is written."""
    if request.type != "repayment":
        message = "Only a repayment or a revert can be previewed."
        raise Invalid(Flaw("preview", "not_allowed", message))
    loan, command = _command(ctx, request)
    return previews.of(ctx, loan, command)


def _asked_for(outcome: Outcome, _: object = None) -> Transaction:
    assert outcome.transaction is not None
    return outcome.transaction


# --- what is asked for, by type -------------------------------------------------------------------


def _amount(request: Request) -> Decimal:
    if request.amount is None:
        raise Invalid(Flaw("amount", "required", "This field is required."))
    if request.amount <= 0:
        raise Invalid(Flaw("amount", "too_small", "Must be greater than 0."))
    return request.amount


def _only_for(request: Request, **absent: object) -> None:
    flaws = [
        Flaw(field, "not_allowed", f"Not for a {request.type}.")
        for field, value in absent.items()
        if value is not None
    ]
    if flaws:
        raise Invalid(*flaws)


def _asked(request: Request) -> Asked:
    return Asked(request.idempotency_key, request.reference, request.name, request.collect)


def _disbursement(request: Request, terms: Terms, today: date) -> Command:
    _only_for(
        request,
        fee_type=request.fee_type,
        effective_date=request.effective_date,
        collect=request.collect,
    )
    amount, asked = _amount(request), _asked(request)
    return lambda t, a, m: disbursing.disburse(t, a, m, amount, asked, request.provider)


def _repayment(request: Request, terms: Terms, today: date) -> Command | Retelling:
    _only_for(request, fee_type=request.fee_type)
    effective = _past(request.effective_date, today)
    amount, asked = _amount(request), _asked(request)
    if effective is None:
        return lambda t, a, m: domain.repay(t, a, m, amount, asked)
    if asked.collect is None:  # money of an earlier day is here already
        asked = replace(asked, collect=False)
    return Retelling(lambda loan, m: rebuild.repay_backdated(loan, m, amount, effective, asked))


def _past(effective: date | None, today: date) -> date | None:
    """An effective date that asks for the history to be told anew; :class:`Invalid` if ahead."""
    if effective is None or effective == today:
        return None
    if effective > today:
        raise Invalid(Flaw("effective_date", "out_of_range", f"{effective} is in the future."))
    return effective


def _fee(request: Request, terms: Terms, today: date) -> Command:
    _only_for(request, effective_date=request.effective_date, collect=request.collect)
    fee = _fee_of(request, terms)
    return lambda t, a, m: domain.charge_fee(t, a, m, fee, _asked(request))


def _fee_of(request: Request, terms: Terms) -> DefaultFee:
    """A default fee takes its figures from the product; any other brings them along."""
    if not request.name:
        raise Invalid(Flaw("name", "required", "A fee needs a name."))
    known = next((fee for fee in terms.default_fees if fee.name == request.name), None)
    if known is not None:
        given = {"amount": request.amount, "fee_type": request.fee_type}
        flaws = [
            Flaw(field, "not_allowed", f"The product says what {request.name!r} costs.")
            for field, value in given.items()
            if value is not None
        ]
        if flaws:
            raise Invalid(*flaws)
        return known
    if request.fee_type is None:
        message = "Required: the product has no fee of this name."
        raise Invalid(Flaw("fee_type", "required", message))
    return DefaultFee(request.name, request.fee_type, _amount(request), "manual")


COMMANDS: Mapping[str, Callable[[Request, Terms, date], Command | Retelling]] = {
    "disbursement": _disbursement,
    "repayment": _repayment,
    "fee": _fee,
}


# --- confirming and reading -----------------------------------------------------------------------


def apply(ctx: Context, transaction_id: str, effective_date: date | None) -> Transaction:
    """Confirm a pending disbursement or repayment by hand.

    A repayment's past ``effective_date`` makes its money count from that day on.
    """
    loan, waiting = _find(ctx, transaction_id)
    if waiting.type == "disbursement":
        return disbursements.apply_by_hand(ctx, loan, waiting, effective_date)
    command = _confirming(waiting, effective_date, ctx.business_date)

    def also(unit: Unit, _: Outcome) -> None:
        for message in applied_by_hand(ctx.partner.id, waiting):
            unit.send(message)

    outcome = loans.carry_out(ctx, loan, command, also, _asked_for)[1]
    return _asked_for(outcome)


def _confirming(
    waiting: Transaction, effective_date: date | None, today: date
) -> Command | Retelling:
    if waiting.type == "disbursement":
        return lambda t, a, m: disbursing.apply_disbursement(t, a, m, waiting, effective_date)
    effective = _past(effective_date, today)
    if waiting.origin == ORIGIN_SCHEDULE:
        return Retelling(lambda loan, m: rebuild.confirm_by_hand(loan, m, waiting, effective))
    if effective is None or effective == waiting.effective_date:
        return lambda t, a, m: domain.apply_repayment(t, a, m, waiting)
    return Retelling(lambda loan, m: redate.apply_backdated(loan, m, waiting, effective))


def retry(ctx: Context, transaction_id: str) -> Transaction:
    """A failed disbursement or repayment goes to its provider again: a new attempt at the same."""
    if read(ctx, transaction_id).type == "disbursement":
        return disbursements.retry(ctx, transaction_id)
    return payments.retry(ctx, transaction_id)


def revert(ctx: Context, transaction_id: str) -> Transaction:
    """Revert an applied transaction, or a night, and every later one of its loan."""
    loan, command = _reverting(ctx, transaction_id)
    outcome = loans.carry_out(ctx, loan, command, answer=_asked_for)[1]
    return _asked_for(outcome)


def preview_revert(ctx: Context, transaction_id: str) -> Preview:
    """What a revert would change; nothing is written."""
    return previews.of(ctx, *_reverting(ctx, transaction_id))


def _reverting(ctx: Context, transaction_id: str) -> tuple[Loan, Retelling]:
    loan, target = _find(ctx, transaction_id)

    def command(whole: retelling.Loan, moment: Moment) -> Outcome:
        outcome = rebuild.revert(whole, moment, target)
        if target.type != journal.NIGHT:
            return outcome
        night = replace(target, status="reverted", reverted_by=target.id, changed_at=moment.now)
        return replace(outcome, transaction=night)  # no batch holds it as an entry

    return loan, Retelling(command)


def fail(ctx: Context, transaction_id: str, cause: str) -> Transaction:
    """A pending repayment failed at its provider: everything since is told without it.

    For workers: told again, it changes nothing.  Raises ``invalid_status`` for what is neither
    pending nor failed, :class:`NotFound` for what is not there.
    """

    def once() -> Transaction:
        loan, item = _find(ctx, transaction_id)
        if item.status == "failed":
            return item
        if item.type != "repayment":
            raise Refused("invalid_status", f"A {item.type} does not fail this way.")
        command = Retelling(lambda whole, m: rebuild.fail_repayment(whole, m, item, cause))
        return _asked_for(loans.carry_out(ctx, loan, command, answer=_asked_for)[1])

    return ctx.store.attempt(once)


def read(ctx: Context, transaction_id: str) -> Transaction:
    """One transaction of the caller, a single night's interest included."""
    return _find(ctx, transaction_id)[1]


def _find(ctx: Context, transaction_id: str) -> tuple[Loan, Transaction]:
    entry = entry_of(transaction_id)
    loan = loans.of_transaction(ctx, transaction_id) if entry else None
    if loan is None or entry is None:
        raise NotFound("transaction")
    found = journal.named(_near(ctx, loan, entry.seq), transaction_id)
    if found is None:
        raise NotFound("transaction")
    return loan, found


def _near(ctx: Context, loan: Loan, seq: int | None) -> list[Transaction]:
    """Entry number ``seq`` among others: its batch and what no batch holds yet; or all nights."""
    terms, account, moment = loan.terms.value, loan.account.value, journals.moment_of(ctx)
    if seq is None:
        batches = [stored.value for stored in journals.read(ctx, loan)]
        return journal.transactions(terms, account, batches, moment)
    stored = journals.batch_with(ctx, loan.id, seq)
    batches = [stored.value] if stored else []
    journals.check(loan, batches)
    tail = journal.unwritten(terms, account, moment)
    return [item for batch in (*batches, tail) for item in batch.transactions]
