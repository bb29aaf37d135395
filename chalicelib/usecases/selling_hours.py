"""The hours of a partner that sells loans: what is asked of Blackmoon in each of them.

On a stage a schedule brings each hour.  In the sandbox the clock goes through the hours of a date
after its daily jobs, as far as something waits in them: an hour with nothing to do costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from chalicelib.domain.decision import Message
from chalicelib.domain.hours import HOURS, Hours
from chalicelib.domain.offers import PENDING, QUEUE, RETRYING
from chalicelib.models.keys import SELLING_HOURS
from chalicelib.usecases import collateral, offers, reconciliation

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

RECONCILING, COLLATERAL = ("reconcile", "take_back"), ("collateral",)
ASKED_HOURLY = (*RECONCILING, *COLLATERAL)
"""A message each: together they could take longer than a worker may."""

LAST = HOURS - 1
LOST = (PENDING, RETRYING)
"""Offers whose creation may have to be asked for again."""


def questions(
    partner_id: str, day: date, hour: int, asked: Sequence[str] = ASKED_HOURLY
) -> Sequence[Message]:
    """What is asked in an hour; asked twice, it is as if once."""
    body = {"partner": partner_id, "day": day.isoformat(), "hour": hour}
    return [Message(QUEUE, {"do": do, **body}) for do in asked]


def hour_message(partner_id: str) -> Message:
    """Has a worker see to the partner's present hour."""
    return Message(QUEUE, {"do": "hour", "partner": partner_id})


def present(ctx: Context) -> int:
    """The full hour at the partner, 0 to 23."""
    return int((ctx.now - ctx.partner.begins(ctx.business_date)).total_seconds() // 3600) % HOURS


def ask(ctx: Context) -> None:
    """Send the present hour's questions; nothing for a partner that has never offered a loan."""
    if not offers.any_there(ctx.store, ctx.partner.id):
        return
    unit = ctx.unit()
    for message in questions(ctx.partner.id, ctx.business_date, present(ctx)):
        unit.send(message)
    ctx.commit(unit, None)


# --- the sandbox's --------------------------------------------------------------------------------


def begin(ctx: Context, day: date) -> None:
    """A sandbox partner's clock has come to ``day``: its hours are to come, if it sells."""
    if not offers.any_there(ctx.store, ctx.partner.id):
        return

    def once() -> None:
        stored = ctx.store.get(SELLING_HOURS, ctx.partner.id, ctx.partner.id)
        if stored is not None and stored.value.day == day:
            return
        unit, fresh = ctx.unit(), Hours(ctx.partner.id, day)
        if stored is None:
            unit.create(SELLING_HOURS, ctx.partner.id, fresh)
        else:
            unit.update(SELLING_HOURS, ctx.partner.id, stored, fresh)
        ctx.store.commit(unit)

    ctx.store.attempt(once)


def following(ctx: Context) -> int | None:
    """The next hour of the business date in which there is anything to do.

    In the first one there always is.  When nothing is asked for any more, the last one looks after
    offers whose creation has to be asked for again: their new hour is not to end before the date.
    """
    stored = ctx.store.get(SELLING_HOURS, ctx.partner.id, ctx.partner.id)
    if stored is None or stored.value.day != ctx.business_date or stored.value.hour >= HOURS:
        return None
    hours: Hours = stored.value
    if hours.hour == 0 or _waiting(ctx, hours.day):
        return hours.hour
    return LAST if offers.waiting(_late(ctx), LOST) else None


def pass_hour(ctx: Context, hour: int) -> None:
    """Ask what is to be asked in an hour of the business date, and go on to the next one."""
    day = ctx.business_date
    if hour == LAST:
        offers.tick(_late(ctx), LOST)
    asked = _waiting(ctx, day) if hour else ASKED_HOURLY

    def once() -> None:
        stored = ctx.store.get(SELLING_HOURS, ctx.partner.id, ctx.partner.id)
        if stored is None or stored.value.day != day or stored.value.hour > hour:
            return
        unit = ctx.unit()
        unit.update(SELLING_HOURS, ctx.partner.id, stored, replace(stored.value, hour=hour + 1))
        for message in questions(ctx.partner.id, day, hour, asked):
            unit.send(message)
        ctx.commit(unit, None)

    ctx.store.attempt(once)


def _waiting(ctx: Context, day: date) -> tuple[str, ...]:
    """What was asked on this date and has to be asked again."""
    compared = () if not reconciliation.waiting(ctx, day) else RECONCILING
    return (*compared, *(COLLATERAL if collateral.waiting(ctx, day) else ()))


def _late(ctx: Context) -> Context:
    """The context in the date's last hour."""
    at = ctx.partner.begins(ctx.business_date) + timedelta(hours=LAST)
    return replace(ctx, now=max(ctx.now, at))
