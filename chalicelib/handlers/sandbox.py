"""``/sandbox/``: the partner's clock and further partners, on stages that are a sandbox."""

from __future__ import annotations

import time
from datetime import date
from typing import Any, ClassVar

from chalicelib import runtime
from chalicelib.domain.errors import NotFound
from chalicelib.domain.partners import Clock
from chalicelib.handlers.http import Reply
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out
from chalicelib.handlers.values import Day
from chalicelib.usecases import sandbox
from chalicelib.usecases.context import Context
from chalicelib.usecases.partners import clock_of
from chalicelib.usecases.sandbox import NewPartner

api = Resource("/sandbox", tag="Sandbox")

ACCEPTED = 202


class ClockIn(Body):
    """The date to go to."""

    business_date: Day


class ClockOut(Out):
    """Where the partner's clock stands."""

    business_date: date


class PartnerOut(Out):
    """Another tenant; its key is shown this once."""

    secrets: ClassVar[frozenset[str]] = frozenset({"api_key"})

    id: str
    api_key: str = ""


class GoCardlessOut(Out):
    """The partner's organisation at the GoCardless simulator; the official client works with it."""

    url: str
    access_token: str
    webhook_secret: str
    creditor: str
    scenarios: list[str]


class BlackmoonOut(Out):
    """The partner's organisation at the Blackmoon simulator, with the tokens that are good now."""

    url: str
    organization_id: str
    access_token: str
    refresh_token: str


class SimulatorsOut(Out):
    """Where the sandbox's providers are, and what the partner needs to play them."""

    gocardless: GoCardlessOut | None
    blackmoon: BlackmoonOut | None


def _only_in_a_sandbox(ctx: Context) -> None:
    if not (runtime.get().config.sandbox and ctx.partner.sandbox):
        raise NotFound("route")


def clock_out(_: Context, clock: Clock) -> ClockOut:
    """The date that the clock shows."""
    assert clock.day is not None
    return ClockOut(business_date=clock.day)


@api.get(
    "/clock",
    answer=ClockOut,
    view=clock_out,
    summary="Read the sandbox clock",
    refuses=("not_found",),
)
def read_clock(ctx: Context) -> Clock:
    """The partner's business date."""
    _only_in_a_sandbox(ctx)
    return clock_of(ctx.store, ctx.partner.id)


@api.post(
    "/clock",
    body=ClockIn,
    answer=ClockOut,
    view=clock_out,
    status=200,
    idempotency="none",
    summary="Move the sandbox clock",
    refuses=("clock_backwards", "not_found"),
    also={202: "The move goes on by itself; the date is the one reached so far."},
)
def move_clock(ctx: Context, body: ClockIn) -> Reply | Clock:
    """Run every day up to the date; answered once all of them are done and every webhook was tried.

    Where a response cannot wait that long, a move goes on by itself and is answered 202 with the
    date reached so far.
    """
    _only_in_a_sandbox(ctx)
    edge = runtime.get()
    sandbox.send_clock(ctx, body.business_date, edge.clock(), edge.outside)
    moved = sandbox.wait(ctx, edge.sleep, time.monotonic, edge.config.answer_within_seconds)
    return moved.clock if moved.settled else Reply(moved.clock, status=ACCEPTED)


@api.get(
    "/simulators",
    answer=SimulatorsOut,
    summary="Read where the simulators are",
    refuses=("not_found",),
)
def simulators(ctx: Context) -> dict[str, Any]:
    """Addresses and tokens of this partner's own organisations; `null` where there is none."""
    _only_in_a_sandbox(ctx)
    collecting, selling = runtime.get().simulators, runtime.get().selling_simulator
    return {
        "gocardless": None if collecting is None else collecting.access(ctx),
        "blackmoon": None if selling is None else selling.access(ctx),
    }


@api.post(
    "/partner",
    answer=PartnerOut,
    summary="Make another sandbox partner",
    refuses=("not_found",),
)
def add_partner(ctx: Context) -> NewPartner:
    """Another tenant, which sees nothing of this one."""
    _only_in_a_sandbox(ctx)
    return sandbox.add_partner(ctx, runtime.get().clock())
