"""A history told anew is in the store whole or not at all, wherever its writing is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from itertools import count
from typing import Any

import pytest

from chalicelib.domain import disbursing, journal, rebuild
from chalicelib.domain import loans as domain
from chalicelib.domain.account import Account
from chalicelib.domain.ledger import Batch
from chalicelib.domain.partners import Partner
from chalicelib.models.journals import Former
from chalicelib.models.keys import ACCOUNT, TERMS
from chalicelib.models.store import Store, Unit
from chalicelib.models.store_errors import Unavailable
from chalicelib.usecases import history, journals, loans, transactions
from chalicelib.usecases.context import Context
from chalicelib.usecases.loans import Retelling
from tests.domain.lives import LOAN, terms
from tests.support import memory_store

OWNER = Partner("0d1f7f2e-6f51-4c3e-9d3f-3f1c7a3c1a10")
START, REPAYMENTS = date(2024, 2, 9), 7
END = START + timedelta(days=REPAYMENTS + 3)
BEFORE, AFTER = "before", "after"


class Crash(Exception):
    """The process is gone."""


@pytest.fixture(autouse=True)
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short life does not fit into one."""
    monkeypatch.setattr(journals, "MOST_OPERATIONS", 8)
    monkeypatch.setattr(journals, "STAGED_AT_ONCE", 3)


def context(store: Store, day: date = END) -> Context:
    numbers = count(1)
    return Context(
        partner=OWNER,
        now=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        business_date=day,
        store=store,
        new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
    )


def told(store: Store, day: date, command: Any) -> Any:
    ctx = context(store, day)
    return loans.carry_out(ctx, loans.load(ctx, LOAN), command)[1].transaction


@cache
def lived() -> tuple[Store, tuple[dict[str, Any], ...], str]:
    """A table with a loan that was repaid seven times, its items, and the first repayment's id."""
    store = memory_store(sleep=lambda _: None)
    unit = Unit(context(store, START).now)
    unit.create(TERMS, OWNER.id, terms())
    unit.create(ACCOUNT, OWNER.id, Account(id=LOAN, end_user="end-user"))
    store.commit(unit)
    asked = domain.Asked()
    waiting = told(store, START, partial(disbursing.disburse, amount=Decimal(12000), asked=asked))
    told(store, START, partial(disbursing.apply_disbursement, waiting=waiting))
    first = ""
    for number in range(1, REPAYMENTS + 1):
        day = START + timedelta(days=number)
        paid = told(store, day, partial(domain.repay, amount=Decimal(100), asked=asked))
        told(store, day, partial(domain.apply_repayment, waiting=paid))
        first = first or paid.id
    return store, tuple(_items(store)), first


def _client(store: Store) -> tuple[Any, str]:
    table = store._record.table()
    return table.connection.client, table.table_name


def _items(store: Store) -> list[dict[str, Any]]:
    client, name = _client(store)
    return list(client.scan(TableName=name)["Items"])


@pytest.fixture
def store() -> Store:
    """The table as it was before the revert."""
    found, items, _ = lived()
    client, name = _client(found)
    for item in _items(found):
        client.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in items:
        client.put_item(TableName=name, Item=item)
    return Store(found._record, sleep=lambda _: None)


@dataclass(frozen=True)
class State:
    """All that the store knows of the loan."""

    account: Account
    heads: list[Batch]
    archive: list[Former]
    staged: int


def state(store: Store) -> State:
    """Loaded as any reader does."""
    ctx = context(store)
    loan = store.attempt(lambda: loans.load(ctx, LOAN))
    pk = journals.partition(ctx, LOAN)
    heads = [stored.value for stored in journals.read(ctx, loan)]
    archive = [stored.value for stored in store.load_group(pk, "H#").values()]
    assert loan.account.value.staged is None
    return State(loan.account.value, heads, archive, len(store.load_group(pk, "S#")))


def revert(store: Store) -> None:
    ctx = context(store)
    store.attempt(lambda: transactions.revert(ctx, lived()[2]))


def disturbed(store: Store, number: int, disturb: Callable[[Callable[[], None]], None]) -> Store:
    """A store whose commit ``number`` is done by ``disturb``."""
    other = Store(store._record, sleep=lambda _: None)
    real, numbers = other.commit, count(1)

    def commit(unit: Unit) -> None:
        if next(numbers) == number:
            disturb(lambda: real(unit))
        else:
            real(unit)

    other.commit = commit  # type: ignore[method-assign]
    return other


@cache
def _outcomes() -> tuple[State, State, int]:
    """Before and after an undisturbed revert, and how many writes it takes."""
    found = lived()[0]
    before = state(found)
    writes = 0

    def counted(write: Callable[[], None]) -> None:
        write()

    class Counting(Store):
        def commit(self, unit: Unit) -> None:
            nonlocal writes
            writes += 1
            counted(lambda: super(Counting, self).commit(unit))

    revert(Counting(found._record, sleep=lambda _: None))
    return before, state(found), writes


@pytest.fixture
def undisturbed(store: Store) -> Iterator[tuple[State, State, int]]:
    known = _outcomes()
    found, items, _ = lived()
    client, name = _client(found)
    for item in _items(found):
        client.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in items:
        client.put_item(TableName=name, Item=item)
    yield known


def same(one: State, other: State) -> bool:
    return (one.account, one.heads, one.archive) == (other.account, other.heads, other.archive)


def test_a_long_revert_takes_steps(undisturbed: tuple[State, State, int]) -> None:
    before, after, writes = undisturbed
    assert not before.archive and not after.staged
    changed = {new.seq for old, new in zip(before.heads, after.heads, strict=False) if old != new}
    assert {former.seq for former in after.archive} == changed
    assert {former.until for former in after.archive} == {1}
    old = {batch.seq: batch for batch in before.heads}
    assert all(former.batch == old[former.seq] for former in after.archive)
    batches = len(changed) + len(after.heads) - len(before.heads)
    steps = -(-batches // 3)
    assert steps >= 3
    assert writes == steps + 1 + steps + 1


def test_a_crash_at_any_write_leaves_the_old_history_or_the_new_one(
    store: Store, undisturbed: tuple[State, State, int]
) -> None:
    before, after, writes = undisturbed
    steps = (writes - 2) // 2
    for number in range(1, writes + 1):
        for when in (BEFORE, AFTER):

            def crash(write: Callable[[], None], when: str = when) -> None:
                if when == AFTER:
                    write()
                raise Crash

            restore()
            with pytest.raises(Crash):
                revert(disturbed(store, number, crash))
            flipped = number > steps + 1 or (number == steps + 1 and when == AFTER)
            assert same(state(store), after if flipped else before), (number, when)
            if not flipped:  # what was left behind is in nobody's way
                revert(store)
                assert same(state(store), after), (number, when)
            else:
                assert not state(store).staged


def restore() -> None:
    found, items, _ = lived()
    client, name = _client(found)
    for item in _items(found):
        client.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in items:
        client.put_item(TableName=name, Item=item)


def test_a_table_that_fails_after_the_flip_fails_no_request(
    store: Store, undisturbed: tuple[State, State, int]
) -> None:
    _, after, writes = undisturbed

    def unavailable(_: Callable[[], None]) -> None:
        raise Unavailable("The table does not answer.")

    for number in range((writes - 2) // 2 + 2, writes + 1):
        restore()
        revert(disturbed(store, number, unavailable))
        assert same(state(store), after), number


def test_readers_between_any_two_writes_see_one_history_and_hinder_nobody(
    store: Store, undisturbed: tuple[State, State, int]
) -> None:
    before, after, writes = undisturbed
    steps = (writes - 2) // 2
    for number in range(1, writes + 1):

        def read(write: Callable[[], None], number: int = number) -> None:
            seen = state(store)
            assert same(seen, after if number > steps + 1 else before), number
            write()

        restore()
        revert(disturbed(store, number, read))
        assert same(state(store), after), number


def test_two_who_help_at_once_finish_it_together(
    store: Store, undisturbed: tuple[State, State, int]
) -> None:
    _, after, writes = undisturbed
    steps = (writes - 2) // 2

    def crash(write: Callable[[], None]) -> None:
        write()
        raise Crash

    for number in range(1, steps + 2):
        restore()
        with pytest.raises(Crash):
            revert(disturbed(store, steps + 1, crash))

        def meet(write: Callable[[], None]) -> None:
            assert same(state(store), after)  # the other one has finished meanwhile
            write()

        assert same(state(disturbed(store, number, meet)), after), number


def test_the_daily_job_finishes_what_nobody_asks_for(
    store: Store, undisturbed: tuple[State, State, int]
) -> None:
    _, after, writes = undisturbed

    def crash(write: Callable[[], None]) -> None:
        write()
        raise Crash

    with pytest.raises(Crash):
        revert(disturbed(store, (writes - 2) // 2 + 1, crash))
    [woken] = store.page(ACCOUNT, OWNER.id, "due", group={"shard": 0}, until=END).items
    assert woken.value.staged is not None
    assert same(state(store), after)
    assert not store.page(ACCOUNT, OWNER.id, "due", group={"shard": 0}, until=END).items


def test_a_reader_whose_account_is_older_than_the_journal_loads_it_again(store: Store) -> None:
    ctx = context(store)
    loan = loans.load(ctx, LOAN)
    revert(store)
    with pytest.raises(journals.Conflict):
        journals.read(ctx, loan)
    with pytest.raises(journals.Conflict):
        loans.carry_out(ctx, loan, domain.brought_up)


def test_each_telling_is_kept(store: Store) -> None:
    """Two tellings on one day and a third later: each day knows its own."""
    ctx = context(store)
    shown = [list_of(store, END)]
    first = lived()[2]
    for day, number in ((END, 7), (END, 5), (END + timedelta(days=2), 3)):
        ctx = context(store, day)
        every = sorted(t.id for t in list_of(store, day) if t.type == "repayment")
        target = every[number - 1]
        store.attempt(lambda ctx=ctx, target=target: transactions.revert(ctx, target))  # type: ignore[misc]
        shown.append(list_of(store, day))
    loan = loans.load(ctx, LOAN)
    assert loan.account.value.revision == 3
    yesterday = context(store, END + timedelta(days=3))
    known = known_on(yesterday, loan, END)
    assert named(known) == named(shown[2])
    known = known_on(yesterday, loan, END + timedelta(days=2))
    assert named(known) == named(shown[3])
    early = known_on(yesterday, loan, START + timedelta(days=REPAYMENTS))
    assert {item.status for item in early} == {"applied"}
    assert first in {item.id for item in early}


def known_on(ctx: Context, loan: loans.Loan, day: date) -> list[Any]:
    batches = history.batches(ctx, loan, day)
    moment = history.moment_at(ctx, day)
    return [item for batch in batches for item in journal.entries(batch, moment)]


def list_of(store: Store, day: date) -> list[Any]:
    ctx = context(store, day)
    loan = loans.load(ctx, LOAN)
    batches = [stored.value for stored in journals.read(ctx, loan)]
    return journal.transactions(
        loan.terms.value, loan.account.value, batches, journals.moment_of(ctx)
    )


def named(items: list[Any]) -> dict[str, Any]:
    found = {item.id: replace(item, created_at=None, applied_at=None) for item in items}
    assert len(found) == len(items)
    return found


def test_a_preview_writes_nothing(store: Store) -> None:
    before = state(store)

    def never(_: Callable[[], None]) -> None:
        raise AssertionError("a preview writes")

    ctx = context(disturbed(store, 1, never))
    found = transactions.preview_revert(ctx, lived()[2])
    assert found.transactions
    assert same(state(store), before)


def test_a_telling_that_fits_is_one_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "MOST_OPERATIONS", 90)
    writes: list[int] = []

    def note(write: Callable[[], None]) -> None:
        writes.append(1)
        write()

    ctx = context(disturbed(store, 1, note))
    [last] = [t for t in list_of(store, END) if t.type == "repayment"][:1]
    command = Retelling(lambda loan, moment: rebuild.revert(loan, moment, last))
    loans.carry_out(ctx, loans.load(ctx, LOAN), command)
    assert writes == [1]
    assert not state(store).staged
