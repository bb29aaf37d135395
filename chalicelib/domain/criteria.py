"""What a list is asked for: conditions on fields, and an order.  Pure, over plain rows.

A row is a mapping of a resource's fields to plain values as they are shown; :data:`READERS` makes
comparable values of them.  Partner API, Lists, filters, ordering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import total_ordering
from typing import Any, Literal

Type = Literal["id", "text", "choice", "number", "whole", "date", "instant", "flag"]
Test = Literal["in", "gte", "lte", "gt", "lt", "contains"]
Row = Mapping[str, Any]

CREATED, UPDATED = "created_at", "updated_at"
NEWEST_FIRST = f"-{CREATED}"
ORDERING = "ordering"
"""Among the names that a source covers: it gives its results in the order that was asked for."""


def _instant(value: Any) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at.astimezone(UTC)


READERS: Mapping[Type, Callable[[Any], Any]] = {
    "id": str,
    "text": str,
    "choice": str,
    "number": lambda value: Decimal(str(value)),
    "whole": lambda value: Decimal(str(value)),
    "date": lambda value: value if isinstance(value, date) else date.fromisoformat(value),
    "instant": _instant,
    "flag": bool,
}
"""A value as a row shows it (``"1000.00"``, ``1000``) -> what it is compared as."""

TESTS: Mapping[Test, Callable[[Any, tuple[Any, ...]], bool]] = {
    "in": lambda value, given: value in given,
    "gte": lambda value, given: bool(value >= given[0]),
    "lte": lambda value, given: bool(value <= given[0]),
    "gt": lambda value, given: bool(value > given[0]),
    "lt": lambda value, given: bool(value < given[0]),
    "contains": lambda value, given: given[0].casefold() in value.casefold(),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` of ``type`` must pass ``test`` against ``values``; a missing value never does."""

    field: str
    type: Type
    test: Test
    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        """Its name in a query: ``amount__gte``."""
        return self.field if self.test == "in" else f"{self.field}__{self.test}"

    def accepts(self, row: Row) -> bool:
        """Whether ``row`` passes."""
        value = row[self.field]
        if value is None:
            return False
        return TESTS[self.test](READERS[self.type](value), self.values)


@dataclass(frozen=True, slots=True)
class Criteria:
    """All conditions of a request, which a result must meet together, and its order.

    ``field`` and ``descending`` say the order; newest first is the default.
    """

    conditions: tuple[Condition, ...] = ()
    field: str = CREATED
    type: Type = "instant"
    descending: bool = True

    def __bool__(self) -> bool:
        return bool(self.conditions) or not self.newest_first

    @property
    def newest_first(self) -> bool:
        """Whether the order is the one that collections have by themselves."""
        return self.ordering == NEWEST_FIRST

    @property
    def ordering(self) -> str:
        """The order as a query says it."""
        return ("-" if self.descending else "") + self.field

    def any_of(self, name: str) -> tuple[Any, ...] | None:
        """The values of which ``name`` must have one; ``None`` if it may have any."""
        found = [each.values for each in self.conditions if each.name == name]
        return found[0] if found else None

    def bound(self, name: str, *tests: Test) -> Any | None:
        """The tightest upper (``lte``, ``lt``) or lower (``gte``, ``gt``) bound on ``name``."""
        found = [
            each.values[0] for each in self.conditions if each.field == name and each.test in tests
        ]
        if not found:
            return None
        return min(found) if tests[0] in ("lte", "lt") else max(found)

    def without(self, names: frozenset[str]) -> tuple[Condition, ...]:
        """The conditions whose names are not among ``names``."""
        return tuple(each for each in self.conditions if each.name not in names)

    def names(self) -> frozenset[str]:
        """The names of all conditions, and :data:`ORDERING` unless it is newest first."""
        own = frozenset(each.name for each in self.conditions)
        return own if self.newest_first else own | {ORDERING}

    def text(self) -> str:
        """The same text for the same criteria: what a cursor is bound to."""
        parts = [f"{each.name}={','.join(map(str, each.values))}" for each in self.conditions]
        return "&".join([*sorted(parts), f"{ORDERING}={self.ordering}"])

    def key(self, row: Row) -> Key:
        """The place of a row in this order: no two rows have the same."""
        value = row.get(self.field)
        created = row.get(CREATED)
        return Key(
            None if value is None else READERS[self.type](value),
            "" if created is None else _instant(created).isoformat(),
            str(row.get("id", "")),
            self.descending,
        )


@total_ordering
@dataclass(frozen=True, slots=True)
class Key:
    """A row's place: by value, what has none last; then the newest first, then by id."""

    value: Any
    created: str
    id: str
    descending: bool = field(default=False, compare=False)

    def __lt__(self, other: Key) -> bool:
        if self.value != other.value:
            if self.value is None or other.value is None:
                return other.value is None
            return bool(self.value > other.value if self.descending else self.value < other.value)
        if self.created != other.created:
            return self.created > other.created
        return self.id > other.id
