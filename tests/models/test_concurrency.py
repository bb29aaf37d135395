"""Many writers at once, against MiniStack: what a table must never lose."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count
from threading import Barrier

import pytest

from chalicelib.domain.decision import Message
from chalicelib.models import keys
from chalicelib.models.records import make_record
from chalicelib.models.store import AlreadyDone, Store, UniqueTaken, Unit
from tests.ministack import CREDENTIALS, ministack
from tests.models.things import HEAD, NOW, ONE, PART, THING, Faults, Part, Thing, timeout
from tests.support import Table, table_store

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with ministack(tmp_path_factory.mktemp("ministack")) as url:
            yield url


@pytest.fixture
def table(endpoint: str) -> Table:
    return Table(f"shared-{next(_NUMBERS)}", endpoint_url=endpoint)


@pytest.fixture
def store(table: Table) -> Store:
    return table_store(table)


def at_once(writers: int, work: Callable[[int], str]) -> Counter[str]:
    """How often each outcome came when all the writers began together."""
    barrier = Barrier(writers)

    def run(number: int) -> str:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(writers) as pool:
        return Counter(pool.map(run, range(writers)))


def create(store: Store, thing: Thing) -> None:
    unit = Unit(NOW)
    unit.create(THING, ONE, thing)
    store.commit(unit)


def add(store: Store, amount: Decimal) -> None:
    found = store.get(THING, ONE, "a")
    assert found is not None
    unit = Unit(NOW)
    unit.update(THING, ONE, found, Thing("a", amount=found.value.amount + amount))
    store.commit(unit)


def test_sixteen_threads_lose_no_increment(store: Store) -> None:
    create(store, Thing("a"))

    def work(_: int) -> str:
        for _ in range(10):
            store.attempt(lambda: add(store, Decimal("0.01")))
        return "done"

    assert at_once(16, work) == {"done": 16}
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert (found.value.amount, found.version) == (Decimal("1.60"), 161)


def test_fifty_writers_of_one_item_all_get_through_in_time(store: Store) -> None:
    create(store, Thing("a"))

    def work(number: int) -> str:
        def once() -> None:
            found = store.get(THING, ONE, "a")
            assert found is not None
            unit = Unit(NOW)
            unit.update(THING, ONE, found, Thing("a", amount=found.value.amount + 1))
            unit.create(THING, ONE, Thing(f"entry-{number}"))
            unit.send(Message(keys.DAYS, {"n": number}))
            store.commit(unit)

        store.attempt(once)
        return "done"

    began = time.monotonic()
    assert at_once(50, work) == {"done": 50}
    assert time.monotonic() - began < 20  # about 3 s on two free cores
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert found.value.amount == 50
    assert store.count(THING, ONE) == 51
    sent = store.pending_messages(store._clock())
    assert sorted(message.body["n"] for message in sent) == list(range(50))


def test_fifty_equal_claims_give_one(store: Store) -> None:
    def work(number: int) -> str:
        unit = Unit(NOW)
        unit.create(THING, ONE, Thing(f"t{number}"))
        unit.claim(ONE, "thing.name", "the one", f"t{number}")
        try:
            store.attempt(lambda: store.commit(unit))
        except UniqueTaken:
            return "taken"
        return "made"

    assert at_once(50, work) == {"made": 1, "taken": 49}
    [only] = store.page(THING, ONE).items
    assert store.claimed(ONE, "thing.name", "the one") == only.value.id


def test_fifty_equal_requests_do_it_once_and_all_can_recall_it(store: Store) -> None:
    create(store, Thing("a"))

    def work(number: int) -> str:
        def once() -> str:
            found = store.get(THING, ONE, "a")
            assert found is not None
            unit = Unit(NOW)
            unit.update(THING, ONE, found, Thing("a", amount=found.value.amount + 1))
            unit.remember(ONE, "hash", fingerprint="f", status=201, ref=f"r{number}")
            store.commit(unit)
            return f"r{number}"

        try:
            return store.attempt(once)
        except AlreadyDone:
            first = store.recall(ONE, "hash")
            assert first is not None
            return str(first.ref)

    outcomes = at_once(50, work)
    assert list(outcomes.values()) == [50]
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert found.value.amount == 1


def test_fifty_requests_never_exceed_a_limit(store: Store) -> None:
    create(store, Thing("a"))

    def work(_: int) -> str:
        def once() -> str:
            found = store.get(THING, ONE, "a")
            assert found is not None
            if found.value.amount + 7 > 100:
                return "over"
            unit = Unit(NOW)
            unit.update(THING, ONE, found, Thing("a", amount=found.value.amount + 7))
            store.commit(unit)
            return "in"

        return store.attempt(once)

    assert at_once(50, work) == {"in": 14, "over": 36}


def test_a_guarded_item_does_not_change_under_a_commit(store: Store) -> None:
    """A thing is closed by one writer while others add parts: none is added after the closing."""
    for round_number in range(8):
        head = Thing(f"{round_number:04d}-1", "open")
        unit = Unit(NOW)
        unit.create(HEAD, ONE, head)
        store.commit(unit)

        def work(number: int, head: Thing = head) -> str:
            def once() -> str:
                found = store.get(HEAD, ONE, head.id)
                assert found is not None
                unit = Unit(NOW)
                if number == 0:
                    group = store.load_group(HEAD.key(ONE, head.id)[0], "J#")
                    note = {"parts": len(group)}
                    unit.update(HEAD, ONE, found, Thing(head.id, "closed", notes=note))
                elif found.value.status == "closed":
                    return "closed"
                else:
                    unit.update(HEAD, ONE, found, found.value)
                    unit.create(PART, ONE, Part(head.id, number))
                store.commit(unit)
                return "done"

            return store.attempt(once)

        at_once(8, work)
        closed = store.get(HEAD, ONE, head.id)
        assert closed is not None
        parts = store.load_group(HEAD.key(ONE, head.id)[0], "J#")
        assert closed.value.notes == {"parts": len(parts)}


def test_a_lost_answer_of_a_transaction_is_repeated_by_its_token(store: Store) -> None:
    create(store, Thing("a"))
    faults = Faults(store)
    unit = Unit(NOW)
    stored = store.get(THING, ONE, "a")
    assert stored is not None
    unit.update(THING, ONE, stored, Thing("a", amount=Decimal(1)))
    unit.create(THING, ONE, Thing("b"))
    faults.calls.clear()
    faults.after(timeout())
    store.commit(unit)
    assert faults.calls == ["TransactWriteItems"] * 2  # the second answers for the first
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert found.version == 2


def test_a_server_that_goes_away_is_unavailable_and_one_that_is_back_serves_again(
    table: Table, store: Store
) -> None:
    """Real refused connections, not injected ones."""
    from tests.ministack import free_port

    away = make_record(Table(table.table_name, endpoint_url=f"http://127.0.0.1:{free_port()}"))
    from chalicelib.models.store import Unavailable

    gone = Store(away, sleep=lambda _: None)
    with pytest.raises(Unavailable):
        gone.get(THING, ONE, "a")
    unit = Unit(NOW)
    unit.create(THING, ONE, Thing("a"))
    with pytest.raises(Unavailable):
        gone.commit(unit)
    store.commit(unit)
    assert store.get(THING, ONE, "a") is not None


def test_lists_groups_and_pages_are_the_same_as_in_memory(store: Store) -> None:
    unit = Unit(NOW)
    for number in range(30):
        unit.create(THING, ONE, Thing(f"t{number:02d}", "odd" if number % 2 else "even"))
        unit.create(PART, ONE, Part("abcd-1", number))
    store.commit(unit)
    group = {"status": "odd"}
    first = store.page(THING, ONE, "status", group=group, limit=10, count=True)
    rest = store.page(THING, ONE, "status", group=group, limit=10, cursor=first.next_cursor)
    found = [stored.value.id for stored in (*first.items, *rest.items)]
    assert found == [f"t{number:02d}" for number in range(29, 0, -2)]
    assert (first.count, rest.next_cursor) == (15, None)
    pk = PART.key(ONE, "abcd-1", seq=0)[0]
    below = store.load_group(pk, "J#", newest_first=True, limit=2, after="J#00000900")
    assert list(below) == ["J#00000029", "J#00000028"]
    assert len(store.load_group(pk)) == 30


def test_what_things_cost(table: Table) -> None:
    """Units as DynamoDB counts them: writes of one item, index writes apart."""
    heard: list[tuple[str, float, float]] = []
    store = table_store(table, on_capacity=lambda *told: heard.append(told))
    create(store, Thing("a"))
    assert heard.pop() == ("PutItem", 1, 2)  # by_list and by_status
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert heard.pop() == ("GetItem", 1, 0)
    unit = Unit(NOW)
    unit.update(THING, ONE, found, Thing("a", amount=Decimal(2)), touch=False)
    store.commit(unit)
    assert heard.pop() == ("PutItem", 1, 0)  # no index key changed
    unit = Unit(NOW)
    unit.create(HEAD, ONE, Thing("abcd"))
    unit.create(PART, ONE, Part("abcd", 1))
    store.commit(unit)
    assert heard.pop() == ("TransactWriteItems", 4, 0)
    heard.clear()
    store.load_group(HEAD.key(ONE, "abcd")[0])
    assert heard == [("Query", 1, 0)]
