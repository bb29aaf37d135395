"""JSON in and out, exactly: ``Decimal`` both ways, never binary floating point.

In: :func:`parse` refuses what a JSON document may hold and we could not keep or give back exactly.
Out: :func:`encode` refuses a float instead of printing it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

import simplejson

from chalicelib.domain.errors import Flaw, Invalid

MAX_DEPTH = 32
MAX_DIGITS = 40


class Unreadable(ValueError):
    """The text is not a JSON document that we take; the message says why, without its content."""


def parse(text: bytes) -> Any:
    """Plain data from UTF-8 JSON; numbers are ``int`` or ``Decimal``.

    Raises :class:`Unreadable` for what is not JSON (NaN and Infinity included), is nested deeper
    than 32 levels or holds a number of more than 40 digits; :class:`Invalid` for a member that is
    there twice.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    try:
        data = json.loads(
            decoded,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except Unreadable:
        raise
    except RecursionError:
        raise Unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError as error:
        raise Unreadable(_malformed(error)) from None
    _bounded(data)
    return data


def encode(value: Any, *, indent: int | None = None) -> str:
    """JSON text of plain data, dates, instants (``Z``), enumerations and ``Decimal`` (no exponent).

    With ``indent`` every member has a line of its own.

    A float or any other type is a :class:`TypeError`: money must never pass through one.
    """
    colon = ":" if indent is None else ": "
    return simplejson.dumps(
        _plain(value), separators=(",", colon), ensure_ascii=False, indent=indent
    )


def canonical(value: Any) -> str:
    """One text for equal data, whatever the order of its members: ``1000.00`` equals ``1000``."""
    return simplejson.dumps(
        _plain(value, canonical_numbers=True), separators=(",", ":"), sort_keys=True
    )


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with ``Z``; a naive datetime is a :class:`ValueError`."""
    if moment.tzinfo is None:
        raise ValueError("an instant must be aware")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any, *, canonical_numbers: bool = False) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if not canonical_numbers else _number(Decimal(value))
    if isinstance(value, Decimal):
        return _number(value) if canonical_numbers else simplejson.RawJSON(format(value, "f"))
    if isinstance(value, Mapping):
        return {
            str(name): _plain(item, canonical_numbers=canonical_numbers)
            for name, item in value.items()
        }
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (Sequence, frozenset, set)) and not isinstance(value, (bytes, bytearray)):
        items = sorted(value) if isinstance(value, (frozenset, set)) else value
        return [_plain(item, canonical_numbers=canonical_numbers) for item in items]
    raise TypeError(f"{type(value).__name__} has no exact JSON form")


def trimmed(number: Decimal) -> str:
    """Digits without exponent and without zeros that say nothing; no rounding, no minus zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _number(value: Decimal) -> Any:
    return simplejson.RawJSON(trimmed(value))


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise Unreadable(f"The body holds a number of more than {MAX_DIGITS} digits.")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond any Decimal
        raise Unreadable(f"The body holds a number of more than {MAX_DIGITS} digits.") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS:
        raise Unreadable(f"The body holds a number of more than {MAX_DIGITS} digits.")
    return number


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Unreadable(f"The body holds a number of more than {MAX_DIGITS} digits.")
    return int(text)


def _constant(name: str) -> Any:
    raise Unreadable(f"{name} is not JSON.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Invalid(
                    Flaw(shown_name(name), "duplicate_field", "This field is there twice.")
                )
            seen.add(name)
    return members


def shown_name(name: str) -> str:
    """A caller's own field name, fit to be repeated in an error: printable and short."""
    return "".join(char if char.isprintable() else "?" for char in name[:100])


def _malformed(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"The body is not JSON: {error.msg} at line {error.lineno} column {error.colno}."
    return "The body is not JSON."


def _bounded(data: Any) -> None:
    """Depth and text of all members; a loop, so that depth itself cannot hurt."""
    waiting: list[tuple[Any, int]] = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            _storable(value)
            continue
        if not isinstance(value, (dict, list)):
            continue
        if depth > MAX_DEPTH:
            raise Unreadable(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, dict):
            for name in value:
                _storable(name)
        children = value.values() if isinstance(value, dict) else value
        waiting.extend((child, depth + 1) for child in children)


def _storable(text: str) -> None:
    """A lone surrogate (``\\ud800``) is legal in JSON and has no UTF-8 form."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Unreadable("The body holds half of a character (a lone surrogate).") from None
