"""How long ``import app`` takes in a fresh process, which every cold start waits for.

``python -m bench start [--runs=20]``: the median of so many processes, interpreter included, with
bytecode as the packages have it.  It fails above 450 ms (on a quiet machine of the kind that the
other benchmarks are promised for).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from tools.lint_routes import ENVIRONMENT

BUDGET_MS = 450
RUNS = 20
_SAID = "--runs="


def main(options: list[str]) -> int:
    """0 if the median is within the budget."""
    given = [option.removeprefix(_SAID) for option in options if option.startswith(_SAID)]
    taken = measure(int(given[0]) if given else RUNS)
    median = statistics.median(taken)
    print(
        f"import app: median {median:.0f} ms of {len(taken)} processes "
        f"({min(taken):.0f} to {max(taken):.0f}); at most {BUDGET_MS} ms"
    )
    return 0 if median <= BUDGET_MS else 1


def measure(runs: int) -> list[float]:
    """Milliseconds of each run; one before them writes the bytecode and does not count."""
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return [_once(environment) for _ in range(runs + 1)][1:]


def _once(environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import app"], env=environment, check=True)
    return (time.perf_counter() - started) * 1000
