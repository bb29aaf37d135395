"""Raising an alarm: a row that partners and operators see, once for one cause."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from chalicelib import metrics
from chalicelib.domain.alarms import Alarm
from chalicelib.models.keys import ALARM
from chalicelib.models.store_errors import Conflict

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context


def raise_alarm(ctx: Context, name: str, subject: str, detail: str) -> None:
    """Say that a person has to look at ``subject``; the same again says nothing new.

    ``detail`` holds no secret, no bank detail and no birth date.
    """
    alarm_id = str(uuid5(NAMESPACE_URL, f"alarm/{name}/{subject}"))
    unit = ctx.unit()
    unit.create(ALARM, ctx.partner.id, Alarm(alarm_id, name, ctx.now, detail))
    try:
        ctx.store.commit(unit)
    except Conflict:
        return
    ctx.measure([metrics.measure(metrics.ALARMS_RAISED, alarm=name)])
    ctx.report(f"alarm: {name}", Exception(detail), subject=subject)
