"""The simulator for tests: its pure core, or the whole server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from local.blackmoon import api
from local.blackmoon.errors import ApiError
from local.blackmoon.forms import Form, Upload
from local.blackmoon.organisation import Head, Organisation, lives_until
from local.blackmoon.server import Simulator
from local.blackmoon.world import Store, World
from local.network import listen
from local.simulating.faults import Faults
from local.simulating.front import Server

MONDAY = date(2026, 1, 5)
HTTP = httpx.Client(trust_env=False, timeout=30)  # one for all: to make one is slow
RECONCILE = "portfolio.reconcileDirectCessionTransactions"
REVERSES = "portfolio.getReverseCessionTransactions"


# -- the core alone


def organisation(day: date = MONDAY, **head: Any) -> Organisation:
    """An organisation without a server that is ready at once; its ids count up."""
    numbers = count(100)
    whole = {"not_ready": 0, "decision": True, **head}
    made = Head("p", "14", "access-1", "refresh-1", day, day.isoformat(), lives_until(day), **whole)
    return Organisation(made, lambda kind: f"{kind}-{next(numbers)}")


def answered(org: Organisation, method: str, files: Any = None, **parameters: str) -> Any:
    """The whole answer of a method; an error's body is one too."""
    given = {"organizationId": org.head.id, "accessToken": org.head.access_token, **parameters}
    try:
        with org.changing():
            return api.answer(api.Call(org, method, Form(given, files or {})))
    except ApiError as error:
        return error.body(given)


def done(org: Organisation, method: str, files: Any = None, **parameters: str) -> Any:
    """What a method says that succeeds."""
    answer = answered(org, method, files, **parameters)
    assert "success" in answer, answer
    return answer["success"]


def refused(org: Organisation, method: str, files: Any = None, **parameters: str) -> int:
    """The code of a refusal, which has changed nothing."""
    before = (org.head, {kind: dict(records) for kind, records in org.records.items()})
    answer = answered(org, method, files, **parameters)
    assert "error" in answer, answer
    assert before == (org.head, org.records)
    code: int = answer["error"]["errorCode"]
    return code


def fields(loan: str = "loan-1", amount: Any = "1000.00", **more: Any) -> str:
    """The ``applicationFields`` of a loan."""
    return json.dumps({"applicationId": loan, "loanAmount": amount, "currency": "GBP", **more})


def offered(org: Organisation, loan: str = "loan-1", amount: str = "1000.00") -> str:
    """An open offer; its id."""
    made = done(org, "offers.create", applicationFields=fields(loan, amount))
    return str(made["offerId"])


def sold(org: Organisation, loan: str = "loan-1", amount: str = "1000.00") -> str:
    """An accepted offer; its id."""
    offer = offered(org, loan, amount)
    done(org, "offers.accept", offerId=offer)
    return offer


def file(text: str, name: str = "x.csv") -> Upload:
    """A CSV file."""
    return Upload(name, text.encode())


# -- over HTTP


@dataclass
class Partner:
    """A partner's organisation, as its tests speak to it."""

    url: str
    name: str
    opened: dict[str, Any]

    def asks(self, method: str, files: Any = None, **parameters: str) -> Any:
        """The JSON answer to a form."""
        answer = HTTP.post(f"{self.url}/{method}", data=self.form(**parameters), files=files)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def form(self, **parameters: str) -> dict[str, str]:
        """What goes with every request."""
        return {
            "organizationId": self.opened["organization_id"],
            "accessToken": self.opened["access_token"],
            **parameters,
        }

    def control(self, path: str, body: Any = None, method: str = "POST") -> httpx.Response:
        """A control route."""
        headers = {"X-Partner": self.name}
        return HTTP.request(method, f"{self.url}/_control/{path}", json=body, headers=headers)

    def says(self, **state: Any) -> dict[str, Any]:
        """The state is set."""
        answer = self.control("blackmoon-state", state)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def fails(self, match: str, kind: str, times: int = 1, **more: Any) -> None:
        """A fault."""
        answer = self.control("faults", {"match": match, "kind": kind, "times": times, **more})
        assert answer.status_code == 201, answer.text

    def received(self, match: str | None = None) -> list[dict[str, Any]]:
        """What the simulator says it received."""
        path = "requests" if match is None else f"requests?match={match}"
        found: list[dict[str, Any]] = self.control(path, method="GET").json()["requests"]
        return found


@dataclass
class Running:
    """A simulator that serves."""

    url: str
    simulator: Simulator

    def partner(self, name: str, day: date = MONDAY) -> Partner:
        """A partner with an organisation, whose date is ``day``."""
        opened = HTTP.post(
            f"{self.url}/_control/organisations",
            json={"business_date": day.isoformat()},
            headers={"X-Partner": name},
        )
        assert opened.status_code in (200, 201), opened.text
        return Partner(self.url, name, opened.json())


@contextmanager
def running(directory: Path, hold_seconds: float = 0.3) -> Iterator[Running]:
    """The simulator in this process, on loopback, with short times."""
    world = World(Store(directory), lambda: MONDAY)
    simulator = Simulator(world, Faults(), hold_seconds)
    server = Server(listen(0), simulator)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Running(server.url, simulator)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        simulator.stop()
