"""Frozen dataclasses to JSON text and back, without a float anywhere.

What is written:

* ``Decimal`` as a string that keeps its exponent (``"1.50"``), dates as ``YYYY-MM-DD``, aware
  datetimes as ISO 8601 in UTC, enumerations as their value, tuples, lists and sets as arrays,
  nested dataclasses as objects, a union of dataclasses as an object with its class's name in ``$``,
  named tuples as arrays of their fields.
* A field equal to its default is left out.  *A default is therefore part of the stored format*:
  never change one, add a new field instead.
* ``field(metadata={"key": "x"})`` gives a field a short name in the text.
* Free JSON data (``Any``, ``dict[str, Any]``, ``str | int | Decimal``): ``models/json_data.py``.

What is read: keys that the dataclass does not know are ignored, so that old code reads new
documents; a class that says ``codec_strict: ClassVar[bool] = True`` refuses them.  A value of the
wrong type, a float, a naive datetime and a number that is not finite are refused when written.
No error message holds a value, only the names of class, field and type.
"""

from __future__ import annotations

import threading
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NamedTuple, TypeVar, cast

from chalicelib.models.json_data import (
    DECODER,
    CodecError,
    bool_out,
    date_out,
    datetime_out,
    decimal_out,
    dumps_json,
    free_in,
    free_out,
    int_out,
    json_text,
    loads_json,
    none_out,
    str_out,
    wrong,
)

__all__ = ["CodecError", "dumps", "dumps_json", "loads", "loads_json", "plan_of"]

T = TypeVar("T")

_ABSENT: Any = object()
_CLASS = "$"


def dumps(value: Any) -> str:
    """The JSON text of a dataclass instance.  Raises :class:`CodecError`."""
    return json_text(plan_of(type(value)).encode(value))


def loads(cls: type[T], text: str) -> T:
    """The instance of ``cls`` that :func:`dumps` wrote.  Raises :class:`CodecError`."""
    try:
        data = DECODER.decode(text)
    except ValueError:
        raise CodecError(f"{cls.__name__}: the text is not JSON") from None
    return cast(T, plan_of(cls).decode(data))


# --- plans: what to do with each field of a class, worked out once ------------------------------


class _Out(NamedTuple):
    name: str
    key: str
    encode: Callable[[Any], Any]
    default: Any
    default_raw: Any


class _Plan:
    """How one dataclass is written and read."""

    __slots__ = ("cls", "into", "out", "strict")

    def __init__(self, cls: type[Any]) -> None:
        self.cls = cls
        self.strict = bool(getattr(cls, "codec_strict", False))
        self.out: list[_Out] = []
        self.into: dict[str, tuple[str, Callable[[Any], Any] | None]] = {}

    def build(self) -> None:
        try:
            hints = typing.get_type_hints(self.cls)
        except NameError as error:
            raise CodecError(f"{self.cls.__name__}: unknown type name {error.name}") from None
        for field in fields(self.cls):
            if not field.init:
                continue
            key = field.metadata.get("key", field.name)
            if key in self.into or key == _CLASS:
                raise CodecError(f"{self.cls.__name__}: the key {key!r} is taken")
            encode, decode = _coder(hints[field.name], f"{self.cls.__name__}.{field.name}")
            default = _ABSENT if field.default is MISSING else field.default
            raw = default if default is _ABSENT else encode(default)
            if field.default_factory is not MISSING:
                raw = encode(field.default_factory())
            self.out.append(_Out(field.name, key, encode, default, raw))
            self.into[key] = (field.name, decode)

    def encode(self, value: Any) -> dict[str, Any]:
        if type(value) is not self.cls:
            raise CodecError(f"{self.cls.__name__}: not a {type(value).__name__}")
        done: dict[str, Any] = {}
        for name, key, encode, default, default_raw in self.out:
            item = getattr(value, name)
            if item is default:
                continue
            try:
                raw = encode(item)
            except CodecError as error:
                raise CodecError(f"{self.cls.__name__}.{name}: {error}") from None
            if default_raw is _ABSENT or not _same(raw, default_raw):
                done[key] = raw
        return done

    def decode(self, data: Any) -> Any:
        if type(data) is not dict:
            raise CodecError(f"{self.cls.__name__}: not an object")
        into = self.into
        known: dict[str, Any] = {}
        name = ""
        try:
            for key, raw in data.items():
                found = into.get(key)
                if found is not None:
                    name, decode = found
                    known[name] = raw if decode is None else decode(raw)
                elif self.strict and key != _CLASS:
                    raise CodecError(f"unknown key {key!r}")
        except CodecError as error:
            raise CodecError(f"{self.cls.__name__}.{name}: {error}") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise CodecError(f"{self.cls.__name__}.{name}: cannot be read") from None
        try:
            return self.cls(**known)
        except TypeError:
            missing = [o.name for o in self.out if o.default_raw is _ABSENT and o.name not in known]
            if not missing:
                raise
            raise CodecError(f"{self.cls.__name__}: missing {', '.join(missing)}") from None


def _same(raw: Any, default: Any) -> bool:
    if type(raw) is not type(default) or raw != default:
        return False
    return not raw or not isinstance(raw, list | dict) or json_text(raw) == json_text(default)


_PLANS: dict[type[Any], _Plan] = {}
_BUILDING: dict[type[Any], _Plan] = {}
_LOCK = threading.RLock()


def plan_of(cls: type[Any]) -> _Plan:
    """How ``cls`` is written and read, worked out once; :class:`CodecError` if it cannot be."""
    plan = _PLANS.get(cls)
    if plan is not None:
        return plan
    if not is_dataclass(cls):
        raise CodecError(f"{cls.__name__} is not a dataclass")
    with _LOCK:
        plan = _PLANS.get(cls) or _BUILDING.get(cls)
        if plan is None:
            plan = _BUILDING[cls] = _Plan(cls)
            try:
                plan.build()
                _PLANS[cls] = plan
            finally:
                del _BUILDING[cls]
        return plan


# --- coders: a pair of functions for a type; no reader means "as it stands in the text" ---------


class _Coder(NamedTuple):
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any] | None


_SCALARS: dict[Any, _Coder] = {
    str: _Coder(str_out, None),
    int: _Coder(int_out, None),
    bool: _Coder(bool_out, None),
    Decimal: _Coder(decimal_out, Decimal),
    date: _Coder(date_out, date.fromisoformat),
    datetime: _Coder(datetime_out, datetime.fromisoformat),
    type(None): _Coder(none_out, None),
}
_FREE = _Coder(free_out, free_in)
_FREE_TYPES = {Any, object, dict, list, str, int, bool, Decimal, type(None)}
_LISTS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    tuple: tuple,
    abc.Sequence: tuple,
    set: set,
    frozenset: frozenset,
}


def _coder(hint: Any, where: str) -> _Coder:
    """The pair for a type.  ``where`` names the field in the error about an unknown type."""
    hint = getattr(hint, "__supertype__", hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint in _FREE_TYPES:
        return _FREE
    origin, arms = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(arms, where)
    if origin is Literal:
        return _literal(arms)
    if origin in _LISTS:
        return _array(origin, arms, where)
    if origin in (dict, abc.Mapping):
        return _map(arms, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        plan = plan_of(hint)
        return _Coder(plan.encode, plan.decode)
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        return _named(hint, where)
    raise CodecError(f"{where}: no way to store {hint!r}")


def _enum(cls: type[Enum]) -> _Coder:
    def encode(value: Any) -> Any:
        if type(value) is not cls:
            raise wrong(value, cls.__name__)
        return value.value

    if not all(type(member.value) in (str, int) for member in cls):
        raise CodecError(f"{cls.__name__}: its values are neither str nor int")
    return _Coder(encode, cls)


def _literal(values: tuple[Any, ...]) -> _Coder:
    allowed = {(type(value), value) for value in values}

    def encode(value: Any) -> Any:
        plain = str(value) if isinstance(value, str) else value
        if (type(plain), plain) not in allowed:
            raise wrong(value, "one of the literals")
        return plain

    return _Coder(encode, None)


def _union(arms: tuple[Any, ...], where: str) -> _Coder:
    rest = [arm for arm in arms if arm is not type(None)]
    if len(rest) == 1:
        return _optional(_coder(rest[0], where))
    if all(is_dataclass(arm) for arm in rest):
        one = _one_of(rest)
        return _optional(one) if len(rest) < len(arms) else one
    if all((typing.get_origin(arm) or arm) in _FREE_TYPES for arm in rest):
        return _FREE
    raise CodecError(f"{where}: a union of these types cannot be told apart")


def _optional(inner: _Coder) -> _Coder:
    encode, decode = inner

    def encode_some(value: Any) -> Any:
        return None if value is None else encode(value)

    def decode_some(raw: Any) -> Any:
        return None if raw is None or decode is None else decode(raw)

    return _Coder(encode_some, None if decode is None else decode_some)


def _one_of(classes: list[Any]) -> _Coder:
    plans = {cls.__name__: plan_of(cls) for cls in classes}

    def encode(value: Any) -> Any:
        plan = plans.get(type(value).__name__)
        if plan is None:
            raise wrong(value, " or ".join(plans))
        return {_CLASS: type(value).__name__, **plan.encode(value)}

    return _Coder(encode, lambda raw: plans[raw[_CLASS]].decode(raw))


def _array(origin: Any, arms: tuple[Any, ...], where: str) -> _Coder:
    make = _LISTS[origin]
    if origin is tuple and (len(arms) != 2 or arms[1] is not ...):
        return _fixed(arms, where)
    encode, decode = _coder(arms[0], where)
    unordered = origin in (set, frozenset)
    wanted = (list, tuple) if origin is abc.Sequence else origin

    def encode_all(value: Any) -> list[Any]:
        if not isinstance(value, wanted):
            raise wrong(value, origin.__name__)
        done = [encode(item) for item in value]
        return sorted(done) if unordered else done

    def decode_all(raw: Any) -> Any:
        if type(raw) is not list:
            raise wrong(raw, "an array")
        return make(raw if decode is None else map(decode, raw))

    return _Coder(encode_all, decode_all)


def _fixed(arms: tuple[Any, ...], where: str) -> _Coder:
    coders = [_coder(arm, where) for arm in arms if arm != ()]

    def encode(value: Any) -> list[Any]:
        if not isinstance(value, tuple) or len(value) != len(coders):
            raise wrong(value, f"a tuple of {len(coders)}")
        return [coder.encode(item) for coder, item in zip(coders, value, strict=True)]

    def decode(raw: Any) -> tuple[Any, ...]:
        pairs = zip(coders, raw, strict=True)
        return tuple(item if c.decode is None else c.decode(item) for c, item in pairs)

    return _Coder(encode, decode)


def _named(cls: Any, where: str) -> _Coder:
    """A named tuple: an array of its fields in order.  New fields go last and have a default."""
    hints = typing.get_type_hints(cls)
    coders = [_coder(hints[name], where) for name in cls._fields]

    def encode(value: Any) -> list[Any]:
        if type(value) is not cls:
            raise wrong(value, cls.__name__)
        return [coder.encode(item) for coder, item in zip(coders, value, strict=True)]

    def decode(raw: Any) -> Any:
        if type(raw) is not list:
            raise wrong(raw, "an array")
        pairs = zip(coders, raw, strict=False)
        return cls(*(item if c.decode is None else c.decode(item) for c, item in pairs))

    return _Coder(encode, decode)


def _map(arms: tuple[Any, ...], where: str) -> _Coder:
    key_hint, value_hint = arms
    key_out, key_in = _coder(key_hint, where)
    encode, decode = _coder(value_hint, where)
    number_keys = key_hint is int

    def encode_all(value: Any) -> dict[str, Any]:
        if not isinstance(value, abc.Mapping):
            raise wrong(value, "a mapping")
        return {str(key_out(key)): encode(item) for key, item in value.items()}

    def decode_all(raw: Any) -> dict[Any, Any]:
        read_key = int if number_keys else key_in
        return {
            key if read_key is None else read_key(key): item if decode is None else decode(item)
            for key, item in raw.items()
        }

    return _Coder(encode_all, decode_all)
