from __future__ import annotations

import pytest

from chalicelib.models import keys
from chalicelib.models.store import Store
from tests.models.things import HEAD, PART, THING, Faults
from tests.support import memory_store


@pytest.fixture
def pauses() -> list[float]:
    """What the store has slept."""
    return []


@pytest.fixture
def store(pauses: list[float]) -> Store:
    """An empty table in memory; nothing sleeps, and jitter takes the longest pause."""
    return memory_store(sleep=pauses.append, uniform=lambda _, high: high)


@pytest.fixture
def faults(store: Store) -> Faults:
    """Makes the store's calls fail."""
    return Faults(store)


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small kinds stand in the table of kinds."""
    for kind in (THING, HEAD, PART):
        monkeypatch.setitem(keys.KINDS, kind.name, kind)  # type: ignore[arg-type]
