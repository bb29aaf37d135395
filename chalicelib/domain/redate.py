"""A pending repayment that is confirmed for another day than the one it was made on.

Its money counts from the day on which it really came: everything since is told anew, as for a
backdated repayment (``domain/rebuild.py``; partner API, "Repayments" and "Apply, retry").
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from chalicelib.domain import loans, rebuild, replay
from chalicelib.domain.book import Moment
from chalicelib.domain.ledger import TRANSACTION, Transaction
from chalicelib.domain.loans import Outcome
from chalicelib.domain.money import exact
from chalicelib.domain.retelling import Loan, brought_up, retold


@exact
def apply_backdated(loan: Loan, moment: Moment, waiting: Transaction, effective: date) -> Outcome:
    """Confirm ``waiting`` as of ``effective``: not before the disbursement or within a closed
    statement, not in the future.
    """
    TRANSACTION.move(waiting.status, "apply")
    before, loan = loan.account, brought_up(loan, moment)
    for day in (effective, waiting.effective_date):  # where it comes to, and where it is taken from
        rebuild.refuse_date(day, loan.account, moment)
    done = replace(
        waiting,
        status="applied",
        applied_at=moment.now,
        effective_date=effective,
        processing_date=moment.today,
    )
    others = [fact for fact in replay.facts(loan.batches) if rebuild.id_of(fact) != waiting.id]
    told = replay.in_order([*others, replay.Fact(effective, done.seq, done)])
    outcome = retold(loan, before, moment, told, {done.id: done}, done.id)
    done = rebuild.with_id(outcome, done.id) or done
    event = ("repayment_result", loans.result_of(done))
    return rebuild.announcing(outcome, loan, moment, event, done.id, done)
