"""The second implementation stays free of floats and of the application's code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.independent.source_check import float_traces

HERE = Path(__file__).parent
NAIVE = sorted(HERE.glob("naive_*.py"))


def test_there_are_four_naive_modules() -> None:
    assert [path.stem for path in NAIVE] == [
        "naive_account",
        "naive_apr",
        "naive_daily_files",
        "naive_schedule",
    ]


@pytest.mark.parametrize("path", NAIVE, ids=lambda path: path.stem)
def test_floats_and_shared_code_are_forbidden(path: Path) -> None:
    assert float_traces(path) == []


@pytest.mark.parametrize(
    "text",
    ["x = 0.5", "x = float('1')", "import math", "from chalicelib.domain import money", "x = 1j"],
)
def test_the_check_sees_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(text)
    assert len(float_traces(path)) == 1
