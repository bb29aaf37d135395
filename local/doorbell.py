"""The doorbell: who sends a message to a queue rings, and that queue's pump looks at once.

So an idle queue need not be asked hundreds of times a second.  A ring is a datagram on loopback and
may be lost, and messages that become visible later ring for nobody: pumps look by themselves too.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from chalicelib.integrations.queues import M, Queues
from chalicelib.runtime import Runtime
from local.network import HOST

#: Where the worker's socket is; the runner makes it, so that it outlives the worker.
PORT_VARIABLE = "BACKBONE_LOCAL_DOORBELL_PORT"
_LONGEST_NAME = 256


def hang() -> socket.socket:
    """A socket to be rung at."""
    bell = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bell.bind((HOST, 0))
    return bell


class _Ringing(Queues):
    """The application's queues; what SQS took is rung for."""

    _bell = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _send(self, queue: str, messages: Sequence[M], delay_seconds: int) -> list[M]:
        taken = super()._send(queue, messages, delay_seconds)
        if taken and not delay_seconds:
            with suppress(OSError):
                name = self._config.queue_name(queue).encode()
                self._bell.sendto(name, (HOST, int(os.environ[PORT_VARIABLE])))
        return taken


def ring_from(edge: Runtime) -> None:
    """Have this process's application ring, if there is a bell."""
    if PORT_VARIABLE in os.environ:
        edge.__dict__["queues"] = _Ringing(edge.config)


def listen(bell: socket.socket, pumps: Mapping[str, threading.Event]) -> None:
    """Pass on every ring to the pump of the queue that it names, for ever."""
    while True:
        name = bell.recv(_LONGEST_NAME).decode("utf-8", errors="replace")
        if name in pumps:
            pumps[name].set()
