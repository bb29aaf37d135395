"""``make test-api``: thousands of generated requests against a stack of its own."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from local.home import ROOT
from tests.fuzz.run import FULL, run
from tests.stack import running_stack

LEAST_CASES = 2_000
REPORTS = ROOT / ".local" / "test-api"


def main() -> int:
    started = time.monotonic()
    print("Starting a stack of its own; the run takes some minutes.", flush=True)
    with tempfile.TemporaryDirectory() as scratch, running_stack(Path(scratch)) as stack:
        outcome = run(stack, FULL, REPORTS)
    print(outcome.text)
    print(f"{outcome.cases} cases in {time.monotonic() - started:.0f} s; {REPORTS}/report.txt")
    if outcome.cases < LEAST_CASES:
        print(f"At least {LEAST_CASES} were to be asked.")
        return 1
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
