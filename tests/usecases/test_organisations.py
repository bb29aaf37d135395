"""Whose account is whose: by the stage's secret, by the sandbox's table, by who signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.organisations import Organisation
from chalicelib.integrations.gocardless.signature import signature
from chalicelib.usecases.organisations import Organisations
from tests.support import memory_store

WALL = datetime(2026, 3, 2, tzinfo=UTC)
BODY = b'{"events":[]}'


def entry(number: int) -> dict[str, str]:
    return {"access_token": f"token-{number}", "webhook_secret": f"secret-{number}"}


class Vault:
    """A secret that may change, and how often it was read."""

    def __init__(self, **known: Any) -> None:
        self.known: Mapping[str, Any] = known
        self.read = 0

    def __call__(self) -> Mapping[str, Any]:
        self.read += 1
        return self.known


def test_a_stages_secret_is_read_once_a_minute() -> None:
    vault, now = Vault(p1=entry(1), broken={"access_token": "x"}, odd=5), [0.0]
    known = Organisations(None, vault, lambda: now[0])  # type: ignore[arg-type]
    found = known.of("p1")
    assert found is not None and found.access_token == "token-1"
    assert known.of("broken") is known.of("odd") is known.of("p2") is None
    assert vault.read == 1
    vault.known, now[0] = {"p2": entry(2)}, 60.0
    assert known.of("p1") is None and known.of("p2") is not None
    assert vault.read == 2


def test_a_webhook_is_whose_secret_signed_it() -> None:
    vault, now = Vault(p1=entry(1), p2=entry(2)), [0.0]
    known = Organisations(None, vault, lambda: now[0])  # type: ignore[arg-type]
    for number in (1, 2):
        found = known.signer(BODY, signature(f"secret-{number}", BODY))
        assert found is not None and found.id == f"p{number}"
    assert vault.read == 1


def test_a_new_secret_works_at_once_and_forgeries_do_not_have_it_read_again_and_again() -> None:
    vault, now = Vault(p1=entry(1)), [0.0]
    known = Organisations(None, vault, lambda: now[0])  # type: ignore[arg-type]
    assert known.signer(BODY, signature("secret-2", BODY)) is None
    vault.known, now[0] = {"p2": entry(2)}, 1.0
    found = known.signer(BODY, signature("secret-2", BODY))
    assert found is not None and found.id == "p2"
    for _ in range(100):
        assert known.signer(BODY, "forged") is None
    assert vault.read == 2


def test_a_sandbox_keeps_them_in_its_table_and_the_first_one_wins() -> None:
    store = memory_store(clock=lambda: WALL)
    first = Organisations(store, None, lambda: 0.0)
    other = Organisations(store, None, lambda: 0.0)
    assert first.of("p1") is None and first.every() == []
    made = first.add(Organisation("p1", "token-1", "secret-1", "CR1"), WALL)
    assert other.add(Organisation("p1", "token-9", "secret-9"), WALL) == made
    assert first.of("p1") == other.of("p1") == made
    assert other.every() == ["p1"]
    found = other.signer(BODY, signature("secret-1", BODY))
    assert found == made and "secret-1" not in repr(made) + repr(found)
