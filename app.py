"""Composition only: the application, its routes, its schedules and its queue consumers."""

from __future__ import annotations

from typing import Any

from chalice.app import Cron, Rate

from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.http import Backbone
from chalicelib.jobs import schedules, workers

app = Backbone(app_name="backbone", configure_logs=False)  # Powertools writes the logs
app.mount(RESOURCES)


@app.schedule(Cron(5, "*", "*", "*", "?", "*"), name="close_days")
def close_days(event: Any) -> None:
    """Every hour: whose business date has changed."""
    schedules.close_days()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="sweep_outbox")
def sweep_outbox(event: Any) -> None:
    """Every minute: what stayed in the outbox."""
    schedules.sweep_outbox()


@app.on_sqs_message(queue="backbone-days", batch_size=1, name="days")
def days(event: Any) -> None:
    """One partner's shard of loans on one business date."""
    workers.each(event.to_dict()["Records"], workers.do_shard)


@app.on_sqs_message(queue="backbone-clock", batch_size=1, name="clock")
def clock(event: Any) -> None:
    """One partner's next day."""
    workers.each(event.to_dict()["Records"], workers.step_clock)
