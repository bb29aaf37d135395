from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from chalicelib.domain.errors import Invalid, Refused
from chalicelib.models.keys import ANYONE
from chalicelib.models.store import (
    AlreadyDone,
    BadKey,
    Conflict,
    Store,
    Stored,
    TooManyOperations,
    UniqueTaken,
    Unit,
)
from tests.models.things import HEAD, NOW, ONE, PART, THING, TWO, Faults, Part, Thing
from tests.support import memory_store

LATER = NOW + timedelta(days=1)


def put(store: Store, *things: Thing, partner: str = ONE) -> list[Stored[Thing]]:
    """Creates things, each a microsecond after the one before."""
    made = []
    for number, thing in enumerate(things):
        unit = Unit(NOW + timedelta(microseconds=number))
        made.append(unit.create(THING, partner, thing))
        store.commit(unit)
    return made


def many(store: Store, count: int) -> list[str]:
    """Creates that many things; their ids, newest first."""
    put(
        store,
        *(Thing(f"t{number:03d}", "odd" if number % 2 else "even") for number in range(count)),
    )
    return [f"t{number:03d}" for number in reversed(range(count))]


def ids(page: object) -> list[str]:
    return [stored.value.id for stored in page.items]  # type: ignore[attr-defined]


# --- one value ------------------------------------------------------------------------------------


def test_what_is_created_is_there_as_the_unit_said(store: Store) -> None:
    thing = Thing("a", amount=Decimal("10.10"), notes={"rate": Decimal("1.0"), "n": 1})
    unit = Unit(NOW)
    made = unit.create(THING, ONE, thing)
    assert store.get(THING, ONE, "a") is None
    store.commit(unit)
    assert store.get(THING, ONE, "a") == made == Stored(thing, 1, NOW, NOW)


def test_an_update_counts_versions_and_keeps_the_creation(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(LATER)
    after = unit.update(THING, ONE, made, replace(made.value, status="old"))
    store.commit(unit)
    assert store.get(THING, ONE, "a") == after == Stored(Thing("a", "old"), 2, NOW, LATER)


def test_a_quiet_update_does_not_touch_the_time(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(LATER)
    unit.update(THING, ONE, made, replace(made.value, status="old"), touch=False)
    store.commit(unit)
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert (found.version, found.updated_at) == (2, NOW)


def test_another_partner_sees_nothing(store: Store) -> None:
    put(store, Thing("a", owner="o"))
    assert store.get(THING, TWO, "a") is None
    assert store.get_many(THING, TWO, ["a"]) == {}
    assert store.page(THING, TWO).items == []
    assert store.page(THING, TWO, "owner", group={"owner": "o"}).items == []
    assert store.count(THING, TWO) == 0


@pytest.mark.parametrize("bad", ["", "a#b", "../a", "x" * 3000, "\ud800", "\x00"])
def test_a_nonsense_id_is_simply_not_there(store: Store, bad: str) -> None:
    assert store.get(THING, ONE, bad) is None
    assert store.get_many(THING, ONE, [bad]) == {}
    assert store.page(THING, ONE, "owner", group={"owner": bad}, count=True).count == 0
    assert store.count(THING, ONE, "owner", group={"owner": bad}) == 0
    assert store.recall(ONE, bad) is None


def test_an_id_that_leads_to_the_same_key_is_still_another_id(store: Store) -> None:
    unit = Unit(NOW)
    unit.create(HEAD, ONE, Thing("abcd-1"))
    store.commit(unit)
    assert store.get(HEAD, ONE, "abcd-1") is not None
    assert store.get(HEAD, ONE, "abcd-2") is None
    assert store.get_many(HEAD, ONE, ["abcd-2"]) == {}


def test_an_item_of_another_kind_is_not_this_one(store: Store) -> None:
    put(store, Thing("a"))
    assert store.get(replace(THING, name="other"), ONE, "a") is None


def test_get_many_keeps_the_order_and_takes_more_than_a_batch(store: Store) -> None:
    newest = many(store, 120)
    found = store.get_many(THING, ONE, [*newest, "missing", newest[0]])
    assert list(found) == newest


# --- conditions -----------------------------------------------------------------------------------


def test_creating_twice_is_a_conflict(store: Store) -> None:
    put(store, Thing("a"))
    unit = Unit(NOW)
    unit.create(THING, ONE, Thing("a", "other"))
    with pytest.raises(Conflict) as caught:
        store.commit(unit)
    assert caught.value.keys == (("partner-1#THING#a", "-"),)
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert found.value.status == "new"


@pytest.mark.parametrize("act", ["update", "delete", "guard"])
@pytest.mark.parametrize("beside", ["nothing", "a put before", "a put after"])
def test_what_changed_since_it_was_read_is_a_conflict(store: Store, act: str, beside: str) -> None:
    [made] = put(store, Thing("a"))
    first = Unit(LATER)
    first.update(THING, ONE, made, Thing("a", "first"))
    store.commit(first)
    unit = Unit(LATER)
    if beside == "a put before":
        unit.create(THING, ONE, Thing("b"))
    if act == "update":
        unit.update(THING, ONE, made, Thing("a", "second"))
    elif act == "delete":
        unit.delete(THING, ONE, made)
    else:
        unit.guard(THING, ONE, made)
    if beside == "a put after":
        unit.create(THING, ONE, Thing("b"))
    with pytest.raises(Conflict) as caught:
        store.commit(unit)
    assert caught.value.keys == (("partner-1#THING#a", "-"),)
    assert store.get(THING, ONE, "b") is None
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert found.value.status == "first"


def test_a_deleted_thing_is_gone_and_cannot_be_written_again(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(LATER)
    unit.delete(THING, ONE, made)
    store.commit(unit)
    assert store.get(THING, ONE, "a") is None
    again = Unit(LATER)
    again.update(THING, ONE, made, Thing("a", "late"))
    with pytest.raises(Conflict):
        store.commit(again)


def test_a_guard_that_holds_lets_the_rest_through(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(LATER)
    unit.guard(THING, ONE, made)
    unit.create(THING, ONE, Thing("b"))
    store.commit(unit)
    assert store.get(THING, ONE, "b") is not None
    assert store.get(THING, ONE, "a") == made


def test_a_claimed_value_is_taken_until_it_is_released(store: Store) -> None:
    def claim(thing: Thing) -> None:
        unit = Unit(NOW)
        unit.create(THING, ONE, thing)
        unit.claim(ONE, "thing.name", "näme #1", thing.id)
        store.commit(unit)

    claim(Thing("a"))
    with pytest.raises(UniqueTaken) as caught:
        claim(Thing("b"))
    assert (caught.value.scope, caught.value.value) == ("thing.name", "näme #1")
    assert store.get(THING, ONE, "b") is None
    assert store.claimed(ONE, "thing.name", "näme #1") == "a"
    assert store.claimed(TWO, "thing.name", "näme #1") is None
    unit = Unit(NOW)
    unit.release(ONE, "thing.name", "näme #1")
    store.commit(unit)
    claim(Thing("b"))
    assert store.claimed(ONE, "thing.name", "näme #1") == "b"


def test_an_idempotency_key_is_used_once_and_remembers(store: Store) -> None:
    def post(thing: Thing, fingerprint: str = "f") -> None:
        unit = Unit(NOW)
        unit.create(THING, ONE, thing)
        unit.claim(ONE, "thing.name", "same", thing.id)
        unit.remember(
            ONE, "hash", fingerprint=fingerprint, status=201, ref=thing.id, body='{"a":1.00}'
        )
        store.commit(unit)

    assert store.recall(ONE, "hash") is None
    post(Thing("a"))
    with pytest.raises(AlreadyDone) as caught:  # although the name is taken and the thing there too
        post(Thing("a"), "g")
    assert caught.value.key == "hash"
    first = store.recall(ONE, "hash")
    assert first is not None
    assert (first.fingerprint, first.status, first.ref, first.body) == ("f", 201, "a", '{"a":1.00}')
    assert store.recall(TWO, "hash") is None


def test_a_taken_value_says_more_than_a_lost_race(store: Store) -> None:
    [made] = put(store, Thing("a"))
    first = Unit(NOW)
    first.update(THING, ONE, made, Thing("a", "x"))
    first.claim(ONE, "s", "v", "a")
    store.commit(first)
    unit = Unit(NOW)
    unit.update(THING, ONE, made, Thing("a", "y"))
    unit.claim(ONE, "s", "v", "b")
    with pytest.raises(UniqueTaken):
        store.commit(unit)


# --- what a unit is -------------------------------------------------------------------------------


def test_a_unit_names_an_item_once_but_may_guard_what_it_writes(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(NOW)
    unit.guard(THING, ONE, made)
    unit.update(THING, ONE, made, Thing("a", "x"))
    unit.guard(THING, ONE, made)
    with pytest.raises(ValueError, match="twice"):
        unit.delete(THING, ONE, made)
    with pytest.raises(ValueError, match="twice"):
        unit.guard(THING, ONE, replace(made, version=7))
    store.commit(unit)
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert found.value.status == "x"


def test_mistakes_show_before_anything_is_written(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(NOW)
    with pytest.raises(ValueError, match="another key"):
        unit.update(THING, ONE, made, Thing("b"))
    with pytest.raises(BadKey):
        unit.create(THING, ONE, Thing("a#b"))
    with pytest.raises(ValueError, match="zone"):
        Unit(NOW.replace(tzinfo=None))
    with pytest.raises(LookupError):
        unit.create(THING, ANYONE, Thing("c"))
    assert unit.operations == {}


def test_an_empty_unit_does_nothing_and_no_unit_is_committed_twice(
    store: Store, faults: Faults
) -> None:
    unit = Unit(NOW)
    store.commit(unit)
    assert faults.calls == []
    with pytest.raises(ValueError, match="before"):
        store.commit(unit)


def test_a_unit_that_failed_may_be_committed_again(store: Store) -> None:
    [made] = put(store, Thing("a"))
    unit = Unit(NOW)
    unit.create(THING, ONE, Thing("a"))
    with pytest.raises(Conflict):
        store.commit(unit)
    removal = Unit(NOW)
    removal.delete(THING, ONE, made)
    store.commit(removal)
    store.commit(unit)


def test_one_write_is_plain_and_more_are_one_transaction(store: Store, faults: Faults) -> None:
    put(store, Thing("a"))
    assert faults.calls == ["PutItem"]
    unit = Unit(NOW)
    for number in range(100):
        unit.create(THING, ONE, Thing(f"b{number}"))
    store.commit(unit)
    assert faults.calls == ["PutItem", "TransactWriteItems"]
    unit = Unit(NOW)
    for number in range(101):
        unit.create(THING, ONE, Thing(f"c{number}"))
    with pytest.raises(TooManyOperations, match="101"):
        store.commit(unit)
    assert store.get(THING, ONE, "c0") is None
    guard = Unit(NOW)
    found = store.get(THING, ONE, "a")
    assert found is not None
    guard.guard(THING, ONE, found)
    store.commit(guard)
    assert faults.calls[-1] == "TransactWriteItems"


def test_attempt_runs_again_until_the_race_is_won(store: Store, pauses: list[float]) -> None:
    put(store, Thing("a"))
    runs = 0

    def work() -> str:
        nonlocal runs
        runs += 1
        found = store.get(THING, ONE, "a")
        assert found is not None
        if runs < 4:  # somebody is faster
            other = Unit(NOW)
            other.update(THING, ONE, found, Thing("a", f"other{runs}"))
            store.commit(other)
        unit = Unit(NOW)
        unit.update(THING, ONE, found, Thing("a", found.value.status + "!"))
        store.commit(unit)
        return "done"

    assert store.attempt(work) == "done"
    assert pauses == [0.01, 0.02, 0.04]
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert (found.value.status, found.version) == ("other3!", 5)


def test_attempt_gives_up_as_refused(store: Store, pauses: list[float]) -> None:
    def work() -> None:
        raise Conflict

    with pytest.raises(Refused) as caught:
        store.attempt(work, attempts=9)
    assert caught.value.code == "conflict"
    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.4, 0.4]


# --- expiry ---------------------------------------------------------------------------------------


def test_what_has_expired_is_not_there_and_may_be_made_anew() -> None:
    clock = [NOW]
    store = memory_store(clock=lambda: clock[0])

    def post(status: int) -> None:
        unit = Unit(LATER)  # the partner's clock may say what it wants
        unit.create(THING, ONE, Thing("a", str(status)), ttl_seconds=60)
        unit.remember(ONE, "hash", fingerprint="f", status=status, ttl_seconds=60)
        store.commit(unit)

    post(201)
    with pytest.raises(AlreadyDone):
        post(202)
    assert [stored.value.status for stored in store.page(THING, ONE).items] == ["201"]
    clock[0] = NOW + timedelta(seconds=59)
    assert store.recall(ONE, "hash") is not None
    clock[0] = NOW + timedelta(seconds=60)
    assert store.recall(ONE, "hash") is None
    assert store.get(THING, ONE, "a") is None
    assert store.get_many(THING, ONE, ["a"]) == {}
    assert store.page(THING, ONE).items == []
    assert store.load_group(THING.key(ONE, "a")[0]) == {}
    post(203)
    found = store.recall(ONE, "hash")
    assert found is not None
    assert found.status == 203


def test_an_update_keeps_the_expiry() -> None:
    store = memory_store(clock=lambda: NOW)
    unit = Unit(NOW)
    unit.create(THING, ONE, Thing("a"), ttl_seconds=60)
    store.commit(unit)
    found = store.get(THING, ONE, "a")
    assert found is not None
    unit = Unit(NOW)
    unit.update(THING, ONE, found, Thing("a", "x"))
    store.commit(unit)
    again = store.get(THING, ONE, "a")
    assert again is not None
    assert again.expires == found.expires == int(NOW.timestamp()) + 60


# --- groups ---------------------------------------------------------------------------------------


def test_a_group_is_read_in_one_query_whatever_its_kinds(store: Store, faults: Faults) -> None:
    unit = Unit(NOW)
    head = unit.create(HEAD, ONE, Thing("abcd-1"))
    parts = [unit.create(PART, ONE, Part("abcd-1", number)) for number in range(5)]
    unit.create(PART, TWO, Part("abcd-1", 9))
    store.commit(unit)
    faults.calls.clear()
    pk = HEAD.key(ONE, "abcd-1")[0]
    assert list(store.load_group(pk).values()) == [head, *parts]
    assert faults.calls == ["Query"]
    assert faults.arguments[-1]["ConsistentRead"] is True
    newest = store.load_group(pk, "J#", newest_first=True, limit=2)
    assert list(newest) == ["J#00000004", "J#00000003"]
    older = store.load_group(pk, "J#", newest_first=True, limit=2, after="J#00000003")
    assert list(older) == ["J#00000002", "J#00000001"]
    assert list(store.load_group(pk, "J#", after="J#00000003")) == ["J#00000004"]
    below = store.load_group(pk, "J#", newest_first=True, limit=1, after="J#00000900")
    assert list(below) == ["J#00000004"]
    assert store.load_group("partner-1#G#none") == {}


# --- pages ----------------------------------------------------------------------------------------


def test_pages_are_newest_first_and_a_cursor_goes_on(store: Store) -> None:
    newest = many(store, 25)
    first = store.page(THING, ONE, limit=10, count=True)
    second = store.page(THING, ONE, limit=10, cursor=first.next_cursor, count=True)
    third = store.page(THING, ONE, limit=10, cursor=second.next_cursor, count=True)
    assert ids(first) + ids(second) + ids(third) == newest
    assert [len(page.items) for page in (first, second, third)] == [10, 10, 5]
    assert [page.count for page in (first, second, third)] == [25, 25, 25]
    assert third.next_cursor is None
    assert store.page(THING, ONE, limit=25).next_cursor is None


def test_an_offset_alone_works_and_counts_from_a_cursor(store: Store) -> None:
    newest = many(store, 25)
    page = store.page(THING, ONE, limit=5, offset=7)
    assert ids(page) == newest[7:12]
    assert ids(store.page(THING, ONE, limit=5, offset=3, cursor=page.next_cursor)) == newest[15:20]
    assert ids(store.page(THING, ONE, limit=5, offset=23)) == newest[23:]
    assert store.page(THING, ONE, limit=5, offset=25).items == []
    assert store.page(THING, ONE, limit=5, offset=400).next_cursor is None


def test_oldest_first_and_each_give_everything_in_order(store: Store) -> None:
    newest = many(store, 230)
    oldest = newest[::-1]
    first = store.page(THING, ONE, limit=200, newest_first=False)
    rest = store.page(THING, ONE, limit=200, newest_first=False, cursor=first.next_cursor)
    assert ids(first) + ids(rest) == oldest
    assert [stored.value.id for stored in store.each(THING, ONE)] == newest


def test_status_and_owner_lists_follow_the_value(store: Store) -> None:
    made = put(store, Thing("a", owner="o"), Thing("b"), Thing("c", "old", owner="o"))
    assert ids(store.page(THING, ONE, "status", group={"status": "new"})) == ["b", "a"]
    assert ids(store.page(THING, ONE, "owner", group={"owner": "o"})) == ["c", "a"]
    unit = Unit(LATER)
    unit.update(THING, ONE, made[0], Thing("a", "old"))
    store.commit(unit)
    assert ids(store.page(THING, ONE, "status", group={"status": "old"})) == ["c", "a"]
    assert ids(store.page(THING, ONE, "owner", group={"owner": "o"})) == ["c"]
    assert store.count(THING, ONE, "status", group={"status": "new"}) == 1


def test_what_is_due_comes_oldest_first_up_to_a_moment(store: Store) -> None:
    days = [date(2024, 2, day) for day in (3, 1, 2, 2)]
    put(store, *(Thing(f"t{number}", due=day) for number, day in enumerate(days)), Thing("never"))
    due = store.page(
        THING, ONE, "due", until=date(2024, 2, 2), newest_first=False, limit=2, count=True
    )
    rest = store.page(
        THING, ONE, "due", until=date(2024, 2, 2), newest_first=False, cursor=due.next_cursor
    )
    assert (ids(due), ids(rest), due.count) == (["t1", "t2"], ["t3"], 3)
    latest = store.page(THING, ONE, "due", until=date(2024, 2, 2), limit=2)
    assert ids(latest) == ["t3", "t2"]
    after = store.page(THING, ONE, "due", until=date(2024, 2, 2), cursor=latest.next_cursor)
    assert ids(after) == ["t1"]
    assert store.page(THING, ONE, "due", until=date(2024, 1, 31)).items == []
    assert store.count(THING, ONE, "due") == 4


def test_what_went_away_between_index_and_item_is_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = put(store, Thing("a"), Thing("b"), Thing("c"))
    real = store._reader.get_many

    def late(*args: object, **options: object) -> object:
        unit = Unit(LATER)
        unit.delete(THING, ONE, made[1])
        unit.update(THING, ONE, made[2], Thing("c", "other"))
        store.commit(unit)
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(store._reader, "get_many", late)
    assert ids(store.page(THING, ONE, "status", group={"status": "new"})) == ["a"]


def test_a_cursor_is_only_good_for_its_own_list(store: Store) -> None:
    many(store, 6)
    put(store, *(Thing(f"x{number}") for number in range(6)), partner=TWO)
    cursor = store.page(THING, ONE, limit=2).next_cursor
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()
    odd = store.page(THING, ONE, "status", group={"status": "odd"}, limit=1).next_cursor
    wrong = [
        lambda: store.page(THING, TWO, cursor=cursor),
        lambda: store.page(THING, ONE, cursor=cursor, newest_first=False),
        lambda: store.page(THING, ONE, "status", group={"status": "odd"}, cursor=cursor),
        lambda: store.page(THING, ONE, "status", group={"status": "even"}, cursor=odd),
        lambda: store.page(replace(THING, name="other"), ONE, cursor=cursor),
        lambda: store.page(THING, ONE, "due", cursor=cursor, until=date(2024, 1, 1)),
        *(
            lambda bad=bad: store.page(THING, ONE, cursor=bad)
            for bad in ("", "a", "é", "====", cursor[:-2], cursor + "A", "A" + cursor, "A" * 5000)
        ),
    ]
    for ask in wrong:
        with pytest.raises(Invalid) as caught:
            ask()
        assert [flaw.field for flaw in caught.value.flaws] == ["cursor"]


def test_a_deep_page_costs_what_the_first_one_does(store: Store, faults: Faults) -> None:
    many(store, 60)
    cursor, costs = None, []
    while True:
        faults.calls.clear()
        page = store.page(THING, ONE, limit=10, cursor=cursor, count=True)
        costs.append(list(faults.calls))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert costs == [["Query", "Query", "BatchGetItem"], *[["Query", "BatchGetItem"]] * 5]
    assert faults.arguments[-2]["Limit"] == 11
