"""What a row of the table of keys is: a kind of thing and the templates of its keys.

Templates are format strings.  Their names are looked up in this order: ``{partner}``; what the
caller gives (``store.get(BATCH, partner, id, seq=4)``); the value's attributes and properties
(``{status}``, ``{due_on}``); what the kind's ``parts`` makes of an id (``{prefix}``).  Enumerations
give their value, dates and instants ISO text.  Where a name of an index template is ``None``, the
item is not in that index.  An index template may also be a function
``(partner, value) -> str | None``.

Index partitions: ``list`` (by_list), ``status`` (by_status) and ``owner`` (by_owner) are sorted by
creation (``list`` by ``list_at`` where a kind has one), ``due`` (by_due) by ``due_at``; then by id,
so that places are unique.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from importlib import import_module
from string import Formatter
from typing import Any, Generic, Literal, TypeVar, cast

T = TypeVar("T")
Group = Mapping[str, object]
Groups = Group | Sequence[Group]
Template = str | Callable[[str, Any], str | None]
IndexName = Literal["list", "status", "owner", "due"]

INDEXES: Mapping[IndexName, tuple[str, str, str]] = {
    "list": ("by_list", "lp", "ls"),
    "status": ("by_status", "gp", "gs"),
    "owner": ("by_owner", "op", "os"),
    "due": ("by_due", "dp", "ds"),
}
"""Index: its name in DynamoDB, its partition attribute and its sort attribute."""

ONLY = "-"
"""The sort key of an item that is alone in its partition."""


class BadKey(ValueError):
    """A part of a key that no stored thing can have: empty, too long, with ``#`` in it.

    A read answers it with "no such thing"; a write lets it through, because it is a mistake.
    """


def instant(at: datetime) -> str:
    """An aware instant as fixed-width UTC text that sorts by time, to the microsecond."""
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def parse_instant(text: str) -> datetime:
    """The instant that :func:`instant` wrote."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of stored thing.

    ``path`` is ``"module:Class"``, imported when the first item is written or read.  ``id_of``
    names the attribute that is its id in ``store.get``.  ``parts`` says what that id tells about
    the other names of the templates.  ``kept`` says that nothing of the kind is ever deleted, so
    that a count of its list holds for ever up to an instant that is past.
    """

    name: str
    path: str
    pk: str
    sk: str = ONLY
    list: Template | None = None
    list_at: Template | None = None
    status: Template | None = None
    owner: Template | None = None
    due: Template | None = None
    due_at: Template | None = None
    id_of: str = "id"
    kept: bool = False
    parts: Callable[[str], Mapping[str, object]] | None = None

    def load(self) -> type[T]:
        """The dataclass, imported now if it was not before."""
        return cast("type[T]", _load(self.path))

    def key(self, partner: str, id: str, /, **parts: object) -> tuple[str, str]:
        """``(pk, sk)`` of the item with this id.  Raises :class:`BadKey`."""
        given = {**_of(partner), self.id_of: id, **parts}
        if self.parts is not None:
            given = {**self.parts(id), **given}
        return _fill(self.pk, given), _fill(self.sk, given)

    def key_of(self, partner: str, value: T) -> tuple[str, str]:
        """``(pk, sk)`` of the item that holds ``value``.  Raises :class:`BadKey`."""
        given = self._given(partner, value)
        return _fill(self.pk, given), _fill(self.sk, given)

    def index_keys(self, partner: str, value: T, created: datetime) -> dict[str, str]:
        """The index attributes of ``value`` (``lp``, ``ls`` …), only those that it has."""
        given = self._given(partner, value)
        own_id = given.get("id") or given[self.id_of]
        keys: dict[str, str] = {}
        for name, (_, hash_name, range_name) in INDEXES.items():
            template: Template | None = getattr(self, name)
            if template is None:
                continue
            partition = _index_text(template, partner, value, given)
            at: str | None = instant(created)
            place: Template | None = getattr(self, f"{name}_at", None)
            if place is not None:
                at = _index_text(place, partner, value, given)
            if partition is not None and at is not None:
                keys[hash_name], keys[range_name] = partition, f"{at}#{own_id}"
        return keys

    def partition(self, index: IndexName, partner: str, group: Mapping[str, object]) -> str:
        """The partition key of an index for the names in ``group``.  Raises :class:`BadKey`."""
        template: Template | None = getattr(self, index)
        if not isinstance(template, str):
            raise LookupError(f"{self.name} has no {index} index that can be asked by name")
        return _fill(template, {**_of(partner), **group})

    def _given(self, partner: str, value: T) -> Mapping[str, object]:
        own: Mapping[str, object] = _Attributes(value)
        if self.parts is not None:
            own = ChainMap(cast(Any, own), cast(Any, self.parts(cast(str, own[self.id_of]))))
        return ChainMap(_of(partner), cast(Any, own))


def partitions_of(
    kind: Kind[Any], index: IndexName, partner: str, group: Groups | None
) -> list[str]:
    """The index partitions of one group or several, each once; what cannot be one is left out."""
    groups = [group or {}] if group is None or isinstance(group, Mapping) else group
    found: dict[str, None] = {}
    for one in groups:
        with suppress(BadKey):
            found[kind.partition(index, partner, one)] = None
    return list(found)


def _of(partner: str) -> dict[str, object]:
    """Nothing for no partner, so that a value's own ``partner`` counts, or its lack is noticed."""
    return {"partner": partner} if partner else {}


class _Attributes(Mapping[str, object]):
    """A value's attributes and properties, by name."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __getitem__(self, name: str) -> object:
        try:
            return getattr(self._value, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(dir(self._value))

    def __len__(self) -> int:
        return len(dir(self._value))


@cache
def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


@cache
def _names(template: str) -> tuple[tuple[str, str, str], ...]:
    """``(literal, name, format)`` of each piece of a template."""
    parsed = Formatter().parse(template)
    return tuple((literal, name or "", spec or "") for literal, name, spec, _ in parsed)


def _fill(template: str, given: Mapping[str, object]) -> str:
    text = _try_fill(template, given)
    if text is None:
        raise BadKey(f"a name of {template!r} is None")
    return text


def _try_fill(template: str, given: Mapping[str, object]) -> str | None:
    done: list[str] = []
    for literal, name, spec in _names(template):
        done.append(literal)
        if not name:
            continue
        try:
            part = given[name]
        except KeyError:
            raise LookupError(f"{template!r}: nothing says what {name!r} is") from None
        if part is None:
            return None
        done.append(key_part(name, part, spec))
    return "".join(done)


def _index_text(
    template: Template, partner: str, value: object, given: Mapping[str, object]
) -> str | None:
    if callable(template):
        return template(partner, value)
    return _try_fill(template, given)


def key_part(name: str, part: object, spec: str = "") -> str:
    if isinstance(part, Enum):
        part = part.value
    if isinstance(part, datetime):
        text = instant(part)
    elif isinstance(part, date):
        text = part.isoformat()
    elif type(part) is int:
        text = format(part, spec)
    elif isinstance(part, str):
        text = part
    else:
        raise TypeError(f"a {type(part).__name__} as {name!r} in a key")
    if "#" in text or len(text) > 200 or (not text and name != "partner"):
        raise BadKey(f"not usable as {name!r} in a key")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadKey(f"not usable as {name!r} in a key") from None
    return text
