"""Statements of revolving credit, stored beside the loan whose account issues them.

The account decides what is issued and what has become of it; here it is written into the documents
that partners read, in the same commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain import journal, statements
from chalicelib.domain.ledger import Transaction, statement_id
from chalicelib.models.keys import STATEMENT
from chalicelib.usecases import journals

if TYPE_CHECKING:
    from chalicelib.domain.loans import Outcome
    from chalicelib.domain.statements import Statement
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.journals import Loan


def put(ctx: Context, unit: Unit, loan: Loan, outcome: Outcome) -> dict[str, Stored[Statement]]:
    """Write what ``outcome`` issues and what it changes of older ones; what is new, by id."""
    closings = [one for batch in outcome.batches for one in batch.closings]
    fresh = {one.number for one in closings}
    for standing in outcome.standings:
        if standing.number in fresh:
            continue
        name = statement_id(loan.id, standing.number)
        stored = ctx.store.get(STATEMENT, ctx.partner.id, name)
        if stored is not None:  # a line of credit's calls have no statement
            unit.update(STATEMENT, ctx.partner.id, stored, stored.value.standing(standing))
    if not closings:
        return {}
    listed = _listed(ctx, loan, outcome)
    terms, found = outcome.terms or loan.terms.value, {}
    for closing in closings:
        issued = statements.statement(terms, closing, listed)
        issued = statements.as_issued(issued, outcome.account, ctx.business_date)
        found[issued.id] = unit.create(STATEMENT, ctx.partner.id, issued)
    return found


def _listed(ctx: Context, loan: Loan, outcome: Outcome) -> list[Transaction]:
    """All transactions that count so far, nights included, oldest first."""
    moment = journals.moment_of(ctx)
    written = [stored.value for stored in journals.read(ctx, loan)]
    again = {batch.seq: batch for batch in outcome.rewritten}
    batches = [again.get(batch.seq, batch) for batch in written]
    found = [
        one for batch in (*batches, *outcome.batches) for one in journal.entries(batch, moment)
    ]
    return sorted(found, key=lambda one: (one.effective_date, one.seq))
