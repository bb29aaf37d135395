"""Data sets as CSV and Parquet: what is written is what is read, to the penny and the type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chalicelib.domain.datasets import COLUMNS, LOANS, REPAYMENTS, SUMMED, Column
from chalicelib.integrations import parquet, tables
from chalicelib.integrations.blackmoon.shape import REQUIRED, Shape
from tests.support import template

VALUES: dict[str, Any] = {
    "text": 'a,b "c"',
    "day": date(2024, 2, 29),
    "instant": datetime(2026, 7, 1, 12, tzinfo=UTC),
    "money": Decimal("12345678901234.56"),
    "rate": Decimal("10.1234567890"),
    "count": 12,
    "flag": True,
}
PERSONAL = (
    "name",
    "birth",
    "address",
    "account_number",
    "sort_code",
    "email",
    "mobile",
    "end_user",
)


def rows(columns: tuple[Column, ...]) -> list[dict[str, Any]]:
    """A full row and one with nothing in it."""
    return [
        {column.name: VALUES[column.sort] for column in columns},
        {column.name: None for column in columns},
    ]


@pytest.mark.parametrize("kind", COLUMNS)
def test_parquet_holds_what_the_csv_does(kind: str, tmp_path: Path) -> None:
    columns = COLUMNS[kind]
    source, target = tmp_path / "it's.csv", tmp_path / "it's.parquet"
    source.write_bytes(tables.header(columns) + tables.lines(columns, rows(columns)))
    parquet.convert(columns, source, target)
    found = duckdb.read_parquet(str(target))
    assert found.columns == [column.title for column in columns]
    assert [str(sort) for sort in found.types] == [parquet.TYPES[one.sort] for one in columns]
    texts = {one.title for one in columns if one.sort != "instant"}
    names = ", ".join(f'"{name}"' for name in found.columns if name in texts)
    full, empty = duckdb.sql(f"SELECT {names} FROM found").fetchall()
    assert list(full) == [VALUES[one.sort] for one in columns if one.sort != "instant"]
    assert set(empty) == {None}


def test_a_cell_that_is_not_of_its_columns_type_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(tables.header(REPAYMENTS) + b"r,l,2026-07-01,much" + b"," * 10 + b"\n")
    with pytest.raises(ValueError, match="does not fit"):
        parquet.convert(REPAYMENTS, source, tmp_path / "a.parquet")


def test_totals_are_of_what_is_there() -> None:
    columns = [Column("id", "id", "text"), Column("amount", "amount", "money")]
    many = [{"id": f"é{n}", "amount": Decimal(n) / 4} for n in range(1000)]
    whole = tables.header(columns) + tables.lines(columns, many)
    for size in (1, 7, 64, len(whole)):
        pieces = [whole[place : place + size] for place in range(0, len(whole), size)]
        assert tables.totals(pieces, "amount") == (1000, Decimal(999 * 1000 // 2) / 4)
    assert tables.totals([whole], None) == (1000, None)
    with pytest.raises(ValueError, match="no end"):
        tables.totals([whole[:-1]], "amount")
    with pytest.raises(ValueError, match="cells"):
        tables.totals([whole, b"x\n"], "amount")


def test_a_shape_says_which_columns_go_and_how_they_are_called() -> None:
    usual = Shape()
    assert [one.title for one in usual.columns("loans")][:2] == ["applicationId", "loanId"]
    assert [one.title for one in usual.columns("repayments")][:4] == [
        "repaymentId", "applicationId", "datetime", "amount",
    ]  # fmt: skip
    own = Shape.of({
        "loan_fields": {"principal": "outstanding", "status": "state"},
        "repayment_fields": {"known_on": "foundOut"},
    })  # fmt: skip
    assert [one.title for one in own.columns("loans")] == ["applicationId", "outstanding", "state"]
    assert len(own.columns("repayments")) == len(REQUIRED["repayments"]) + 1
    for wrong in (
        {"loan_fields": {"birth_date": "born"}},
        {"loan_fields": {"status": "applicationId"}},
        {"repayment_fields": {"status": "x", "type": "x"}},
        {"loan_fields": "status"},
    ):
        with pytest.raises(ValueError, match="blackmoon"):
            Shape.of(wrong)


def test_nobody_is_in_the_data_sets() -> None:
    for columns in COLUMNS.values():
        assert not [one for one in columns if any(word in one.name for word in PERSONAL)]
    assert all(name in {one.name for one in COLUMNS[kind]} for kind, name in SUMMED.items())


def test_the_catalogue_knows_the_same_columns() -> None:
    types = {
        "VARCHAR": "string",
        "DATE": "date",
        "TIMESTAMP WITH TIME ZONE": "timestamp",
        "DECIMAL(18,2)": "decimal(18,2)",
        "DECIMAL(18,10)": "decimal(18,10)",
        "BIGINT": "bigint",
        "BOOLEAN": "boolean",
    }
    for name, columns in {"ReplicaLoans": LOANS, "ReplicaRepayments": REPAYMENTS}.items():
        table = template()["Resources"][name]["Properties"]["TableInput"]
        told = [(one["Name"], one["Type"]) for one in table["StorageDescriptor"]["Columns"]]
        assert told == [(one.title.lower(), types[parquet.TYPES[one.sort]]) for one in columns]
