"""A quick selection of `make test-api` in every test run."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.run import QUICK, run
from tests.stack import Stack


def test_some_generated_requests(stack: Stack, tmp_path: Path) -> None:
    outcome = run(stack, QUICK, tmp_path / "fuzz")
    assert outcome.passed, outcome.text
    assert outcome.cases >= 150
