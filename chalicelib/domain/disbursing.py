"""Paying a loan out: asked for, submitted, confirmed, failed, sent again, and come back.

A disbursement waits until it is confirmed; meanwhile it counts towards the limit.  The first that
is applied makes the loan active and lays its schedule (partner API, "Disbursements").  Money that
comes back after it was paid is compensated on the day it becomes known
(``docs/adr/0015-disbursements.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields, replace
from datetime import date
from decimal import Decimal

from chalicelib.domain import daily, statements, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.apr import loan_apr
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.ledger import (
    ORIGIN_PROVIDER,
    ORIGIN_SYSTEM,
    TRANSACTION,
    Balances,
    Change,
    Transaction,
)
from chalicelib.domain.loans import Asked, Outcome, close_book, result_of, settle_up
from chalicelib.domain.money import ZERO, exact, pence
from chalicelib.domain.schedule import Basis, due_dates
from chalicelib.domain.status import LOAN, OPEN

RETURNED = "Disbursement returned"
KEPT = frozenset(
    {
        "id",
        "end_user",
        "shard",
        "seq",
        "revised",
        "mandate",
        "mandate_usable",
        "interest_enabled",
        "written_off",
        "pending",
        "pending_count",
        "staged",
    }
)
"""What of an account stays when the loan is back at ``inactive``."""


# --- asking ---------------------------------------------------------------------------------------


@exact
def disburse(
    terms: Terms,
    account: Account,
    moment: Moment,
    amount: Decimal,
    asked: Asked,
    provider: str | None = None,
) -> Outcome:
    """Ask for a disbursement: it waits, pending, and counts towards the limit at once.

    ``provider`` is who pays it out; ``None`` waits to be applied by hand.
    """
    book = daily.bring_up(terms, account, moment)
    split = _take_room(book, amount)
    details = {**asked.details(), "provider": provider}
    posted = book.post("disbursement", amount, split, status="pending", counts=False, **details)
    return close_book(book, transaction=posted)


@exact
def retry_disbursement(
    terms: Terms, account: Account, moment: Moment, failed: Transaction, provider: str | None
) -> Outcome:
    """A failed disbursement is sent again: the same transaction, a new attempt.

    It has to fit the loan as a new one would.
    """
    TRANSACTION.move(failed.status, "retry")
    book = daily.bring_up(terms, account, moment)
    _take_room(book, failed.amount)
    again = replace(
        failed,
        status="pending",
        attempt=failed.attempt + 1,
        failure_reason="",
        provider=provider,
        provider_transaction_id=None,
        effective_date=moment.today,
        processing_date=moment.today,
    )
    book.updates.append(again)
    return close_book(book, transaction=again)


def _take_room(book: Book, amount: Decimal) -> Balances:
    """Let a disbursement count towards the limit, or refuse it."""
    terms, account = book.terms, book.account
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
    split = Balances(principal=amount)
    account.disbursements += 1
    account.pending_count += 1
    account.pending = account.pending.plus(split)
    return split


# --- what has become of it ------------------------------------------------------------------------


@exact
def submitted(
    terms: Terms, account: Account, moment: Moment, waiting: Transaction, reference: str
) -> Outcome:
    """The provider has taken it on, under its own ``reference``; nothing has moved yet."""
    TRANSACTION.move(waiting.status, "apply")
    book = daily.bring_up(terms, account, moment)
    taken = replace(waiting, provider_transaction_id=reference)
    book.updates.append(taken)
    return close_book(book, transaction=taken)


def by_hand(waiting: Transaction) -> Transaction:
    """It moved without a provider of ours: what its provider still reports is not about it."""
    return replace(waiting, provider=None, provider_transaction_id=None)


@exact
def apply_disbursement(
    terms: Terms,
    account: Account,
    moment: Moment,
    waiting: Transaction,
    effective_date: date | None = None,
    not_before: date | None = None,
) -> Outcome:
    """Confirm a pending disbursement: the balance moves, and a first one lays the schedule.

    ``not_before`` is the day on which an earlier disbursement came back (:func:`came_back`).
    """
    TRANSACTION.move(waiting.status, "apply")
    effective = effective_date or moment.today
    _check_effective_date(effective, account, moment, not_before)
    first = account.disbursed_on is None
    book = Book(terms, account, moment)
    if first:
        book.account.as_of = effective
        book.account.dated_back = effective < moment.today
    else:
        daily.advance(book, moment.today)
    account = book.account
    if account.status not in OPEN:  # asked for in time: money that has moved is owed
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
    book.tell("disbursement_result", **result_of(done))
    new_terms = _open(book, waiting.amount) if first else None
    daily.finish(book)
    daily.advance(book, moment.today)
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
    failed = replace(
        waiting,
        status="failed",
        failure_reason=cause,
        processing_date=moment.today,
        changed_at=moment.now,
    )
    book.updates.append(failed)
    book.tell("disbursement_result", **result_of(failed))
    settle_up(book)
    return close_book(book, transaction=failed)


def _check_effective_date(
    effective: date, account: Account, moment: Moment, not_before: date | None
) -> None:
    if effective > moment.today:
        message = f"{effective} is after the business date, {moment.today}."
    elif not_before is not None and effective < not_before:
        message = f"An earlier disbursement came back on {not_before}: not before that day."
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


# --- money that comes back ------------------------------------------------------------------------


@exact
def return_disbursement(
    terms: Terms, account: Account, moment: Moment, original: Transaction, cause: str
) -> Outcome:
    """The money has come back after it was paid, whatever the loan's status.

    The disbursement stays as it is; a repayment by the provider, dated today, takes it back.
    """
    if original.status != "applied" or original.type != "disbursement":
        raise Refused("invalid_status", f"A {original.status} {original.type} does not come back.")
    book = daily.bring_up(terms, account, moment)
    nothing_else = _is_all_there_was(book, original)
    split, over = take_back(book, original.amount)
    posted = book.post(
        "repayment",
        original.amount,
        split,
        overpayment=over,
        origin=ORIGIN_PROVIDER,
        provider=original.provider,
        name=RETURNED,
        compensates=original.id,
        failure_reason=cause,
    )
    book.tell("repayment_result", **result_of(posted))
    after_return(book)
    settle_up(book, closing=not nothing_else)
    if nothing_else:
        never_lent(book)
    return close_book(book, transaction=posted)


def _is_all_there_was(book: Book, original: Transaction) -> bool:
    """Whether the loan is as if it had just been paid out: nothing due, repaid, or on its way."""
    account = book.account
    asked_for = account.billed or account.minimums or account.statements or account.next_row > 1
    moved = account.principal != original.amount or account.overpayment or account.pending_count
    return account.status in OPEN and account.disbursements == 1 and not (asked_for or moved)


def take_back(book: Book, amount: Decimal) -> tuple[Balances, Decimal]:
    """What of money that comes back lowers the principal, and what is nobody's yet.

    The rest waits in ``overpayment``: on an open loan it is refunded at the closing, on a closed
    one a person has to say whose it is.  The caller posts the transaction.
    """
    owed = book.account.principal if book.account.status in OPEN else ZERO
    lent = min(amount, owed)
    return Balances(principal=lent), amount - lent


def after_return(book: Book) -> None:
    """What follows once that is posted: a term loan owes nothing for money that was not lent."""
    account = book.account
    if account.status not in OPEN:
        return
    if book.terms.has_rows:
        _give_up(book)
        return
    if book.terms.has_statements:
        statements.count(book, book.transactions[-1].split.total)
    if not any(account.balances):
        account.minimums = ()


def _give_up(book: Book) -> None:
    """Interest and fees that are owed for money that was not lent are written off."""
    account, owed = book.account, book.account.balances
    if any(owed):
        book.post("write_off", owed.total, owed, name=RETURNED)
        account.written_off += owed.total


def never_lent(book: Book) -> None:
    """The loan is ``inactive`` again, as it was opened: it can be paid out once more."""
    _give_up(book)
    account = book.account
    book.note("status", account.status, LOAN.move(account.status, "return"), ORIGIN_PROVIDER)
    for one in fields(account):
        if one.name not in KEPT and one.default is not MISSING:
            setattr(account, one.name, one.default)
    account.came_back = True


def is_never_lent(change: Change) -> bool:
    """Whether a change of status says that a loan's only disbursement has come back."""
    return change.field == "status" and (change.after, change.cause) == (
        "inactive",
        ORIGIN_PROVIDER,
    )


def returns(items: Iterable[Transaction]) -> dict[str, Transaction]:
    """The repayments that took disbursements back and count, by the disbursement's id."""
    known = list(items)
    paid_out = {item.id for item in known if item.type == "disbursement"}
    return {
        item.compensates: item for item in known if item.compensates in paid_out and item.counts
    }


def came_back(items: Iterable[Transaction]) -> date | None:
    """The last day on which a disbursement came back: nothing is paid out as of before it."""
    return max((item.effective_date for item in returns(items).values()), default=None)
