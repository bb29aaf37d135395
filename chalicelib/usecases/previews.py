"""What a command would change, before it is made (partner API, "As of, preview, reports").

The command is decided as ever and nothing of it is written: what is shown is what the commit would
have made of the loan and its journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.domain import journal
from chalicelib.domain.ledger import Batch, Transaction
from chalicelib.domain.loans import Outcome
from chalicelib.usecases import journals, loans
from chalicelib.usecases.journals import Loan, moment_of
from chalicelib.usecases.loans import Command, Retelling, Shown

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Difference:
    """One transaction as it is and as it would be; ``None`` where there is none."""

    id: str
    before: Transaction | None
    after: Transaction | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A loan as it is and as it would be, and the transactions that would change, newest first."""

    before: Shown
    after: Shown
    transactions: Sequence[Difference]


def of(ctx: Context, loan: Loan, command: Command | Retelling) -> Preview:
    """What ``command`` would do; raises what it would raise."""
    decided = loans.decide(ctx, loan, command)
    stored = decided.journal or journals.read(ctx, loan)
    batches = [one.value for one in stored]
    terms, account, moment = loan.terms.value, loan.account.value, moment_of(ctx)
    before = journal.transactions(terms, account, batches, moment)
    after = journal.transactions(
        decided.terms, decided.outcome.account, journal_after(batches, decided.outcome), moment
    )
    return Preview(loans.show(ctx, loan), decided.shown(ctx), differences(before, after))


def journal_after(batches: Sequence[Batch], outcome: Outcome) -> list[Batch]:
    """The journal as the store would have it after ``outcome``."""
    updates = {item.id: item for item in outcome.updates}
    found = {
        batch.seq: replace(
            batch, transactions=tuple(updates.get(item.id, item) for item in batch.transactions)
        )
        for batch in batches
    }
    found |= {batch.seq: batch for batch in (*outcome.rewritten, *outcome.batches)}
    return [found[seq] for seq in sorted(found)]


def differences(before: Sequence[Transaction], after: Sequence[Transaction]) -> list[Difference]:
    """What differs between two lists of a loan's transactions, newest first."""
    was, will = {one.id: one for one in before}, {one.id: one for one in after}
    every = sorted({**was, **will}.values(), key=journal.order, reverse=True)
    return [
        Difference(one.id, was.get(one.id), will.get(one.id))
        for one in every
        if was.get(one.id) != will.get(one.id)
    ]
