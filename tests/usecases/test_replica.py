"""The replica of a whole book: every loan that was ever lent, whatever became of it, in parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chalicelib.models.keys import REPLICA
from chalicelib.models.unit import Outgoing
from chalicelib.usecases import data_walk, replica
from tests.usecases.bucket import MemoryBucket
from tests.usecases.selling import shop
from tests.usecases.test_daily_files import Files, closed, repays

DAY = date(2026, 6, 1)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    with shop(tmp_path) as made:
        found = Files(made, MemoryBucket())
        found.on("2026-03-02")
        yield found


def written(files: Files, twice: bool = False) -> dict[str, bytes]:
    """All that is written of a day, message after message."""
    waiting = [one.body for one in replica.messages(files.ctx.partner.id, DAY)]
    sent: list[Outgoing] = []
    files.shop.market.dispatch = sent.extend  # type: ignore[method-assign]
    bucket = MemoryBucket()
    while waiting:
        body = waiting.pop(0)
        for _ in range(2 if twice else 1):
            sent.clear()
            what = (body["kind"], body["part"], body["place"])
            replica.write(files.ctx, bucket, date.fromisoformat(body["day"]), *what)
        assert all(message.queue == REPLICA for message in sent)
        waiting += [message.body for message in sent]
    return bucket.objects


def table(objects: dict[str, bytes], kind: str, directory: Path) -> list[dict[str, Any]]:
    """The rows of all parts."""
    for key, data in objects.items():
        if key.startswith(f"{kind}/"):
            path = directory / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    found = duckdb.read_parquet(f"{directory}/{kind}/*/*/*.parquet", hive_partitioning=True)
    columns = [name for name in found.columns if name != "datetime"]
    rows = found.select(*[f'"{name}"' for name in columns]).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_the_whole_book_in_parts(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold, kept = files.line("500.00"), files.line("300.00", "20.00", sold=False)
    gone = files.line("100.00", sold=False)
    repays(kept, "50.00")
    closed(gone)
    files.shop.person.opens_loan(files.shop.person.publishes())  # never lent
    files.on(DAY.isoformat())
    repays(kept, "7.00")  # today: tomorrow's
    whole = written(files)
    assert set(whole) == {
        f"{kind}/date=2026-06-01/partner={files.ctx.partner.id}/part-0000.{end}"
        for kind, end in (
            ("loans", "parquet"), ("repayments", "parquet"),
            ("csv/loans", "csv"), ("csv/repayments", "csv"),
        )
    }  # fmt: skip
    loans = {row["loanId"]: row for row in table(whole, "loans", tmp_path)}
    assert set(loans) == {sold.id, kept.id, gone.id}
    for loan in (sold, kept, gone):
        shown = files.shop.person.get(f"/loan/{loan.id}/?as_of=2026-05-31")
        row = loans[loan.id]
        assert (row["status"], row["principal"]) == (shown["status"], shown["principal"])
        assert row["balanceDate"] == date(2026, 5, 31) and row["date"] == DAY
        assert row["interestAmount"] == shown["interest"]
    assert loans[gone.id]["closedDate"] == date(2026, 3, 2)
    repaid = table(whole, "repayments", tmp_path)
    assert sorted(row["amount"] for row in repaid) == [Decimal(50), Decimal(100)]
    assert {row["loanId"] for row in repaid} == {kept.id, gone.id}

    monkeypatch.setattr(data_walk, "AT_ONCE", 1)
    monkeypatch.setattr(replica, "LOANS_A_PART", 1)
    parts = written(files, twice=True)
    assert sum(key.startswith("loans/") for key in parts) >= 3
    again = table(parts, "loans", tmp_path / "parts")
    assert sorted(again, key=str) == sorted(loans.values(), key=str)
