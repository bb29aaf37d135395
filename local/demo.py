"""``python -m local.demo``: a loan's whole life against the running stack, or one of its own.

It uses a sandbox partner that it makes for itself, so that it disturbs nothing and can be run
again.  Exit code 1 when a figure is not what the quote, the ledger's rules and the payments
provider's own books say.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from backbone_client import Client, Problem
from local.children import Child
from local.demo_checks import checks, extra
from local.demo_outside import OutsideBroken, listening
from local.demo_page import page
from local.demo_progress import narrator
from local.demo_record import Record, pence
from local.demo_stage import StoryBroken
from local.demo_story import tell
from local.home import Home, Trouble, read_json, write_private
from local.network import free_port

READY_SECONDS = 120.0
STOP_SECONDS = 240.0
LOOK_SECONDS = 0.1
PORTS = 3
#: A long move of the sandbox clock answers only when it is done.
PATIENCE_SECONDS = 300.0
PROVIDER_SECONDS = 30.0


def running(home: Home) -> dict[str, Any] | None:
    """``run.json`` of a stack that lives and answers, none if there is no such stack."""
    run = read_json(home.run_file)
    if not run or not _lives(run.get("pid")):
        return None
    try:
        with Client(str(run["url"]), None, retries=1) as client:
            client.health()
    except Problem:
        return None
    return run


def _lives(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def stack(home: Home) -> Iterator[dict[str, Any]]:
    """The running stack, or one that is started for the block and stopped after it."""
    run = running(home)
    if run is not None:
        print(f"using the running stack at {run['url']}", flush=True)
        yield run
        return
    print("starting the stack ...", flush=True)
    said, says = os.pipe()
    child = Child(
        "stack",
        ("-m", "local.run"),
        {**os.environ, "PORT": str(_ports()), "PYTHONUNBUFFERED": "1"},
        says,
        # It saves its state when this process is gone, too.
        orphan_signal=signal.SIGTERM,
    )
    try:
        child.start()
        yield _ready(home, child, said)
    finally:
        print("stopping the stack ...", flush=True)
        if not child.stop(STOP_SECONDS):
            print("it had to be killed", file=sys.stderr)
        os.close(says)
        os.close(said)


def _ports() -> int:
    """The first of three neighbouring free ports."""
    for _ in range(50):
        first = free_port()
        with suppress(Trouble, OverflowError):
            if all(free_port(first + more) == first + more for more in range(PORTS)):
                return first
    raise Trouble("There are no free ports on loopback.")


def _ready(home: Home, child: Child, said: int) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        pid = child.pid
        if child.died() is not None:
            raise Trouble(f"The stack does not start. {_last_words(said)}")
        run = read_json(home.run_file)
        if run is not None and run.get("pid") == pid:
            return run
        time.sleep(LOOK_SECONDS)
    raise Trouble(f"The stack was not ready in {READY_SECONDS:.0f} s; see {home.logs}.")


def _last_words(said: int) -> str:
    """The last line that the stack wrote; its ``ready`` line holds a key and is not shown."""
    os.set_blocking(said, False)
    try:
        lines = os.read(said, 65536).decode("utf-8", "replace").strip().splitlines()
    except BlockingIOError:
        return ""
    lines = [line for line in lines if line and not line.startswith("ready ")]
    return lines[-1] if lines else ""


def live(run: dict[str, Any]) -> Record:
    """The story, by a partner of its own."""
    url = str(run["url"])
    with Client(url, str(run["api_key"])) as client:
        key = client.sandbox.create_partner().api_key
    with (
        Client(url, key, timeout=PATIENCE_SECONDS) as client,
        httpx.Client(trust_env=False, timeout=PROVIDER_SECONDS) as web,
        listening() as endpoint,
        narrator() as telling,
    ):
        return tell(client, telling, web, endpoint)


def verdict(record: Record) -> tuple[list[str], bool]:
    """The figures in lines, then every difference; whether there is none."""
    quote, (interest, fees) = record.quote, extra(record)
    lines = [f"{'quote':<9} interest {quote.interest:>9}  fees {0:>6.2f}  total {quote.total:>10}"]
    lines += [
        f"{life.title.lower():<9} interest {pence(life.interest):>9}  "
        f"fees {pence(life.fees):>6}  total {life.kept:>10}"
        for life in record.lives
    ]
    lines.append(f"the missed payment cost {interest} of interest and {fees} of fees")
    debits = [debit for life in record.lives for debit in life.debits]
    wrong_hooks = sum(bool(one.flaw) for one in record.heard)
    lines.append(
        f"{len(debits)} payments collected by direct debit in {sum(d.attempts for d in debits)} "
        f"attempts, {sum(d.count('charged_back') for d in debits)} taken back; "
        f"{len(record.heard)} webhooks, {wrong_hooks or 'no'} wrong signatures"
    )
    found = checks(record)
    wrong = [check for check in found if not check.holds]
    for check in wrong:
        lines += [f"DIFFERENT: {check.what}", f"  expected {check.expected}",
                  f"  found    {check.found}"]  # fmt: skip
    lines.append(f"{len(found) - len(wrong)} of {len(found)} comparisons agree")
    return lines, not wrong


def run_demo(home: Home, target: Path) -> int:
    """The whole demo; its exit code."""
    begun = time.monotonic()
    with stack(home) as run:
        record = live(run)
    lines, good = verdict(record)
    print("\n".join(lines))
    write_private(target, page(record))
    print(f"page {target}  ({time.monotonic() - begun:.0f} s)", flush=True)
    return 0 if good else 1


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    home = Home.of_environment()
    parser = argparse.ArgumentParser(description="A loan's whole life on this machine.")
    parser.add_argument("--page", type=Path, default=home.directory / "demo.html",
                        help="where the page is written (default: %(default)s)")  # fmt: skip
    target: Path = parser.parse_args().page.absolute()
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _stop)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return run_demo(home, target)
    except (Trouble, Problem, StoryBroken, OutsideBroken) as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except httpx.HTTPError as error:
        print(f"The payments provider or its form: {type(error).__name__}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or 'the system'}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
