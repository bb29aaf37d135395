"""Whether what is stored of a loan is what its journal tells: looked at, never touched.

The nightly check looks at some loans (``usecases/measuring.py``); this is for an operator who wants
to know of all of them, after a restore above all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain import ledger, self_check
from chalicelib.domain.account import Account
from chalicelib.domain.ledger import Batch
from chalicelib.models.keys import TERMS
from chalicelib.usecases import journals

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

TRIES = 5
STORED_SUM = "stored sum of the journal"
INCOMPLETE = "journal that is not in place"
MISSING = "account or terms missing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What differs, by name, and never by how much; empty if the loan is as its journal tells."""

    loan: str
    differ: tuple[str, ...] = ()


def verdict(ctx: Context, loan_id: str) -> Verdict | None:
    """A loan compared with its journal; ``None`` if there is no such loan.

    Two queries of one partition.  What others commit in between is noticed, and read again.
    """
    pk = journals.partition(ctx, loan_id)
    for _ in range(TRIES):
        group = ctx.store.load_group(pk, "A#")
        terms, stored = group.get("A#TERMS"), group.get("A#STATE")
        if not group or (terms is not None and terms.value.id != loan_id):
            return None
        if terms is None or stored is None:
            return Verdict(loan_id, (MISSING,))
        account: Account = stored.value
        batches = _journal(ctx, pk, account)
        if all(one.revision <= account.revision and one.seq <= account.seq for one in batches):
            differ = self_check.differences(terms.value, account, batches, journals.moment_of(ctx))
            return Verdict(loan_id, (*_stored_sum(account, batches), *differ))
    return Verdict(loan_id, (INCOMPLETE,))


def loans(ctx: Context) -> Iterator[str]:
    """Every loan of the partner, oldest first, a hundred at a time."""
    for stored in ctx.store.each(TERMS, ctx.partner.id, newest_first=False):
        yield stored.value.id


def _journal(ctx: Context, pk: str, account: Account) -> list[Batch]:
    """The account's journal, with what a telling has left staged in its place."""
    found = {s.value.seq: s.value for s in ctx.store.load_group(pk, "J#").values()}
    if account.staged is not None:
        waiting = ctx.store.load_group(pk, f"S#{account.staged}#").values()
        found |= {stored.value.seq: stored.value.batch for stored in waiting}
    return [found[seq] for seq in sorted(found)]


def _stored_sum(account: Account, batches: list[Batch]) -> tuple[str, ...]:
    """The account as it stands, before it is brought up: also of loans that are at rest."""
    fold = ledger.fold(batches, account.run)
    return () if fold == account.balances else (STORED_SUM,)
