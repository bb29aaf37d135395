"""A paying world in which things go wrong on purpose, and what a person sees at the end of it.

A world that was prepared once is copied for every trouble: its table's items and the simulator's
file.  Workers are killed as processes are: nothing of theirs runs on, what was committed stays,
and their message comes again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from chalicelib.jobs import schedules, workers
from local.simulating import front
from local.simulating.faults import fits
from tests.scenarios.partner import Loan
from tests.scenarios.paying import WEBHOOK, Paying, PayingLine, paying
from tests.scenarios.world import CONSUMERS, DELIVERIES, NAMED

READ_SECONDS = 0.3
HOLD_SECONDS = 0.6
LONGEST_PAUSE_SECONDS = 0.05
"""A 429 asks for seconds."""

WEBHOOKS = "webhooks"
HOOKS = {"url": "http://127.0.0.1:9/hooks"}
CUT = front.Response(0, silent=True)
"""The connection is reset: nothing was done, and the caller is told so by TCP."""


class Killed(BaseException):
    """The worker's process ends here: no ``except Exception`` of its own sees it."""


class TroubledLine(PayingLine):
    """Queues that give a message again until its consumer has come to its end."""

    def __init__(self, paying_line: PayingLine) -> None:
        super().__init__(paying_line.post)
        self.waiting = paying_line.waiting
        self.under_way: tuple[str, str] | None = None
        self.given = 0

    def step(self) -> bool:
        """Handle the oldest message; whether there was one."""
        if not self.waiting:
            return False
        self._deliver(*self.waiting.popleft())
        return True

    def again(self) -> None:
        """The message that is being handled is delivered to a second worker, at the same time."""
        assert self.under_way is not None
        self._deliver(*self.under_way)

    def _deliver(self, queue: str, text: str) -> None:
        done = 0
        for _ in range(DELIVERIES + self.copies - 1):
            outer, self.under_way = self.under_way, (queue, text)
            self.given += 1
            try:
                if queue in NAMED:
                    workers.each_named([{"body": text}], NAMED[queue])
                else:
                    workers.each([{"body": text}], CONSUMERS[queue])
                done += 1
                if done == self.copies:
                    return
            except (Exception, Killed) as error:
                self.errors.append(error)  # type: ignore[arg-type]
            finally:
                self.under_way = outer
        self.dead.append((queue, text))


@dataclass
class Watch:
    """What happens right after a call to the provider was answered, ``times`` times."""

    match: str
    happens: Callable[[], None]
    times: int = 1
    happened: int = 0


@dataclass
class Wrong:
    """What happens to ``times`` calls on their way, besides what the simulator does by itself."""

    match: str
    kind: str
    times: int = 1
    happened: int = 0


@dataclass
class Troubled:
    """A partner in a world in which things go wrong."""

    pays: Paying
    known: dict[str, str] = field(default_factory=dict)
    watches: list[Watch] = field(default_factory=list)
    wrongs: list[Wrong] = field(default_factory=list)
    arrived: list[tuple[str, list[Any]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def line(self) -> TroubledLine:
        """The world's queues."""
        line = self.pays.world.line
        assert isinstance(line, TroubledLine)
        return line

    @property
    def loan(self) -> Loan:
        """The story's loan."""
        return Loan(self.pays.partner, self.known["loan"])

    # --- what goes on ---

    def settles(self) -> None:
        """Everything that waits is done; what killed workers left behind is swept up."""
        self.pays.works()
        self.pays.control("drain", {})
        self.pays.works()
        self.pays.world.wall += timedelta(minutes=2)
        while schedules.sweep_outbox():
            self.pays.works()

    def next_day(self) -> None:
        """The clock goes on by a day, as a partner has it."""
        self.pays.partner.next_day()
        self.settles()

    def tells(self, kind: str, action: str, links: Any, **details: str) -> None:
        """Something happens at the provider."""
        body = {"resource_type": kind, "action": action, "links": links, "details": details}
        self.pays.control("events", body)

    def records(self, kind: str) -> list[Any]:
        """What the simulator holds of a kind, oldest first, as its JSON."""
        return [record.doc for record in self.pays.org.all(kind)]

    # --- what is heard ---

    def called(self, what: str) -> None:
        """The provider has answered a call, well."""
        for watch in self.watches:
            if watch.happened < watch.times and fits(watch.match, what):
                watch.happened += 1
                watch.happens()

    def taken(self, what: str) -> str | None:
        """What goes wrong with a call that has just come in."""
        with self.lock:
            for wrong in self.wrongs:
                if wrong.happened < wrong.times and fits(wrong.match, what):
                    wrong.happened += 1
                    return wrong.kind
        return None


# --- worlds ---------------------------------------------------------------------------------------


@contextmanager
def troubled(directory: Path) -> Iterator[Troubled]:
    """A new world in which nothing goes wrong yet; the provider's silence is short."""
    with paying(directory, read_seconds=READ_SECONDS) as pays, _cutting():
        pays.simulator.hold_seconds = HOLD_SECONDS
        pays.world.line = TroubledLine(pays.world.line)
        pays.world.__dict__.pop("queues", None)
        made = Troubled(pays)
        _listen(made)
        yield made


def _listen(t: Troubled) -> None:
    transport, simulator, post = t.pays.world.transport, t.pays.simulator, t.pays.world.post
    send, answer, append = transport.send, simulator.answer, post.append
    transport._sleep = lambda seconds: time.sleep(min(seconds, LONGEST_PAUSE_SECONDS))

    def sent(call: Any) -> Any:
        response = send(call)
        if response.status_code < 300:
            t.called(f"{call.method} {urlsplit(call.url).path}")
        return response

    def answered(request: front.Request) -> front.Response:
        kind = t.taken(f"{request.method} {request.path}")
        if kind == "reset":
            return CUT
        response = answer(request)
        if kind == "late_answer":
            time.sleep(HOLD_SECONDS)
            return front.SILENCE
        return response

    def arrives(item: tuple[bytes, str]) -> None:
        day = t.pays.org.today.isoformat()
        t.arrived.append((day, json.loads(item[0])["events"]))
        append(item)

    transport.send = sent  # type: ignore[method-assign]
    simulator.answer = answered  # type: ignore[method-assign]
    post.append = arrives  # type: ignore[method-assign]


@contextmanager
def _cutting() -> Iterator[None]:
    """Connections that are reset instead of closed."""
    send = front.Handler._send

    def cut_or_send(self: front.Handler, response: front.Response) -> None:
        if response is not CUT:
            send(self, response)
            return
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    with patch.object(front.Handler, "_send", cut_or_send):
        yield


@dataclass(frozen=True)
class Prepared:
    """A world as it stood: the table's items, the simulator's file, whose it is and when."""

    items: list[Any]
    directory: Path
    partner_id: str
    wall: Any
    known: dict[str, str]


def prepared(directory: Path, prepare: Callable[[Troubled], dict[str, str]]) -> Prepared:
    """The world after ``prepare``, which names what the story is about."""
    with troubled(directory) as t:
        t.pays.partner.get("/sandbox/simulators/")
        known = prepare(t)
        t.settles()
        assert t.line.dead == [] and t.line.errors == []
        return Prepared(_items(t), directory, t.pays.partner_id, t.pays.world.wall, known)


@contextmanager
def copied(before: Prepared, directory: Path) -> Iterator[Troubled]:
    """A world that goes on from where another stood."""
    shutil.copytree(before.directory, directory)
    with troubled(directory) as t:
        _replace_items(t, before.items)
        t.pays.partner_id = before.partner_id
        t.pays.world.wall = before.wall
        t.known = before.known
        where = f"{t.pays.world.config.public_base_url}{WEBHOOK}"
        t.pays.control("organisations", {"webhook_url": where})
        yield t


def _table(t: Troubled) -> tuple[Any, str]:
    table = t.pays.world.store._record.table()
    return table.connection.client, table.table_name


def _items(t: Troubled) -> list[Any]:
    client, name = _table(t)
    pages = client.get_paginator("scan").paginate(TableName=name)
    return [item for page in pages for item in page["Items"]]


def _replace_items(t: Troubled, items: list[Any]) -> None:
    client, name = _table(t)
    old = [{"DeleteRequest": {"Key": {k: i[k] for k in ("pk", "sk")}}} for i in _items(t)]
    for writes in (old, [{"PutRequest": {"Item": item}} for item in items]):
        for start in range(0, len(writes), 25):
            client.batch_write_item(RequestItems={name: writes[start : start + 25]})


# --- what is seen at the end ----------------------------------------------------------------------

NAMES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b(?:PM|MD|OUT|BRQ|CU|BA)[0-9A-Z]{10,}\b"
)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|\+00:00)")
OWN = frozenset(
    {
        "authorisation_url",
        "idempotency_key",
        "reference",
        "provider_mandate_id",
        "metadata",
        "links",
    }
)
"""What is another in each world, and what is looked at by itself."""


def end_of(t: Troubled) -> dict[str, Any]:
    """Everything a person could see, here and at the provider; ids by the order of appearance."""
    partner = t.pays.partner
    loans = list(reversed(partner.get("/loan/?limit=200")["results"]))
    found = {
        "loans": loans,
        "transactions": [Loan(partner, loan["id"]).all_transactions() for loan in loans],
        "schedules": [partner.get(f"/loan/{loan['id']}/schedule/") for loan in loans],
        "mandates": partner.get("/mandate/?limit=200")["results"],
        "at the provider": _at_the_provider(t),
        "told": sorted(_told(t)),
        "alarms": sorted(row["name"] for row in partner.get("/alarm/")["results"]),
        "dead": list(t.line.dead),
        "waiting": [text for _, text in t.line.waiting],
    }
    return {name: _plain(value) for name, value in found.items()} | {"events": _events(t)}


def _at_the_provider(t: Troubled) -> dict[str, Any]:
    """Payments in both directions with what they are for, and how many of everything else."""
    money = {
        kind: [
            {name: one.get(name) for name in ("amount", "status", "charge_date", "currency")}
            | {"for": one["metadata"].get("transaction", "")}
            for one in t.records(kind)
        ]
        for kind in ("payments", "outbound_payments", "refunds")
    }
    rest = ("billing_requests", "mandates", "customers", "customer_bank_accounts")
    mandates = sorted(one["status"] for one in t.records("mandates"))
    return {**money, "mandates": mandates, "made": {kind: len(t.records(kind)) for kind in rest}}


def _told(t: Troubled) -> list[str]:
    """What the partner was told, without ids: each thing once."""
    rows = t.pays.partner.get("/webhook/?limit=200")["results"]
    shown = ("status", "amount", "effective_date", "principal", "due_date", "processing_date")
    return [
        f"{row['event']} " + " ".join(f"{n}={row['data'][n]}" for n in shown if n in row["data"])
        for row in rows
    ]


def _events(t: Troubled) -> dict[str, Any]:
    """Every event of the provider, once, and what came of it (forms come and go)."""
    kept = t.pays.partner.get("/provider_event/?limit=200")["results"]
    known = Counter(row["event_id"] for row in kept)
    there = {one["id"] for one in t.records("events")}
    return {
        "unknown": sorted(there - set(known)),
        "twice": sorted(name for name, times in known.items() if times > 1),
        "waiting": [row["event_id"] for row in kept if row["outcome"] == "waiting"],
        "done": sorted(
            f"{row['resource_type']} {row['action']}"
            for row in kept
            if row["action"] != "flow_created"
        ),
    }


def _plain(value: Any) -> Any:
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"#{len(names) + 1}")

    def plain(one: Any) -> Any:
        if isinstance(one, dict):
            return {name: plain(inner) for name, inner in one.items() if name not in OWN}
        if isinstance(one, list):
            return [plain(inner) for inner in one]
        return INSTANT.sub("then", NAMES.sub(named, str(one)))

    return plain(value)
