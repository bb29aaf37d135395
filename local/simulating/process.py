"""``python -m local.<simulator> --port N --state DIR``: a simulator as a process, on loopback."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from socket import socket as Socket
from typing import Protocol
from zoneinfo import ZoneInfo

from local.application import log_to_stderr, on_stop
from local.home import Trouble
from local.network import listen
from local.simulating.front import Server, Simulator

log = logging.getLogger("local")
LONDON = ZoneInfo("Europe/London")


class Whole(Simulator, Protocol):
    """A simulator that is started and stopped."""

    def start(self) -> None:
        """What runs beside the requests begins."""

    def stop(self) -> None:
        """It ends, and what is kept is closed."""


def today() -> date:
    """Today in London."""
    return datetime.now(LONDON).date()


def serve(name: str, title: str, build: Callable[[Path, Mapping[str, str]], Whole]) -> int:
    """Serves until SIGTERM; the exit code.  ``build(state, environment)`` puts it together."""
    parser = argparse.ArgumentParser(prog=name)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="a listening socket, inherited")
    where.add_argument("--port", type=int, help="a port to listen on")
    parser.add_argument("--state", type=Path, required=True, help="the directory to keep")
    options = parser.parse_args()
    log_to_stderr()
    try:
        listener = listen(options.port) if options.fd is None else Socket(fileno=options.fd)
        whole = build(options.state, os.environ)
    except Trouble as trouble:
        print(trouble, file=sys.stderr, flush=True)
        return 1
    server = Server(listener, whole)
    on_stop(server.shutdown)
    whole.start()
    log.info("%s on %s", title, server.url)
    server.serve_forever(poll_interval=0.2)
    whole.stop()
    return 0
