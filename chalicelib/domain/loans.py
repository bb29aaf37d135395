"""What a loan account does when it is told something: command by command.

Each function takes the terms and the account as they were loaded and the moment, brings the account
up to the business date, and returns an :class:`Outcome` or raises ``Refused``.  Rules: partner API,
"How a loan account behaves".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib.domain import billing, daily, status
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.apr import loan_apr
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.decision import Event
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.ledger import ORIGIN_PARTNER, TRANSACTION, Balances, Batch, Transaction
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.schedule import Basis, due_dates
from chalicelib.domain.status import LOAN

PAID_IN_FULL, WRITTEN_OFF = "paid_in_full", "written_off"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: all that one commit writes.

    ``terms`` is set where they changed (the disbursement adds the due dates), ``transaction`` is
    the one that was asked for, ``updates`` are older transactions as they are now.  ``rewritten``
    is the whole journal of a new revision, which takes the place of the old one.
    """

    account: Account
    batch: Batch | None
    updates: tuple[Transaction, ...] = ()
    events: tuple[Event, ...] = ()
    terms: Terms | None = None
    rewritten: tuple[Batch, ...] = ()
    transaction: Transaction | None = None


def close_book(
    book: Book, terms: Terms | None = None, transaction: Transaction | None = None
) -> Outcome:
    """What the store has to commit of this book."""
    daily.finish(book)
    return Outcome(
        account=book.account,
        batch=book.batch(),
        updates=tuple(book.updates),
        events=tuple(book.events),
        terms=terms,
        transaction=transaction,
    )


@exact
def brought_up(terms: Terms, account: Account, moment: Moment) -> Outcome:
    """The daily job's command: nothing but what the days bring."""
    return close_book(daily.bring_up(terms, account, moment))


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a transaction request that are only written down."""

    idempotency_key: str | None = None
    reference: str = ""
    name: str = ""
    collect: bool | None = None

    def details(self) -> dict[str, Any]:
        """As a transaction keeps them."""
        return {
            "idempotency_key": self.idempotency_key,
            "reference": self.reference,
            "name": self.name,
            "collect": self.collect,
            "origin": ORIGIN_PARTNER,
        }


# --- disbursements --------------------------------------------------------------------------------


@exact
def disburse(
    terms: Terms, account: Account, moment: Moment, amount: Decimal, asked: Asked
) -> Outcome:
    """Ask for a disbursement: it waits, pending, and counts towards the limit at once."""
    book = daily.bring_up(terms, account, moment)
    account = book.account
    LOAN.move(account.status, "disburse")
    committed = account.principal + account.pending.principal
    if committed + amount > terms.amount:
        raise Refused(
            "credit_limit_exceeded",
            f"{pence(amount)} on top of {pence(committed)} disbursed or pending would exceed the "
            f"loan's limit of {pence(terms.amount)}.",
            {"limit": terms.amount, "committed": committed, "amount": amount},
        )
    if terms.has_rows and account.disbursements:
        raise Refused("invalid_status", "A term loan takes one disbursement, and it has it.")
    account.disbursements += 1
    account.pending_count += 1
    account.pending = account.pending.plus(Balances(principal=amount))
    split = Balances(principal=amount)
    posted = book.post(
        "disbursement", amount, split, status="pending", counts=False, **asked.details()
    )
    return close_book(book, transaction=posted)


@exact
def apply_disbursement(
    terms: Terms,
    account: Account,
    moment: Moment,
    waiting: Transaction,
    effective_date: date | None = None,
) -> Outcome:
    """Confirm a pending disbursement: the balance moves, and a first one lays the schedule."""
    TRANSACTION.move(waiting.status, "apply")
    effective = effective_date or moment.today
    _check_effective_date(effective, account, moment)
    first = account.disbursed_on is None
    book = Book(terms, account, moment)
    if first:
        book.account.as_of = effective
    else:
        daily.advance(book, moment.today)
    account = book.account
    LOAN.move(account.status, "disburse")
    account.pending_count -= 1
    account.pending = account.pending.minus(waiting.split)
    book.close_run()
    account.principal += waiting.amount
    done = replace(
        waiting,
        status="applied",
        applied_at=moment.now,
        effective_date=book.today,
        processing_date=moment.today,
        after=account.balances,
    )
    book.updates.append(done)
    new_terms = _open(book, waiting.amount) if first else None
    daily.finish(book)
    daily.advance(book, moment.today)
    book.tell("disbursement_result", **result_of(done))
    return close_book(book, terms=new_terms, transaction=done)


def _check_effective_date(effective: date, account: Account, moment: Moment) -> None:
    if effective > moment.today:
        message = f"{effective} is after the business date, {moment.today}."
    elif account.disbursed_on is not None and effective != moment.today:
        message = "Only a loan's first disbursement can be dated back."
    else:
        return
    raise Invalid(Flaw("effective_date", "out_of_range", message))


def _open(book: Book, principal: Decimal) -> Terms | None:
    """The first disbursement: the schedule is laid from its date, its fees are charged."""
    account, start = book.account, book.today
    account.disbursed_on = start
    terms = None
    if book.terms.has_rows:
        terms = replace(book.terms, due_dates=due_dates(book.terms.plan, start))
        book.terms = terms
        account.bases = (Basis(1, start, principal),)
        account.apr = loan_apr(terms, principal, start)
    status.enter(book, "disburse", "disbursement")
    for fee in book.terms.fees_on("disbursement"):
        status.charge(book, fee, "system")
    return terms


# --- repayments -----------------------------------------------------------------------------------


@exact
def repay(terms: Terms, account: Account, moment: Moment, amount: Decimal, asked: Asked) -> Outcome:
    """A manual repayment: the balances change at once while it is still pending."""
    book = daily.bring_up(terms, account, moment)
    account = book.account
    refuse_unless_open(account)
    refuse_excess(account, amount)
    book.repaid = True
    account.pending_count += 1
    before = account.balances
    split, waiting = billing.pay(book, amount)
    account.principal, account.interest, account.fee = before
    posted = book.post(
        "repayment", amount, split, status="pending", overpayment=waiting, **asked.details()
    )
    settle_up(book)
    return close_book(book, transaction=posted)


def refuse_excess(account: Account, amount: Decimal) -> None:
    """Refuse a repayment of more than is outstanding."""
    payable = pence(account.balances.total - account.overpayment)
    if amount > payable:
        raise Refused(
            "exceeds_outstanding",
            f"{pence(amount)} is more than the {pence(max(ZERO, payable))} outstanding.",
            {"outstanding": payable, "amount": amount},
        )


def settle_up(book: Book, *, closing: bool = True) -> None:
    """After a repayment: what the overpayment still covers, rounding, rows, status, closing."""
    account = book.account
    if account.overpayment > 0 and billing.settles(book, ZERO):
        _use_overpayment(book)
    billing.round_off(book)
    if book.terms.has_rows:
        billing.clear_rows(book)
        billing.mark_paid_rows(book)
    status.assess(book)
    if closing:
        close_if_paid(book)


def _use_overpayment(book: Book) -> None:
    account = book.account
    rest = account.balances
    covered = min(rest.total, account.overpayment)
    short = rest.total - covered
    split = rest.minus(Balances(principal=short))
    book.post("allocation", pence(covered), split, overpayment=-covered)


def close_if_paid(book: Book) -> None:
    """A term loan whose balances are zero, with nothing pending, is closed as paid in full."""
    account = book.account
    if account.status not in status.OPEN or not book.terms.has_rows:
        return
    if any(account.balances) or account.pending_count:
        return
    close_account(book, PAID_IN_FULL, "Paid in full", "schedule")


def close_account(book: Book, substatus: str, reason: str, cause: str) -> None:
    """Close: what is left of ``overpayment`` is refunded."""
    account = book.account
    if account.overpayment > 0:
        left = account.overpayment
        book.post("refund", left, Balances(), overpayment=-left)
    status.enter(book, "close", cause)
    account.close_reason, account.close_substatus = reason, substatus
    account.late_since = account.arrears_since = account.held_until_row = None
    book.tell("loan_closed", close_reason=reason, close_substatus=substatus)


@exact
def apply_repayment(
    terms: Terms, account: Account, moment: Moment, waiting: Transaction
) -> Outcome:
    """Confirm a pending manual repayment: its money has been counted since it was made."""
    TRANSACTION.move(waiting.status, "apply")
    book = daily.bring_up(terms, account, moment)
    book.account.pending_count -= 1
    done = replace(waiting, status="applied", applied_at=moment.now, processing_date=moment.today)
    book.updates.append(done)
    book.tell("repayment_result", **result_of(done))
    settle_up(book)
    return close_book(book, transaction=done)


def result_of(transaction: Transaction) -> dict[str, Any]:
    """What the ``…_result`` events say of a transaction."""
    return {
        "id": transaction.id,
        "provider_transaction_id": transaction.provider_transaction_id,
        "processing_date": transaction.processing_date,
        "amount": transaction.amount,
        "created_at": transaction.created_at,
        "status": transaction.status,
    }


# --- fees, interest, status by hand, closing ------------------------------------------------------


@exact
def charge_fee(
    terms: Terms, account: Account, moment: Moment, fee: DefaultFee, asked: Asked
) -> Outcome:
    """Charge a fee that the partner asks for; it is applied at once."""
    book = daily.bring_up(terms, account, moment)
    refuse_unless_open(book.account)
    details = {k: v for k, v in asked.details().items() if k not in ("name", "origin")}
    status.charge(book, fee, ORIGIN_PARTNER, **details)
    return close_book(book, transaction=book.transactions[-1])


@exact
def set_interest(terms: Terms, account: Account, moment: Moment, enabled: bool) -> Outcome:
    """Start or stop interest from the coming night on; the same again changes nothing."""
    book = daily.bring_up(terms, account, moment)
    account = book.account
    if account.status in LOAN.refusals:
        raise Refused("loan_not_open", f"The loan is {account.status}.")
    if account.interest_enabled != enabled:
        book.note("interest_calculation", _on(not enabled), _on(enabled), "partner")
        account.interest_enabled = enabled
    return close_book(book)


def _on(enabled: bool) -> str:
    return "on" if enabled else "off"


@exact
def set_status(terms: Terms, account: Account, moment: Moment, command: str) -> Outcome:
    """``make_arrears`` and ``make_default``: a status by hand, with that status's fees."""
    book = daily.bring_up(terms, account, moment)
    LOAN.move(book.account.status, command)
    status.hold(book)
    status.enter(book, command, "partner")
    return close_book(book)


@exact
def close(terms: Terms, account: Account, moment: Moment, reason: str, substatus: str) -> Outcome:
    """Close by hand: paid in full only with nothing owed, written off with whatever is."""
    book = daily.bring_up(terms, account, moment)
    account = book.account
    LOAN.move(account.status, "close")
    _refuse_while_pending(account)
    owed = account.balances
    if any(owed) and substatus == PAID_IN_FULL:
        raise Refused(
            "outstanding_balance",
            f"{pence(owed.total)} is still owed.",
            {"principal": owed.principal, "interest": owed.interest, "fee": owed.fee},
        )
    if any(owed):
        book.post("write_off", owed.total, owed, origin=ORIGIN_PARTNER, name=reason)
        account.written_off += owed.total
        account.billed, account.short = (), Balances()
    close_account(book, substatus, reason, "partner")
    return close_book(book)


@exact
def cancel(terms: Terms, account: Account, moment: Moment) -> Outcome:
    """Cancel a loan that was never disbursed."""
    book = daily.bring_up(terms, account, moment)
    LOAN.move(book.account.status, "cancel")
    _refuse_while_pending(book.account)
    status.enter(book, "cancel", "partner")
    return close_book(book)


def refuse_unless_open(account: Account) -> None:
    """Refuse what only an open loan takes."""
    if account.status in LOAN.refusals:
        raise Refused("loan_not_open", f"The loan is {account.status}.")
    if account.status not in status.OPEN:
        raise Refused("invalid_status", f"The loan is {account.status}: nothing is disbursed yet.")


def _refuse_while_pending(account: Account) -> None:
    if account.pending_count:
        raise Refused(
            "transaction_pending",
            f"{account.pending_count} transaction(s) of the loan are still pending.",
            {"pending": account.pending_count},
        )
