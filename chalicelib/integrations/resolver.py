"""Names of hosts to addresses, by the system's resolver, within a bounded time."""

from __future__ import annotations

import socket
import threading

SECONDS = 3.0
HTTPS = 443


def resolve(host: str, seconds: float = SECONDS) -> tuple[str, ...]:
    """Every address of ``host``, IPv4 and IPv6, each once; none if it has none or does not answer.

    The system's resolver knows no time limit of its own, so it is left behind when it takes longer
    than ``seconds``.
    """
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, HTTPS, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(str(answer[4][0]) for answer in answers)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return tuple(dict.fromkeys(found))
