from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from chalicelib.domain.decision import Message
from chalicelib.models import keys
from chalicelib.models.codec import CodecError
from chalicelib.models.store import Conflict, Store, Unit
from tests.models.things import NOW, ONE, THING, Faults, Thing
from tests.support import memory_store

LATER = NOW + timedelta(days=36500)


class Clock:
    """Real time, which goes on by a second each time somebody looks."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> object:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def ticking() -> Store:
    return memory_store(clock=Clock())


def test_a_message_is_pending_from_its_commit_until_it_is_done(store: Store) -> None:
    unit = Unit(LATER)  # a partner's clock that is far ahead does not hold a message back
    unit.create(THING, ONE, Thing("a"))
    unit.send(Message(keys.DAYS, {"partner": ONE, "amount": Decimal("1.50"), "shard": 3}))
    assert unit.outbox == ()
    store.commit(unit)
    [message] = unit.outbox
    before = message.at + timedelta(seconds=1)
    assert store.pending_messages(before) == [message]
    assert (message.queue, message.body["amount"]) == ("days", Decimal("1.50"))
    assert store.pending_messages(message.at) == [message]
    assert store.pending_messages(message.at - timedelta(seconds=1)) == []
    store.done(message)
    assert store.pending_messages(before) == []
    store.done(message)


def test_nothing_is_sent_when_the_commit_fails(store: Store) -> None:
    unit = Unit(NOW)
    unit.create(THING, ONE, Thing("a"))
    store.commit(unit)
    failing = Unit(NOW)
    failing.create(THING, ONE, Thing("a"))
    failing.send(Message(keys.DAYS, {}))
    with pytest.raises(Conflict):
        store.commit(failing)
    assert failing.outbox == ()
    assert store.pending_messages(LATER) == []


def test_pending_messages_come_oldest_first_from_all_shards(ticking: Store) -> None:
    sent = []
    for number in range(40):
        unit = Unit(NOW)
        unit.send(Message(keys.CLOCK, {"n": number}))
        ticking.commit(unit)
        sent += unit.outbox
    assert [message.body["n"] for message in ticking.pending_messages(LATER, 15)] == list(range(15))
    assert ticking.pending_messages(LATER, 100) == sent
    ticking.done(sent[:30])
    assert ticking.pending_messages(LATER) == sent[30:]
    ticking.done([])


def test_a_message_with_an_id_of_its_own_is_one_message(store: Store) -> None:
    for _ in range(2):
        unit = Unit(NOW)
        unit.send(Message(keys.DAYS, {"n": 1}), id="partner-1:2024-01-31:0")
        store.commit(unit)
    assert [message.id for message in store.pending_messages(LATER)] == ["partner-1:2024-01-31:0"]


def test_ids_come_from_the_store() -> None:
    store = memory_store(new_id=iter(["m1", "m2"]).__next__)
    unit = Unit(NOW)
    unit.send(Message(keys.DAYS, {}))
    unit.send(Message(keys.DAYS, {}))
    store.commit(unit)
    assert [message.id for message in unit.outbox] == ["m1", "m2"]


def test_messages_that_nobody_could_read_are_refused_at_once() -> None:
    unit = Unit(NOW)
    with pytest.raises(ValueError, match="nowhere"):
        unit.send(Message("nowhere", {}))
    with pytest.raises(CodecError):
        unit.send(Message(keys.DAYS, {"amount": 1.5}))
    assert unit.messages == []


def test_many_are_taken_out_in_few_calls(store: Store, faults: Faults) -> None:
    unit = Unit(NOW)
    for _ in range(60):
        unit.send(Message(keys.DAYS, {}))
    store.commit(unit)
    faults.calls.clear()
    store.done(unit.outbox)
    assert faults.calls == ["BatchWriteItem"] * 3
    assert store.pending_messages(LATER) == []
