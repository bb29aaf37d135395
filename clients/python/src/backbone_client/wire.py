"""Exact values both ways: JSON, query parameters, and answers as records."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

T = TypeVar("T")
#: Digits of a whole number, less one; an exponent alone could ask for more than there is memory.
LARGEST_WHOLE = 40
NO_FLOAT = "a float is not exact: give a Decimal, a string or an int"


@dataclass(frozen=True, kw_only=True)
class Record:
    """An answer's object.

    ``extra`` holds the fields that this version of the client does not know, as plain data with
    exact numbers.
    """

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def encode(body: Mapping[str, Any]) -> bytes:
    """``body`` as JSON: ``Decimal`` as a number, dates and instants as the API writes them.

    :class:`TypeError` for a float, a naive datetime, and anything else without an exact form.
    """
    return _json(_plain(body, "body")).encode()


def _json(plain: Any) -> str:
    """JSON text; the standard library's own writer knows no exact fractions."""
    if isinstance(plain, Decimal):
        return f"{plain:f}"
    if isinstance(plain, dict):
        members = (f"{json.dumps(name)}:{_json(each)}" for name, each in plain.items())
        return "{" + ",".join(members) + "}"
    if isinstance(plain, list):
        return "[" + ",".join(map(_json, plain)) + "]"
    return json.dumps(plain)


def decode(text: str) -> Any:
    """Plain data from JSON; numbers are ``int`` or ``Decimal``."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def query(values: Mapping[str, Any]) -> dict[str, str]:
    """Query parameters; several values of one are joined by commas, ``None`` is left out."""
    return {name: _joined(value, name) for name, value in values.items() if value is not None}


def _joined(value: Any, name: str) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return ",".join(_word(each, name) for each in value)
    return _word(value, name)


def _word(value: Any, name: str) -> str:
    plain = _plain(value, name)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, str | int | Decimal):
        return f"{plain:f}" if isinstance(plain, Decimal) else str(plain)
    raise TypeError(f"{name}: {type(value).__name__} is no query value")


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, float):
        raise TypeError(f"{name}: {NO_FLOAT}")
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{name}: {value} is no number")
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"{name}: an instant needs a time zone")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Record):
        known = {each.name: getattr(value, each.name) for each in fields(value)}
        return _plain({**known.pop("extra"), **known}, name)
    if isinstance(value, Mapping):
        return {str(key): _plain(each, f"{name}.{key}") for key, each in value.items()}
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray):
        return [_plain(each, f"{name}[{number}]") for number, each in enumerate(value)]
    raise TypeError(f"{name}: {type(value).__name__} has no exact JSON form")


def read(kind: type[T], value: Any) -> T:
    """``value`` (plain data) as the record ``kind``; unknown fields go to ``extra``.

    A field that is missing is ``None`` where that is allowed.  :class:`ValueError` names the field
    that cannot be read, never its value.
    """
    made: T = _reader(kind)(value)
    return made


_Reader = Callable[[Any], Any]


def _reader(kind: Any) -> _Reader:
    """How a value of an annotation is read."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, type) and issubclass(kind, Record):
        return _record(typing.cast("Any", kind))
    arguments = get_args(kind)
    if isinstance(kind, types.UnionType):
        chosen = [each for each in arguments if each is not types.NoneType]
        if len(chosen) > 1:  # a scalar of any kind stays as it is
            return _same
        inner = _reader(chosen[0])
        return lambda value: None if value is None else inner(value)
    if get_origin(kind) is tuple:
        one = _reader(arguments[0])
        return lambda value: tuple(one(each) for each in _list(value))
    return _same


@cache
def _record(kind: Any) -> _Reader:
    hints = typing.get_type_hints(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}
    del readers["extra"]

    def read_record(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("is no object")
        found: dict[str, Any] = {}
        for name, reader in readers.items():
            try:
                found[name] = reader(value.get(name))
            except ValueError as error:
                inner = str(error)
                raise ValueError(f"{name}{': ' if inner[:3] == 'is ' else '.'}{inner}") from None
        return kind(**found, extra={n: v for n, v in value.items() if n not in readers})

    return read_record


def _same(value: Any) -> Any:
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("is no list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no string")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("is no number")
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError("is no number") from None


def _whole(value: Any) -> int:
    number = _number(value)
    if not number.is_finite() or number.adjusted() > LARGEST_WHOLE or number != int(number):
        raise ValueError("is no whole number")
    return int(number)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("is no date") from None


def _instant(value: Any) -> datetime:
    """RFC 3339, or Unix seconds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("is no instant") from None
    if moment.tzinfo is None:
        raise ValueError("is no instant")
    return moment


_SIMPLE: Mapping[Any, _Reader] = {
    str: _text,
    int: _whole,
    bool: _flag,
    Decimal: _number,
    date: _day,
    datetime: _instant,
}
