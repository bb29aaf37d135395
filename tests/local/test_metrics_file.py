"""The laptop's metrics: whole lines of several writers, bounded, AWS's own in the same form."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from local.metrics_file import MetricsFile, counted


def test_lines_of_several_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    writers = [MetricsFile(path), MetricsFile(path)]

    def write(file: MetricsFile) -> None:
        for number in range(300):
            file.append(json.dumps({"n": number, "filler": "x" * 200}))

    threads = [threading.Thread(target=write, args=(file,)) for file in writers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = path.read_text().splitlines()
    assert sorted(json.loads(line)["n"] for line in lines) == sorted([*range(300)] * 4)


def test_it_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    first, second = MetricsFile(path, 1000), MetricsFile(path, 1000)
    for number in range(100):
        (first if number % 2 else second).append(f"{number:03d}" + "x" * 47)
    kept = [*first.older.read_text().splitlines(), *path.read_text().splitlines()]
    assert first.older.stat().st_size + path.stat().st_size <= 2 * 1100
    numbers = [int(line[:3]) for line in kept]
    assert numbers == sorted(numbers) and numbers[-1] == 99
    assert path.stat().st_mode & 0o077 == 0


def test_runs_are_counted_as_lambda_counts_them(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.jsonl")

    def run(event: str, context: None) -> str:
        if event == "bad":
            raise LookupError(event)
        return event

    measured = counted(file, "days", run)
    assert measured("good", None) == "good"
    with pytest.raises(LookupError):
        measured("bad", None)
    good, bad = map(json.loads, file.path.read_text().splitlines())
    assert (good["FunctionName"], good["Invocations"], good["Errors"]) == ("days", 1, 0)
    assert (bad["Invocations"], bad["Errors"]) == (1, 1)
    assert good["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "AWS/Lambda"
