"""API keys in the container."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.partners import Partner
from chalicelib.usecases import keyring
from chalicelib.usecases.keyring import TTL_SECONDS, Keyring, key_hash

KEY = "a-key-for-the-tests"


class World:
    """A store of one key, and a clock that is moved."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known: dict[str, Any] = {key_hash(KEY): Partner("p1")}
        self.seconds = 0.0
        self.ring = Keyring(self.identify, lambda: self.seconds)

    def identify(self, hashed: str) -> Any:
        self.asked.append(hashed)
        return self.known.get(hashed)

    def holder(self, key: str | None = KEY) -> str | None:
        partner = self.ring.partner(key)
        return None if partner is None else partner.id


def test_a_revoked_key_works_for_a_minute_at_most() -> None:
    world = World()
    assert world.holder() == "p1"
    world.known.clear()
    world.seconds = TTL_SECONDS - 0.001
    assert world.holder() == "p1"
    world.seconds = TTL_SECONDS
    assert world.holder() is None
    assert len(world.asked) == 2


def test_a_new_key_is_known_within_a_minute() -> None:
    world = World()
    assert world.holder("another-key-entirely") is None
    world.known[key_hash("another-key-entirely")] = Partner("p2")
    world.seconds = TTL_SECONDS - 0.001
    assert world.holder("another-key-entirely") is None
    world.seconds = TTL_SECONDS
    assert world.holder("another-key-entirely") == "p2"


@pytest.mark.parametrize("key", [None, "", "x" * 201, "white space key", "ké" * 10, "\n" * 9])
def test_what_cannot_be_a_key_is_not_even_asked_for(key: str | None) -> None:
    world = World()
    assert world.holder(key) is None
    assert world.asked == []


def test_guessing_neither_grows_without_end_nor_pushes_good_keys_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keyring, "MAX_UNKNOWN", 5)
    world = World()
    world.holder()
    for number in range(50):
        world.holder(f"a-guess-of-a-key-{number}")
    assert len(world.ring._unknown) == 5
    assert world.holder() == "p1"
    assert world.asked.count(key_hash(KEY)) == 1


def test_known_keys_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "MAX_KNOWN", 3)
    world = World()
    for number in range(9):
        world.known[key_hash(f"good-key-{number}")] = Partner(str(number))
        assert world.holder(f"good-key-{number}") == str(number)
    assert len(world.ring._known) == 3


def test_forgetting_asks_again() -> None:
    world = World()
    world.holder()
    world.ring.forget()
    world.holder()
    assert len(world.asked) == 2
