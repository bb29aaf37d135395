"""``python -m local.gocardless_sandbox``: the platform's adapter against GoCardless's sandbox.

With ``BACKBONE_GOCARDLESS_SANDBOX_TOKEN`` it walks through a mandate, a payment that fails and is
retried, one that is charged back, one that is cancelled, and refusals: at GoCardless's sandbox and
at the simulator of ``local/gocardless``.  Then it reports where the answers' shapes differ.  With
no token it says so and ends well.  ``BASE=simulator`` plays the sandbox by a second simulator: the
very same steps, for those who have no token.

No other host is ever asked, and only with a token of a sandbox; it is neither shown nor kept.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import requests

from chalicelib.integrations.transport import Limits
from local.gocardless.__main__ import simulator
from local.gocardless_rehearsal import Recorder, Rehearsal, Unexpected, rehearse
from local.gocardless_shapes import Answer, Difference, differences
from local.network import listen
from local.simulating.front import Server

HOST = "https://api-sandbox.gocardless.com"
TOKEN = "BACKBONE_GOCARDLESS_SANDBOX_TOKEN"
BASE, SIMULATOR = "BASE", "simulator"
#: GoCardless's tokens say themselves where they are good.
SANDBOX_PREFIX = "sandbox_"
QUICK_SECONDS = 0.02


class Refused(Exception):
    """It is not run, and why."""


def token_of(env: Mapping[str, str]) -> str | None:
    """A sandbox token, none if there is no token.  Raises :class:`Refused` for any other text."""
    token = env.get(TOKEN, "").strip()
    if not token:
        return None
    fits = token.isascii() and token.isprintable() and " " not in token
    if not token.startswith(SANDBOX_PREFIX) or not fits:
        raise Refused(
            f"{TOKEN} holds no sandbox token (they begin with {SANDBOX_PREFIX}); nothing was sent."
        )
    return token


def transport() -> Recorder:
    """As the application's, with its time limits and retries."""
    return Recorder(Limits(), sleep=time.sleep, uniform=random.uniform)


@contextmanager
def simulated() -> Iterator[tuple[str, str]]:
    """The simulator in this process; its address and the token of a new organisation."""
    with tempfile.TemporaryDirectory() as scratch:
        made = simulator(Path(scratch), {})
        server = Server(listen(0), made)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            opened = requests.post(
                f"{server.url}/_control/organisations",
                json={},
                headers={"X-Partner": str(uuid4())},
                timeout=10,
            )
            yield server.url, str(opened.json()["access_token"])
        finally:
            server.shutdown()
            made.stop()
            server.server_close()
            thread.join()


def at_simulator(say: Callable[[str], None]) -> list[Answer]:
    """The steps at a new simulator."""
    with simulated() as (url, token):
        run = f"rehearsal-{uuid4().hex[:8]}"
        return rehearse(Rehearsal(url, token, run, say, transport(), pause=QUICK_SECONDS))


def at_sandbox(token: str, say: Callable[[str], None]) -> list[Answer]:
    """The steps at GoCardless's sandbox."""
    run = f"rehearsal-{uuid4().hex[:8]}"
    return rehearse(Rehearsal(HOST, token, run, say, transport()))


def report(steps: int, found: Sequence[Difference]) -> list[str]:
    """What to print at the end."""
    if not found:
        return [f"{steps} answers compared: the simulator's have the shapes of the sandbox's."]
    lines = [f"{steps} answers compared, {len(found)} differences:"]
    return lines + [f"  {one}" for one in found]


def main(env: Mapping[str, str] | None = None, say: Callable[[str], None] = print) -> int:
    """0 if every step went as the platform relies on, or nothing was asked for."""
    env = os.environ if env is None else env
    try:
        rehearsing = env.get(BASE) == SIMULATOR
        if env.get(BASE) and not rehearsing:
            raise Refused(f"{BASE} may be {SIMULATOR}, or be left out for GoCardless's sandbox.")
        token = None if rehearsing else token_of(env)
        if token is None and not rehearsing:
            say(f"skipped: {TOKEN} is not set ({BASE}={SIMULATOR} tries the steps without it)")
            return 0
        say("at a simulator in the sandbox's place" if rehearsing else f"at {HOST}")
        theirs = at_simulator(say) if token is None else at_sandbox(token, say)
        say("at the simulator")
        ours = at_simulator(lambda _: None)
    except (Refused, Unexpected) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    for line in report(len(theirs), differences(ours, theirs)):
        say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
