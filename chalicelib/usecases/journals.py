"""A loan's items in the store: its account and its journal, read and written as one.

A telling of the history anew changes batches that were written long ago.  Each keeps its place (and
its key), and the version before stays as an archive.  What does not fit into one transaction is
staged first, then the account is flipped to it in one step; whoever loads the loan finds the flag
and first helps to finish, so that nobody sees half of it.  See
``docs/adr/0009-the-journal-told-anew.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from chalicelib.domain import daily, known
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.ledger import Batch
from chalicelib.domain.loans import Outcome
from chalicelib.models.journals import Former, Staged
from chalicelib.models.keys import ACCOUNT, BATCH, FORMER, STAGED, TERMS
from chalicelib.models.store_errors import Conflict, StoreError

if TYPE_CHECKING:
    from chalicelib.models.unit import Stored, Unit
    from chalicelib.usecases.context import Context

A = TypeVar("A")
Also = Callable[["Unit"], None]

#: What one transaction is given: DynamoDB takes 100 items and 4 MB; the rest is for what the
#: context adds (idempotency, outbox) and for what is not the documents' text.
MOST_OPERATIONS = 90
MOST_TEXT = 2_000_000
STAGED_AT_ONCE = 10
#: A crash before the flip leaves staged batches behind. After it the account wakes every day until
#: they are in place, so that they never wait as long as this.
STAGED_SECONDS = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as the store has it: two items of one partition, read together."""

    terms: Stored[Terms]
    account: Stored[Account]

    @property
    def id(self) -> str:
        """The loan's id."""
        return self.terms.value.id

    @property
    def created_at(self) -> datetime:
        """When the loan was opened."""
        return self.terms.created_at


def moment_of(ctx: Context) -> Moment:
    """The context's time as the domain takes it."""
    return Moment(ctx.now, ctx.business_date, ctx.partner.begins)


def partition(ctx: Context, an_id: str) -> str:
    """The partition of a loan, by its own id or by one of its transactions'."""
    return TERMS.key(ctx.partner.id, an_id)[0]


# --- reading --------------------------------------------------------------------------------------


def account_of(ctx: Context, an_id: str) -> Loan | None:
    """The loan that its own id or a transaction's leads to, its journal complete."""
    group = ctx.store.load_group(partition(ctx, an_id), "A#")
    terms, account = group.get("A#TERMS"), group.get("A#STATE")
    return settled(ctx, Loan(terms, account)) if terms and account else None


def heads(ctx: Context, loan_id: str) -> list[Stored[Batch]]:
    """The journal's batches as they are now, oldest first."""
    return list(ctx.store.load_group(partition(ctx, loan_id), "J#").values())


def read(ctx: Context, loan: Loan) -> list[Stored[Batch]]:
    """The whole journal of the very account that was loaded, oldest first.

    Raises :class:`Conflict` if others have gone on meanwhile: load the loan again.
    """
    found = heads(ctx, loan.id)
    check(loan, (stored.value for stored in found))
    return found


def check(loan: Loan, batches: Iterable[Batch]) -> None:
    """Raise :class:`Conflict` for batches that are newer than the account."""
    account = loan.account.value
    for batch in batches:
        if batch.revision > account.revision or batch.seq > account.seq:
            raise Conflict


def told_by(ctx: Context, loan: Loan, revision: int) -> list[Batch]:
    """The journal as telling number ``revision`` had it, oldest first.

    Of each batch that is the version that the first later telling replaced, or else the present
    one; batches that only a later telling made are not in it.
    """
    replaced: list[tuple[int, Batch]] = []
    if revision < loan.account.value.revision:
        archive = ctx.store.load_group(partition(ctx, loan.id), "H#").values()
        replaced = [(stored.value.until, stored.value.batch) for stored in archive]
    now = [stored.value for stored in read(ctx, loan)]
    then = known.journal_of(now, replaced, revision)
    return [batch for batch in then if batch.revision <= revision]


def batch_with(ctx: Context, loan_id: str, seq: int) -> Stored[Batch] | None:
    """The journal batch that holds entry number ``seq``: the last that begins at or before it."""
    pk, beyond = BATCH.key(ctx.partner.id, loan_id, seq=seq + 1)
    found = ctx.store.load_group(pk, "J#", newest_first=True, limit=1, after=beyond)
    return next(iter(found.values()), None)


# --- writing --------------------------------------------------------------------------------------


def commit(
    ctx: Context,
    loan: Loan,
    outcome: Outcome,
    journal: Sequence[Stored[Batch]],
    answer: A,
    also: Also | None = None,
) -> A:
    """Write all that ``outcome`` says, at once or not at all, and give ``answer``.

    ``journal`` are the batches that it was decided on, where it rewrites any.  ``also`` adds to the
    same transaction what belongs to the request (an idempotency record).
    """
    unit = _whole(ctx, loan, outcome, journal)
    if also is not None:
        also(unit)
    if _fits(unit):
        return ctx.commit(unit, answer)
    return _in_stages(ctx, loan, outcome, answer, also)


def put(
    ctx: Context, unit: Unit, loan: Loan, outcome: Outcome, journal: Sequence[Stored[Batch]]
) -> None:
    """Add to ``unit``, which the caller commits, all that ``outcome`` says.

    What is too much for it is staged at once (which nobody sees before the commit); whoever loads
    the loan next puts it in place.
    """
    whole = _whole(ctx, loan, outcome, journal)
    if not _fits(whole, unit):
        whole = ctx.unit()
        flipped = _staged(ctx, loan, outcome)
        _put_account(ctx, whole, loan, outcome, flipped)
    for operation in whole.operations.values():
        unit.add(operation)


def _whole(ctx: Context, loan: Loan, outcome: Outcome, journal: Sequence[Stored[Batch]]) -> Unit:
    """A unit with all that ``outcome`` says, whether or not one transaction takes it."""
    present = {stored.value.seq: stored for stored in journal}
    unit = ctx.unit()
    _put_account(ctx, unit, loan, outcome, outcome.account)
    for batch in (*outcome.rewritten, *outcome.batches):
        _put(ctx, unit, present.get(batch.seq), batch)
    return unit


def _put_account(ctx: Context, unit: Unit, loan: Loan, outcome: Outcome, account: Account) -> Loan:
    """All but new and rewritten batches; the loan as it is after the commit."""
    terms, stored = loan.terms, loan.account
    if account != stored.value or account.staged:
        touch = touches(outcome)
        stored = unit.update(ACCOUNT, ctx.partner.id, stored, account, touch=touch)
    elif outcome.updates:  # decided on this very account, whose version nothing else would check
        unit.guard(ACCOUNT, ctx.partner.id, stored)
    if outcome.terms is not None:
        terms = unit.update(TERMS, ctx.partner.id, terms, outcome.terms)
    for head, changed in _in_place(ctx, loan, outcome):
        unit.update(BATCH, ctx.partner.id, head, changed)
    return Loan(terms, stored)


def touches(outcome: Outcome) -> bool:
    """Whether the loan's ``updated_at`` moves: not for what the days bring without an entry."""
    return bool(outcome.batches or outcome.updates or outcome.rewritten)


def _in_place(ctx: Context, loan: Loan, outcome: Outcome) -> Iterable[tuple[Stored[Batch], Batch]]:
    """The batches that hold older transactions which were confirmed, with the change in them."""
    found: dict[int, tuple[Stored[Batch], Batch]] = {}
    for update in outcome.updates:
        stored = batch_with(ctx, loan.id, update.seq)
        assert stored is not None
        before = found.get(stored.value.seq, (stored, stored.value))[1]
        items = tuple(update if old.id == update.id else old for old in before.transactions)
        found[stored.value.seq] = (stored, replace(before, transactions=items))
    return found.values()


def _put(ctx: Context, unit: Unit, head: Stored[Batch] | None, batch: Batch) -> None:
    """Put a batch in its place in the journal, and what was there into the archive."""
    if head is None:
        unit.create(BATCH, ctx.partner.id, batch)
        return
    unit.create(FORMER, ctx.partner.id, Former(batch.loan, batch.seq, batch.revision, head.value))
    unit.update(BATCH, ctx.partner.id, head, batch)


def _fits(*units: Unit) -> bool:
    """Whether one transaction takes it, or them."""
    writes = [one for unit in units for one in unit.operations.values()]
    text = sum(len(str(one.item.get("doc", ""))) for one in writes)
    many = len(writes) + sum(len(unit.messages) for unit in units)
    return many <= MOST_OPERATIONS and text <= MOST_TEXT


# --- what one transaction does not take -----------------------------------------------------------


def _in_stages(ctx: Context, loan: Loan, outcome: Outcome, answer: A, also: Also | None) -> A:
    """Write the batches aside, flip the account to them in one step, then put them in place."""
    flipped = _staged(ctx, loan, outcome)
    unit = ctx.unit()
    after = _put_account(ctx, unit, loan, outcome, flipped)
    if also is not None:
        also(unit)
    ctx.commit(unit, answer)
    try:
        settled(ctx, after)
    except StoreError as error:  # it is done and cannot be lost: whoever comes next goes on
        ctx.report("a history told anew is not in place yet", error, loan=loan.id)
    return answer


def _staged(ctx: Context, loan: Loan, outcome: Outcome) -> Account:
    """Write the batches aside; the account that leads to them."""
    token = ctx.new_id()
    for part in _parts([*outcome.rewritten, *outcome.batches]):
        unit = ctx.unit()
        for batch in part:
            staged = Staged(loan.id, token, batch.seq, batch)
            unit.create(STAGED, ctx.partner.id, staged, ttl_seconds=STAGED_SECONDS)
        ctx.store.commit(unit)
    return replace(outcome.account, staged=token, wake=ctx.business_date)


def _parts(batches: Sequence[Batch]) -> Iterator[Sequence[Batch]]:
    for start in range(0, len(batches), STAGED_AT_ONCE):
        yield batches[start : start + STAGED_AT_ONCE]


def settled(ctx: Context, loan: Loan) -> Loan:
    """The loan with its journal in place: finishes what a telling has left staged.

    Several may help at once: each step is one transaction, good only while the flag stands and
    its batches wait.  Raises :class:`Conflict` where another was faster: load the loan again.
    """
    token = loan.account.value.staged
    if token is None:
        return loan
    pk = partition(ctx, loan.id)
    while waiting := ctx.store.load_group(pk, f"S#{token}#", limit=STAGED_AT_ONCE):
        unit = ctx.unit()
        unit.guard(ACCOUNT, ctx.partner.id, loan.account)
        for stored in waiting.values():
            batch: Batch = stored.value.batch
            head = ctx.store.get(BATCH, ctx.partner.id, loan.id, seq=batch.seq)
            _put(ctx, unit, head, batch)
            unit.delete(STAGED, ctx.partner.id, stored)
        ctx.store.commit(unit)
    return _unflagged(ctx, loan)


def _unflagged(ctx: Context, loan: Loan) -> Loan:
    terms, flagged = loan.terms.value, loan.account.value
    wake = daily.next_wake(Book(terms, flagged, moment_of(ctx)))
    account = replace(flagged, staged=None, wake=wake)
    unit = ctx.unit()
    after = unit.update(ACCOUNT, ctx.partner.id, loan.account, account, touch=False)
    ctx.store.commit(unit)
    return replace(loan, account=after)
