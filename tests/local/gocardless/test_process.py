"""``python -m local.gocardless`` as a process: killed it forgets nothing, broken it says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from local.gocardless.store import FILE
from local.home import ROOT
from tests.local.gocardless.support import Partner
from tests.ministack import free_port
from tests.stack import until


def command(port: int, state: Path) -> list[str]:
    return [sys.executable, "-m", "local.gocardless", "--port", str(port), "--state", str(state)]


@contextmanager
def process(port: int, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "GOCARDLESS_HOLD_SECONDS": "0.2"}
    child = subprocess.Popen(command(port, state), cwd=ROOT, env=env)
    try:
        until(lambda: _answers(port) or child.poll() is not None)
        yield child
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        child.wait(10)


def _answers(port: int) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    return False


def test_killed_at_any_instant_it_forgets_nothing_that_it_answered(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(port, tmp_path) as child:
        opened = httpx.post(f"{url}/_control/organisations", headers={"X-Partner": "p"}).json()
        partner = Partner(url, "p", opened)
        mandate = partner.mandate()
        child.send_signal(signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
    with process(port, tmp_path) as child:
        assert partner.client().mandates.get(mandate).status == "active"
        partner.fails("GET /mandates", "timeout")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(
                f"{url}/mandates", headers={"Authorization": f"Bearer {opened['access_token']}"}
            )
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


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    port = free_port()
    with process(port, tmp_path / "one"):
        done = subprocess.run(
            command(port, tmp_path / "two"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"Port {port} is in use; choose another with PORT=..."]
