"""The keeper of tokens: many at once renew them once, and whatever breaks, no pair is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.domain.blackmoon_tokens import Access, Pair, freed, held, kept, taken
from chalicelib.domain.partners import Partner
from chalicelib.integrations.blackmoon.client import Blackmoon, Credentials
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.integrations.blackmoon.results import NewTokens
from chalicelib.integrations.transport import Limits, Transport
from chalicelib.models.keys import ALARM, BLACKMOON_ACCESS
from chalicelib.models.store import Store
from chalicelib.models.store_errors import OutcomeUnknown, Unavailable
from chalicelib.usecases.blackmoon_tokens import Keeper, Leases
from chalicelib.usecases.blackmoon_vaults import Granted, SecretVault, TableVault
from chalicelib.usecases.context import Context
from tests.support import memory_store
from tests.usecases.blackmoon_server import Tokens, tokens

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
QUICK = Leases(life=30.0, patience=40.0, pauses=(0.0, 0.0, 0.0))
LIMITS = Limits(connect_seconds=2.0, read_seconds=3.0, attempts=1, breaker_failures=1000)


class Killed(BaseException):
    """The worker is no more."""


@dataclass
class Table:
    """A store whose reads and writes are atomic among threads, and whose writes may fail.

    ``faults`` says what becomes of which write, counted from 1: ``lost`` (it did not happen),
    ``unknown`` (it did, and nobody heard), ``killed_before``, ``killed_after``.
    """

    store: Store
    faults: dict[int, str] = field(default_factory=dict)
    writes: int = 0
    lock: Any = field(default_factory=threading.RLock)

    def get(self, *given: Any, **more: Any) -> Any:
        with self.lock:
            return self.store.get(*given, **more)

    def commit(self, unit: Any) -> None:
        with self.lock:
            self.writes += 1
            fault = self.faults.get(self.writes)
            if fault == "killed_before":
                raise Killed
            if fault == "lost":
                raise Unavailable
            self.store.commit(unit)
            if fault == "killed_after":
                raise Killed
            if fault == "unknown":
                raise OutcomeUnknown

    def attempt(self, work: Callable[[], Any]) -> Any:
        return self.store.attempt(work)

    def page(self, *given: Any, **more: Any) -> Any:
        with self.lock:
            return self.store.page(*given, **more)


@dataclass
class World:
    """One partner, the server, the table, and as many containers as are wanted."""

    server: Tokens
    table: Table
    partner: Partner
    now: datetime = NOW
    wall: datetime = NOW
    pauses: list[float] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def vault(self) -> TableVault:
        return TableVault(self.table, lambda: self.wall)  # type: ignore[arg-type]

    def ctx(self) -> Context:
        return Context(
            partner=self.partner,
            now=self.now,
            business_date=self.now.date(),
            store=self.table,  # type: ignore[arg-type]
            new_id=lambda: str(uuid4()),
            wall=lambda: self.wall,
            report=lambda what, error, **_: self.reported.append(f"{what}: {error}"),
        )

    def client(self, granted: Granted) -> Blackmoon:
        who = Credentials(granted.organization_id, granted.pair.access_token)
        transport = Transport(LIMITS, sleep=lambda _: None, uniform=max)
        return Blackmoon(self.server.url, who, transport)

    def keeper(self, vault: Any = None, leases: Leases = QUICK) -> Keeper:
        """A container's own."""
        return Keeper(
            vault or self.vault(),
            lambda granted: self.client(granted).refresh_tokens(granted.pair.refresh_token),
            sleep=lambda seconds: time.sleep(min(seconds, 0.1)),
            monotonic=time.monotonic,
            leases=leases,
        )

    def ping(self, keeper: Keeper) -> str:
        """A call to Blackmoon, by the tokens that the keeper says."""
        return keeper.using(self.ctx(), lambda granted: self.client(granted).ping().message)

    def stored(self) -> Access:
        found = self.table.store.get(BLACKMOON_ACCESS, self.partner.id, self.partner.id)
        assert found is not None
        return found.value  # type: ignore[no-any-return]

    def pair(self) -> tuple[str, str]:
        pair = self.stored().pair
        assert pair is not None
        return pair.access_token, pair.refresh_token

    def alarms(self) -> list[str]:
        rows = self.table.store.page(ALARM, self.partner.id).items
        return [row.value.name for row in rows]


STORES: list[Store] = []


@pytest.fixture
def world() -> Iterator[World]:
    if not STORES:
        STORES.append(memory_store(clock=lambda: NOW, sleep=lambda _: None))
    with tokens() as server:
        made = World(server, Table(STORES[0]), Partner(str(uuid4())))
        made.vault().add(made.partner.id, "14", Pair("A0", "R0", NOW + timedelta(days=14)))
        made.table.writes = 0
        yield made


def at_once(work: Callable[[], str], how_many: int = 20) -> list[str]:
    """Begun together, in threads."""
    gate = threading.Barrier(how_many)

    def one() -> str:
        gate.wait(10)
        return work()

    with ThreadPoolExecutor(how_many) as pool:
        return [run.result() for run in [pool.submit(one) for _ in range(how_many)]]


# --- many at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("containers", [1, 20])
def test_twenty_workers_whose_token_is_expired_make_one_refresh(
    world: World, containers: int
) -> None:
    world.server.expired, world.server.slow_seconds = True, 0.1
    keepers = [world.keeper() for _ in range(containers)] * (20 // containers)
    assert at_once(lambda: world.ping(keepers.pop())) == ["pong"] * 20
    assert world.server.refreshes == ["R0"]
    assert world.pair() == ("A1", "R1")
    assert world.stored().holder is None and world.alarms() == []


def test_two_days_before_the_end_one_renews_and_nobody_fails(world: World) -> None:
    world.now, world.server.ends = NOW + timedelta(days=12), "2026-03-28T09:00:00+0000"
    world.server.slow_seconds = 0.1
    assert at_once(lambda: world.ping(world.keeper())) == ["pong"] * 20
    assert world.server.refreshes == ["R0"]
    assert world.pair() == ("A1", "R1")


def test_tokens_of_a_short_life_are_not_renewed_with_every_call(world: World) -> None:
    world.now, world.server.ends = NOW + timedelta(days=13), "2026-03-16T09:00:00+0000"
    keeper = world.keeper()
    assert [world.ping(keeper) for _ in range(3)] == ["pong"] * 3
    assert world.server.refreshes == ["R0"]
    world.now += timedelta(hours=12)
    world.ping(keeper)
    assert world.server.refreshes == ["R0", "R1"], "half of its life is over"


def test_before_that_nobody_renews(world: World) -> None:
    world.now = NOW + timedelta(days=12) - timedelta(seconds=1)
    assert world.ping(world.keeper()) == "pong"
    assert world.server.refreshes == [] and world.table.writes == 0


def test_a_container_that_knows_an_old_pair_finds_the_new_one(world: World) -> None:
    sleepy, other = world.keeper(), world.keeper()
    assert world.ping(sleepy) == "pong"
    world.server.expired = True
    assert world.ping(other) == "pong"
    assert world.ping(sleepy) == "pong"
    assert world.server.refreshes == ["R0"]
    assert world.server.pings[-2:] == [("A0", False), ("A1", True)]


@pytest.mark.parametrize(("former", "refreshes"), [(2, ["R0"]), (5, ["R0", "R0"])])
def test_a_lease_that_ran_out_costs_no_pair(
    world: World, former: int, refreshes: list[str]
) -> None:
    """The first refresher is slow; the second takes over with a refresh token that is used up."""
    world.server.expired, world.server.slow_seconds, world.server.former = True, 0.5, former
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(world.ping, world.keeper())
        while not world.server.refreshes:
            time.sleep(0.005)
        world.wall += timedelta(seconds=31)
        second = pool.submit(world.ping, world.keeper())
        assert (first.result(), second.result()) == ("pong", "pong")
    assert world.server.refreshes == refreshes
    assert world.pair() == ("A1", "R1")
    assert world.alarms() == []


def test_the_one_who_is_killed_holds_up_the_others_for_the_lease_only(world: World) -> None:
    world.server.expired = True
    world.table.faults = {1: "killed_after"}
    with pytest.raises(Killed):
        world.ping(world.keeper())
    assert held(world.stored(), world.wall)
    impatient = Leases(life=30.0, patience=0.02, pauses=())
    with pytest.raises(BlackmoonTrouble) as trouble:
        world.ping(world.keeper(leases=impatient))
    assert trouble.value.remedy == "retry"
    world.wall += timedelta(seconds=30)
    assert world.ping(world.keeper()) == "pong"
    assert world.server.refreshes == ["R0"]


# --- faults at each write -------------------------------------------------------------------------

WRITES = {1: "the lease is taken", 2: "the new pair is stored", 3: "the lease is given back"}
FAULTS = ("lost", "unknown", "killed_before", "killed_after")


def test_a_renewal_is_three_writes(world: World) -> None:
    world.server.expired = True
    world.ping(world.keeper())
    assert world.table.writes == len(WRITES)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", WRITES, ids=list(WRITES.values()))
def test_whatever_happens_to_a_write(world: World, write: int, fault: str) -> None:
    """The next worker, in another container, goes on; at most the lease has to run out."""
    world.server.expired = True
    world.table.faults = {write: fault}
    with suppress(Killed, Unavailable):
        assert world.ping(world.keeper()) == "pong"
    world.wall += timedelta(seconds=31)
    if (write, fault) == (2, "killed_before"):  # it was in that worker's memory and nowhere else
        with pytest.raises(BlackmoonTrouble) as trouble:
            world.ping(world.keeper())
        assert trouble.value.remedy == "person" and world.alarms() == ["blackmoon_tokens"]
        return
    assert world.ping(world.keeper()) == "pong"
    assert world.server.refreshes == ["R0"]
    assert world.pair() == ("A1", "R1")
    assert world.alarms() == []


def test_a_store_that_is_away_for_long_gets_the_pair_later(world: World) -> None:
    world.server.expired = True
    world.table.faults = dict.fromkeys(range(2, 2 + len(QUICK.pauses) + 1), "lost")
    keeper = world.keeper()
    with pytest.raises(BlackmoonTrouble) as trouble:
        world.ping(keeper)
    assert trouble.value.remedy == "retry" and world.pair() == ("A0", "R0")
    assert all(token == "A0" for token, _ in world.server.pings), "not used before it is stored"
    assert world.ping(keeper) == "pong"
    assert world.server.refreshes == ["R0"] and world.pair() == ("A1", "R1")
    assert not any("A1" in text or "R1" in text for text in world.reported)


# --- what the other side says ---------------------------------------------------------------------


def test_a_bad_token_is_read_again_and_no_more_than_that(world: World) -> None:
    world.server.number = 7
    with pytest.raises(BlackmoonTrouble) as trouble:
        world.ping(world.keeper())
    assert trouble.value.remedy == "person"
    assert world.server.refreshes == [] and len(world.server.pings) == 1
    assert world.alarms() == ["blackmoon_tokens"]


def test_a_bad_token_for_which_there_is_a_newer_one(world: World) -> None:
    keeper = world.keeper()
    world.ping(keeper)
    world.server.number = 7
    world.vault().reset(world.partner.id, "14", Pair("A7", "R7"))
    assert world.ping(keeper) == "pong"
    assert world.server.refreshes == [] and world.alarms() == []


def test_a_newer_one_that_is_expired_is_renewed_too(world: World) -> None:
    keeper = world.keeper()
    world.ping(keeper)
    world.server.number, world.server.expired = 7, True
    world.vault().reset(world.partner.id, "14", Pair("A7", "R7"))
    assert world.ping(keeper) == "pong"
    assert world.server.refreshes == ["R7"] and world.pair() == ("A8", "R8")


def test_a_bad_refresh_token_is_tried_once_and_told_to_a_person_once(world: World) -> None:
    world.server.expired = True
    world.vault().reset(world.partner.id, "14", Pair("A0", "R-old"))
    for _ in range(3):
        with pytest.raises(BlackmoonTrouble) as trouble:
            keeper = world.keeper()
            keeper._monotonic = iter(range(0, 10**6, 2)).__next__  # type: ignore[assignment]
            world.ping(keeper)
        assert trouble.value.remedy == "person"
    assert world.server.refreshes == ["R-old"]
    assert world.alarms() == ["blackmoon_tokens"]
    world.vault().reset(world.partner.id, "14", Pair("A0", "R0"))
    assert world.ping(world.keeper()) == "pong", "a person has mended it"


def test_a_renewal_before_its_time_that_fails_leaves_the_old_pair_in_use(world: World) -> None:
    world.vault().reset(world.partner.id, "14", Pair("A0", "R-old", NOW + timedelta(days=1)))
    keeper = world.keeper()
    keeper._monotonic = iter(range(0, 10**6, 2)).__next__  # type: ignore[assignment]
    assert [world.ping(keeper) for _ in range(3)] == ["pong"] * 3
    assert world.server.refreshes == ["R-old"]
    assert world.alarms() == ["blackmoon_tokens"]


def test_a_refresh_whose_answer_is_lost_is_told_to_a_person(world: World) -> None:
    world.server.expired, world.server.lose_answer = True, True
    with pytest.raises(BlackmoonTrouble) as trouble:
        world.ping(world.keeper())
    assert (trouble.value.remedy, trouble.value.lost) == ("retry", True)
    assert world.stored().holder is None and world.alarms() == []


def test_other_troubles_are_the_callers(world: World) -> None:
    def fail(_: Granted) -> None:
        raise BlackmoonTrouble("offers.create", "compare", "words", code="103")

    with pytest.raises(BlackmoonTrouble) as trouble:
        world.keeper().using(world.ctx(), fail)
    assert trouble.value.code == "103" and world.alarms() == []


def test_a_partner_without_an_organisation(world: World) -> None:
    world.partner = Partner(str(uuid4()))
    assert not world.keeper().knows(world.partner.id)
    with pytest.raises(LookupError):
        world.ping(world.keeper())


def test_nothing_that_is_kept_shows_a_token(world: World) -> None:
    world.server.expired = True
    keeper = world.keeper()
    world.ping(keeper)
    seen = repr(world.stored()) + repr(keeper._known) + " ".join(world.reported)
    assert not any(token in seen for token in ("A0", "R0", "A1", "R1"))


# --- a stage's secrets ----------------------------------------------------------------------------


class Secrets:
    """What Secrets Manager holds."""

    def __init__(self, **kept_there: Mapping[str, Any]) -> None:
        self.kept: dict[str, Mapping[str, Any]] = dict(kept_there)

    def vault(self) -> SecretVault:
        return SecretVault("backbone/blackmoon", self.kept.get, self.kept.__setitem__)


def test_a_stage_keeps_each_partner_in_a_secret_of_its_own(world: World) -> None:
    name = f"backbone/blackmoon/{world.partner.id}"
    secrets = Secrets()
    secrets.kept[name] = {
        "organization_id": "14",
        "access_token": "A0",
        "refresh_token": "R0",
        "shape": {"offer_id": "offer"},
    }
    world.server.expired = True
    keepers = [world.keeper(secrets.vault()) for _ in range(20)]
    assert at_once(lambda: world.ping(keepers.pop())) == ["pong"] * 20
    assert world.server.refreshes == ["R0"]
    assert secrets.kept[name] == {
        "organization_id": "14",
        "access_token": "A1",
        "refresh_token": "R1",
        "expires_at": "2026-03-16T09:00:00+00:00",
        "made_at": "2026-03-02T09:00:00+00:00",
        "shape": {"offer_id": "offer"},
    }
    granted = secrets.vault().read(world.partner.id)
    assert granted is not None and granted.pair.expires_at == NOW + timedelta(days=14)


@pytest.mark.parametrize("odd", [{}, {"organization_id": "14", "access_token": "A0"}])
def test_a_secret_that_is_incomplete_is_none(odd: dict[str, str]) -> None:
    secrets = Secrets()
    secrets.kept["backbone/blackmoon/p"] = odd
    assert secrets.vault().read("p") is None
    assert secrets.vault().read("nobody") is None


# --- the pure rules -------------------------------------------------------------------------------


def test_a_lease_is_one_holders_until_it_runs_out() -> None:
    life = timedelta(seconds=30)
    mine = taken(Access("p"), "me", NOW, life)
    assert mine is not None and held(mine, NOW + timedelta(seconds=29))
    assert taken(mine, "you", NOW + timedelta(seconds=29), life) is None
    assert taken(mine, "me", NOW + timedelta(seconds=29), life) is not None
    yours = taken(mine, "you", NOW + life, life)
    assert yours is not None and yours.holder == "you"
    assert freed(yours, "me") is yours, "it is not mine to give back any more"
    assert freed(yours, "you").holder is None


def test_of_two_pairs_made_from_one_the_later_is_kept() -> None:
    used, a = Pair("A0", "R0"), Pair("A1", "R1", NOW)
    b = Pair("A2", "R2", NOW + timedelta(seconds=1))
    assert kept(used, used, a) == a
    assert kept(a, used, a) == a
    assert kept(a, used, b) == b
    assert kept(b, used, a) == b
    assert kept(Pair("P", "S"), used, a) == Pair("P", "S"), "a person's own are not overwritten"


def test_new_tokens_without_an_end_last_as_long_as_usual(world: World) -> None:
    keeper = Keeper(
        world.vault(),
        lambda _: NewTokens("A1", "R1"),
        sleep=lambda _: None,
        monotonic=time.monotonic,
        leases=QUICK,
    )
    world.now = NOW + timedelta(days=13)
    assert keeper.using(world.ctx(), lambda granted: granted.pair.expires_at) == (
        world.now + timedelta(days=14)
    )
