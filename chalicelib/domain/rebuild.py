"""The history told anew: recalculation, backdating and reverting.

The facts, with one more, one fewer or only the first of them, are told from the beginning; what
comes out is compared with the journal as it stands.  What is the same keeps its id; what changed is
marked ``reverted`` and made anew; what came from outside keeps its id with the split that it has
now.  The result is a whole new revision of the journal: the old one stays as it was (partner API,
"Repayments" and "Reverting").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain import daily, loans, replay, status
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Book, Moment
from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.ledger import (
    ORIGIN_PARTNER,
    TRANSACTION,
    Balances,
    Batch,
    Change,
    Run,
    Transaction,
    transaction_id,
)
from chalicelib.domain.loans import Asked, Outcome
from chalicelib.domain.money import exact
from chalicelib.domain.replay import FREE_NIGHTS, Fact

ITEMS_A_BATCH = 150  # keeps a batch far below DynamoDB's 400 KB an item
TOLD_ANEW = "history"


@dataclass(frozen=True, slots=True)
class Loan:
    """An account with its whole journal, as a rebuild needs it."""

    terms: Terms
    account: Account
    batches: tuple[Batch, ...]

    def transactions(self) -> list[Transaction]:
        """Every numbered entry."""
        return [item for batch in self.batches for item in batch.transactions]

    def runs(self) -> list[Run]:
        """Every run, the open one included."""
        found = [run for batch in self.batches for run in batch.runs]
        return [*found, self.account.run] if self.account.run else found


# --- the commands ---------------------------------------------------------------------------------


@exact
def fail_repayment(loan: Loan, moment: Moment, waiting: Transaction, cause: str) -> Outcome:
    """A manual repayment failed: everything since is told as if it had never been."""
    TRANSACTION.move(waiting.status, "fail")
    loan = _brought_up(loan, moment)
    failed = replace(waiting, status="failed", failure_reason=cause, processing_date=moment.today)
    kept = [fact for fact in replay.facts(loan.batches) if _id(fact) != waiting.id]
    outcome = _rebuilt(loan, moment, kept, {failed.id: failed}, waiting.id)
    event = ("repayment_result", loans.result_of(failed))
    return _announcing(outcome, loan, moment, event, failed.id)


def _id(fact: Fact) -> str:
    return fact.what.id if isinstance(fact.what, Transaction) else ""


@exact
def repay_backdated(
    loan: Loan, moment: Moment, amount: Decimal, effective: date, asked: Asked
) -> Outcome:
    """A repayment that took effect on an earlier day: everything since is told with it."""
    loan = _brought_up(loan, moment)
    account = loan.account
    loans.refuse_unless_open(account)
    _check_date(effective, account, moment)
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
        **asked.details(),
    )
    account = replace(account, seq=seq, pending_count=account.pending_count + 1)
    told = replay.in_order([*replay.facts(loan.batches), Fact(effective, seq, made)])
    outcome = _rebuilt(replace(loan, account=account), moment, told, {}, made.id)
    return replace(outcome, transaction=_with_id(outcome, made.id))


def _check_date(effective: date, account: Account, moment: Moment) -> None:
    assert account.disbursed_on is not None
    if account.disbursed_on <= effective <= moment.today:
        return
    message = f"{effective} is not between the disbursement, {account.disbursed_on}, and today."
    raise Invalid(Flaw("effective_date", "out_of_range", message))


@exact
def revert(loan: Loan, moment: Moment, target: Transaction) -> Outcome:
    """Revert a transaction and every later one; the reverted nights are never charged again."""
    loan = _brought_up(loan, moment)
    _refuse_revert(loan, target)
    day = target.effective_date
    kept = [f for f in replay.facts(loan.batches) if (f.on, f.seq) < (day, target.seq)]
    first_free = day if target.type == "interest" else day + timedelta(days=1)
    account = loan.account
    if kept and first_free <= moment.today:
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
        kept = [*kept, Fact(day, seq, free)]
    gone = {
        item.id: replace(item, status="reverted", reverted_by=target.id)
        for item in loan.transactions()
        if item.status == "applied" and (item.effective_date, item.seq) >= (day, target.seq)
    }
    outcome = _rebuilt(replace(loan, account=account), moment, kept, gone, target.id)
    return replace(outcome, transaction=_with_id(outcome, target.id) or target)


def _refuse_revert(loan: Loan, target: Transaction) -> None:
    if target.status == "pending":
        raise Refused("transaction_pending", "The transaction is still pending.")
    TRANSACTION.move(target.status, "revert")
    account = loan.account
    if account.status == "cancelled":
        raise Refused("loan_not_open", "The loan is cancelled.")
    later = [item for item in loan.transactions() if item.status == "pending"]
    if later:
        raise Refused(
            "transaction_pending",
            f"{len(later)} transaction(s) of the loan are still pending.",
            {"pending": [item.id for item in later]},
        )
    if account.status == "closed" and target.seq < _closing(loan):
        raise Refused("loan_not_open", "The loan is closed: only what closed it can be reverted.")


def _closing(loan: Loan) -> int:
    """The number of the fact that closed the loan; what it brought with it has later ones."""
    made = [item.seq for item in loan.transactions() if replay.is_fact(item) and item.counts]
    return max(made, default=0)


# --- telling anew ---------------------------------------------------------------------------------


def _brought_up(loan: Loan, moment: Moment) -> Loan:
    """The loan with everything that the days have brought in its journal."""
    outcome = loans.brought_up(loan.terms, loan.account, moment)
    more = (outcome.batch,) if outcome.batch else ()
    return replace(loan, account=outcome.account, batches=(*loan.batches, *more))


def _rebuilt(
    loan: Loan, moment: Moment, told: list[Fact], fixed: dict[str, Transaction], cause: str
) -> Outcome:
    """The outcome of telling ``told``; ``fixed`` are entries that are said to be as they are."""
    old = loan.account
    book = replay.tell(loan.terms, told, moment, (*old.revised, moment.today))
    book.close_run()
    book.events.clear()
    numbers = _Numbers(old.seq)
    items = _entries(loan, book, fixed, cause, numbers)
    runs = _nights(loan, book, cause, numbers)
    note = Change(numbers.next(), TOLD_ANEW, "", cause, moment.today, moment.now, "system")
    changes = [*_changes(loan, book, numbers), note]
    account = book.account
    waiting = [item for item in items if item.status == "pending"]
    account.pending_count = len(waiting)
    account.pending = old.pending
    paid_out = [item for item in items if item.type == "disbursement"]
    account.disbursements = sum(item.status in ("pending", "applied") for item in paid_out)
    account.interest_enabled = book.account.interest_enabled if told else old.interest_enabled
    account.apr = old.apr if account.disbursed_on else None
    account.seq, account.run = numbers.last, None
    closing = Book(loan.terms, account, moment)
    loans.close_if_paid(closing)
    daily.finish(closing)
    if closing.account.status == "closed":
        items += closing.transactions
        changes += closing.changes
        if old.status == "closed":
            closing.account.close_reason = old.close_reason
            closing.account.close_substatus = old.close_substatus
    return Outcome(
        account=closing.account,
        batch=None,
        events=tuple(closing.events),
        rewritten=_batches(loan, moment, closing.account.revision, items, runs, changes),
    )


class _Numbers:
    """The loan's next journal numbers."""

    def __init__(self, last: int) -> None:
        self.last = last

    def next(self) -> int:
        self.last += 1
        return self.last


def _key(item: Transaction) -> tuple[Any, ...]:
    return item.type, item.name, item.effective_date, item.amount, item.split, item.overpayment


def _entries(
    loan: Loan, book: Book, fixed: dict[str, Transaction], cause: str, numbers: _Numbers
) -> list[Transaction]:
    """Old entries as they are now, and the new ones that have no old counterpart."""
    told = {item.id: item for item in book.transactions if replay.is_fact(item)}
    fresh: dict[tuple[Any, ...], list[Transaction]] = defaultdict(list)
    for item in book.transactions:
        if not replay.is_fact(item):
            fresh[_key(item)].append(item)
    found: list[Transaction] = []
    for item in loan.transactions():
        if item.id in told:
            found.append(told.pop(item.id))
        elif item.id in fixed:
            found.append(fixed[item.id])
        elif not item.counts:
            found.append(item)
        elif fresh[_key(item)]:
            found.append(replace(item, after=fresh[_key(item)].pop(0).after))
        else:
            found.append(replace(item, status="reverted", reverted_by=cause))
    for item in [one for left in fresh.values() for one in left]:
        seq = numbers.next()
        found.append(replace(item, seq=seq, id=transaction_id(loan.terms.id, seq)))
    return [*found, *told.values()]


def _nights(loan: Loan, book: Book, cause: str, numbers: _Numbers) -> list[Run]:
    """Old nights that are charged as before stay; the others are taken back and made anew."""
    before = {day: run for run in loan.runs() if run.reverted_by is None for day, _ in run.each()}
    found = [replace(run, seq=numbers.next()) for run in loan.runs() if run.reverted_by]
    unchanged: set[date] = set()
    for run in book.runs:
        for part in _parts(run, before):
            found.append(replace(part, seq=numbers.next()))
            if part.revision != run.revision:
                unchanged |= {day for day, _ in part.each()}
    for run in loan.runs():
        if run.reverted_by is None:
            gone = [(day, after) for day, after in run.each() if day not in unchanged]
            found += [
                replace(part, seq=numbers.next(), reverted_by=cause)
                for part in _stretches(run, gone, run.revision)
            ]
    return found


def _parts(run: Run, before: dict[date, Run]) -> Iterable[Run]:
    """A new run cut where its nights begin or cease to be what they were."""
    nights: list[tuple[date, Balances]] = []
    kept_as: int | None = None
    for day, after in run.each():
        old = before.get(day)
        same = old.revision if old is not None and old.amount == run.amount else None
        if nights and same != kept_as:
            yield from _stretches(run, nights, run.revision if kept_as is None else kept_as)
            nights = []
        kept_as = same
        nights.append((day, after))
    yield from _stretches(run, nights, run.revision if kept_as is None else kept_as)


def _stretches(run: Run, nights: list[tuple[date, Balances]], revision: int) -> list[Run]:
    """The part of ``run`` that holds just these of its nights."""
    if not nights:
        return []
    first, last = nights[0][0], nights[-1][0]
    inside = {day for day, _ in nights}
    length = (last - first).days + 1
    skipped = [first + timedelta(days=n) for n in range(length)]
    start = nights[0][1]
    before = start._replace(interest=start.interest - run.amount)
    return [
        replace(
            run,
            first=first,
            last=last,
            before=before,
            skipped=tuple(day for day in skipped if day not in inside),
            revision=revision,
        )
    ]


def _changes(loan: Loan, book: Book, numbers: _Numbers) -> list[Change]:
    """Changes that happen again keep their number and time; new ones get theirs."""
    known = {(c.field, c.before, c.after, c.on): c for batch in loan.batches for c in batch.changes}
    found: list[Change] = []
    for change in book.changes:
        old = known.get((change.field, change.before, change.after, change.on))
        found.append(old or replace(change, seq=numbers.next()))
    told = [c for batch in loan.batches for c in batch.changes if c.field == TOLD_ANEW]
    return [*told, *found]


def _batches(
    loan: Loan,
    moment: Moment,
    revision: int,
    items: Sequence[Transaction],
    runs: Sequence[Run],
    changes: Sequence[Change],
) -> tuple[Batch, ...]:
    """The whole journal in the order of its numbers, cut into items of a bounded size."""
    everything: list[Transaction | Run | Change] = [*items, *runs, *changes]
    everything.sort(key=lambda one: one.seq)
    cuts = [everything[n : n + ITEMS_A_BATCH] for n in range(0, len(everything), ITEMS_A_BATCH)]
    return tuple(
        Batch(
            loan=loan.terms.id,
            seq=cut[0].seq,
            at=moment.now,
            on=moment.today,
            transactions=tuple(one for one in cut if isinstance(one, Transaction)),
            runs=tuple(one for one in cut if isinstance(one, Run)),
            changes=tuple(one for one in cut if isinstance(one, Change)),
            revision=revision,
        )
        for cut in cuts
    )


def _with_id(outcome: Outcome, an_id: str) -> Transaction | None:
    for batch in outcome.rewritten:
        for item in batch.transactions:
            if item.id == an_id:
                return item
    return None


def _announcing(
    outcome: Outcome, loan: Loan, moment: Moment, event: tuple[str, dict[str, Any]], an_id: str
) -> Outcome:
    """The outcome with its event, and the status's where that has become worse."""
    book = Book(loan.terms, outcome.account, moment)
    book.tell(event[0], **event[1])
    before, after = loan.account.status, outcome.account.status
    if status.SEVERITY.get(after, 0) > status.SEVERITY.get(before, 0):
        book.tell(status.ANNOUNCED[after], status=after)
    return replace(
        outcome,
        events=(*book.events, *outcome.events),
        transaction=_with_id(outcome, an_id),
    )
