"""The journal after its history was told anew, compared with the journal as it stood.

What is the same keeps its id and its place; what changed is marked ``reverted`` in its place and
made anew at the end; what came from outside keeps its id and has the split that it has now.  Only
batches in which something changed are written again (partner API, "Repayments" and "Reverting").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from chalicelib.domain import collecting, daily, disbursing, loans, replay, statements
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.decision import Event
from chalicelib.domain.ledger import (
    ORIGIN_PARTNER,
    Balances,
    Batch,
    Change,
    Run,
    Transaction,
    awaited,
    fold_before,
    transaction_id,
)
from chalicelib.domain.loans import Outcome
from chalicelib.domain.replay import Fact

ITEMS_A_BATCH = 150  # keeps a batch far below DynamoDB's 400 KB an item
TOLD_ANEW = "history"
KEPT_CHANGES = (TOLD_ANEW, "mandate")
ONE_DAY = timedelta(days=1)
Night = tuple[date, Balances]


@dataclass(frozen=True, slots=True)
class Loan:
    """An account with its whole journal, as a recalculation needs it.

    ``written`` are the batches as the store has them, ``fresh`` what the days have brought since,
    and ``events`` what of that is to be announced.
    """

    terms: Terms
    account: Account
    written: tuple[Batch, ...]
    fresh: tuple[Batch, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The whole journal, oldest first."""
        return (*self.written, *self.fresh)

    def transactions(self) -> list[Transaction]:
        """Every numbered entry."""
        return [item for batch in self.batches for item in batch.transactions]


def brought_up(loan: Loan, moment: Moment) -> Loan:
    """The loan with everything that the days have brought."""
    outcome = loans.brought_up(loan.terms, loan.account, moment)
    return replace(
        loan,
        account=outcome.account,
        fresh=(*loan.fresh, *outcome.batches),
        events=outcome.events,
    )


def retold(
    loan: Loan,
    before: Account,
    moment: Moment,
    told: list[Fact],
    fixed: dict[str, Transaction],
    cause: str,
) -> Outcome:
    """The outcome of telling ``told``; ``fixed`` are entries that are said to be as they are.

    ``before`` is the account as it was loaded, ``cause`` the id of what makes the difference.
    """
    old = loan.account
    items = [fixed.get(item.id, item) for item in loan.transactions()]
    waiting = awaited([*items, *_added(loan, told)])
    book = replay.tell(
        loan.terms,
        told,
        moment,
        revised=(*old.revised, moment.today),
        covered=waiting[2],
        journal=loan.batches,
        gone=fixed.keys(),
    )
    book.close_run()
    book.events.clear()
    comparison = _Comparison(loan, book, fixed, cause)
    written, fresh = comparison.batches(loan.written), comparison.batches(loan.fresh)
    written = _ahead_of_waiting(written)
    account = book.account
    _carry_over(account, old, waiting, [*items, *_added(loan, told)], told)
    note = Change(comparison.next(), TOLD_ANEW, "", cause, moment.today, moment.now, "system")
    new = comparison.rest(note)
    account.seq = comparison.last
    closing = Book(loan.terms, account, moment)
    closing.collecting = True
    loans.close_if_paid(closing)
    if closing.account.status == "closed" and not disbursing.returns(items):
        loans.refund(closing)  # what came on a loan that is closed by now
    collecting.announce_again(closing, old.noticed)
    daily.finish(closing)
    if closing.account.status == "closed" and old.status == "closed":
        closing.account.close_reason = old.close_reason
        closing.account.close_substatus = old.close_substatus
    for batch in closing.batches():
        new += [*batch.transactions, *batch.changes]
    return Outcome(
        account=closing.account,
        batches=(*(one for one in fresh if _holds(one)), *_cut(loan, moment, closing, new)),
        events=(*loan.events, *(replace(one, follows=True) for one in closing.events)),
        rewritten=tuple(
            replace(now, revision=account.revision)
            for was, now in zip(loan.written, written, strict=True)
            if was != now
        ),
        standings=statements.moved(before, closing.account, moment.today),
    )


def _added(loan: Loan, told: Sequence[Fact]) -> list[Transaction]:
    """Facts that are told and in no batch yet."""
    known = {item.id for item in loan.transactions()}
    items = [fact.what for fact in told if isinstance(fact.what, Transaction)]
    return [item for item in items if item.id not in known]


def _carry_over(
    account: Account,
    old: Account,
    waiting: tuple[int, Balances, tuple[int, ...]],
    items: Sequence[Transaction],
    told: Sequence[Fact],
) -> None:
    """What is no fold of the facts: what is pending, what was agreed, the mandate."""
    changes = [fact.what for fact in told if isinstance(fact.what, Change)]
    anew = max((one.seq for one in changes if disbursing.is_never_lent(one)), default=0)
    account.pending_count, account.pending, account.covered = waiting
    paid_out = [item for item in items if item.type == "disbursement" and item.seq > anew]
    account.disbursements = sum(item.status in ("pending", "applied") for item in paid_out)
    account.apr = old.apr if account.disbursed_on else None
    account.mandate, account.mandate_usable = old.mandate, old.mandate_usable
    account.collected, account.dated_back = old.collected, old.dated_back
    account.noticed = max(account.noticed, old.noticed) if account.disbursed_on else 0
    if account.disbursed_on is None:
        account.collected = 0
    account.run = None


def _ahead_of_waiting(batches: list[Batch]) -> list[Batch]:
    """The batches with disbursements that wait saying the balances that are now ahead of them."""

    def told(item: Transaction) -> Transaction:
        waits = item.type == "disbursement" and item.status == "pending"
        return replace(item, after=fold_before(batches, item.seq)) if waits else item

    return [replace(one, transactions=tuple(map(told, one.transactions))) for one in batches]


def _holds(batch: Batch) -> bool:
    return bool(batch.transactions or batch.runs or batch.changes or batch.closings)


def _key(item: Transaction) -> tuple[Any, ...]:
    return item.type, item.name, item.effective_date, item.amount, item.split, item.overpayment


def _alike(change: Change) -> tuple[Any, ...]:
    return change.field, change.before, change.after, change.on


def _comes_to(change: Change) -> tuple[Any, ...]:
    return change.field, change.after, change.on, change.cause


class _Comparison:
    """What was told against what is written: see the module."""

    def __init__(self, loan: Loan, book: Book, fixed: dict[str, Transaction], cause: str) -> None:
        self.last, self._now = loan.account.seq, book.moment.now
        self._loan, self._fixed, self._cause = loan, fixed, cause
        self._revision = book.account.revision
        self._facts = {item.id: item for item in book.transactions if replay.is_fact(item)}
        self._items: dict[tuple[Any, ...], list[Transaction]] = defaultdict(list)
        for item in book.transactions:
            if not replay.is_fact(item):
                self._items[_key(item)].append(item)
        self._nights = {day: (run, after) for run in book.runs for day, after in run.each()}
        self._changes = list(book.changes)

    def next(self) -> int:
        """The next number of the journal."""
        self.last += 1
        return self.last

    def batches(self, known: Sequence[Batch]) -> list[Batch]:
        """The batches as they are now."""
        return [
            replace(
                batch,
                transactions=tuple(self._item(item) for item in batch.transactions),
                runs=tuple(part for run in batch.runs for part in self._parts(run)),
                changes=tuple(one for one in map(self._change, batch.changes) if one),
            )
            for batch in known
        ]

    def rest(self, note: Change) -> list[Transaction | Run | Change]:
        """What no batch holds yet: the open nights first, then all that is new."""
        found: list[Transaction | Run | Change] = []
        run = self._loan.account.run
        for part in self._parts(replace(run, revision=self._revision - 1)) if run else ():
            found.append(replace(part, seq=self.next()))
        for new in self._new_runs():
            found.append(replace(new, seq=self.next()))
        for item in [one for left in self._items.values() for one in left]:
            seq = self.next()
            an_id = transaction_id(self._loan.terms.id, seq)
            found.append(replace(item, seq=seq, id=an_id, created_at=self._now))
        found += [replace(change, seq=self.next()) for change in self._changes]
        return [*found, *self._facts.values(), note]

    def _item(self, item: Transaction) -> Transaction:
        now = self._as_told(item)
        return item if now == item else replace(now, changed_at=self._now)

    def _as_told(self, item: Transaction) -> Transaction:
        told = self._facts.pop(item.id, None)
        if told is not None:
            return told
        if item.id in self._fixed:
            return self._fixed[item.id]
        if not item.counts:
            return item
        same = self._items[_key(item)]
        if same:
            return replace(item, after=same.pop(0).after)
        return replace(item, status="reverted", reverted_by=self._cause)

    def _change(self, change: Change) -> Change | None:
        """The change in its place, if it was told; one from outside may have come upon another
        status, and still counts in the order in which it came.
        """
        fact = change.cause == ORIGIN_PARTNER or change.after == "closed"
        for alike in (_alike, *((_comes_to,) if fact else ())):
            for n, told in enumerate(self._changes):
                if alike(told) == alike(change):
                    del self._changes[n]
                    return replace(change, before=told.before)
        return change if change.field in KEPT_CHANGES else None

    def _parts(self, run: Run) -> Iterator[Run]:
        """An old run cut into nights that are charged as before and nights taken back."""
        if run.reverted_by is not None:
            yield run
            return
        nights: list[Night] = []
        kept_in: Run | None = None
        for day, after in run.each():
            told = self._nights.get(day)
            now = told[0] if told is not None and told[0].amount == run.amount else None
            if nights and now is not kept_in:
                yield self._part(run, nights, kept_in)
                nights = []
            kept_in = now
            nights.append((day, self._nights.pop(day)[1] if now else after))
        if nights:
            yield self._part(run, nights, kept_in)

    def _part(self, run: Run, nights: list[Night], kept_in: Run | None) -> Run:
        part = _stretch(run, nights)
        if kept_in:
            return part
        return replace(part, reverted_by=self._cause, reverted_at=self._now)

    def _new_runs(self) -> Iterator[Run]:
        """The nights that were told and not charged before."""
        nights: list[Night] = []
        told_in: Run | None = None
        for day, (run, after) in self._nights.items():
            if nights and run is not told_in:
                assert told_in is not None
                yield replace(_stretch(told_in, nights), revision=self._revision)
                nights = []
            told_in = run
            nights.append((day, after))
        if nights and told_in is not None:
            yield replace(_stretch(told_in, nights), revision=self._revision)


def _stretch(run: Run, nights: list[Night]) -> Run:
    """The part of ``run`` that holds just these of its nights."""
    first, last = nights[0][0], nights[-1][0]
    inside = {day for day, _ in nights}
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    after = nights[0][1]
    return replace(
        run,
        first=first,
        last=last,
        before=after._replace(interest=after.interest - run.amount),
        skipped=tuple(day for day in days if day not in inside),
    )


def _cut(
    loan: Loan, moment: Moment, closing: Book, new: list[Transaction | Run | Change]
) -> Iterator[Batch]:
    """What is new, in the order of its numbers, cut into items of a bounded size."""
    new.sort(key=lambda one: one.seq)
    for n in range(0, len(new), ITEMS_A_BATCH):
        cut = new[n : n + ITEMS_A_BATCH]
        yield Batch(
            loan=loan.terms.id,
            seq=cut[0].seq,
            at=moment.now,
            on=moment.today,
            transactions=tuple(one for one in cut if isinstance(one, Transaction)),
            runs=tuple(one for one in cut if isinstance(one, Run)),
            changes=tuple(one for one in cut if isinstance(one, Change)),
            revision=closing.account.revision,
        )
