"""Transactions: asked for once and only once, confirmed, read one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from chalicelib.domain import disbursing, journal
from chalicelib.domain import loans as domain
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.errors import Flaw, Invalid, NotFound, Refused
from chalicelib.domain.ledger import Transaction, entry_of
from chalicelib.domain.loans import Asked, Outcome
from chalicelib.models.store_errors import AlreadyDone
from chalicelib.usecases import loans
from chalicelib.usecases.context import Idempotency, Replayed
from chalicelib.usecases.loans import Command, Loan

if TYPE_CHECKING:
    from chalicelib.models.store import Unit
    from chalicelib.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction as a partner asks for it."""

    loan: str
    type: str
    amount: Decimal | None = None
    name: str = ""
    fee_type: str | None = None
    idempotency_key: str | None = None
    reference: str = ""
    effective_date: date | None = None
    collect: bool | None = None


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
    loan = loans.find(ctx, request.loan)
    if loan is None:
        raise Invalid(Flaw("loan", "unknown", "There is no such loan."))
    command = COMMANDS[request.type](request, loan.terms.value, ctx.business_date)

    def remember(unit: Unit, outcome: Outcome) -> None:
        assert outcome.transaction is not None
        unit.remember(
            ctx.partner.id,
            key.key_hash,
            fingerprint=key.fingerprint,
            status=key.status,
            ref=outcome.transaction.id,
        )

    outcome = loans.carry_out(ctx, loan, command, remember, _asked_for)[1]
    return _asked_for(outcome)


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
    amount = _amount(request)
    return lambda t, a, m: disbursing.disburse(t, a, m, amount, _asked(request))


def _repayment(request: Request, terms: Terms, today: date) -> Command:
    _only_for(request, fee_type=request.fee_type)
    _check_effective_date(request.effective_date, today)
    amount = _amount(request)
    return lambda t, a, m: domain.repay(t, a, m, amount, _asked(request))


def _check_effective_date(effective: date | None, today: date) -> None:
    if effective is None or effective == today:
        return
    late = effective > today
    message = "is in the future" if late else "is past: backdated repayments are not taken yet"
    raise Invalid(Flaw("effective_date", "out_of_range", f"{effective} {message}."))


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


COMMANDS: Mapping[str, Callable[[Request, Terms, date], Command]] = {
    "disbursement": _disbursement,
    "repayment": _repayment,
    "fee": _fee,
}


# --- confirming and reading -----------------------------------------------------------------------


def apply(ctx: Context, transaction_id: str, effective_date: date | None) -> Transaction:
    """Confirm a pending disbursement or repayment by hand."""
    loan, waiting = _find(ctx, transaction_id)

    def command(terms: Terms, account: Account, moment: Moment) -> Outcome:
        if waiting.type == "disbursement":
            return disbursing.apply_disbursement(terms, account, moment, waiting, effective_date)
        _check_effective_date(effective_date, ctx.business_date)
        return domain.apply_repayment(terms, account, moment, waiting)

    outcome = loans.carry_out(ctx, loan, command, answer=_asked_for)[1]
    return _asked_for(outcome)


def read(ctx: Context, transaction_id: str) -> Transaction:
    """One transaction of the caller, a single night's interest included."""
    return _find(ctx, transaction_id)[1]


def _find(ctx: Context, transaction_id: str) -> tuple[Loan, Transaction]:
    entry = entry_of(transaction_id)
    loan = loans.of_transaction(ctx, transaction_id) if entry else None
    if loan is None or entry is None:
        raise NotFound("transaction")
    found = journal.named(_all_of(ctx, loan), transaction_id)
    if found is None:
        raise NotFound("transaction")
    return loan, found


def _all_of(ctx: Context, loan: Loan) -> list[Transaction]:
    batches = [stored.value for stored in loans.batches(ctx, loan)]
    return journal.transactions(loan.terms.value, loan.account.value, batches, loans.moment_of(ctx))
