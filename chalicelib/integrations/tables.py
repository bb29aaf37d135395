"""Data sets as CSV, written and read row by row, so that a file is never in memory.

No cell holds a line's end (ids, numbers, dates and words of ours), so that every line is a row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from chalicelib.domain.datasets import Column, Row, texts

CSV = "text/csv; charset=utf-8"


def header(columns: Sequence[Column]) -> bytes:
    """The first line."""
    return _lines([[column.title for column in columns]])


def lines(columns: Sequence[Column], rows: Iterable[Row]) -> bytes:
    """Some rows, a line each."""
    return _lines(texts(columns, row) for row in rows)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


class Totals(NamedTuple):
    """What a file holds: its rows, and the sum of a column, if it has that."""

    rows: int
    sum: Decimal | None


def totals(pieces: Iterable[bytes], title: str | None) -> Totals:
    """What is in a CSV file with a header, by what is written there."""
    table = csv.reader(_split(pieces), strict=True)
    names = next(table)
    place = names.index(title) if title is not None else None
    rows, total = 0, Decimal(0)
    for cells in table:
        if len(cells) != len(names):
            raise ValueError("a row has more or fewer cells than the header")
        rows += 1
        if place is not None:
            total += Decimal(cells[place])
    return Totals(rows, None if place is None else total)


def _split(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode()
    if rest:
        raise ValueError("the last line has no end")
