"""The benchmark of cold starts measures what it says, and says no."""

import pytest

from bench import start


def test_it_measures_fresh_processes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "BUDGET_MS", 60_000)
    assert start.main(["--runs=1"]) == 0
    assert "of 1 processes" in capsys.readouterr().out
    monkeypatch.setattr(start, "measure", lambda runs: [60_001.0] * runs)
    assert start.main(["--runs=3"]) == 1
