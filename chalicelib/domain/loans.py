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

from chalicelib.domain import billing, collecting, daily, statements, status
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.decision import Event
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import ORIGIN_PARTNER, TRANSACTION, Balances, Batch, Transaction
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.statements import Standing
from chalicelib.domain.status import LOAN

PAID_IN_FULL, WRITTEN_OFF = "paid_in_full", "written_off"
CLOSING = "closing"  # a change: with which substatus and for which reason a loan was closed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: all that one commit writes.

    ``batches`` are new, in order.  ``updates`` are older transactions as they are now; where the
    history was told anew, ``rewritten`` are older batches as they are now, each under its own
    number.  ``terms`` is set where they changed (the disbursement adds the due dates),
    ``transaction`` is the one that was asked for, ``standings`` say what has become of statements.
    """

    account: Account
    batches: tuple[Batch, ...] = ()
    updates: tuple[Transaction, ...] = ()
    events: tuple[Event, ...] = ()
    terms: Terms | None = None
    rewritten: tuple[Batch, ...] = ()
    transaction: Transaction | None = None
    standings: tuple[Standing, ...] = ()

    def made(self) -> list[Transaction]:
        """The transactions that are new."""
        return [item for batch in self.batches for item in batch.transactions]


def close_book(
    book: Book, terms: Terms | None = None, transaction: Transaction | None = None
) -> Outcome:
    """What the store has to commit of this book."""
    daily.finish(book)
    return Outcome(
        account=book.account,
        batches=book.batches(),
        updates=tuple(book.updates),
        events=tuple(book.events),
        terms=terms,
        transaction=transaction,
        standings=statements.moved(book.before, book.account, book.today),
    )


@exact
def brought_up(terms: Terms, account: Account, moment: Moment) -> Outcome:
    """The daily job's command: nothing but what the days bring."""
    quiet = daily.slept(terms, account, moment.today)
    if quiet is not None:
        return Outcome(quiet)
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
    spent = billing.pay(book, amount)
    account.principal, account.interest, account.fee = before
    posted = book.post(
        "repayment",
        amount,
        spent.split,
        status="pending",
        overpayment=spent.waiting,
        towards=spent.towards,
        provider=provider_of(account, asked),
        **asked.details(),
    )
    settle_up(book)
    return close_book(book, transaction=posted)


def provider_of(account: Account, asked: Asked) -> str | None:
    """Who collects a repayment of the partner's: nobody unless it asks for that and can be had."""
    return collecting.PROVIDER if asked.collect is not False and account.mandate_usable else None


def refuse_excess(account: Account, amount: Decimal) -> None:
    """Refuse a repayment of more than is outstanding.

    Both figures are shown in pence: who takes the shown one from the other may be a penny higher
    than what is exactly outstanding, and is not refused for that.
    """
    owed, over = account.balances.total, account.overpayment
    payable = max(pence(owed - over), pence(owed) - pence(over))
    if amount > payable:
        raise Refused(
            "exceeds_outstanding",
            f"{pence(amount)} is more than the {pence(max(ZERO, payable))} outstanding.",
            {"outstanding": payable, "amount": amount},
        )


def settle_up(book: Book, *, closing: bool = True) -> None:
    """After a repayment: what the overpayment still covers, rounding, rows, status, closing."""
    account = book.account
    if account.overpayment > 0 and account.balances.total > 0 and billing.settles(book, ZERO):
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
    refund(book)
    if not any(account.balances):
        account.minimums = ()
    book.note(CLOSING, substatus, reason, cause)
    status.enter(book, "close", cause)
    account.close_reason, account.close_substatus = reason, substatus
    account.late_since = account.arrears_since = account.held_until_row = None
    book.tell("loan_closed", close_reason=reason, close_substatus=substatus)


def refund(book: Book, on: date | None = None) -> None:
    """Give back what is left of ``overpayment``, in whole pence; ``on`` if not today."""
    left, amount = book.account.overpayment, pence(book.account.overpayment)
    if left > 0:
        book.post(
            "refund" if amount else "rounding",
            amount,
            Balances(),
            overpayment=-left,
            effective_date=on or book.today,
        )


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
    charged = book.transactions[-1]
    billing.cover_at_once(book)
    return close_book(book, transaction=charged)


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


@exact
def set_mandate(
    terms: Terms, account: Account, moment: Moment, mandate: str | None, usable: bool
) -> Outcome:
    """By which mandate the loan is collected, if by any, and whether that can be used now.

    What fell due before there was a usable one gets its first attempt at once.
    """
    book = daily.bring_up(terms, account, moment)
    account = book.account
    if account.status in LOAN.refusals:
        raise Refused("loan_not_open", f"The loan is {account.status}.")
    if (account.mandate, account.mandate_usable) != (mandate, usable):
        if account.mandate != mandate:
            book.note("mandate", account.mandate or "", mandate or "", "mandate")
        account.mandate, account.mandate_usable = mandate, usable
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
