"""Numbers as they are written: read as :class:`Decimal`, sent as JSON numbers, never rounded."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")


def parsed(text: str) -> Any:
    """The JSON value; raises :class:`ValueError` for what is none, NaN and infinity included."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def written(value: Any) -> str:
    """JSON with a :class:`Decimal` as the number that it is."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        members = (f"{json.dumps(str(name))}:{written(v)}" for name, v in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def number(value: Any) -> Decimal | None:
    """A number that came as a number or as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return Decimal(text) if NUMBER.fullmatch(text) else None


def identity(value: Any) -> str:
    """An id that came as a text or as a number; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value).strip()
    return text if len(text) <= 100 and text.isprintable() else ""
