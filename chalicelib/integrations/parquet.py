"""A data set's CSV as Parquet, with the types that its columns have: money is decimal, never float.

DuckDB does it, in one thread and bounded memory, without anything from elsewhere.  It is imported
where it is used: one function carries it (``requirements-parquet.in``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chalicelib.domain.datasets import Column, Sort

PARQUET = "application/vnd.apache.parquet"
MEMORY = "256MB"
SETTINGS: Mapping[str, str | bool] = {
    "memory_limit": MEMORY,
    "threads": "1",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
TYPES: Mapping[Sort, str] = {
    "text": "VARCHAR",
    "day": "DATE",
    "instant": "TIMESTAMP WITH TIME ZONE",
    "money": "DECIMAL(18,2)",
    "rate": "DECIMAL(18,10)",
    "count": "BIGINT",
    "flag": "BOOLEAN",
}
"""SQL's types of the columns; ``infra/data.yaml`` says the same of the catalogue's tables."""


def convert(columns: Sequence[Column], source: Path, target: Path) -> None:
    """Write the CSV file ``source`` (with a header) as the Parquet file ``target``.

    An empty cell is nothing.  Raises :class:`ValueError` for a cell that is not of its column's
    type.
    """
    import duckdb

    names = {column.title: TYPES[column.sort] for column in columns}
    read = (
        f"read_csv({_text(str(source))}, header = true, delim = ',', quote = '\"', "
        f"auto_detect = false, columns = {_struct(names)})"
    )
    wanted = f"COPY (SELECT * FROM {read}) TO {_text(str(target))}"
    with duckdb.connect(config={**SETTINGS, "temp_directory": str(target.parent)}) as database:
        try:
            database.execute(f"{wanted} (FORMAT parquet, COMPRESSION zstd)")
        except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
            raise ValueError(f"a row does not fit its columns: {type(error).__name__}") from None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _struct(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_text(name)}: {_text(sort)}" for name, sort in values.items()) + "}"
