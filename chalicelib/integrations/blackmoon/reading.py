"""Reading tolerantly: numbers as strings or numbers, ids and codes as either, never a float.

Nothing here has a value in the text of an error: only the names of fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

LONGEST_TEXT = 200
MOST_DIGITS = 40
DATE_LENGTH = len("2016-05-30")
LONDON = ZoneInfo("Europe/London")


class Incomplete(ValueError):
    """An answer lacks what it must have, or has it in a way that cannot be read."""


def _no_constant(_: str) -> Any:
    raise ValueError("not JSON")


def parsed(content: bytes) -> Any:
    """JSON with exact numbers.  Raises :class:`Incomplete`."""
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Incomplete("the answer is not JSON") from None


def written(value: Any) -> str:
    """JSON text of plain data; a Decimal becomes a number with all its digits."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError("not a finite number")
        return format(value, "f")
    if isinstance(value, Mapping):
        inner = (f"{json.dumps(str(name))}:{written(one)}" for name, one in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, date):
        return json.dumps(value.isoformat())
    if value is None or isinstance(value, str | bool | int):
        return json.dumps(value)
    raise TypeError(f"a {type(value).__name__} is not sent")


def number(data: Mapping[str, Any], name: str) -> Decimal:
    """A number, however it is written.  Raises :class:`Incomplete`."""
    found = maybe_number(data.get(name))
    if found is None:
        raise Incomplete(name)
    return found


def maybe_number(value: Any) -> Decimal | None:
    """A finite number of sane size, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        found = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= MOST_DIGITS else None


def count(value: Any) -> int | None:
    """A whole number of things, else ``None``."""
    found = maybe_number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def identity(value: Any) -> str | None:
    """An id or a code as text, whichever way it came; ``None`` for none, and for zero."""
    text = code(value)
    return None if text in ("0", None) else text


def code(value: Any) -> str | None:
    """The same, zero included."""
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip()[:LONGEST_TEXT] or None


def truth(value: Any) -> bool:
    """Whether something is so, as any language writes it.  Raises :class:`Incomplete`."""
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if found is None:
        raise Incomplete("a truth value")
    return found


def verbatim(value: Any) -> str | None:
    """Text as it came, to the letter; ``None`` for none, and for what is too long to be kept."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT else None


def day(value: Any) -> date | None:
    """A date, else ``None``; of an instant's text, that on which it was in London."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    at = instant(text) if len(text) > DATE_LENGTH else None
    try:
        return at.astimezone(LONDON).date() if at else date.fromisoformat(text[:DATE_LENGTH])
    except (ValueError, OverflowError):
        return None


def instant(value: Any) -> datetime | None:
    """An instant in UTC of ISO text or of Unix seconds; a text without zone is London's."""
    seconds = maybe_number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(int(seconds), UTC)
        at = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        if at is None:
            return None
        return (at.replace(tzinfo=LONDON) if at.tzinfo is None else at).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def rows(value: Any) -> Sequence[Mapping[str, Any]]:
    """A list of objects; also as an object whose keys are numbers, and an empty one as either."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Incomplete("a list")
    return value
