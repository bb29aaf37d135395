"""How late webhooks are at healthy endpoints, with and without sick ones beside them.

``python -m bench webhooks [--webhooks=10000] [--endpoints=50] [--rate=40] [--scale=1]`` records so
many webhooks a second for that many endpoints of ten partners, in an embedded DynamoDB and SQS, and
lets the application's own workers deliver them through the pumps of the laptop stack.  A tenth of
the endpoints never answers, another tenth answers after 14 of the 15 seconds that it has; ``scale``
makes these seconds shorter.  First the healthy endpoints are alone, then the sick ones are there
too.  A delay is counted from the commit to the first arrival.  It fails if the healthy ones' 99th
percentile is more than twice what it was alone, or if anything is missing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3

from chalicelib import config, runtime
from chalicelib.domain.decision import Event
from chalicelib.domain.partners import Partner
from chalicelib.metrics import Recorder
from chalicelib.models.keys import PARTNER
from chalicelib.models.unit import Unit
from chalicelib.usecases import partners, webhooks
from chalicelib.usecases.announcing import announce
from chalicelib.usecases.webhooks import Reach
from local import doorbell, infrastructure, pumps, worker
from local.home import ROOT
from local.receipts import Receipts
from tests.ministack import CREDENTIALS, REGION, ministack

PARTNERS = 10
ANSWER_SECONDS, LATE_SECONDS = 15.0, 14.0
MOST_TIMES = 2.0
PATIENCE_SECONDS = 60.0
NOTHING_SECONDS = 0.05
"""Delays below this are not told apart: two runs of the same differ by as much."""


class Quiet(runtime.Runtime):
    """The real runtime, without a line of metrics for every visit."""

    @cached_property
    def metrics(self) -> Recorder:
        """Nothing is told."""
        return Recorder(self.config.stage, write=lambda line: None)


@dataclass
class Size:
    """How much of it; ``scale`` shortens the receivers' seconds and the patience with them."""

    webhooks: int = 10_000
    endpoints: int = 50
    rate: float = 40.0
    scale: float = 1.0


@dataclass
class Run:
    """What was recorded for which endpoint's path and when, and when it arrived first."""

    recorded: dict[str, tuple[str, float]] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    attempts: int = 0

    def delays(self, kind: str) -> list[float]:
        """The sorted delays at one kind of endpoints, of what arrived."""
        return sorted(
            self.arrived[id] - at
            for id, (path, at) in self.recorded.items()
            if path.startswith(f"/{kind}/") and id in self.arrived
        )

    def missing(self, kind: str) -> int:
        """How many have not arrived at all."""
        return sum(
            path.startswith(f"/{kind}/") and id not in self.arrived
            for id, (path, _) in self.recorded.items()
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of the sorted ``values`` do not exceed."""
    return values[min(len(values) - 1, int(share * len(values)))]


def kinds(size: Size, sick: bool) -> list[str]:
    """What each endpoint is like: a tenth never answers, a tenth answers late."""
    tenth = size.endpoints // 10
    few = [*["never"] * tenth, *["late"] * tenth] if sick else []
    return [*few, *["quick"] * (size.endpoints - 2 * tenth)]


def measure(endpoint_url: str, size: Size, sick: bool, scratch: Path) -> Run:
    """One run on tables and queues of its own."""
    name = f"bench-{'sick' if sick else 'alone'}"
    settings = config.Config(
        stage="bench",
        table_name=name,
        queue_prefix=name,
        region=REGION,
        sandbox=True,
        endpoint_url=endpoint_url,
        log_level="ERROR",
        webhook_seconds=ANSWER_SECONDS * size.scale,
    )
    prepare(settings)
    edge = Quiet()
    edge.config = settings  # type: ignore[misc]
    with runtime.use(edge), receivers(LATE_SECONDS * size.scale) as (port, arrivals):
        paths = [f"/{kind}/{number}" for number, kind in enumerate(kinds(size, sick))]
        contexts = register(edge, port, paths)
        with workers(settings, scratch / f"{name}.receipts"):
            run = Run()
            produce(contexts, run, size, [p for p in paths if p.startswith("/quick/")])
            drain(edge, run, contexts, size)
        for path, id, at in arrivals():
            assert run.recorded[id][0] == path, "a webhook for another endpoint"
            run.attempts += 1
            run.arrived.setdefault(id, at)
        return run


def prepare(settings: config.Config) -> None:
    """Table and queues from the template."""
    client = boto3.client("cloudformation", region_name=REGION, endpoint_url=settings.endpoint_url)
    body = infrastructure.TEMPLATE.read_text("utf-8")
    values = infrastructure.parameters(settings.table_name, settings.queue_prefix)
    client.create_stack(
        StackName=settings.table_name,
        TemplateBody=body,
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status = client.describe_stacks(StackName=settings.table_name)["Stacks"][0]["StackStatus"]
        if status == "CREATE_COMPLETE":
            return
        assert time.monotonic() < deadline and status.endswith("IN_PROGRESS"), status
        time.sleep(0.05)


@contextmanager
def receivers(late_seconds: float) -> Iterator[tuple[int, Any]]:
    """The partners' servers; their port, and what gives their arrivals once all is over."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench._receivers", str(late_seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        port = int(child.stdout.readline())
        yield port, lambda: json.loads(child.communicate()[0])
    finally:
        child.kill()
        child.wait()


def register(edge: runtime.Runtime, port: int, paths: Sequence[str]) -> list[Any]:
    """Partners with their endpoints; a context for each partner."""
    contexts = []
    for number in range(PARTNERS):
        partner = Partner(str(uuid4()), sandbox=False)
        unit = Unit(edge.clock())
        partners.add(unit, partner, f"not-a-real-key-{number}", edge.new_id, edge.clock())
        edge.store.commit(unit)
        ctx = edge.context_of(partner.id)
        for path in paths[number::PARTNERS]:
            reach = Reach(edge.resolve, loopback=True)
            values = {"url": f"http://127.0.0.1:{port}{path}", "events": ["*"]}
            webhooks.create(ctx, values, reach)
        # From now on a sandbox partner: without a clock of its own nothing hurries.
        stored = edge.store.get(PARTNER, partner.id, partner.id)
        assert stored is not None
        unit = Unit(edge.clock())
        sandbox = Partner(partner.id, sandbox=True)
        unit.update(PARTNER, partner.id, stored, sandbox)
        edge.store.commit(unit)
        contexts.append(edge.context_of(partner.id))
    return contexts


@contextmanager
def workers(settings: config.Config, receipts_file: Path) -> Iterator[None]:
    """The application's consumers of the two webhook queues, as the laptop stack runs them."""
    from app import app

    sqs = worker.client(settings)
    receipts, stop = Receipts(receipts_file), threading.Event()
    bell, running = doorbell.hang(), []
    os.environ[doorbell.PORT_VARIABLE] = str(bell.getsockname()[1])
    doorbell.ring_from(runtime.get())
    for logical, name in (("webhooks", "webhooks"), ("webhooks-slow", "webhooks_slow")):
        real = settings.queue_name(logical)
        url = sqs.get_queue_url(QueueName=real)["QueueUrl"]
        queue = pumps.Queue(real, url, 1, worker.function(app, name), REGION, 16)
        running.append(pumps.QueuePump(sqs, queue, receipts))
    heart = threading.Thread(target=pumps.keep_in_hand, args=(sqs, receipts, stop), daemon=True)
    heart.start()
    worker.answer_the_door(bell, running)
    for pump in running:
        pump.start()
    try:
        yield
    finally:
        stop.set()
        for pump in running:
            pump.stop()
        for pump in running:
            pump.drain(PATIENCE_SECONDS)


def produce(contexts: Sequence[Any], run: Run, size: Size, healthy: Sequence[str]) -> None:
    """Record events at an even rate; each is a webhook for every endpoint of a partner."""
    each = size.endpoints / PARTNERS
    events = round(size.webhooks / each)
    begun = time.monotonic()
    for number in range(events):
        wait = begun + number * each / size.rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        ctx = contexts[number % PARTNERS]
        unit = ctx.unit()
        announce(ctx, unit, [event()], loan=str(uuid4()))
        rows = [json.loads(op.item["doc"]) for op in unit.operations.values()]
        at = time.time()
        ctx.commit(unit, None)
        for row in rows:
            run.recorded[row["id"]] = (row["webhook_endpoint"], at)


def event() -> Event:
    """A repayment's result."""
    facts = {
        "id": str(uuid4()),
        "provider_transaction_id": None,
        "processing_date": date(2026, 3, 2),
        "amount": 100,
        "created_at": datetime.now(UTC),
        "loan": str(uuid4()),
        "status": "applied",
    }
    return Event("repayment_result", facts)


def drain(edge: runtime.Runtime, run: Run, contexts: Sequence[Any], size: Size) -> None:
    """Wait until every healthy endpoint has had all; names of paths instead of endpoint ids."""
    from chalicelib.models.keys import WEBHOOK, WEBHOOK_ENDPOINT

    paths, healthy = {}, []
    for ctx in contexts:
        for stored in edge.store.each(WEBHOOK_ENDPOINT, ctx.partner.id):
            path = "/" + stored.value.url.split("/", 3)[3]
            paths[stored.value.id] = path
            if path.startswith("/quick/"):
                healthy.append((ctx.partner.id, stored.value.id))
    for id, (endpoint, at) in run.recorded.items():
        run.recorded[id] = (paths[endpoint], at)
    deadline = time.monotonic() + PATIENCE_SECONDS + size.webhooks / 50
    for partner, endpoint in healthy:
        group = {"webhook_endpoint": endpoint}
        while edge.store.count(WEBHOOK, partner, "due", group=group):
            assert time.monotonic() < deadline, "healthy endpoints still wait"
            time.sleep(0.1)


def compare(size: Size) -> tuple[Run, Run]:
    """The healthy endpoints alone, and with the sick ones."""
    for name, value in CREDENTIALS.items():
        os.environ.setdefault(name, value)
    with tempfile.TemporaryDirectory() as scratch, ministack(Path(scratch)) as url:
        return tuple(  # type: ignore[return-value]
            measure(url, size, sick, Path(scratch)) for sick in (False, True)
        )


def kept(alone: Run, beside: Run) -> bool:
    """Whether the healthy endpoints did not suffer, and nothing is missing there."""
    limit = MOST_TIMES * max(percentile(alone.delays("quick"), 0.99), NOTHING_SECONDS)
    late = percentile(beside.delays("quick"), 0.99)
    return late <= limit and not alone.missing("quick") and not beside.missing("quick")


def main(options: Sequence[str]) -> int:
    """Print both runs; 0 if the promise was kept."""
    given = dict(option.removeprefix("--").split("=", 1) for option in options)
    size = Size(
        int(given.get("webhooks", 10_000)),
        int(given.get("endpoints", 50)),
        float(given.get("rate", 40)),
        float(given.get("scale", 1)),
    )
    alone, beside = compare(size)
    print(f"{'':14}{'recorded':>9}{'arrived':>9}{'median':>9}{'99 %':>9}{'largest':>9}  seconds")
    for words, run in (("alone", alone), ("beside sick", beside)):
        for kind in ("quick", "late", "never"):
            delays = run.delays(kind)
            if delays:
                figures = (percentile(delays, 0.5), percentile(delays, 0.99), delays[-1])
                shown = "".join(f"{figure:9.3f}" for figure in figures)
                recorded = len(delays) + run.missing(kind)
                print(f"{words:12} {kind:6}{recorded:5}{len(delays):9}{shown}")
    good = kept(alone, beside)
    print("kept" if good else "NOT KEPT: the sick endpoints delay the healthy ones")
    return 0 if good else 1
