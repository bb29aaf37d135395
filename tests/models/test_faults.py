"""What happens when DynamoDB throttles, contends, fails or does not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from pynamodb.exceptions import PynamoDBException

from chalicelib.domain.decision import Message
from chalicelib.models import keys
from chalicelib.models.store import (
    AlreadyDone,
    Conflict,
    OutcomeUnknown,
    Store,
    Stored,
    Unavailable,
    UniqueTaken,
    Unit,
)
from tests.models.things import NOW, ONE, THING, Faults, Thing, refused, timeout

THROTTLED = "ProvisionedThroughputExceededException"


def made(store: Store, thing: Thing) -> Stored[Thing]:
    unit = Unit(NOW)
    stored = unit.create(THING, ONE, thing)
    store.commit(unit)
    return stored


def status(store: Store, id: str = "a") -> str | None:
    found = store.get(THING, ONE, id)
    return None if found is None else found.value.status


def one_write(store: Store) -> Unit:
    """A unit that is a plain write."""
    unit = Unit(NOW)
    unit.update(THING, ONE, made(store, Thing("a")), Thing("a", "mine"))
    return unit


def transaction(store: Store) -> Unit:
    """A unit that is a transaction."""
    unit = one_write(store)
    unit.create(THING, ONE, Thing("b"))
    unit.claim(ONE, "scope", "value", "b")
    unit.remember(ONE, "hash", fingerprint="f", status=201)
    unit.send(Message(keys.DAYS, {"n": 1}))
    return unit


BOTH = pytest.mark.parametrize("kind", [one_write, transaction])


def busy() -> list[Any]:
    anywhere = [
        refused(THROTTLED),
        refused("ThrottlingException"),
        refused("TransactionConflictException"),
        EndpointConnectionError(endpoint_url="http://table"),
    ]
    cancelled = [
        refused("TransactionCanceledException", "None", "TransactionConflict", "None"),
        refused("TransactionCanceledException", "ThrottlingError", "None"),
        refused(
            "TransactionCanceledException", "ProvisionedThroughputExceeded", "TransactionConflict"
        ),
    ]
    cases = [(kind, error) for kind in (one_write, transaction) for error in anywhere]
    return cases + [(transaction, error) for error in cancelled]


@pytest.mark.parametrize(("kind", "error"), busy())
def test_a_busy_table_is_asked_again(
    store: Store,
    faults: Faults,
    pauses: list[float],
    kind: Callable[[Store], Unit],
    error: Exception,
) -> None:
    unit = kind(store)
    faults.instead(error, error, error)
    store.commit(unit)
    assert status(store) == "mine"
    assert pauses == [0.02, 0.04, 0.08]


@BOTH
def test_a_table_that_stays_busy_is_unavailable_and_nothing_is_written(
    store: Store, faults: Faults, pauses: list[float], kind: Callable[[Store], Unit]
) -> None:
    unit = kind(store)
    faults.instead(*[refused(THROTTLED)] * 8)
    with pytest.raises(Unavailable) as caught:
        store.commit(unit)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert status(store) == "new"
    assert sum(pauses) < 5
    store.commit(unit)
    assert status(store) == "mine"


@BOTH
def test_contention_that_lasts_is_a_lost_race(
    store: Store, faults: Faults, kind: Callable[[Store], Unit]
) -> None:
    unit = kind(store)
    plain = refused("TransactionConflictException")
    cancelled = refused("TransactionCanceledException", "TransactionConflict", "None")
    faults.instead(*[plain if kind is one_write else cancelled] * 8)
    with pytest.raises(Conflict):
        store.commit(unit)
    assert status(store) == "new"


@BOTH
@pytest.mark.parametrize(
    "error",
    [
        timeout(),
        ConnectionClosedError(endpoint_url="http://table"),
        refused("InternalServerError", status=500),
        refused("SomethingNew", status=503),
    ],
    ids=str,
)
@pytest.mark.parametrize("losses", [1, 2, 3])
def test_a_lost_answer_is_not_a_lost_race(
    store: Store,
    faults: Faults,
    kind: Callable[[Store], Unit],
    error: Exception,
    losses: int,
) -> None:
    """The write happened; without its token (moto forgets it) each repetition fails."""
    unit = kind(store)
    faults.after(error)
    faults.instead(*[error] * (losses - 1))
    store.commit(unit)
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert (found.value.status, found.version) == ("mine", 2)
    assert len(unit.outbox) == len(unit.messages)


@BOTH
@pytest.mark.parametrize("losses", [1, 2])
def test_a_request_that_was_lost_on_its_way_is_sent_again(
    store: Store, faults: Faults, kind: Callable[[Store], Unit], losses: int
) -> None:
    unit = kind(store)
    faults.instead(*[timeout()] * losses)
    store.commit(unit)
    assert status(store) == "mine"


@BOTH
def test_no_answer_at_all_is_an_unknown_outcome(
    store: Store, faults: Faults, kind: Callable[[Store], Unit]
) -> None:
    unit = kind(store)
    faults.instead(*[timeout()] * 3)
    with pytest.raises(OutcomeUnknown):
        store.commit(unit)
    assert unit.outbox == ()


@BOTH
def test_a_race_that_was_lost_before_the_answer_was_is_a_lost_race(
    store: Store, faults: Faults, kind: Callable[[Store], Unit]
) -> None:
    """Somebody else's version 2 stands there: ours, the same version, was never written."""
    unit = kind(store)
    stored = store.get(THING, ONE, "a")
    assert stored is not None
    other = Unit(NOW)
    other.update(THING, ONE, stored, Thing("a", "other"))
    store.commit(other)
    faults.instead(timeout())
    with pytest.raises((Conflict, OutcomeUnknown)) as caught:
        store.commit(unit)
    assert status(store) == "other"
    if kind is transaction:  # what it would have created is not there, so it is sure
        assert isinstance(caught.value, Conflict)


@BOTH
def test_what_was_written_and_then_overwritten_is_never_done_twice(
    store: Store, faults: Faults, kind: Callable[[Store], Unit]
) -> None:
    unit = kind(store)

    class Overwritten(Exception):
        pass

    real = faults._dispatch

    def dispatch(operation: str, arguments: dict[str, Any]) -> Any:
        connection.dispatch = real  # type: ignore[method-assign]
        real(operation, arguments)
        stored = store.get(THING, ONE, "a")
        assert stored is not None
        other = Unit(NOW)
        other.update(THING, ONE, stored, Thing("a", "after"))
        store.commit(other)
        raise timeout()

    connection = store._record.table().connection
    connection.dispatch = dispatch  # type: ignore[method-assign]
    if kind is one_write:
        with pytest.raises(OutcomeUnknown):
            store.commit(unit)
    else:
        store.commit(unit)  # its other items bear its mark
    found = store.get(THING, ONE, "a")
    assert found is not None
    assert (found.value.status, found.version) == ("after", 3)


def test_a_creation_lost_to_another_is_told_apart_from_ones_own(
    store: Store, faults: Faults
) -> None:
    made(store, Thing("a", "theirs"))
    unit = Unit(NOW)
    unit.create(THING, ONE, Thing("a", "mine"))
    faults.instead(timeout())
    with pytest.raises(Conflict):
        store.commit(unit)
    other = Unit(NOW)
    other.create(THING, ONE, Thing("z"))
    other.claim(ONE, "scope", "value", "z")
    other.remember(ONE, "hash", fingerprint="f", status=201)
    store.commit(other)
    claim = Unit(NOW)
    claim.claim(ONE, "scope", "value", "a")
    faults.instead(timeout())
    with pytest.raises(UniqueTaken):
        store.commit(claim)
    again = Unit(NOW)
    again.create(THING, ONE, Thing("y"))
    again.remember(ONE, "hash", fingerprint="f", status=201)
    faults.instead(timeout())
    with pytest.raises(AlreadyDone):
        store.commit(again)


def test_a_deletion_whose_answer_was_lost_is_done(store: Store, faults: Faults) -> None:
    stored = made(store, Thing("a"))
    unit = Unit(NOW)
    unit.delete(THING, ONE, stored)
    faults.after(timeout())
    store.commit(unit)
    assert status(store) is None


def test_a_deletion_of_what_has_changed_is_a_conflict_even_after_a_lost_answer(
    store: Store, faults: Faults
) -> None:
    stored = made(store, Thing("a"))
    change = Unit(NOW)
    change.update(THING, ONE, stored, Thing("a", "x"))
    store.commit(change)
    unit = Unit(NOW)
    unit.delete(THING, ONE, stored)
    faults.instead(timeout())
    with pytest.raises(Conflict):
        store.commit(unit)
    assert status(store) == "x"


def test_a_repetition_has_the_same_token_only_if_the_first_may_have_happened(
    store: Store, faults: Faults
) -> None:
    def tokens(*errors: Exception) -> list[str]:
        unit = Unit(NOW)
        unit.create(THING, ONE, Thing(f"x{len(faults.calls)}"))
        unit.create(THING, ONE, Thing(f"y{len(faults.calls)}"))
        faults.arguments.clear()
        faults.instead(*errors)
        store.commit(unit)
        return [one["ClientRequestToken"] for one in faults.arguments]

    cancelled = refused("TransactionCanceledException", "TransactionConflict", "None")
    assert len(set(tokens(cancelled, cancelled))) == 3
    assert len(set(tokens(timeout(), cancelled))) == 1
    first, *rest = tokens(cancelled, timeout())
    assert first not in rest
    assert len(set(rest)) == 1


@BOTH
def test_a_mistake_is_not_repeated(
    store: Store, faults: Faults, pauses: list[float], kind: Callable[[Store], Unit]
) -> None:
    unit = kind(store)
    faults.calls.clear()
    faults.instead(refused("ValidationException"))
    with pytest.raises(PynamoDBException) as caught:
        store.commit(unit)
    assert caught.value.cause_response_code == "ValidationException"
    assert len(faults.calls) == 1
    assert pauses == []


def test_one_refusal_among_busy_reasons_decides(store: Store, faults: Faults) -> None:
    unit = transaction(store)  # in pynamodb's order: two puts, the claim, the record, the message
    faults.instead(
        refused(
            "TransactionCanceledException",
            "TransactionConflict",
            "None",
            "None",
            "ConditionalCheckFailed",
            "None",
        )
    )
    with pytest.raises(AlreadyDone):
        store.commit(unit)


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [refused(THROTTLED), timeout()], ids=str)
def test_reads_are_repeated(
    store: Store, faults: Faults, pauses: list[float], error: Exception
) -> None:
    made(store, Thing("a"))
    for ask in (
        lambda: store.get(THING, ONE, "a"),
        lambda: store.page(THING, ONE).items[0],
        lambda: store.get_many(THING, ONE, ["a"])["a"],
        lambda: store.load_group(THING.key(ONE, "a")[0])["-"],
    ):
        faults.instead(error, error)
        found: Any = ask()
        assert found.value == Thing("a")
    faults.instead(error)
    assert store.count(THING, ONE) == 1
    assert len(pauses) == 9


@pytest.mark.parametrize(
    ("error", "times"), [(refused(THROTTLED), 8), (timeout(), 3), (refused("X", status=500), 3)]
)
def test_a_table_that_does_not_answer_a_read_is_unavailable(
    store: Store, faults: Faults, error: Exception, times: int
) -> None:
    faults.instead(*[error] * times)
    with pytest.raises(Unavailable):
        store.get(THING, ONE, "a")
    assert len(faults.calls) == times


def test_unprocessed_keys_and_deletions_are_asked_again(
    store: Store, faults: Faults, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = Unit(NOW)
    for number in range(10):
        unit.create(THING, ONE, Thing(f"t{number}"))
    for number in range(10):
        unit.send(Message(keys.DAYS, {"n": number}))
    store.commit(unit)
    connection = store._record.table().connection
    name = store._record.Meta.table_name
    real = connection.dispatch

    def some(operation: str, arguments: dict[str, Any]) -> Any:
        """Three of what was asked, like a table that is short of throughput."""
        wanted = arguments.get("RequestItems", {}).get(name)
        if operation == "BatchGetItem":
            over = wanted["Keys"][3:]
            answer = real(
                operation, {"RequestItems": {name: {**wanted, "Keys": wanted["Keys"][:3]}}}
            )
            return {**answer, "UnprocessedKeys": {name: {"Keys": over}} if over else {}}
        if operation == "BatchWriteItem":
            answer = real(operation, {"RequestItems": {name: wanted[:3]}})
            return {**answer, "UnprocessedItems": {name: wanted[3:]} if wanted[3:] else {}}
        return real(operation, arguments)

    monkeypatch.setattr(connection, "dispatch", some)
    assert list(store.get_many(THING, ONE, [f"t{n}" for n in range(10)])) == [
        f"t{n}" for n in range(10)
    ]
    assert len(pauses) == 3
    store.done(unit.outbox)
    assert store.pending_messages(unit.outbox[0].at) == []


def test_a_table_that_never_processes_is_unavailable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = store._record.table().connection
    name = store._record.Meta.table_name

    def nothing(operation: str, arguments: dict[str, Any]) -> Any:
        wanted = arguments["RequestItems"][name]
        if operation == "BatchGetItem":
            return {"Responses": {}, "UnprocessedKeys": {name: wanted}}
        return {"UnprocessedItems": {name: wanted}}

    unit = Unit(NOW)
    unit.send(Message(keys.DAYS, {}))
    unit.send(Message(keys.DAYS, {}))
    store.commit(unit)
    monkeypatch.setattr(connection, "dispatch", nothing)
    with pytest.raises(Unavailable):
        store.get_many(THING, ONE, ["a"])
    with pytest.raises(Unavailable):
        store.done(unit.outbox)
