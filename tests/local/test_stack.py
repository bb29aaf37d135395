"""The whole laptop stack around a tiny application: up, killed, stopped, up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.home import ROOT
from tests.stack import Stack, running_stack, until

TINY = "tests.local.fixtures.tiny"
JSON = {"content-type": "application/json"}

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("tiny"), TINY) as stack:
        yield stack


def post(stack: Stack, name: str, text: str = "x") -> None:
    answer = httpx.post(f"{stack.url}/things/{name}", content=text, headers=JSON, timeout=30)
    assert answer.status_code == 201, answer.text


def show(stack: Stack, name: str) -> dict[str, Any]:
    answer = httpx.get(f"{stack.url}/things/{name}", timeout=30)
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


def alive(pid: int) -> bool:
    """Whether ``pid`` runs; what has ended but was not waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def child_of(pid: int, words: str) -> int:
    """The one child process of ``pid`` whose command says ``words``."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=True
    ).stdout
    (line,) = [line for line in listed.splitlines() if words in line]
    return int(line.split()[0])


def again(stack: Stack, **more: str) -> tuple[int, list[str]]:
    """Another runner, which is expected to give up: its exit code and its lines."""
    environment = {
        **os.environ,
        "PORT": str(stack.port),
        "BACKBONE_LOCAL_DIR": str(stack.directory),
        "BACKBONE_APP_MODULE": TINY,
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-m", "local.run"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_it_says_once_that_it_is_ready(tiny: Stack) -> None:
    (line,) = tiny.said("ready ")
    assert line.split()[1] == tiny.url == f"http://127.0.0.1:{tiny.port}"
    assert f"{tiny.url}/docs" in line
    assert tiny.api_key in line
    run = tiny.run
    assert tiny.process is not None
    assert run["pid"] == tiny.process.pid
    assert len(run["app_pids"]) == 2
    assert all(alive(pid) for pid in run["app_pids"])
    assert run["gocardless_url"] == f"http://127.0.0.1:{tiny.port + 1}"
    assert run["blackmoon_url"] == f"http://127.0.0.1:{tiny.port + 2}"
    for name in ("gocardless_url", "blackmoon_url"):
        assert httpx.get(f"{run[name]}/healthz").json() == {"status": "ok"}


def test_consumers_and_schedules_run(tiny: Stack) -> None:
    for _ in range(20):
        post(tiny, "many")
    until(lambda: show(tiny, "many").get("counted") == 20)
    until(lambda: show(tiny, "hourly").get("runs", 0) >= 1)


def test_http_as_a_client_may_speak_it(tiny: Stack) -> None:
    with httpx.Client(base_url=tiny.url) as client:
        sent = client.post("/things/chunks", content=iter([b"ab", b"cd"]), headers=JSON)
        assert sent.json() == {"body": "abcd"}
        head = client.head("/healthz")
        assert (head.status_code, head.content) == (405, b"")
        assert client.get("/healthz/").json()["status"] == "ok"
        assert client.options("/healthz").status_code == 405
        large = client.post("/things/x", content=b"x" * 11_000_000, headers=JSON)
        assert large.status_code == 413


def test_killed_processes_come_back_and_lose_nothing(tiny: Stack) -> None:
    post(tiny, "hung", "hang")
    until(lambda: show(tiny, "hung").get("begun") == 1)
    killed = tiny.kill_application()
    begun = time.monotonic()
    post(tiny, "after")  # waits in the listening socket until the API is back
    until(lambda: not set(tiny.run["app_pids"]) & set(killed) and len(tiny.run["app_pids"]) == 2)
    until(lambda: show(tiny, "after").get("counted") == 1)
    until(lambda: show(tiny, "hung").get("counted") == 1, 25)
    assert time.monotonic() - begun < 25, "an orphan must not wait for its visibility time"
    assert show(tiny, "hung")["begun"] == 2
    assert len(tiny.said("api ended (SIGKILL)")) == 1
    assert len(tiny.said("worker ended (SIGKILL)")) == 1


def test_a_killed_simulator_comes_back_with_what_it_held(tiny: Stack) -> None:
    assert tiny.process is not None
    where, headers = f"{tiny.run['gocardless_url']}/_control/organisations", {"X-Partner": "one"}
    made = httpx.post(where, headers=headers)
    assert made.status_code == 201
    assert made.json()["webhook_url"] == f"{tiny.url}/providers/gocardless/webhook/"
    os.kill(child_of(tiny.process.pid, "local.gocardless"), signal.SIGKILL)
    until(lambda: tiny.said("gocardless ended (SIGKILL)"))
    assert httpx.post(where, headers=headers, timeout=20).json() == made.json()
    selling = f"{tiny.run['blackmoon_url']}/_control/organisations"
    opened = httpx.post(selling, headers=headers)
    assert opened.status_code == 201
    os.kill(child_of(tiny.process.pid, "local.blackmoon"), signal.SIGKILL)
    until(lambda: tiny.said("blackmoon ended (SIGKILL)"))
    assert httpx.post(selling, headers=headers, timeout=20).json() == opened.json()


def test_a_second_one_is_refused_and_harms_nothing(tiny: Stack) -> None:
    code, lines = again(tiny)
    assert code == 1
    assert len(lines) == 1
    assert "already running" in lines[0]
    environment = {**os.environ, "BACKBONE_LOCAL_DIR": str(tiny.directory)}
    reset = subprocess.run(
        [sys.executable, "-m", "local.reset"], cwd=ROOT, env=environment, check=False
    )
    assert reset.returncode == 1
    assert show(tiny, "many")["counted"] == 20


def test_a_port_in_use_is_one_line(tiny: Stack, tmp_path: Path) -> None:
    code, lines = again(tiny, BACKBONE_LOCAL_DIR=str(tmp_path / "other"))
    assert (code, lines) == (1, [f"Port {tiny.port} is in use; choose another with PORT=..."])


def test_stopped_and_started_again_it_is_the_same(tiny: Stack) -> None:
    before, children = tiny.run, [*tiny.run["app_pids"]]
    assert tiny.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in children)
    assert not (tiny.directory / "run.json").exists()
    assert tiny.said("stopped")
    begun = time.monotonic()
    tiny.start()
    assert time.monotonic() - begun < 15
    assert tiny.api_key == before["api_key"]
    assert show(tiny, "many")["counted"] == 20
    assert show(tiny, "bootstraps")["count"] == 2


def test_broken_state_is_one_line_and_stays_as_it_is(tiny: Stack) -> None:
    assert tiny.stop() == 0
    table = tiny.directory / "aws" / "state" / "dynamodb.json"
    whole = table.read_bytes()
    table.write_bytes(whole[:-20])
    code, lines = again(tiny)
    assert code == 1
    assert len(lines) == 1
    assert "dynamodb.json" in lines[0]
    assert table.read_bytes() == whole[:-20]
    table.write_bytes(whole)
    kept = tiny.directory / "gocardless" / "gocardless.sqlite"
    simulated = kept.read_bytes()
    kept.write_bytes(b"no database" * 100)
    code, lines = again(tiny)
    assert (code, len(lines)) == (1, 1)
    assert "gocardless.sqlite" in lines[0]
    kept.write_bytes(simulated)
    tiny.start()
    assert show(tiny, "many")["counted"] == 20


@pytest.mark.slow
def test_the_runner_killed_saves_the_state_all_the_same(tiny: Stack) -> None:
    post(tiny, "late")
    children = tiny.run["app_pids"]
    assert tiny.stop(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not any(alive(pid) for pid in children))
    lock = [sys.executable, "-c", "from local.home import Home; Home.of_environment().lock()"]
    environment = {**os.environ, "BACKBONE_LOCAL_DIR": str(tiny.directory)}
    until(
        lambda: (
            not subprocess.run(
                lock, cwd=ROOT, env=environment, capture_output=True, check=False
            ).returncode
        ),
        30,
    )
    tiny.start()
    assert show(tiny, "late")["made"] == 1


@pytest.mark.slow
def test_what_always_fails_ends_in_the_dead_letter_queue(tiny: Stack) -> None:
    import boto3

    sqs = boto3.client(
        "sqs",
        endpoint_url=tiny.run["aws_url"],
        region_name="eu-west-2",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    post(tiny, "doomed", "fail")
    dead = sqs.get_queue_url(QueueName="backbone-days-dead")["QueueUrl"]
    found = until(lambda: sqs.receive_message(QueueUrl=dead).get("Messages"), 200)
    assert json.loads(found[0]["Body"])["name"] == "doomed"
    assert "counted" not in show(tiny, "doomed")


@pytest.mark.slow
def test_the_death_of_the_embedded_aws_is_the_end(tiny: Stack) -> None:
    assert tiny.process is not None
    os.kill(child_of(tiny.process.pid, "ministack"), signal.SIGKILL)
    assert tiny.ended() == 1
    assert tiny.said("The embedded AWS died")
