"""The worker between us and Blackmoon: a message says what to ``do`` about which offer.

Messages may come twice: each call is announced in the offer before it is made, and what comes of it
is one conditional write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib import runtime
from chalicelib.domain.offer_happenings import Disbursed, LoanCancelled, Tick
from chalicelib.runtime import Runtime
from chalicelib.usecases import offers
from chalicelib.usecases.context import Context

Body = Mapping[str, Any]
Work = Callable[[Runtime, Context, Body], None]


def _call(edge: Runtime, ctx: Context, body: Body) -> None:
    offers.call(ctx, edge.blackmoon(ctx), body["offer"], body["do"])


def _tick(_: Runtime, ctx: Context, body: Body) -> None:
    offers.happen(ctx, body["offer"], Tick())


def _disbursed(_: Runtime, ctx: Context, body: Body) -> None:
    day, amount = date.fromisoformat(body["day"]), Decimal(body["amount"])
    offers.happen(ctx, body["offer"], Disbursed(body["transaction"], day, amount))


def _loan_cancelled(_: Runtime, ctx: Context, body: Body) -> None:
    offers.happen(ctx, body["offer"], LoanCancelled())


def _alarm(_: Runtime, ctx: Context, body: Body) -> None:
    offers.tell_a_person(ctx, body["offer"], body["why"])


REQUESTS: Mapping[str, Work] = {
    "create": _call,
    "accept": _call,
    "decline": _call,
    "cancel": _call,
    "tick": _tick,
    "disbursed": _disbursed,
    "loan_cancelled": _loan_cancelled,
    "alarm": _alarm,
}
"""What may be asked for."""


def ask(body: Body) -> None:
    """Do what a message asks for."""
    edge = runtime.get()
    REQUESTS[body["do"]](edge, edge.context_of(body["partner"]), body)
