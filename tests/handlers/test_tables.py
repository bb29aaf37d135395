"""CSV: columns, cells, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.handlers import tables
from chalicelib.handlers.applications import ApplicationOut
from chalicelib.handlers.schema import Out
from chalicelib.handlers.transactions import TransactionOut


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (7, "7"),
        (Decimal("-12.50"), "-12.50"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02T09:00:00Z"),
        ("-12.50", "-12.50"),
        ("1000.00", "1000.00"),
        ("Smith", "Smith"),
        ("=1+1", "'=1+1"),
        ("+44 20 7946 0000", "'+44 20 7946 0000"),
        ("-1+1", "'-1+1"),
        ("-", "'-"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ({"a": "=1"}, '{"a":"=1"}'),
        (["x", 1], '["x",1]'),
    ],
)
def test_cells(value: Any, shown: str) -> None:
    assert tables.cell(value) == shown


@given(st.text(max_size=20))
def test_no_text_begins_like_a_formula(text: str) -> None:
    shown = tables.cell(text)
    assert shown == text or shown == f"'{text}"
    if shown.lstrip()[:1] in tuple("=+@"):
        pytest.fail(repr(shown))
    if shown.startswith("-"):
        Decimal(shown)


def test_nested_fields_are_flattened() -> None:
    names = [".".join(column) for column in tables.columns(TransactionOut)]
    assert names[:3] == ["id", "loan", "type"]
    assert {"balance_after.principal", "exact.interest"} <= set(names)
    assert "balance_after" not in names
    assert "custom_fields" in [".".join(column) for column in tables.columns(ApplicationOut)]


class RowOut(Out):
    name: str
    amount: Decimal


@given(st.lists(st.tuples(st.text(alphabet=st.characters(codec="utf-8"), max_size=8),
                          st.decimals(-9, 9, places=2)), max_size=450))  # fmt: skip
def test_a_reader_finds_every_row_again(given_rows: list[tuple[str, Decimal]]) -> None:
    rows = [{"name": name.replace("\x00", ""), "amount": amount} for name, amount in given_rows]
    text = "".join(tables.lines(RowOut, rows))
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in found] == [tables.harmless(row["name"]) for row in rows]
    assert [Decimal(row["amount"]) for row in found] == [row["amount"] for row in rows]


def test_pieces_stay_small() -> None:
    rows = ({"name": "x" * 10, "amount": Decimal(1)} for _ in range(1000))
    pieces = list(tables.lines(RowOut, rows))
    assert len(pieces) == 6 and max(map(len, pieces)) < 5000


@pytest.mark.parametrize(
    ("asked", "accept", "csv_wanted"),
    [
        ("csv", None, True),
        ("json", "text/csv", False),
        (None, "text/csv", True),
        (None, "text/csv, application/json;q=0.5", True),
        (None, "application/json, text/csv;q=0.5", False),
        (None, "*/*", False),
        (None, "text/csv;q=0", False),
        (None, "text/csv;q=x", False),
        (None, None, False),
    ],
)
def test_who_gets_csv(asked: str | None, accept: str | None, csv_wanted: bool) -> None:
    assert tables.wanted(asked, accept) is csv_wanted


def test_file_names() -> None:
    day = date(2026, 3, 2)
    assert tables.file_name("/api/v1/loan", day) == "loan-2026-03-02.csv"
    assert tables.file_name("/api/v1/end_user/{pk}/loans", day) == "end_user-loans-2026-03-02.csv"
