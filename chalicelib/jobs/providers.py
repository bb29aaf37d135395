"""The workers between us and providers: what is asked for, and what is reported.

A message says what to ``do``.  Its id is the idempotency key of whatever is asked for, so that it
may come twice.  A failure that may pass raises, and the message comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chalicelib import metrics, runtime
from chalicelib.runtime import Runtime
from chalicelib.usecases import (
    disbursements,
    mandate_loans,
    mandate_requests,
    payments,
    provider_events,
)
from chalicelib.usecases.context import Context

Body = Mapping[str, Any]
Work = Callable[[Runtime, Context, str, Body], None]


def _request_mandate(edge: Runtime, ctx: Context, message_id: str, body: Body) -> None:
    mandate_requests.request(ctx, edge.gocardless(ctx), message_id, body["mandate"])


def _collect(edge: Runtime, ctx: Context, message_id: str, body: Body) -> None:
    provider, asked = edge.gocardless(ctx), (body["transaction"], int(body["attempt"]))
    payments.collect(ctx, provider, message_id, *asked)


def _review(edge: Runtime, ctx: Context, message_id: str, body: Body) -> None:
    payments.review(ctx, edge.gocardless(ctx), message_id, body["loan"])


def _withdraw(edge: Runtime, ctx: Context, message_id: str, body: Body) -> None:
    payments.withdraw(ctx, edge.gocardless(ctx), message_id, body["transaction"])


def _retry(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    payments.retry_by_itself(ctx, body["transaction"], int(body["attempt"]))


def _disburse(edge: Runtime, ctx: Context, message_id: str, body: Body) -> None:
    asked = (body["transaction"], int(body["attempt"]))
    disbursements.submit(ctx, partial(edge.disburser, ctx), message_id, *asked)


def _stop_disbursement(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    what = (body["provider"], body["transaction"], body["ref"])
    disbursements.stop(ctx, partial(edge.disburser, ctx), *what)


REQUESTS: Mapping[str, Work] = {
    "request_mandate": _request_mandate,
    "disburse": _disburse,
    "stop_disbursement": _stop_disbursement,
    "collect": _collect,
    "review": _review,
    "retry": _retry,
    "withdraw": _withdraw,
}
"""What may be asked of GoCardless."""


def _inbound(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    provider_events.act_on(ctx, edge.gocardless(ctx), body["inbound"])


def _waiting(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    provider_events.act_on_waiting(ctx, edge.gocardless(ctx), body.get("resource"))


def _poll(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    edge.count(metrics.PROVIDER_EVENTS_MISSED, provider_events.poll(ctx, edge.gocardless(ctx)))


def _mandate_changed(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    mandate_loans.mandate_changed(ctx, body["mandate"])


def _find_mandate(edge: Runtime, ctx: Context, _: str, body: Body) -> None:
    mandate_loans.find_mandate(ctx, body["loan"])


EVENTS: Mapping[str, Work] = {
    "inbound": _inbound,
    "waiting": _waiting,
    "poll": _poll,
    "mandate_changed": _mandate_changed,
    "find_mandate": _find_mandate,
}
"""What events of a provider bring about."""


def ask(message_id: str, body: Body) -> None:
    """Something to ask GoCardless for."""
    _do(REQUESTS, message_id, body)


def take_up(message_id: str, body: Body) -> None:
    """Events of a provider, and what follows from them."""
    _do(EVENTS, message_id, body)


def _do(table: Mapping[str, Work], message_id: str, body: Body) -> None:
    edge = runtime.get()
    table[body["do"]](edge, edge.context_of(body["partner"]), message_id, body)
