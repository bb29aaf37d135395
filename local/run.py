"""``python -m local.run``: starts the laptop stack, watches over it, stops it on Ctrl-C.

The embedded AWS holds all state and is a process of its own.  The API and the worker hold none:
they may be killed at any instant and are started again.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from local import doorbell, network
from local.blackmoon.world import Store as BlackmoonStore
from local.children import Child
from local.gocardless.store import Store
from local.home import ROOT, Home, Trouble, open_log, read_json, write_json
from local.network import HOST

AWS_PATIENCE_SECONDS = 30.0
READY_PATIENCE_SECONDS = 60.0
SAVE_PATIENCE_SECONDS = 180.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.05
#: An application that dies so often before it ever answered will not come up.
MOST_EARLY_DEATHS = 3


class Stop(Exception):
    """Ctrl-C, SIGTERM or SIGHUP."""


class Runner:
    """The stack of one ``.local/``."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.lock = home.lock()
        self.seeded = False
        self.ready = False
        home.make()
        home.run_file.unlink(missing_ok=True)
        self.settings = read_json(home.settings_file) or {}
        home.check_state()
        Store(home.gocardless_state).close()  # or Trouble, before anything is started
        BlackmoonStore(home.blackmoon_state).close()
        self.key = home.api_key()
        self.port = network.api_port(os.environ)
        self.url = f"http://{HOST}:{self.port}"
        self.listener = network.listen(self.port)
        self.gocardless_listener = network.listen(self.port + 1)
        self.gocardless_url = f"http://{HOST}:{self.port + 1}"
        self.blackmoon_listener = network.listen(self.port + 2)
        self.blackmoon_url = f"http://{HOST}:{self.port + 2}"
        self.aws_port = self._aws_port()
        self.bell = doorbell.hang()
        environment = network.application_environment(home, self.aws_url, self.url) | {
            "BACKBONE_GOCARDLESS_URL": self.gocardless_url,
            "BACKBONE_BLACKMOON_URL": self.blackmoon_url,
            doorbell.PORT_VARIABLE: str(self.bell.getsockname()[1]),
        }
        self.environment = environment
        self.aws = Child(
            "aws",
            ("-m", "ministack"),
            network.aws_environment(home, self.aws_port),
            open_log(home, "aws"),
            # The lock is inherited, so that nobody starts while state is still being saved.
            descriptors=(self.lock,),
            orphan_signal=signal.SIGTERM,
        )
        self.application = [
            self._part("api", "--fd", self.listener.fileno()),
            self._part("worker", "--bell", self.bell.fileno()),
        ]
        self.simulators = [
            self._simulator(
                "gocardless",
                self.gocardless_listener.fileno(),
                home.gocardless_state,
                network.gocardless_environment(self.url),
            ),
            self._simulator(
                "blackmoon",
                self.blackmoon_listener.fileno(),
                home.blackmoon_state,
                network.blackmoon_environment(),
            ),
        ]

    def _part(self, name: str, option: str, descriptor: int) -> Child:
        """A process of the application; its socket outlives it."""
        return Child(
            name,
            ("-m", f"local.{name}", option, str(descriptor)),
            self.environment,
            open_log(self.home, name),
            descriptors=(descriptor,),
        )

    def _simulator(
        self, name: str, listening: int, state: Path, environment: Mapping[str, str]
    ) -> Child:
        """A simulator; it writes its state as it goes, so that it may be killed."""
        return Child(
            name,
            ("-m", f"local.{name}", "--fd", str(listening), "--state", str(state)),
            environment,
            open_log(self.home, name),
            descriptors=(listening,),
        )

    @property
    def aws_url(self) -> str:
        """Where the embedded AWS listens."""
        return f"http://{HOST}:{self.aws_port}"

    def _aws_port(self) -> int:
        """The port of last time if it is free, so that what was built on it stays right."""
        known = self.settings.get("aws_port")
        if known is not None and not (isinstance(known, int) and 0 < known < 65536):
            raise Trouble(f"{self.home.settings_file} holds no port; `make reset` forgets it.")
        port = network.free_port(known)
        if port != known:
            self.settings["aws_port"] = port
            write_json(self.home.settings_file, self.settings)
        return port

    def start(self) -> None:
        """Everything up and answering, and said so."""
        _say("starting ...")
        self.aws.start()
        for simulator in self.simulators:
            simulator.start()
        self._wait(self._aws_answers, AWS_PATIENCE_SECONDS, "The embedded AWS")
        self._seed()
        self.seeded = True
        self._wait(self._healthy, READY_PATIENCE_SECONDS, "The API")
        self._wait(self._simulating, READY_PATIENCE_SECONDS, "A simulator")
        self.ready = True
        self._write_run()
        _say(f"ready {self.url}  docs {self.url}/docs  api key {self.key}")

    def watch(self) -> None:
        """Restarts what dies; ends only by an exception."""
        while True:
            time.sleep(LOOK_SECONDS)
            self._look()

    def _look(self) -> None:
        if _Signals.asked:
            raise Stop
        if self.aws.died() is not None:
            if not self.seeded:
                raise Trouble(f"The embedded AWS does not start: {self._last_line('aws')}")
            raise Trouble(
                "The embedded AWS died, and with it what it had not saved yet; "
                f"see {self.home.logs / 'aws.log'}."
            )
        for child in (*self.application, *self.simulators):
            code = child.died()
            if code is not None:
                _say(f"{child.name} ended ({_cause(code)}); starting it again")
                if not self.ready and child.deaths >= MOST_EARLY_DEATHS:
                    raise Trouble(f"{child.name} does not start: {self._last_line(child.name)}")
            if self.seeded and child.due():
                child.start()
                self._write_run()

    def _wait(self, answers: Callable[[], bool], patience: float, who: str) -> None:
        deadline = time.monotonic() + patience
        while not answers():
            if time.monotonic() > deadline:
                raise Trouble(f"{who} did not answer in {patience:.0f} s; see {self.home.logs}.")
            time.sleep(LOOK_SECONDS)
            self._look()

    def _aws_answers(self) -> bool:
        return _get(self.aws_port, "/_ministack/health") is not None

    def _healthy(self) -> bool:
        answer = _get(self.port, "/healthz")
        return answer is not None and answer.get("status") == "ok"

    def _simulating(self) -> bool:
        return all(_get(self.port + n, "/healthz") is not None for n in (1, 2))

    def _seed(self) -> None:
        """Table, queues and the sandbox partner, by a process in the application's environment."""
        done = subprocess.run(
            [sys.executable, "-m", "local.seed"],
            cwd=ROOT,
            env=self.environment | {"BACKBONE_SEED_KEY": self.key},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_PATIENCE_SECONDS,
        )
        with open(open_log(self.home, "seed"), "a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        lines = done.stdout.strip().splitlines() or [""]
        answer: dict[str, Any] = {}
        with suppress(ValueError):
            answer = json.loads(lines[-1])
        if done.returncode or "partner" not in answer:
            cause = answer.get("trouble") or self._last_line("seed")
            raise Trouble(f"The sandbox could not be set up: {cause}")
        kept = self.settings.get("partner")
        if answer["infrastructure"] == "created" and kept is not None:
            _say("the embedded AWS had kept no state from its last run: starting empty")
        if kept != answer["partner"]:
            self.settings["partner"] = answer["partner"]
            write_json(self.home.settings_file, self.settings)

    def _write_run(self) -> None:
        if not self.ready:
            return
        pids = [child.pid for child in self.application if child.pid is not None]
        write_json(
            self.home.run_file,
            {
                "url": self.url,
                "api_key": self.key,
                "gocardless_url": self.gocardless_url,
                "blackmoon_url": self.blackmoon_url,
                "aws_url": self.aws_url,
                "pid": os.getpid(),
                "app_pids": pids,
            },
        )

    def _last_line(self, name: str) -> str:
        path = self.home.logs / f"{name}.log"
        text = path.read_text("utf-8", errors="replace").strip() if path.exists() else ""
        return f"{text.splitlines()[-1] if text else 'it said nothing'} (more in {path})"

    def stop(self) -> bool:
        """Workers, API, then the embedded AWS, which saves its state; whether it did."""
        self.home.run_file.unlink(missing_ok=True)
        for child in reversed((*self.simulators, *self.application)):
            child.stop(STOP_SECONDS)
        self.listener.close()
        self.gocardless_listener.close()
        self.blackmoon_listener.close()
        self.bell.close()
        if self.aws.process is None:
            return True
        if not self.ready and not self.settings.get("partner"):
            # Nothing was ever lent here: there is nothing to wait for.
            self.aws.kill()
            return True
        _say("saving state ...")
        begun = time.time()
        saved = self.aws.stop(SAVE_PATIENCE_SECONDS) and self._saved_since(begun)
        _say("stopped" if saved else f"NOT SAVED: see {self.home.logs / 'aws.log'}")
        return saved

    def _saved_since(self, instant: float) -> bool:
        table = self.home.aws_state / "dynamodb.json"
        return table.exists() and table.stat().st_mtime >= instant - 1


def _get(port: int, path: str) -> dict[str, Any] | None:
    """The JSON object at ``path`` on loopback, none if nothing sensible answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2.0)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        value = json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return value if isinstance(value, dict) else None


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _say(line: str) -> None:
    with suppress(OSError):
        print(line, flush=True)


class _Signals:
    """Asked to stop?  A flag, looked at between steps, so that no step is torn in the middle."""

    asked = False

    @classmethod
    def ask(cls, *_: object) -> None:
        if cls.asked:
            _say("still stopping; a moment ...")
        cls.asked = True


def main() -> int:
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _Signals.ask)
    runner: Runner | None = None
    code = 0
    try:
        runner = Runner(Home.of_environment())
        runner.start()
        runner.watch()
    except Stop:
        _say("")
    except Trouble as trouble:
        print(trouble, file=sys.stderr, flush=True)
        code = 1
    finally:
        if runner is not None and not runner.stop():
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
