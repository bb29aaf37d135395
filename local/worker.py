"""``python -m local.worker``: runs the application's queue consumers and scheduled functions.

They are the application's own, as it registered them (``event_sources``, ``handler_map``); what
Lambda's pollers and EventBridge do in AWS, the pumps do here.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import boto3
from botocore.config import Config as ClientConfig
from chalice.app import ScheduledEventConfig, ScheduleExpression, SQSEventConfig
from chalice.local import LambdaContext

from chalicelib import config, runtime
from local import application, doorbell, metrics_file, pumps
from local.home import Home
from local.receipts import Receipts

log = logging.getLogger("local")

MEMORY_MB = 512
#: What a function is told that it has left; one that needs longer hands the rest on.
TIMEOUT_SECONDS = 60
DRAIN_SECONDS = 10.0


def main() -> int:
    """``--bell``: the descriptor of the socket at which the application rings (see doorbell)."""
    parser = argparse.ArgumentParser(prog="python -m local.worker")
    parser.add_argument("--bell", type=int)
    options = parser.parse_args()
    application.log_to_stderr()
    app = application.load()
    doorbell.ring_from(runtime.get())
    settings = config.load()
    sqs = client(settings)
    measured = metrics_file.collect()
    for name, handler in app.handler_map.items():
        app.handler_map[name] = metrics_file.counted(measured, name, handler)
    receipts = Receipts(Home.of_environment().receipts_file)
    freed = pumps.free_orphans(sqs, receipts)
    if freed:
        log.info("freed %d messages of an earlier worker", freed)
    stopping = threading.Event()
    running: list[pumps.QueuePump | pumps.SchedulePump] = [
        *queue_pumps(app, settings, sqs, receipts),
        *schedule_pumps(app, settings),
    ]
    threading.Thread(
        target=pumps.keep_in_hand, args=(sqs, receipts, stopping), name="heartbeat", daemon=True
    ).start()
    for pump in running:
        pump.start()
    if options.bell is not None:
        answer_the_door(socket.socket(fileno=options.bell), running)
    queues = [pump.name for pump in running if isinstance(pump, pumps.QueuePump)]
    metrics_file.sample(measured, sqs, queues, stopping)
    log.info("running %d functions", len(running))
    application.on_stop(stopping.set)
    stopping.wait()
    return finish(running)


def answer_the_door(
    bell: socket.socket, running: Sequence[pumps.QueuePump | pumps.SchedulePump]
) -> None:
    """Have rings heard by the pumps."""
    bells = {pump.name: pump.bell for pump in running if isinstance(pump, pumps.QueuePump)}
    threading.Thread(target=doorbell.listen, args=(bell, bells), name="bell", daemon=True).start()


def finish(running: list[pumps.QueuePump | pumps.SchedulePump]) -> int:
    """Stops taking work and waits for what is in hand; what is cut off comes again."""
    for pump in running:
        pump.stop()
    ended = [pump.drain(DRAIN_SECONDS) for pump in running]
    if not all(ended):
        log.warning("work was cut off; it comes again")
    logging.shutdown()
    # Pool threads that still run would keep the interpreter alive for as long as they like.
    os._exit(0)


def client(settings: config.Config) -> Any:
    """An SQS client for all pumps: one connection for each that may poll or work at once."""
    return boto3.client(
        "sqs",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=ClientConfig(max_pool_connections=128, retries={"total_max_attempts": 3}),
    )


def queue_pumps(
    app: Any, settings: config.Config, sqs: Any, receipts: Receipts
) -> list[pumps.QueuePump]:
    """A pump for every queue that the application consumes."""
    found = []
    for source in app.event_sources:
        if not isinstance(source, SQSEventConfig):
            continue
        name = queue_name(settings, source)
        queue = pumps.Queue(
            name=name,
            url=sqs.get_queue_url(QueueName=name)["QueueUrl"],
            batch_size=source.batch_size,
            function=function(app, source.name),
            region=settings.region,
            parallel=min(source.maximum_concurrency or pumps.PARALLEL_BATCHES, 16),
        )
        found.append(pumps.QueuePump(sqs, queue, receipts))
    return found


def queue_name(settings: config.Config, source: Any) -> str:
    """The real queue: registered by its real name, its ARN, or its logical name."""
    name = str(source.queue or source.queue_arn).rsplit(":", 1)[-1]
    if name.startswith(f"{settings.queue_prefix}-"):
        return name
    return settings.queue_name(name)


def schedule_pumps(app: Any, settings: config.Config) -> list[pumps.SchedulePump]:
    """A pump for every scheduled function of the application."""
    return [
        pumps.SchedulePump(
            source.name,
            expression(source.schedule_expression),
            function(app, source.name),
            settings.region,
        )
        for source in app.event_sources
        if isinstance(source, ScheduledEventConfig)
    ]


def expression(schedule: str | ScheduleExpression) -> str:
    """A schedule as EventBridge writes it."""
    return schedule if isinstance(schedule, str) else str(schedule.to_string())


def function(app: Any, name: str) -> Callable[[dict[str, Any]], Any]:
    """The application's function ``name``, called with a Lambda context of its own each time."""
    handler = app.handler_map[name]

    def run(event: dict[str, Any]) -> Any:
        return handler(event, LambdaContext(name, MEMORY_MB, TIMEOUT_SECONDS * 1000))

    return run


if __name__ == "__main__":
    sys.exit(main())
