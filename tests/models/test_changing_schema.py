"""Two releases over one table: what ``docs/operators/changing-the-schema.md`` says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.models.codec import CodecError
from chalicelib.models.kinds import Kind
from chalicelib.models.store import Store, Stored, Unit
from tests.models.newer_things import CARELESS, EXTRA, NARROWER, NEWER, Newer
from tests.models.things import NOW, ONE, THING, Thing
from tests.support import memory_store


@pytest.fixture(scope="module")
def store() -> Store:
    return memory_store()


def wrote(store: Store, kind: Kind[Any], value: Any) -> None:
    unit = Unit(NOW)
    unit.create(kind, ONE, value)
    store.commit(unit)


def found(store: Store, kind: Kind[Any], an_id: str) -> Stored[Any]:
    stored = store.get(kind, ONE, an_id)
    assert stored is not None
    return stored


def test_an_older_release_reads_what_a_newer_one_wrote(store: Store) -> None:
    wrote(store, NEWER, Newer("a", status="open", colour="red", grade="superb"))
    assert found(store, THING, "a").value == Thing("a", status="open")


def test_an_older_release_that_writes_it_drops_what_it_does_not_know(store: Store) -> None:
    wrote(store, NEWER, Newer("b", colour="red"))
    stored = found(store, THING, "b")
    unit = Unit(NOW)
    unit.update(THING, ONE, stored, replace(stored.value, status="closed"))
    store.commit(unit)
    again = found(store, NEWER, "b").value
    assert (again.status, again.colour) == ("closed", ""), "so a release knows it before any writes"


def test_a_release_that_knows_it_keeps_it(store: Store) -> None:
    wrote(store, NEWER, Newer("c", colour="red"))
    stored = found(store, NEWER, "c")
    unit = Unit(NOW)
    unit.update(NEWER, ONE, stored, replace(stored.value, status="closed"))
    store.commit(unit)
    assert found(store, NEWER, "c").value.colour == "red"


def test_a_newer_release_reads_what_an_older_one_wrote_with_its_defaults(store: Store) -> None:
    wrote(store, THING, Thing("d", owner="somebody"))
    assert found(store, NEWER, "d").value == Newer("d", owner="somebody")
    with pytest.raises(CodecError, match="missing colour"):
        found(store, CARELESS, "d")


def test_a_value_that_only_the_newer_release_has_is_read_and_not_written(store: Store) -> None:
    wrote(store, NEWER, Newer("e", grade="superb"))
    stored = found(store, NARROWER, "e")
    assert stored.value.grade == "superb"
    with pytest.raises(CodecError, match="literals"):
        Unit(NOW).update(NARROWER, ONE, stored, replace(stored.value))


def test_a_kind_that_only_the_newer_release_has_is_passed_over(store: Store) -> None:
    wrote(store, EXTRA, Newer("f"))
    assert store.load_group(THING.key(ONE, "f")[0]) == {}
    assert store.get(THING, ONE, "f") is None
