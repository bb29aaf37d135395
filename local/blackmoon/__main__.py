"""``python -m local.blackmoon --port N --state DIR``: the simulator, on loopback.

Environment, beside the options: ``BLACKMOON_HOLD_SECONDS``, how long a ``timeout`` fault is silent
(12.5).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from local.blackmoon.server import Simulator
from local.blackmoon.world import Store, World
from local.home import Trouble
from local.simulating.faults import Faults
from local.simulating.process import serve, today


def simulator(state: Path, env: Mapping[str, str]) -> Simulator:
    """Everything put together, with what ``state`` holds."""
    try:
        hold = float(env.get("BLACKMOON_HOLD_SECONDS") or 12.5)
    except ValueError as error:
        raise Trouble(f"BLACKMOON_HOLD_SECONDS holds no number: {error}") from None
    return Simulator(World(Store(state), today), Faults(), hold)


if __name__ == "__main__":
    sys.exit(serve("local.blackmoon", "Blackmoon simulator", simulator))
