"""Collections as CSV: a header row, nested fields flattened, nothing that a spreadsheet would run.

Partner API, Lists, filters, ordering, CSV.
"""

from __future__ import annotations

import csv
import io
import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from chalicelib.handlers import encoding
from chalicelib.handlers.schema import Out

CONTENT_TYPE = "text/csv; charset=utf-8"
ROWS_A_CHUNK = 200
#: What begins a formula in a spreadsheet, in ASCII and as full-width characters.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠|%")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)

Column = tuple[str, ...]


def wanted(asked_format: str | None, accept: str | None) -> bool:
    """Whether a request asks for CSV: ``format`` decides, else an ``Accept`` that prefers it."""
    if asked_format is not None:
        return asked_format == "csv"
    weights: dict[str, float] = {}
    for part in (accept or "").split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[kind] = _weight(parameters)
    best = weights.get("text/csv", 0.0)
    return best > max(weights.get("application/json", 0.0), weights.get("text/html", 0.0))


def columns(answer: type[Out]) -> list[Column]:
    """The columns of a resource: ``("balance_after", "principal")`` for a nested field."""
    return list(_columns(answer, ()))


def row_of(answer: type[Out], name: str) -> type[Out]:
    """The model of the entries of an answer's list."""
    row: type[Out]
    (row,) = get_args(answer.model_fields[name].annotation)
    if not issubclass(row, Out):
        raise TypeError(f"{answer.__name__}.{name} is not a list of answers")
    return row


def lines(answer: type[Out], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The CSV text of ``rows`` in pieces, its header first."""
    wide = columns(answer)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(".".join(column) for column in wide)
    for number, row in enumerate(rows, start=1):
        writer.writerow(cell(_at(row, column)) for column in wide)
        if number % ROWS_A_CHUNK == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def cell(value: Any) -> str:
    """A value as one cell.  A text that a spreadsheet might run gets an apostrophe before it."""
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return encoding.instant(value)
    if isinstance(value, date):
        return value.isoformat()
    text = value if isinstance(value, str) else encoding.encode(value)
    return harmless(text)


def harmless(text: str) -> str:
    """``text`` so that no spreadsheet runs it; negative numbers stay numbers."""
    if _NUMBER.fullmatch(text):
        return text
    if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA):
        return f"'{text}"
    return text


def file_name(path: str, day: date) -> str:
    """``/api/v1/end_user/{pk}/loans`` -> ``end_user-loans-2026-03-02.csv``."""
    parts = [part for part in path.split("/")[3:] if not part.startswith("{")]
    return f"{'-'.join(parts) or 'list'}-{day.isoformat()}.csv"


def weight_in_answer(text: str) -> int:
    """The bytes that ``text`` takes in a Lambda response, where it is a JSON string."""
    return len(json.dumps(text)) - 2


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        if each.startswith("q="):
            try:
                return float(each[2:])
            except ValueError:
                return 0.0
    return 1.0


def _columns(model: type[BaseModel], path: Column) -> Iterator[Column]:
    for name, declared in model.model_fields.items():
        if isinstance(model, type) and issubclass(model, Out) and name in model.secrets:
            continue
        nested = _nested(declared.annotation)
        if nested is None:
            yield (*path, name)
        else:
            yield from _columns(nested, (*path, name))


def _nested(annotation: Any) -> type[BaseModel] | None:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        options = [each for each in get_args(annotation) if each is not type(None)]
        return _nested(options[0]) if len(options) == 1 else None
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None


def _at(row: Any, column: Column) -> Any:
    for name in column:
        if row is None:
            return None
        row = row[name]
    return row


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
