"""``make test-year``: a year of 300 loans by the sandbox's clock, on a stack of its own.

It takes hours.  What it has done is kept under ``.local/test-year``: stopped (Ctrl-C ends it after
the day under way), it goes on from there when it is started again with the same size.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from datetime import timedelta

from local.home import ROOT
from tests.stack import running_stack
from tests.year.lives import BEGINS, MONTH_DAYS
from tests.year.run import Run, State

WHERE = ROOT / ".local" / "test-year"
DAYS_A_YEAR = 365
MADE_AGAIN_BEFORE = (1, 5, 9, 17)
WITHOUT_REPLICA = {"BACKBONE_REPLICA_BUCKET": ""}
"""The clock rests on each day: it would be written 365 times, which is not asked about here."""


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make test-year", description=__doc__)
    parser.add_argument("--months", type=int, default=12, help="how long (12)")
    parser.add_argument("--loans", type=int, default=300, help="how large a book (300)")
    parser.add_argument("--anew", action="store_true", help="forget what was done before")
    parser.add_argument("--go-on", action="store_true", help="count differences, stop at none")
    parser.add_argument("--minutes", type=int, help="stop after so long, to go on another time")
    return parser.parse_args()


def main() -> int:
    """0: everything agreed; 1: something did not; 3: stopped, to be gone on with."""
    asked = _asked()
    days = DAYS_A_YEAR if asked.months == 12 else asked.months * MONTH_DAYS
    where = WHERE / f"{asked.months}-months-{asked.loans}-loans"
    if asked.anew:
        shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * asked.minutes if asked.minutes else None
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda sign, _: stopped.append(sign))
    print(f"{asked.loans} loans, {days} days; what is done is kept in {where}", flush=True)
    with running_stack(where, environment=WITHOUT_REPLICA) as stack:
        kept = where / "state.json"
        if kept.exists():
            run = Run(stack, State.load(kept), kept, strict=not asked.go_on)
            run.look()
        else:
            run = Run.begin(stack, asked.loans, days, kept, strict=not asked.go_on)
        end = BEGINS + timedelta(days=days)
        while run.day < end:
            if stopped or (until is not None and time.monotonic() > until):
                print(f"stopped at {run.day}; the same command goes on from there")
                return 3
            run.goes_on(run.day + timedelta(days=1), lambda line: print(line, flush=True))
        if run.day == end:
            _ends(run)
    print("\n".join(run.state.differences) or f"{days} days: every file and comparison agreed")
    return 1 if run.state.differences else 0


def _ends(run: Run) -> None:
    for days in MADE_AGAIN_BEFORE:
        run.again(run.day - timedelta(days=days))
    run.altered()
    print("one cession was altered at Blackmoon: it was found, shown and alarmed", flush=True)


if __name__ == "__main__":
    sys.exit(main())
