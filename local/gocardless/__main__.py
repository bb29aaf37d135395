"""``python -m local.gocardless --port N --state DIR``: the simulator, on loopback.

Environment, beside the options:

* ``GOCARDLESS_WEBHOOK_URL``: where the webhooks of a new organisation go,
* ``GOCARDLESS_HOLD_SECONDS``: how long a ``timeout`` fault is silent (12.5),
* ``GOCARDLESS_RATE_LIMIT``: requests a minute (10000),
* ``GOCARDLESS_WEBHOOK_TIMEOUT``: seconds that an endpoint has to answer (10),
* ``GOCARDLESS_WEBHOOK_RETRIES``: seconds before each further attempt, by commas.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from local.gocardless.server import Simulator
from local.gocardless.store import Store
from local.gocardless.webhooks import Pace, Sender
from local.gocardless.world import World
from local.home import Trouble
from local.simulating.faults import Faults
from local.simulating.process import serve, today


def simulator(state: Path, env: Mapping[str, str]) -> Simulator:
    """Everything put together, with what ``state`` holds."""
    try:
        pace = Pace()
        if timeout := env.get("GOCARDLESS_WEBHOOK_TIMEOUT"):
            pace = Pace(timeout=float(timeout))
        if retries := env.get("GOCARDLESS_WEBHOOK_RETRIES"):
            pace = Pace(timeout=pace.timeout, retries=[float(r) for r in retries.split(",")])
        hold = float(env.get("GOCARDLESS_HOLD_SECONDS") or 12.5)
        limit = int(env.get("GOCARDLESS_RATE_LIMIT") or 10_000)
    except ValueError as error:
        raise Trouble(f"A GOCARDLESS_... variable holds no number: {error}") from None
    world = World(
        Store(state),
        env.get("GOCARDLESS_WEBHOOK_URL") or None,
        today,
    )
    faults = Faults()
    return Simulator(world, faults, Sender(world, faults, pace), hold, limit)


if __name__ == "__main__":
    sys.exit(serve("local.gocardless", "GoCardless simulator", simulator))
