"""Conditions and orders over plain rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.criteria import Condition, Criteria, Key

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "shown", "test", "values", "expected"),
    [
        ("number", Decimal("10.00"), "in", (Decimal(10),), True),
        ("number", "1000.00", "in", (Decimal(1000), Decimal(5)), True),
        ("number", "1000.00", "gt", (Decimal("999.99"),), True),
        ("number", "1000.00", "gt", (Decimal(1000),), False),
        ("number", "1000.00", "lt", (Decimal(1000),), False),
        ("whole", 7, "lte", (Decimal(7),), True),
        ("whole", "7", "gte", (Decimal(8),), False),
        ("date", date(2026, 3, 2), "gte", (date(2026, 3, 2),), True),
        ("date", date(2026, 3, 2), "lt", (date(2026, 3, 2),), False),
        ("instant", NOON, "lte", (NOON,), True),
        ("instant", NOON, "gt", (NOON,), False),
        ("flag", False, "in", (False,), True),
        ("flag", True, "in", (False,), False),
        ("text", "O'Neill & Söhne", "contains", ("SÖHNE",), True),
        ("text", "abc", "contains", ("d",), False),
        ("text", "", "in", ("", "x"), True),
        ("id", "a", "in", ("b", "c"), False),
    ],
)
def test_conditions(
    type_: Any, shown: object, test: Any, values: tuple[object, ...], expected: bool
) -> None:
    condition = Condition("field", type_, test, values)
    assert condition.accepts({"field": shown}) is expected
    assert not condition.accepts({"field": None}), "what is missing meets nothing"


def test_what_an_index_is_told() -> None:
    criteria = Criteria(
        (
            Condition("status", "text", "in", ("active", "late")),
            Condition("day", "date", "lte", (date(2026, 3, 9),)),
            Condition("day", "date", "lt", (date(2026, 3, 5),)),
            Condition("day", "date", "gt", (date(2026, 3, 1),)),
        )
    )
    assert criteria.any_of("status") == ("active", "late")
    assert criteria.any_of("day") is None
    assert criteria.bound("day", "lte", "lt") == date(2026, 3, 5)
    assert criteria.bound("day", "gte", "gt") == date(2026, 3, 1)
    assert criteria.bound("status", "lte", "lt") is None
    assert criteria.names() == {"status", "day__lte", "day__lt", "day__gt"}
    left = criteria.without(frozenset({"status", "day__lt"}))
    assert [each.name for each in left] == ["day__lte", "day__gt"]
    assert bool(criteria) and not Criteria() and bool(Criteria(descending=False))


rows = st.lists(
    st.fixed_dictionaries(
        {
            "amount": st.none() | st.decimals(-5, 5, places=1),
            "minutes": st.integers(0, 3),
        }
    ),
    max_size=12,
)


@given(rows, st.booleans())
def test_an_order_is_total_and_puts_what_is_missing_last(
    found: list[dict[str, Any]], descending: bool
) -> None:
    criteria = Criteria((), "amount", "number", descending)
    shown = [
        {"id": str(n), "amount": r["amount"], "created_at": NOON + timedelta(minutes=r["minutes"])}
        for n, r in enumerate(found)
    ]
    placed = sorted(shown, key=criteria.key)
    keys = [criteria.key(row) for row in placed]
    assert all(before < after for before, after in pairwise(keys))
    amounts = [row["amount"] for row in placed if row["amount"] is not None]
    assert amounts == sorted(amounts, reverse=descending)
    assert all(row["amount"] is None for row in placed[len(amounts) :])
    for one, other in pairwise(placed):
        if one["amount"] == other["amount"]:
            assert one["created_at"] >= other["created_at"], "of equals the newest first"


def test_keys_of_equal_rows_are_equal() -> None:
    assert Key(Decimal("1.0"), "a", "x") == Key(Decimal(1), "a", "x")
    assert not Key(None, "a", "x") < Key(None, "a", "x")
