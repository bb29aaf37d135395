"""``python -m local.gocardless --port N --state DIR``: the simulator, on loopback.

Environment, beside the options:

* ``GOCARDLESS_WEBHOOK_URL``: where the webhooks of a new organisation go,
* ``GOCARDLESS_HOLD_SECONDS``: how long a ``timeout`` fault is silent (12.5),
* ``GOCARDLESS_RATE_LIMIT``: requests a minute (10000),
* ``GOCARDLESS_WEBHOOK_TIMEOUT``: seconds that an endpoint has to answer (10),
* ``GOCARDLESS_WEBHOOK_RETRIES``: seconds before each further attempt, by commas.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from socket import socket as Socket
from zoneinfo import ZoneInfo

from local.application import log_to_stderr, on_stop
from local.gocardless.faults import Faults
from local.gocardless.server import Server, Simulator
from local.gocardless.store import Store
from local.gocardless.webhooks import Pace, Sender
from local.gocardless.world import World
from local.home import Trouble
from local.network import listen

log = logging.getLogger("local")
LONDON = ZoneInfo("Europe/London")


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
        lambda: datetime.now(LONDON).date(),
    )
    faults = Faults()
    return Simulator(world, faults, Sender(world, faults, pace), hold, limit)


def main() -> int:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="local.gocardless")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="a listening socket, inherited")
    where.add_argument("--port", type=int, help="a port to listen on")
    parser.add_argument("--state", type=Path, required=True, help="the directory to keep")
    options = parser.parse_args()
    log_to_stderr()
    try:
        listener = listen(options.port) if options.fd is None else Socket(fileno=options.fd)
        whole = simulator(options.state, os.environ)
    except Trouble as trouble:
        print(trouble, file=sys.stderr, flush=True)
        return 1
    server = Server(listener, whole)
    on_stop(server.shutdown)
    whole.sender.start()
    log.info("GoCardless simulator on %s", server.url)
    server.serve_forever(poll_interval=0.2)
    whole.sender.stop()
    whole.world.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
