"""``python -m local.blackmoon`` as a process: killed it forgets nothing, broken it says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from local.blackmoon.world import FILE
from local.home import ROOT
from tests.local.blackmoon.support import HTTP, Partner, fields
from tests.ministack import free_port
from tests.stack import until


def command(port: int, state: Path) -> list[str]:
    return [sys.executable, "-m", "local.blackmoon", "--port", str(port), "--state", str(state)]


@contextmanager
def process(port: int, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(command(port, state), cwd=ROOT, env=dict(os.environ))
    try:
        until(lambda: _answers(port) or child.poll() is not None)
        yield child
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        child.wait(10)


def _answers(port: int) -> bool:
    with suppress(httpx.HTTPError):
        return HTTP.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    return False


def test_killed_at_any_instant_it_forgets_nothing_that_it_answered(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(port, tmp_path) as child:
        opened = HTTP.post(f"{url}/_control/organisations", headers={"X-Partner": "p"}).json()
        partner = Partner(url, "p", opened)
        partner.says(decision=True)
        offer = partner.asks("offers.create", applicationFields=fields())["success"]["offerId"]
        child.send_signal(signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
    with process(port, tmp_path) as child:
        assert partner.asks("offers.accept", offerId=offer)["success"]["offerId"] == offer
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0


def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("this is no database, " * 100)
    done = subprocess.run(
        command(free_port(), tmp_path), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert FILE in line
    assert "make reset" in line
