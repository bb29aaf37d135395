"""Composition only: the application, its routes, its schedules and its queue consumers.

A function imports its jobs when it runs: every function, and the HTTP one first, is started with
this module.
"""

from __future__ import annotations

from typing import Any

from chalice.app import Cron, Rate

from chalicelib import config, runtime
from chalicelib.handlers import events
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.http import Backbone

app = Backbone(app_name="backbone", configure_logs=False)  # Powertools writes the logs
app.mount(RESOURCES)
runtime.compose(events.event_data)
QUEUES = config.queue_prefix()


@app.schedule(Cron(5, "*", "*", "*", "?", "*"), name="close_days")
def close_days(event: Any) -> None:
    """Every hour: whose business date has changed."""
    from chalicelib.jobs import schedules

    schedules.close_days()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweep_outbox")
def sweep_outbox(event: Any) -> None:
    """Every minute: what stayed in the outbox."""
    from chalicelib.jobs import schedules

    schedules.sweep_outbox()


@app.schedule(Cron(20, "*", "*", "*", "?", "*"), name="poll_providers")
def poll_providers(event: Any) -> None:
    """Every hour: events of a provider that no webhook brought."""
    from chalicelib.jobs import schedules

    schedules.poll_providers()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweep_webhooks")
def sweep_webhooks(event: Any) -> None:
    """Every minute: webhooks that are due again."""
    from chalicelib.jobs import schedules

    schedules.sweep_webhooks()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweep_offers")
def sweep_offers(event: Any) -> None:
    """Every minute: offers of loans whose time has come."""
    from chalicelib.jobs import schedules

    schedules.sweep_offers()


@app.schedule(Cron(35, "*", "*", "*", "?", "*"), name="poll_blackmoon")
def poll_blackmoon(event: Any) -> None:
    """Every hour: cessions to compare, loans sold back, collateral."""
    from chalicelib.jobs import schedules

    schedules.poll_blackmoon()


@app.on_sqs_message(queue=f"{QUEUES}-days", batch_size=1, name="days")
def days(event: Any) -> None:
    """One partner's shard of loans on one business date."""
    from chalicelib.jobs import workers

    workers.each(event.to_dict()["Records"], workers.do_shard)


@app.on_sqs_message(queue=f"{QUEUES}-clock", batch_size=1, name="clock")
def clock(event: Any) -> None:
    """One partner's next day."""
    from chalicelib.jobs import workers

    workers.each(event.to_dict()["Records"], workers.step_clock)


@app.on_sqs_message(queue=f"{QUEUES}-gocardless", batch_size=1, name="gocardless")
def gocardless(event: Any) -> None:
    """Something to ask GoCardless for."""
    from chalicelib.jobs import providers, workers

    workers.each_named(event.to_dict()["Records"], providers.ask)


@app.on_sqs_message(queue=f"{QUEUES}-blackmoon", batch_size=1, name="blackmoon")
def blackmoon(event: Any) -> None:
    """Something to ask Blackmoon for."""
    from chalicelib.jobs import blackmoon as blackmoon_jobs
    from chalicelib.jobs import workers

    workers.each(event.to_dict()["Records"], blackmoon_jobs.ask)


@app.on_sqs_message(queue=f"{QUEUES}-replica", batch_size=1, name="replica")
def replica(event: Any) -> None:
    """A part of a partner's replica, for investors' tools: it alone carries Parquet's writer."""
    from chalicelib.jobs import replica as replica_jobs
    from chalicelib.jobs import workers

    workers.each(event.to_dict()["Records"], replica_jobs.write)


@app.on_sqs_message(queue=f"{QUEUES}-provider_events", batch_size=1, name="provider_events")
def provider_events(event: Any) -> None:
    """Events of a provider, and what follows from them."""
    from chalicelib.jobs import providers, workers

    workers.each_named(event.to_dict()["Records"], providers.take_up)


# Their workers mostly wait for partners' servers; slow servers have workers of their own.
@app.on_sqs_message(
    queue=f"{QUEUES}-webhooks", batch_size=1, name="webhooks", maximum_concurrency=50
)
def webhooks(event: Any) -> None:
    """Webhooks to endpoints that answer at once, as far as is known."""
    from chalicelib.jobs import workers

    workers.each(event.to_dict()["Records"], workers.deliver)


@app.on_sqs_message(
    queue=f"{QUEUES}-webhooks-slow", batch_size=1, name="webhooks_slow", maximum_concurrency=50
)
def webhooks_slow(event: Any) -> None:
    """Webhooks to endpoints that take their time."""
    from chalicelib.jobs import workers

    workers.each(event.to_dict()["Records"], workers.deliver_slowly)
