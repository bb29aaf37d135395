"""What holds of every loan, whatever has happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from chalicelib.domain import postings, replay, views
from chalicelib.domain.ledger import DIRECTION, Balances, Transaction
from chalicelib.domain.money import HALF_PENNY, PENNY, exact, pence
from chalicelib.domain.statements import Statement
from chalicelib.domain.status import OPEN
from chalicelib.usecases import journals, reports
from tests.usecases.living_loans import Life, Seen

ZERO = Decimal(0)
HAIR = Decimal("1e-8")
WHEN = ("created_at", "updated_at")
KINDS = ("disbursement", "chargeback", "rounding", "repayment", "allocation", "write_off")
#: What of an account follows from its facts alone.
TOLD = (
    "status", "as_of", "balances", "overpayment", "written_off", "disbursed_on", "bases",
    "next_row", "prepaid", "billed", "short", "interest_enabled", "late_since", "arrears_since",
    "held_until_row", "minimums", "statements", "period_start", "opening", "wake",
)  # fmt: skip
TOLD_OF_CLOSED = ("balances", "written_off", "disbursed_on", "statements")


def check(life: Life, seen: Seen) -> None:
    """All of it."""
    check_fold(seen)
    check_splits(seen.transactions)
    check_postings(seen)
    check_principal(seen)
    check_schedule(life, seen)
    check_retelling(life)
    check_ids(life, seen.transactions)


@exact
def check_fold(seen: Seen) -> None:
    """Balances are the fold of what counts; the newest that counts says where they stand."""
    total, over, off = Balances(), ZERO, ZERO
    pending = Balances()
    for item in seen.transactions:
        if item.counts:
            total = total.plus(item.split, DIRECTION[item.type])
            over += item.overpayment
            off += item.split.total if item.type == "write_off" else 0
        elif item.status == "pending":
            pending = pending.plus(item.split)
    shown = seen.loan
    assert total == _balances(shown), "balances are the fold of their transactions"
    assert over == shown["overpayment"], "so is what is overpaid"
    assert off == shown["written_off"], "and what is written off"
    assert pending == _balances(shown, "pending_"), "and what is pending"
    assert min(*total, over, off, *pending) >= 0, "nobody owes less than nothing"
    if shown["status"] in ("closed", "cancelled", "inactive"):
        assert not any(total) and not over, (shown["status"], total, over)


def _balances(shown: Mapping[str, Any], prefix: str = "") -> Balances:
    return Balances(*(shown[prefix + name] for name in Balances._fields))


@exact
def check_splits(items: Iterable[Transaction]) -> None:
    """A transaction's amount is where it went."""
    for item in items:
        if not item.counts:
            continue
        went, over = item.split.total, item.overpayment
        if item.type == "repayment":
            assert went + over == item.amount, item
            assert min(*item.split, over) >= 0, item
        elif item.type == "chargeback":
            assert went - over == item.amount, item
        elif item.type == "allocation":
            assert went == -over and pence(went) == item.amount, item
        elif item.type == "refund":
            assert not went and pence(-over) == item.amount, item
        elif item.type == "rounding":
            assert abs(went + over) <= HALF_PENNY, item
        else:
            assert went == item.amount, item


@exact
def check_postings(seen: Seen) -> None:
    """Double entry: each posting balances, all together mirror the loan."""
    for item in seen.transactions:
        assert sum((line.net for line in postings.lines(item)), ZERO) == 0, item
    nets = postings.nets(seen.transactions, ())
    assert sum(nets.values()) == 0
    held = postings.held(_balances(seen.loan), seen.loan["overpayment"])
    assert {name: nets[name] for name in held} == held


@exact
def check_principal(seen: Seen) -> None:
    """Repaid, outstanding and written off are what was disbursed and what came back."""
    of = dict.fromkeys(KINDS, ZERO)
    for item in seen.transactions:
        if item.counts and item.type in of:
            of[item.type] += item.split.principal
    paid = of["repayment"] + of["allocation"]
    lent = of["disbursement"] + of["chargeback"] + of["rounding"]
    assert paid + seen.loan["principal"] + of["write_off"] == lent


@exact
def check_schedule(life: Life, seen: Seen) -> None:
    """The rows to come plan what is outstanding and not billed."""
    if seen.rows is None:
        return
    assert [row.number for row in seen.rows] == sorted({row.number for row in seen.rows})
    if seen.loan["status"] not in OPEN:
        return
    loan = life.load()
    moment = journals.moment_of(life.context())
    account = views.loan_view(loan.terms.value, loan.account.value, moment).account
    left = account.unbilled.principal
    ahead = [row for row in seen.rows if row.number >= account.next_row]
    assert all(row.due_date > life.day for row in ahead), "what has come due is billed"
    planned = sum((row.principal for row in ahead), ZERO) - account.prepaid
    if ahead or left:
        assert abs(planned - left) < HAIR, f"{planned} planned of {left}"
    if ahead and left:
        assert abs(ahead[-1].principal_after_repayment) < PENNY, ahead[-1]


def check_retelling(life: Life) -> None:
    """The stored account is what its journal tells."""
    ctx = life.context()
    loan = life.load()
    terms, stored, moment = loan.terms.value, loan.account.value, journals.moment_of(ctx)
    batches = [one.value for one in journals.read(ctx, loan)]
    now = views.loan_view(terms, stored, moment).account
    told = replay.tell(
        terms,
        replay.facts(batches),
        moment,
        revised=stored.revised,
        covered=now.covered,
        journal=batches,
    ).account
    if now.status == "cancelled":
        return
    names = TOLD_OF_CLOSED if now.status == "closed" else TOLD
    differs = {n: (getattr(told, n), getattr(now, n)) for n in names}
    differs = {name: pair for name, pair in differs.items() if pair[0] != pair[1]}
    assert not differs, f"told from its journal | as it is stored: {differs}"
    wakes = told.wake if now.status in OPEN else None
    assert stored.wake is None or wakes is None or stored.wake <= wakes


def check_ids(life: Life, items: Sequence[Transaction], most: int = 3) -> None:
    """Ids are unique, and what is listed can be read."""
    ids = [item.id for item in items]
    assert len(set(ids)) == len(ids)
    step = max(1, len(items) // most)
    for item in [*items[:1], *items[1::step]][:most]:
        assert life.reads(item.id) == item


# --- what was known -------------------------------------------------------------------------------


def check_past(life: Life, day: date, then: Seen) -> None:
    """An earlier day is shown as it was shown on that day."""
    now = life.sees(day)
    differs = differing(now.loan, then.loan)
    assert not differs, f"as known | as shown then: {differs}"
    assert now.rows == then.rows
    assert [plain(item) for item in now.transactions] == [plain(i) for i in then.transactions]
    assert list(now.transactions) == list(then.transactions)


def differing(
    one: Mapping[str, Any], other: Mapping[str, Any], but: Iterable[str] = ()
) -> dict[str, Any]:
    """What two views differ in."""
    names = [name for name in one if name not in but]
    return {name: (one[name], other[name]) for name in names if one[name] != other[name]}


def plain(item: Transaction) -> tuple[Any, ...]:
    """What a transaction says of the loan, without the instants at which it was written."""
    return (
        item.effective_date, item.type, item.status, item.amount, item.split, item.overpayment,
        item.after, item.name, item.origin, item.processing_date, item.row, item.due,
        item.attempt, item.towards, item.failure_reason, item.reverted_by is None,
    )  # fmt: skip


# --- the twin whose job is not run ----------------------------------------------------------------


def check_twin(seen: Seen, other: Seen) -> None:
    """Day by day, or caught up later: the same account to the last digit."""
    differs = differing(seen.loan, other.loan, WHEN)
    assert not differs, f"day by day | caught up: {differs}"
    assert seen.rows == other.rows
    mine, its = [plain(i) for i in seen.transactions], [plain(i) for i in other.transactions]
    assert sorted(mine, key=repr) == sorted(its, key=repr)


# --- reports --------------------------------------------------------------------------------------


def check_reports(life: Life, seen: Seen) -> None:
    """The trial balance foots, and shows the loan as its resource does."""
    net = {line.account: line.net for line in reports.trial_balance(life.context(), None).accounts}
    assert sum(net.values()) == 0
    for name, field in (
        (postings.PRINCIPAL, "principal"),
        (postings.INTEREST, "interest"),
        (postings.FEES, "fee"),
    ):
        assert net[name] == pence(seen.loan[field])
    assert -net[postings.OVERPAID] == pence(seen.loan["overpayment"])


# --- statements -----------------------------------------------------------------------------------


def check_statements(
    life: Life, issued: Mapping[str, Statement], found: Sequence[Statement]
) -> None:
    """Statements stay as issued; what is repaid of each is what the account still asks for."""
    account = views.loan_view(
        life.load().terms.value, life.load().account.value, journals.moment_of(life.context())
    ).account
    asked = {one.number: one for one in account.minimums}
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    for one in found:
        first = issued.get(one.id)
        assert first is None or replace(one, repaid=first.repaid, status=first.status) == first
        assert ZERO <= one.repaid <= one.minimum_repayment
        left = asked.get(one.number)
        if left is not None and one.number <= account.statements:
            status = "missed" if life.day > left.due else "open"
            repaid = one.minimum_repayment - left.missing
            assert (one.repaid, one.status) == (repaid, status), one.number
        elif account.status in OPEN:
            assert one.status == "paid", one.number
    for before, after in pairwise(found):
        assert after.period_start == before.period_end + timedelta(days=1)
        assert after.opening_balance == before.closing_balance
