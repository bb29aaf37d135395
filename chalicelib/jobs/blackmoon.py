"""The worker between us and Blackmoon: a message says what to ``do``.

Messages may come twice.  A call about an offer is announced in the offer before it is made; what is
asked of a business date's hour is only asked while that hour has no answer; and what comes of
either is one conditional write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib import runtime
from chalicelib.domain.offer_happenings import Disbursed, LoanCancelled, Tick
from chalicelib.jobs import daily_files
from chalicelib.runtime import Runtime
from chalicelib.usecases import collateral, offers, reconciliation, selling_hours
from chalicelib.usecases.context import Context
from chalicelib.usecases.offers import Asker

Body = Mapping[str, Any]
Work = Callable[[Runtime, Context, Body], None]
Question = Callable[[Context, Asker, date, int], None]


def _call(edge: Runtime, ctx: Context, body: Body) -> None:
    offers.call(ctx, edge.blackmoon(ctx), body["offer"], body["do"])


def _tick(_: Runtime, ctx: Context, body: Body) -> None:
    offers.happen(ctx, body["offer"], Tick())


def _disbursed(_: Runtime, ctx: Context, body: Body) -> None:
    day, amount = date.fromisoformat(body["day"]), Decimal(body["amount"])
    offers.happen(ctx, body["offer"], Disbursed(body["transaction"], day, amount))


def _loan_cancelled(_: Runtime, ctx: Context, body: Body) -> None:
    offers.happen(ctx, body["offer"], LoanCancelled(body.get("reason", "loan_cancelled")))


def _alarm(_: Runtime, ctx: Context, body: Body) -> None:
    offers.tell_a_person(ctx, body["offer"], body["why"])


def _hour(_: Runtime, ctx: Context, __: Body) -> None:
    selling_hours.ask(ctx)


def _hourly(question: Question) -> Work:
    def ask_it(edge: Runtime, ctx: Context, body: Body) -> None:
        question(ctx, edge.blackmoon(ctx), date.fromisoformat(body["day"]), int(body["hour"]))

    return ask_it


def _reconciliation_alarm(_: Runtime, ctx: Context, body: Body) -> None:
    reconciliation.tell_a_person(ctx, date.fromisoformat(body["day"]), body["why"])


def _collateral_alarm(_: Runtime, ctx: Context, body: Body) -> None:
    collateral.tell_a_person(ctx, body["subject"], body["detail"])


REQUESTS: Mapping[str, Work] = {
    "create": _call,
    "accept": _call,
    "decline": _call,
    "cancel": _call,
    "tick": _tick,
    "disbursed": _disbursed,
    "loan_cancelled": _loan_cancelled,
    "alarm": _alarm,
    "daily": daily_files.begin,
    "file": daily_files.go_on,
    "hour": _hour,
    "reconcile": _hourly(reconciliation.compare),
    "take_back": _hourly(reconciliation.take_back),
    "collateral": _hourly(collateral.look),
    "reconciliation_alarm": _reconciliation_alarm,
    "collateral_alarm": _collateral_alarm,
}
"""What may be asked for."""


def ask(body: Body) -> None:
    """Do what a message asks for."""
    edge = runtime.get()
    REQUESTS[body["do"]](edge, edge.context_of(body["partner"]), body)
