"""What makes the history be told anew: failures, confirmations, backdating, reverting.

The facts, with one more, one fewer or only the first of them, are told from the beginning
(``domain/replay.py``) and compared with the journal as it stands (``domain/retelling.py``); partner
API, "Repayments" and "Reverting".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain import chargebacks, loans, replay, status
from chalicelib.domain.account import Account
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.calendar import calendar_for
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.ledger import (
    ORIGIN_PARTNER,
    TRANSACTION,
    Balances,
    Change,
    Transaction,
    transaction_id,
)
from chalicelib.domain.loans import Asked, Outcome
from chalicelib.domain.money import exact
from chalicelib.domain.replay import FREE_NIGHTS, Fact
from chalicelib.domain.retelling import Loan, brought_up, retold
from chalicelib.domain.statements import last_closed

BACS = "GB-ENG"  # Bacs days are the business days of England, whatever the loan's calendar


# --- repayments that fail -------------------------------------------------------------------------


@exact
def fail_repayment(loan: Loan, moment: Moment, item: Transaction, cause: str) -> Outcome:
    """A repayment failed: everything since is told as if it had never been.

    Also one that had been confirmed (a late failure), on a closed loan too; where a statement has
    closed its period since, that is compensated as a chargeback is.
    """
    TRANSACTION.move(item.status, "fail")
    before, loan = loan.account, brought_up(loan, moment)
    if any(one.compensates == item.id and one.counts for one in loan.transactions()):
        raise Refused("invalid_status", "The repayment was charged back before.")
    closed = last_closed(loan.account)
    if item.status == "applied" and closed is not None and item.effective_date <= closed:
        return chargebacks.charge_back(loan.terms, before, moment, item, cause)
    failed = replace(item, status="failed", failure_reason=cause, processing_date=moment.today)
    kept = [fact for fact in replay.facts(loan.batches) if id_of(fact) != item.id]
    called = Fact(moment.today, failed.seq, failed)
    told = replay.in_order([*kept, called]) if failed.provider else kept
    outcome = retold(loan, before, moment, told, {failed.id: failed}, failed.id)
    event = ("repayment_result", loans.result_of(failed))
    return announcing(outcome, loan, moment, event, failed.id, failed)


def id_of(fact: Fact) -> str:
    """The id of the transaction that a fact is; none for a change."""
    return fact.what.id if isinstance(fact.what, Transaction) else ""


@exact
def retry(loan: Loan, moment: Moment, failed: Transaction) -> Outcome:
    """A failed repayment goes to its provider again: the same transaction, another attempt.

    A manual one counts at once, from today; an automatic one when it is confirmed.
    """
    TRANSACTION.move(failed.status, "retry")
    before, loan = loan.account, brought_up(loan, moment)
    again = replace(
        failed,
        status="pending",
        attempt=failed.attempt + 1,
        failure_reason="",
        effective_date=moment.today,
        processing_date=moment.today,
    )
    told = [fact for fact in replay.facts(loan.batches) if id_of(fact) != failed.id]
    if again.counts:
        loans.refuse_unless_open(loan.account)
        loans.refuse_excess(loan.account, again.amount)
        told = replay.in_order([*told, Fact(moment.today, again.seq, again)])
    outcome = retold(loan, before, moment, told, {again.id: again}, again.id)
    return replace(outcome, transaction=with_id(outcome, again.id) or again)


# --- repayments that arrive -----------------------------------------------------------------------


@exact
def confirm_collection(loan: Loan, moment: Moment, waiting: Transaction, charged: date) -> Outcome:
    """An automatic repayment arrived: it is effective on its charge date.

    A first attempt that was charged on the first Bacs day on or after the due date is effective on
    the due date; none reaches back into a closed statement or ahead of today.
    """
    TRANSACTION.move(waiting.status, "apply")
    before, loan = loan.account, brought_up(loan, moment)
    done = replace(
        waiting,
        status="applied",
        applied_at=moment.now,
        processing_date=moment.today,
        effective_date=_effective(loan.account, moment, waiting, charged),
    )
    told = replay.in_order([*replay.facts(loan.batches), Fact(done.effective_date, done.seq, done)])
    outcome = retold(loan, before, moment, told, {done.id: done}, done.id)
    done = with_id(outcome, done.id) or done
    event = ("repayment_result", loans.result_of(done))
    return announcing(outcome, loan, moment, event, done.id, done)


@exact
def confirm_by_hand(
    loan: Loan, moment: Moment, waiting: Transaction, effective: date | None
) -> Outcome:
    """An automatic repayment that arrived by what the partner says, charged today or earlier."""
    if effective is not None:
        refuse_date(effective, brought_up(loan, moment).account, moment)
    return confirm_collection(loan, moment, waiting, effective or moment.today)


def _effective(account: Account, moment: Moment, waiting: Transaction, charged: date) -> date:
    day, due = charged, waiting.due
    if due is not None and waiting.attempt == 1 and day == calendar_for(BACS).on_or_after(due):
        day = due
    closed = last_closed(account)
    earliest = account.disbursed_on if closed is None else closed + timedelta(days=1)
    assert earliest is not None
    return max(min(day, moment.today), earliest)


@exact
def repay_backdated(
    loan: Loan, moment: Moment, amount: Decimal, effective: date, asked: Asked
) -> Outcome:
    """A repayment that took effect on an earlier day: everything since is told with it."""
    before, loan = loan.account, brought_up(loan, moment)
    account = loan.account
    loans.refuse_unless_open(account)
    refuse_date(effective, account, moment)
    loans.refuse_excess(account, amount)
    seq = account.seq + 1
    made = Transaction(
        id=transaction_id(loan.terms.id, seq),
        loan=loan.terms.id,
        seq=seq,
        type="repayment",
        status="pending",
        amount=amount,
        split=Balances(),
        effective_date=effective,
        processing_date=moment.today,
        created_at=moment.now,
        after=Balances(),
        provider=loans.provider_of(account, asked) if asked.collect else None,
        **asked.details(),
    )
    account = replace(account, seq=seq)
    told = replay.in_order([*replay.facts(loan.batches), Fact(effective, seq, made)])
    outcome = retold(replace(loan, account=account), before, moment, told, {}, made.id)
    return replace(outcome, transaction=with_id(outcome, made.id))


def refuse_date(effective: date, account: Account, moment: Moment) -> None:
    """Refuse a date before the disbursement, within a closed statement, or ahead."""
    assert account.disbursed_on is not None
    if not account.disbursed_on <= effective <= moment.today:
        message = f"{effective} is not between the disbursement, {account.disbursed_on}, and today."
        raise Invalid(Flaw("effective_date", "out_of_range", message))
    _refuse_closed(effective, account)


def _refuse_closed(day: date, account: Account) -> None:
    closed = last_closed(account)
    if closed is not None and day <= closed:
        raise Refused(
            "statement_closed",
            f"Statement {account.statements} has closed everything up to {closed}.",
            {"statement": account.statements, "period_end": closed},
        )


# --- reverting ------------------------------------------------------------------------------------


@exact
def revert(loan: Loan, moment: Moment, target: Transaction) -> Outcome:
    """Revert a transaction and every later one; the reverted nights are never charged again.

    A repayment that failed was never counted, so that there is nothing of it to revert: what it
    made of a line of credit stands, while there is one.
    """
    before, loan = loan.account, brought_up(loan, moment)
    _refuse_revert(loan, target)
    day = target.effective_date
    facts = replay.facts(loan.batches)
    kept = [fact for fact in facts if (fact.on, fact.seq) < (day, target.seq)]
    calls = [fact for fact in facts if fact not in kept and replay.is_call(fact.what)]
    first_free = day if target.type == "interest" else day + timedelta(days=1)
    account = loan.account
    if kept:
        seq = account.seq + 1
        free = Change(
            seq,
            FREE_NIGHTS,
            first_free.isoformat(),
            moment.today.isoformat(),
            day,
            moment.now,
            ORIGIN_PARTNER,
        )
        account = replace(account, seq=seq)
        kept = replay.in_order([*kept, *(calls if _lent(kept) else ()), Fact(day, seq, free)])
    gone = {
        item.id: replace(item, status="reverted", reverted_by=target.id)
        for item in loan.transactions()
        if item.status == "applied" and (item.effective_date, item.seq) >= (day, target.seq)
    }
    outcome = retold(replace(loan, account=account), before, moment, kept, gone, target.id)
    return replace(outcome, transaction=with_id(outcome, target.id) or target)


def _lent(told: list[Fact]) -> bool:
    """Whether there is a disbursement among the facts."""
    items = [fact.what for fact in told if isinstance(fact.what, Transaction)]
    return any(item.type == "disbursement" for item in items)


def _refuse_revert(loan: Loan, target: Transaction) -> None:
    if target.status == "pending":
        raise Refused("transaction_pending", "The transaction is still pending.")
    TRANSACTION.move(target.status, "revert")
    account = loan.account
    if account.status == "cancelled":
        raise Refused("loan_not_open", "The loan is cancelled.")
    _refuse_closed(target.effective_date, account)
    since = (target.effective_date, target.seq)
    waiting = [item for item in loan.transactions() if item.status == "pending"]
    later = [item for item in waiting if (item.effective_date, item.seq) >= since]
    if later:
        raise Refused(
            "transaction_pending",
            f"{len(later)} later transaction(s) of the loan are still pending.",
            {"pending": [item.id for item in later]},
        )
    if account.status == "closed" and target.seq < _closing(loan):
        raise Refused("loan_not_open", "The loan is closed: only what closed it can be reverted.")


def _closing(loan: Loan) -> int:
    """The number of the fact that closed the loan; what it brought with it has later ones."""
    made = [item.seq for item in loan.transactions() if replay.is_fact(item) and item.counts]
    return max(made, default=0)


@exact
def cancel_chargeback(loan: Loan, moment: Moment, chargeback: Transaction) -> Outcome:
    """The provider gave back what it had charged back: as if that had never been.

    Where a statement has closed its period since, the money is repaid as of today instead.
    """
    TRANSACTION.move(chargeback.status, "revert")
    before, loan = loan.account, brought_up(loan, moment)
    closed = last_closed(loan.account)
    if closed is not None and chargeback.effective_date <= closed:
        return chargebacks.pay_again(loan.terms, before, moment, chargeback)
    undone = replace(chargeback, status="reverted", reverted_by=chargeback.compensates)
    told = [fact for fact in replay.facts(loan.batches) if id_of(fact) != chargeback.id]
    outcome = retold(loan, before, moment, told, {undone.id: undone}, undone.id)
    return replace(outcome, transaction=undone)


# --- what is announced ----------------------------------------------------------------------------


def with_id(outcome: Outcome, an_id: str) -> Transaction | None:
    """The transaction with this id as an outcome leaves it, if it writes it."""
    for batch in (*outcome.rewritten, *outcome.batches):
        for item in batch.transactions:
            if item.id == an_id:
                return item
    return None


def announcing(
    outcome: Outcome,
    loan: Loan,
    moment: Moment,
    event: tuple[str, dict[str, Any]],
    an_id: str,
    otherwise: Transaction,
) -> Outcome:
    """The outcome with its event, and the status's where that has become worse."""
    book = Book(loan.terms, outcome.account, moment)
    book.tell(event[0], **event[1])
    before, after = loan.account.status, outcome.account.status
    if status.SEVERITY.get(after, 0) > status.SEVERITY.get(before, 0):
        book.tell(status.ANNOUNCED[after], status=after)
    return replace(
        outcome,
        events=(*outcome.events, *book.events),
        transaction=with_id(outcome, an_id) or otherwise,
    )
