"""The benchmark of daily files, small: memory does not grow with the book, work grows with it."""

from __future__ import annotations

from decimal import Decimal

from bench import _books, files
from chalicelib.domain.money import pence


def test_memory_stays_where_it_is_and_work_is_linear() -> None:
    small, large = files.measure([2000, 6000])
    assert files.complete(small) and files.complete(large)
    for kind, one in large["files"].items():
        assert one["peak_mb"] < 200, one
        assert one["peak_mb"] - small["files"][kind]["peak_mb"] < 20, (small, large)
    assert files.per_loan(large) < 2 * files.per_loan(small), (small, large)
    # What was repaid on the day itself is not known yet.
    left = pence(_books.lives()["repaid"].account.principal)
    assert Decimal(large["files"]["loans"]["sum"]) == 5400 * 1200 + 600 * left
