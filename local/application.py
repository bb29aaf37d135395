"""Finding the application: ``app.app``, or another module in tests (``BACKBONE_APP_MODULE``)."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any


def module_name() -> str:
    """The module that composes the application."""
    return os.environ.get("BACKBONE_APP_MODULE") or "app"


def load() -> Any:
    """The Chalice application, imported once."""
    return importlib.import_module(module_name()).app


def on_stop(stop: Callable[[], None]) -> None:
    """Runs ``stop`` once, in a thread of its own, on SIGTERM or when the runner is gone.

    Ctrl-C reaches the runner alone, which stops its children in order.
    """
    once = threading.Event()

    def begin(*_: object) -> None:
        if not once.is_set():
            once.set()
            threading.Thread(target=stop, name="stop").start()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, begin)
    runner = os.getppid()

    def watch() -> None:
        while not once.wait(1.0):
            if os.getppid() != runner:
                begin()

    threading.Thread(target=watch, name="watch-runner", daemon=True).start()


def log_to_stderr() -> None:
    """The processes' own few lines; the runner sends them to a file."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("local").setLevel(logging.INFO)
