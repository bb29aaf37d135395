"""The benchmark of lists, small: a deep page reads what the first one does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as benchmarks
from bench import lists
from tests.ministack import CREDENTIALS, ministack


@pytest.mark.parametrize("path", ["/loan/", "/loan/?status=late,active"])
def test_page_15_costs_what_page_1_does(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with ministack(tmp_path) as endpoint:
        found = lists.measure(endpoint, 400, 15, path)
    first, deep = found["page 1"], found["page 15"]
    assert first.results == deep.results == 20
    assert deep.units > 20, "twenty loans are forty items"
    assert lists.deviation(first.units, deep.units) <= lists.TOLERANCE, (first, deep)


def test_benchmarks_are_listed_and_run_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmarks.main([]) == 0
    assert "python -m bench lists" in capsys.readouterr().out
    assert benchmarks.main(["nothing"]) == 1
    given: list[list[str]] = []
    monkeypatch.setattr(lists, "main", lambda options: given.append(options) or 1)
    assert benchmarks.main(["lists", "--loans=1"]) == 1
    assert given == [["--loans=1"]]
