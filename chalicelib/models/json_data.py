"""Free JSON data to text and back, and how single values are written: without a float anywhere.

Free data is ``None``, bool, int, str, Decimal, lists, tuples and string-keyed maps.  ``Decimal``
and ``int`` stay apart: a ``Decimal`` is written ``{"$decimal": "1.50"}``; an object whose only key
begins with ``$`` is escaped by a second ``$``.  A tuple comes back as a list.
"""

from __future__ import annotations

import json
from collections import abc
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_TAG = "$decimal"
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_ASCII = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


class CodecError(ValueError):
    """A value that cannot be written, or a text that is not one of this class."""


def dumps_json(data: Any) -> str:
    """The text of free JSON data.  Raises :class:`CodecError`."""
    return json_text(free_out(data))


def loads_json(text: str) -> Any:
    """The free JSON data that :func:`dumps_json` wrote."""
    return free_in(DECODER.decode(text))


def json_text(raw: Any) -> str:
    """The text of data that is JSON already, always fit for UTF-8."""
    text = _ENCODER.encode(raw)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # a lone surrogate is JSON, but not UTF-8
            return _ASCII.encode(raw)
    return text


def wrong(value: Any, wanted: str) -> CodecError:
    """The error about a value of the wrong type, which names the type alone."""
    return CodecError(f"not {wanted} but {type(value).__name__}")


def str_out(value: Any) -> str:
    """Text as it is."""
    if not isinstance(value, str):
        raise wrong(value, "str")
    return value


def int_out(value: Any) -> int:
    """A whole number; a bool is none."""
    if type(value) is not int:
        raise wrong(value, "int")
    return value


def bool_out(value: Any) -> bool:
    """True or false; a number is neither."""
    if type(value) is not bool:
        raise wrong(value, "bool")
    return value


def decimal_out(value: Any) -> str:
    """A finite Decimal with its exponent."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise wrong(value, "a finite Decimal")
    return str(value)


def date_out(value: Any) -> str:
    """``YYYY-MM-DD``; a datetime is no date."""
    if type(value) is not date:
        raise wrong(value, "date")
    return value.isoformat()


def datetime_out(value: Any) -> str:
    """An aware instant in UTC."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise wrong(value, "an aware datetime")
    return value.astimezone(UTC).isoformat()


def none_out(value: Any) -> None:
    """Nothing but ``None``."""
    if value is not None:
        raise wrong(value, "None")


def free_out(value: Any) -> Any:
    """Free data with its Decimals tagged."""
    if value is None or isinstance(value, str) or type(value) is bool or type(value) is int:
        return value
    if isinstance(value, Decimal):
        return {_TAG: decimal_out(value)}
    if isinstance(value, abc.Mapping):
        done: dict[str, Any] = {str_out(key): free_out(item) for key, item in value.items()}
        if len(done) == 1:
            [(key, item)] = done.items()
            if key.startswith("$"):
                return {"$" + key: item}
        return done
    if isinstance(value, list | tuple):
        return [free_out(item) for item in value]
    raise wrong(value, "JSON data")


def free_in(raw: Any) -> Any:
    """Free data from its tagged form."""
    if type(raw) is dict:
        if len(raw) == 1:
            [(key, item)] = raw.items()
            if key == _TAG:
                return Decimal(item)
            return {key[1:] if key.startswith("$$") else key: free_in(item)}
        return {key: free_in(item) for key, item in raw.items()}
    if type(raw) is list:
        return [free_in(item) for item in raw]
    return raw
