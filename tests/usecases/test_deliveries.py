"""Lanes and visits: killed at every write, held by others, slow, and with more than fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import runtime
from chalicelib.domain.deliveries import DELIVERED, PENDING
from chalicelib.jobs import schedules, workers
from chalicelib.models.keys import LANE, SUBSCRIPTIONS
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases import deliveries
from chalicelib.usecases.announcing import announce
from tests.receiver import Receiver, receiving
from tests.scenarios.world import World
from tests.usecases.delivering import fact, lender

WORLD = World()


@pytest.fixture
def world() -> Iterator[World]:
    with runtime.use(WORLD):
        WORLD.line.waiting.clear()
        WORLD.line.delayed.clear()
        yield WORLD


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Killed(BaseException):
    """The process is gone: nothing catches this."""


class Killer:
    """Kills at the n-th write, before or after it; counts them."""

    def __init__(self, world: World, number: int, before: bool) -> None:
        self.number, self.before, self.writes = number, before, 0
        self.real = world.store.commit

    def __call__(self, unit: Any) -> None:
        self.writes += 1
        if self.writes == self.number and self.before:
            raise Killed
        self.real(unit)
        if self.writes == self.number:
            raise Killed


def settle(world: World) -> None:
    while world.line.step():
        pass


def later(world: World, **more: float) -> None:
    world.wall += timedelta(**more)
    world.line.later()
    schedules.sweep_outbox()
    schedules.sweep_webhooks()
    settle(world)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 5))
def test_a_worker_killed_at_any_write_loses_nothing(
    world: World,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    before: bool,
) -> None:
    one = lender(world)
    one.registers(receiver.url)
    receiver.answers = [500]
    one.tells(fact(), fact("repayment_created"), loan="loan")
    [message] = world.line.waiting
    # Its writes: the lane taken, one event failed, the next put off behind it, the lane given back.
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(world.store, "commit", Killer(world, number, before))
        patch.setattr(runtime.Runtime, "send_soon", lambda *_: True)  # what it sent is lost too
        settle(world)
    # SQS shows the message again, twice for good measure, while the lane may still be taken.
    world.line.waiting.extend([message, message])
    settle(world)
    for _ in range(3):
        later(world, seconds=61)
    rows = one.rows()
    assert [row.status for row in rows] == [DELIVERED] * 2
    firsts = list(dict.fromkeys(got.id for got in receiver.got))
    assert firsts == [row.id for row in sorted(rows, key=lambda row: row.order)]
    assert len(receiver.got) <= 4, "at most one more than the two and the one that failed"


def test_the_commit_and_its_events_are_one(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lender(world)
    one.registers(receiver.url)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(world.store, "commit", Killer(world, 1, before=True))
        one.tells(fact())
    settle(world)
    assert one.rows() == [] == receiver.got
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(world.store, "commit", Killer(world, 1, before=False))
        one.tells(fact())
    assert [row.status for row in one.rows()] == [PENDING]
    later(world, minutes=2)  # the outbox's sweeper
    assert len(receiver.got) == 1


def test_nobody_visits_a_lane_that_is_taken(world: World, receiver: Receiver) -> None:
    one = lender(world)
    endpoint, _ = one.registers(receiver.url)
    one.tells(fact())
    other: list[int] = []

    def while_sending(_: Any) -> int:
        ctx, carrier = one.ctx, world.carrier()
        one.tells(fact("repayment_created"))
        other.append(deliveries.visit(ctx, carrier, endpoint, [], slow=False))
        world.line.waiting.clear()  # its own message is lost as well
        return 200

    receiver.answers = [while_sending]
    settle(world)
    assert other == [0], "the other one only left word"
    assert [row.status for row in one.rows()] == [DELIVERED] * 2
    lane = world.store.get(LANE, one.id, endpoint)
    assert lane is not None and not lane.value.called and lane.value.holder is None


def test_a_slow_endpoint_gets_the_slow_queue_and_comes_back(
    world: World, receiver: Receiver
) -> None:
    one = lender(world)
    endpoint, _ = one.registers(receiver.url)
    config = world.config
    try:
        vars(world)["config"] = _with(config, webhook_seconds=0.5)
        receiver.answers = [0.2]
        one.tells(fact())
        settle(world)
        one.tells(fact())
        [(queue, _)] = world.line.waiting
        assert queue == "webhooks"
        world.line.step()
        [(queue, _)] = world.line.waiting
        assert queue == "webhooks-slow", "it was only passed on"
        settle(world)
    finally:
        vars(world)["config"] = config
    assert [row.status for row in one.rows()] == [DELIVERED] * 2
    lane = world.store.get(LANE, one.id, endpoint)
    assert lane is not None and not lane.value.slow, "it was quick again"


def test_events_of_many_loans_travel_at_once_and_in_order_within_each(
    world: World, receiver: Receiver
) -> None:
    one = lender(world)
    one.registers(receiver.url)
    for _ in range(3):
        for loan in "abcdef":
            one.tells(fact(loan=loan), fact("repayment_created", loan), loan=loan)
            world.wall += timedelta(milliseconds=1)
    settle(world)
    assert len(receiver.got) == 36
    for loan in "abcdef":
        names = [got.event for got in receiver.got if got.json["data"]["loan"] == loan]
        assert names == ["repayment_result", "repayment_created"] * 3


def test_what_does_not_fit_the_commit_is_recorded_by_the_worker_once(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lender(world)
    for number in range(25):
        one.registers(f"{receiver.url}{number}")
    one.tells(*[fact(loan=str(n)) for n in range(4)], loan="loan")
    assert len(one.rows()) == 60
    world.line.waiting.extend(list(world.line.waiting))  # everything twice
    settle(world)
    later(world, seconds=10)
    assert len(one.rows()) == 100
    assert len(receiver.got) == len({got.id for got in receiver.got}) == 100
    assert {row.status for row in one.rows()} == {DELIVERED}


@pytest.mark.parametrize("shown", [[], [1], [0]], ids=["nothing", "the later", "the earlier"])
def test_what_its_index_does_not_show_yet_is_sent_all_the_same_and_in_order(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, shown: list[int]
) -> None:
    one = lender(world)
    one.registers(receiver.url)
    one.tells(fact(), fact("repayment_created"), loan="loan")
    real = deliveries._pending

    def behind(ctx: Any, endpoint: str) -> Any:
        rows, whole = real(ctx, endpoint)
        return [row for row in rows if row.value.order in shown], whole

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "_pending", behind)
        settle(world)
    assert receiver.events() == ["repayment_result", "repayment_created"]
    assert [row.status for row in one.rows()] == [DELIVERED] * 2


def test_what_nobody_named_and_its_index_does_not_show_yet_is_looked_for_again(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lender(world)
    endpoint, _ = one.registers(receiver.url)
    one.tells(fact())
    world.line.waiting.clear()

    def called_away(*_: Any) -> Any:
        deliveries.visit(one.ctx, world.carrier(), endpoint, [], slow=False)  # it leaves word
        return [], True

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "_pending", called_away)
        deliveries.visit(one.ctx, world.carrier(), endpoint, [], slow=False)
    assert receiver.got == []
    [(seconds, *_)] = world.line.delayed
    assert seconds == 2
    world.line.delayed.clear()  # lost: the sweeper knows
    later(world, seconds=3)
    assert len(receiver.got) == 1


def test_who_loses_a_race_for_a_row_is_not_right(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lender(world)
    one.registers(receiver.url)
    one.tells(fact())
    real, lost = world.store.commit, []

    def lose_once(unit: Any) -> None:
        names = {key[0].split("#")[1] for key in unit.operations}
        if names == {"WEBHOOK"} and not lost:
            lost.append(unit)
            raise Conflict
        real(unit)

    monkeypatch.setattr(world.store, "commit", lose_once)
    settle(world)
    assert len(receiver.got) == 2, "sent at least once"
    assert [(row.status, row.tries) for row in one.rows()] == [(DELIVERED, 1)]


def test_the_log_shows_one_commit_s_events_in_their_order(world: World, receiver: Receiver) -> None:
    one = lender(world)
    one.registers(receiver.url)
    names = ["repayment_result", "repayment_created"] * 4
    one.tells(*map(fact, names), loan="loan")
    assert [(row.event, row.order) for row in one.rows()] == list(zip(names, range(8), strict=True))


def test_recording_reads_one_item_and_without_events_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lender(world)
    read: list[Any] = []
    real = world.store.get
    ctx = one.ctx

    def get(kind: Any, *more: Any) -> Any:
        read.append(kind)
        return real(kind, *more)

    monkeypatch.setattr(world.store, "get", get)
    unit = ctx.unit()
    announce(ctx, unit, [])
    assert read == []
    announce(ctx, unit, [fact()])
    assert read == [SUBSCRIPTIONS]
    assert not unit.operations and not unit.messages


def test_the_consumers_of_both_queues(world: World, receiver: Receiver) -> None:
    one = lender(world)
    endpoint, _ = one.registers(receiver.url)
    one.tells(fact())
    workers.deliver_slowly({"partner": one.id, "lanes": {endpoint: []}})
    assert len(receiver.got) == 1
    settle(world)
    assert len(receiver.got) == 1


def _with(config: Any, **changes: Any) -> Any:
    return replace(config, **changes)
