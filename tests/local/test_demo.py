"""``python -m local.demo``: which stack it takes, what it says, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from local import demo
from local.demo_progress import Lines, narrator
from local.home import ROOT, Home, Trouble
from tests.local.demo_life import RECORD
from tests.stack import Stack


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "local")
    made.make()
    return made


@pytest.fixture
def healthy() -> Iterator[str]:
    """The URL of something that answers as a healthy API."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(b'{"status": "ok", "version": "1"}')

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Healthy)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def dead_pid() -> int:
    """The id of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_stack_that_lives_and_answers_is_used(home: Home, healthy: str) -> None:
    told = {"url": healthy, "api_key": "x", "pid": os.getpid()}
    home.run_file.write_text(json.dumps(told))
    assert demo.running(home) == told
    with demo.stack(home) as run:
        assert run == told


@pytest.mark.parametrize("told", ["none", "dead", "no pid", "deaf"])
def test_what_does_not_live_or_answer_is_not_used(home: Home, healthy: str, told: str) -> None:
    run: dict[str, object] = {"url": healthy, "api_key": "x", "pid": os.getpid()}
    if told == "dead":
        run["pid"] = dead_pid()
    if told == "no pid":
        del run["pid"]
    if told == "deaf":
        run["url"] = "http://127.0.0.1:9"
    if told != "none":
        home.run_file.write_text(json.dumps(run))
    assert demo.running(home) is None


def test_a_stack_that_does_not_start_says_why_and_shows_no_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.aws_state / "dynamodb.json").write_text("{broken")
    monkeypatch.setenv("BACKBONE_LOCAL_DIR", str(home.directory))
    broken = pytest.raises(Trouble, match=r"does not start.*dynamodb\.json cannot be read")
    with broken, demo.stack(home):
        pass


def test_the_ready_line_is_never_the_last_word() -> None:
    reads, writes = os.pipe()
    os.write(writes, b"it broke\nready http://x  api key SECRET\n")
    assert demo._last_words(reads) == "it broke"
    os.close(reads)
    os.close(writes)


def test_the_verdict_states_the_figures() -> None:
    lines, good = demo.verdict(RECORD)
    assert good
    told = " ".join("\n".join(lines).split())
    assert "quote interest 30.00 fees 0.00 total 1125.00" in told
    assert "missed interest 32.00 fees 25.00 total 1152.00" in told
    assert "troubled interest 31.00 fees 0.00 total 1126.00" in told
    assert "the missed payment cost 2.00 of interest and 25.00 of fees" in told
    assert "5 payments collected by direct debit in 6 attempts, 1 taken back" in told
    assert "9 webhooks, no wrong signatures" in told


def test_a_difference_is_told_with_both_figures_and_is_an_error(
    home: Home, healthy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home.run_file.write_text(json.dumps({"url": healthy, "api_key": "x", "pid": os.getpid()}))
    page = home.directory / "demo.html"
    monkeypatch.setattr(demo, "live", lambda _: RECORD)
    assert demo.run_demo(home, page) == 0
    monkeypatch.setattr(demo, "live", lambda _: replace(RECORD, fee=Decimal("24.00")))
    assert demo.run_demo(home, page) == 1
    told = capsys.readouterr().out
    assert "DIFFERENT: Missed: fees charged\n  expected 24.00\n  found    25.00\n" in told
    assert str(page) in told
    assert "differs; expected 24.00" in page.read_text("utf-8")


def test_lines_are_plain_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with narrator() as telling:
        assert isinstance(telling, Lines)
        telling.steps(3)
        telling.done(1, "nothing shown")
        telling.say("[bold]a line[/bold]")
    assert capsys.readouterr().out == "[bold]a line[/bold]\n"


def test_a_missing_argument_or_home_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "local.demo", "--page", str(tmp_path / "file" / "x.html")],
        cwd=ROOT, env={**os.environ, "BACKBONE_LOCAL_DIR": str(tmp_path / "home")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_the_demo_runs_twice_against_a_running_stack(stack: Stack, tmp_path: Path) -> None:
    page = tmp_path / "demo.html"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "local.demo", "--page", str(page)],
            cwd=ROOT, env={**os.environ, "BACKBONE_LOCAL_DIR": str(stack.directory)},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "37 of 37 comparisons agree" in done.stdout
        assert stack.api_key not in done.stdout + done.stderr + page.read_text("utf-8")
    assert stack.run["pid"] == stack.process.pid  # type: ignore[union-attr]
