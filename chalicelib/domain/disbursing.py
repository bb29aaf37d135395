"""Paying a loan out: asked for, confirmed, failed.

A disbursement waits until it is confirmed; meanwhile it counts towards the limit.  The first that
is applied makes the loan active and lays its schedule (partner API, "Disbursements").
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from chalicelib.domain import daily, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.apr import loan_apr
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.ledger import ORIGIN_SYSTEM, TRANSACTION, Balances, Transaction
from chalicelib.domain.loans import Asked, Outcome, close_book, result_of, settle_up
from chalicelib.domain.money import exact, pence
from chalicelib.domain.schedule import Basis, due_dates
from chalicelib.domain.status import LOAN


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


@exact
def fail_disbursement(
    terms: Terms, account: Account, moment: Moment, waiting: Transaction, cause: str
) -> Outcome:
    """The provider could not pay it out: nothing was owed yet, and nothing is."""
    TRANSACTION.move(waiting.status, "fail")
    book = daily.bring_up(terms, account, moment)
    account = book.account
    account.pending_count -= 1
    account.disbursements -= 1
    account.pending = account.pending.minus(waiting.split)
    failed = replace(waiting, status="failed", failure_reason=cause, processing_date=moment.today)
    book.updates.append(failed)
    book.tell("disbursement_result", **result_of(failed))
    settle_up(book)
    return close_book(book, transaction=failed)


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
    account.period_start = start if book.terms.has_statements else None
    terms = None
    if book.terms.has_rows:
        terms = replace(book.terms, due_dates=due_dates(book.terms.plan, start))
        book.terms = terms
        account.bases = (Basis(1, start, principal),)
        account.apr = loan_apr(terms, principal, start)
    status.enter(book, "disburse", "disbursement")
    for fee in book.terms.fees_on("disbursement"):
        status.charge(book, fee, ORIGIN_SYSTEM)
    return terms
