"""A business date's reconciliation with Blackmoon, and the loans that investors sold back.

Each hour's question is a message of its own; what comes of it is one conditional write.  See
``docs/adr/0017-cessions-and-collateral.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from chalicelib.domain import reconciling
from chalicelib.domain.blackmoon import REVERSE, Difference, Reconciliation
from chalicelib.domain.data_files import AT_REST, KINDS
from chalicelib.domain.decision import Message
from chalicelib.domain.offers import QUEUE
from chalicelib.domain.reconciling import Heard, Part
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.integrations.blackmoon.results import CessionRow
from chalicelib.models.keys import CESSION, CLOCK_STATE, DATA_FILE, RECONCILIATION
from chalicelib.usecases import daily_files, reversals
from chalicelib.usecases.alarms import raise_alarm

if TYPE_CHECKING:
    from chalicelib.domain.blackmoon import Cession
    from chalicelib.integrations.blackmoon.client import Blackmoon
    from chalicelib.integrations.blackmoon.results import Reconciled, ReverseCessions
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.offers import Asker

Hear = Callable[[Reconciliation], Heard]
ZERO = reversals.ZERO


def id_of(ctx: Context, day: date) -> str:
    """The row of a business date."""
    return str(uuid5(NAMESPACE_URL, f"reconciliation/{ctx.partner.id}/{day.isoformat()}"))


def waiting(ctx: Context, day: date) -> bool:
    """Whether a date's questions have to be asked again."""
    stored = ctx.store.get(RECONCILIATION, ctx.partner.id, id_of(ctx, day))
    return stored is not None and stored.value.status == reconciling.WAITING


# --- asking ---------------------------------------------------------------------------------------


def compare(ctx: Context, asker: Asker, day: date, hour: int) -> None:
    """Ask whether Blackmoon knows all cessions that we know, if it is time to."""

    def ask(blackmoon: Blackmoon) -> Reconciled:
        return blackmoon.reconcile_direct_cessions(history(ctx))

    if not _due(ctx, "direct", day, hour):
        return
    if not _files_are_through(ctx, day):
        _hear(ctx, day, lambda row: reconciling.held(row, "direct", hour, ctx.now))
        return
    try:
        told = asker(ask)
    except BlackmoonTrouble as trouble:
        _failed(ctx, "direct", day, hour, trouble)
        return
    except LookupError:
        return
    if not told.ready:
        _hear(ctx, day, lambda row: reconciling.not_ready(row, "direct", hour, ctx.now))
        return
    counts = (told.total_count, told.correct_count)
    only, missing = map(_differences, (told.platform_only, told.platform_missing))
    _hear(ctx, day, lambda row: reconciling.compared(row, hour, counts, only, missing, ctx.now))
    if told.warning.remedy == "notice":
        tell_a_person(ctx, day, "warning")


def take_back(ctx: Context, asker: Asker, day: date, hour: int) -> None:
    """Ask which loans were sold back, if it is time to, and record what is new."""

    def ask(blackmoon: Blackmoon) -> ReverseCessions:
        return blackmoon.reverse_cessions()

    if not _due(ctx, "reverse", day, hour):
        return
    try:
        told = asker(ask)
    except BlackmoonTrouble as trouble:
        _failed(ctx, "reverse", day, hour, trouble)
        return
    except LookupError:
        return
    if not told.ready:
        _hear(ctx, day, lambda row: reconciling.not_ready(row, "reverse", hour, ctx.now))
        return
    unexplained = reversals.record(ctx, told.rows)
    _hear(ctx, day, lambda row: reconciling.sold_back(row, hour, unexplained, ctx.now))
    if told.warning.remedy == "notice":
        tell_a_person(ctx, day, "warning")


def history(ctx: Context) -> Iterator[CessionRow]:
    """All direct cessions and top-ups of all time, oldest first, a hundred read at a time."""
    for stored in ctx.store.each(CESSION, ctx.partner.id, newest_first=False):
        cession: Cession = stored.value
        if cession.type == REVERSE:
            continue
        yield CessionRow(
            loan_id=cession.loan,
            type=cession.type,
            day=cession.day,
            price=cession.price,
            origination_fee=cession.origination_fee or ZERO,
            servicing_fee=cession.servicing_fee or ZERO,
            investor_legal_entity_id=cession.investor_legal_entity_id,
        )


def _differences(rows: tuple[CessionRow, ...]) -> list[Difference]:
    return [
        Difference(
            row.loan_id,
            row.type,
            row.day,
            row.price,
            row.origination_fee,
            row.servicing_fee,
            row.investor_legal_entity_id,
        )
        for row in rows
    ]


# --- what comes of it -----------------------------------------------------------------------------


def _due(ctx: Context, part: Part, day: date, hour: int) -> bool:
    """Whether to ask now; a message of a date that is over asks for nothing new."""
    stored = ctx.store.get(RECONCILIATION, ctx.partner.id, id_of(ctx, day))
    if stored is None:
        return day >= ctx.business_date
    return reconciling.asking(stored.value, part).due(hour)


def _files_are_through(ctx: Context, day: date) -> bool:
    """Whether the date is closed and its files, if there are any, are sent or given up.

    What was sold on the day before Blackmoon learns from them.
    """
    clock = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    if clock is not None and (clock.value.closed is None or clock.value.closed < day):
        return False
    ids = [daily_files.id_of(ctx.partner.id, day, kind) for kind in KINDS]
    files = ctx.store.get_many(DATA_FILE, ctx.partner.id, ids)
    return all(stored.value.status in AT_REST for stored in files.values())


def _failed(ctx: Context, part: Part, day: date, hour: int, trouble: BlackmoonTrouble) -> None:
    ctx.report("a reconciliation's call came to nothing", trouble, part=part)
    remedy, code = trouble.remedy, trouble.code
    _hear(ctx, day, lambda row: reconciling.failed(row, part, hour, remedy, code, ctx.now))


def _hear(ctx: Context, day: date, hear: Hear) -> None:
    """Put what was heard into the date's row; its alarms leave with it."""

    def once() -> None:
        stored = ctx.store.get(RECONCILIATION, ctx.partner.id, id_of(ctx, day))
        row = stored.value if stored else Reconciliation(id_of(ctx, day), day)
        heard = hear(row)
        unit = ctx.unit()
        if stored is None:
            unit.create(RECONCILIATION, ctx.partner.id, heard.row)
        else:
            unit.update(RECONCILIATION, ctx.partner.id, stored, heard.row)
        for why in heard.alarms:
            unit.send(_alarm(ctx, day, why))
        ctx.commit(unit, None)

    new = ctx.store.get(RECONCILIATION, ctx.partner.id, id_of(ctx, day)) is None
    ctx.store.attempt(once)
    if new:
        _end_earlier(ctx, day)


def _end_earlier(ctx: Context, day: date) -> None:
    """A new date's row is there: what still waits of earlier dates is given up."""
    group = {"status": reconciling.WAITING}
    for stored in ctx.store.each(RECONCILIATION, ctx.partner.id, "status", group=group):
        row: Reconciliation = stored.value
        if row.business_date < day:
            _hear(ctx, row.business_date, lambda known: reconciling.ended(known, ctx.now))


def _alarm(ctx: Context, day: date, why: str) -> Message:
    body = {"do": "reconciliation_alarm", "partner": ctx.partner.id, "day": day.isoformat()}
    return Message(QUEUE, {**body, "why": why})


def tell_a_person(ctx: Context, day: date, why: str) -> None:
    """Raise the alarm that a date's reconciliation has asked for."""
    stored: Stored[Reconciliation] | None = ctx.store.get(
        RECONCILIATION, ctx.partner.id, id_of(ctx, day)
    )
    if stored is None:
        return
    row = stored.value
    code = f" (error {row.error_code})" if row.error_code else ""
    counts = (
        f" {row.correct_count} of {row.total_count} cessions agree."
        if row.total_count is not None
        else ""
    )
    loans = sorted({one.loan for one in (*row.platform_only, *row.platform_missing)})
    named = f" Loans: {', '.join(loans[:5])}{' and others' if len(loans) > 5 else ''}."
    detail = (
        f"Reconciliation of {day} with Blackmoon is {row.status}: {reconciling.WHY[why]}{code}."
        f"{counts}{named if loans else ''}"
    )
    raise_alarm(ctx, "blackmoon_reconciliation", f"{row.id}/{why}", detail)
