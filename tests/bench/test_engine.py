"""The benchmark of the engine, small: it runs, counts what it says it counts, and judges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bench import engine
from chalicelib.domain import loans
from tests.domain.lives import moment

SMALL = ["--runs=1", "--schedules=2", "--loans=3", "--nights=2"]


def test_every_figure_is_reported_with_its_bound(capsys: pytest.CaptureFixture[str]) -> None:
    code = engine.main(SMALL)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    bounds = [line for line in lines if line.endswith((": kept", ": MISSED"))]
    assert len(bounds) == 7
    assert code == any(line.endswith("MISSED") for line in lines)


@pytest.mark.parametrize(("limit", "code"), [(0.11, 0), (0.1, 1)])
def test_a_missed_bound_fails_the_benchmark(
    limit: float, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(*_: int) -> Iterator[engine.Figure]:
        yield engine.Figure("slow", "ms", (0.2, 0.1, 0.05), most=limit)

    monkeypatch.setattr(engine, "measured", measured)
    assert engine.main([]) == code


def test_a_rate_has_a_lower_bound_and_some_figures_have_none() -> None:
    assert not engine.Figure("few", "nights/s", (99_999,), least=100_000).kept
    assert engine.Figure("enough", "nights/s", (100_000,), least=100_000).kept
    assert engine.Figure("told", "nights/s", (1,)).kept


def test_no_schedule_is_laid_twice() -> None:
    agreed = engine.new_schedules("equal_instalments", charged_on_holidays=False, many=5)
    assert len(set(agreed)) == 5
    assert engine.lay_all(agreed) == engine.lay_all_anew(agreed) == 5 * engine.ROWS


def test_the_nights_that_are_counted_are_quiet_and_charged() -> None:
    running = engine.running_loans(4)
    assert engine.day_by_day(running, 3) == engine.book_by_day(running, 3) == 12
    for agreed, opened in running:
        account = opened
        for night in range(1, engine.MONTH + 1):
            now = moment(engine.OPENED + timedelta(days=night))
            done = loans.brought_up(agreed, account, now)
            assert not done.batches
            account = done.account
        assert account.run is not None
        assert account.run.nights == engine.MONTH
        assert account == loans.brought_up(agreed, opened, now).account
