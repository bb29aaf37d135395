"""Counts of long lists: right before, with and after a tally."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.end_users import EndUser
from chalicelib.models import tally
from chalicelib.models.keys import END_USER, PRODUCT, TALLY
from chalicelib.models.unit import Unit
from tests.support import memory_store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_what_is_counted_once_is_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "WORTH_KEEPING", 5)
    store = memory_store()

    def add(many: int, at: datetime, prefix: str) -> None:
        unit = Unit(at)
        for number in range(many):
            unit.create(END_USER, "p", EndUser(f"{prefix}{number}"))
        store.commit(unit)

    asked: list[Any] = []
    count = store.count

    def counting(*given: Any, **options: Any) -> int:
        asked.append(options.get("since"))
        return count(*given, **options)

    monkeypatch.setattr(store, "count", counting)
    add(4, NOON - timedelta(hours=2), "a")
    assert tally.size(store, END_USER, "p", NOON) == 4
    assert store.get(TALLY, "p", "end_user") is None, "not worth keeping"
    add(3, NOON - timedelta(hours=1), "b")
    add(2, NOON, "c")
    assert tally.size(store, END_USER, "p", NOON) == 9
    kept = store.get(TALLY, "p", "end_user")
    assert kept is not None and (kept.value.count, kept.expires is None) == (7, False)
    asked.clear()
    add(1, NOON, "d")
    assert tally.size(store, END_USER, "p", NOON) == 10
    assert asked == [kept.value.until], "only what is newer is counted"
    assert tally.size(store, END_USER, "p", NOON - timedelta(days=1)) == 10, "an older clock"
    add(6, NOON, "e")
    later = NOON + timedelta(minutes=10)
    assert tally.size(store, END_USER, "p", later) == 16
    renewed = store.get(TALLY, "p", "end_user")
    assert renewed is not None and renewed.value.count == 16
    assert tally.size(store, END_USER, "p", later) == 16
    assert tally.size(store, END_USER, "other", NOON) == 0


def test_what_can_be_deleted_is_always_counted() -> None:
    store = memory_store()
    assert not PRODUCT.kept and tally.size(store, PRODUCT, "p", NOON) == 0
