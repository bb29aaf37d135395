"""The collateral markup, fetched when Blackmoon has made a newer one.

The rows of a markup are written under a new generation, which nobody reads; then one write makes it
the one that is shown, and the rows before it are removed.  A reader sees one markup or the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from uuid import NAMESPACE_URL, uuid5

from chalicelib.domain.blackmoon import Collateral
from chalicelib.domain.collateral import FLAWS, LISTS, Markup, Pledge, flawed
from chalicelib.domain.criteria import CREATED, ORDERING, Criteria
from chalicelib.domain.decision import Message
from chalicelib.domain.errors import NotFound
from chalicelib.domain.offers import QUEUE
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.models.keys import COLLATERAL, MARKUP, TERMS
from chalicelib.models.store_errors import Conflict
from chalicelib.usecases.alarms import raise_alarm
from chalicelib.usecases.context import Listing, Source, Window

if TYPE_CHECKING:
    from chalicelib.domain.hours import Asking
    from chalicelib.integrations.blackmoon.client import Blackmoon
    from chalicelib.models.unit import Stored
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.offers import Asker

T = TypeVar("T")
Lists = Mapping[str, Sequence[Pledge]]
Known = tuple[Markup, "Stored[Markup] | None"]
AT_ONCE = 50
NAMED, LONGEST_ID = 5, 64
"""What an alarm names of theirs."""


@dataclass(frozen=True, slots=True)
class Found:
    """The date of the latest markup, and its lists if it is a new one and they are ready."""

    as_of: date | None
    lists: Lists | None = None


# --- what is shown --------------------------------------------------------------------------------


def listing(ctx: Context, criteria: Criteria) -> Source[Stored[Collateral]]:
    """The rows of the latest markup.  A cursor of the one before is refused, as another list's."""
    group = {"generation": _markup(ctx)[0].generation}

    def size() -> int:
        return ctx.store.count(COLLATERAL, ctx.partner.id, group=group)

    by_creation = criteria.field == CREATED

    def read(window: Window) -> Listing[Stored[Collateral]]:
        page = ctx.store.page(
            COLLATERAL,
            ctx.partner.id,
            group=group,
            limit=window.limit,
            offset=window.offset,
            cursor=window.cursor,
            newest_first=criteria.descending or not by_creation,
            count=size if window.count else False,
        )
        return Listing(page.items, page.count, page.next_cursor, after=page.cursor_after)

    return Source(read, frozenset({ORDERING} if by_creation else ()))


def read(ctx: Context, row_id: str) -> Stored[Collateral]:
    """One row of the latest markup, or :class:`NotFound`."""
    found = ctx.store.get(COLLATERAL, ctx.partner.id, row_id)
    if found is None or found.value.generation != _markup(ctx)[0].generation:
        raise NotFound("row of collateral")
    return found


def _markup(ctx: Context) -> Known:
    stored = ctx.store.get(MARKUP, ctx.partner.id, ctx.partner.id)
    return (stored.value if stored else Markup(ctx.partner.id)), stored


def waiting(ctx: Context, day: date) -> bool:
    """Whether a newer markup has to be asked for again on this date."""
    markup, _ = _markup(ctx)
    return markup.day == day and markup.asking.waiting


# --- asking ---------------------------------------------------------------------------------------


def look(ctx: Context, asker: Asker, day: date, hour: int) -> None:
    """Ask whether there is a newer markup, if it is time to, and take it in when it is ready."""
    markup, stored = _markup(ctx)
    if day < ctx.business_date or not markup.due(day, hour):
        return
    asking = markup.of(day)
    try:
        found = asker(lambda blackmoon: _found(blackmoon, markup.as_of))
    except BlackmoonTrouble as trouble:
        ctx.report("the collateral markup could not be read", trouble)
        _note(ctx, (markup, stored), day, asking.failed(hour, trouble.remedy, trouble.code))
        return
    except LookupError:
        return
    if found.as_of is None or found.as_of == markup.as_of:
        _note(ctx, (markup, stored), day, asking.answered(hour, ready=True))
    elif found.lists is None:
        before = replace(asking, ready=False)
        _note(ctx, (markup, stored), day, before.answered(hour, ready=False))
    else:
        _take_in(ctx, (markup, stored), found.as_of, found.lists, day, hour)


def _found(blackmoon: Blackmoon, known: date | None) -> Found:
    """The date is read again after the lists: they may have been replaced in between."""
    as_of = blackmoon.last_update_date().day
    if as_of is None or as_of == known:
        return Found(as_of)
    asked = (
        blackmoon.relevant_portfolio(),
        blackmoon.retained_portfolio(),
        blackmoon.left_portfolio(),
    )
    if not all(one.ready for one in asked) or blackmoon.last_update_date().day != as_of:
        return Found(as_of)
    rows = [[Pledge(row.loan_id, row.flici, row.investor_id) for row in one.loans] for one in asked]
    return Found(as_of, dict(zip(LISTS, rows, strict=True)))


def _note(ctx: Context, known: Known, day: date, asking: Asking) -> None:
    """Write down how far it has come; where another worker was quicker, what that one knows."""
    markup, _ = known
    if markup.day == day and markup.asking.ready and asking.ready:
        return
    messages = [_unreachable(ctx, day, asking)] if asking.given_up else []
    _written(ctx, known, markup.heard(day, asking), messages)


def _written(
    ctx: Context, known: Known, after: Markup, messages: Sequence[Message] = ()
) -> Known | None:
    """The markup as it is stored now; ``None`` if another worker has changed it."""
    unit = ctx.unit()
    _, stored = known
    if stored is None:
        written = unit.create(MARKUP, ctx.partner.id, after)
    else:
        written = unit.update(MARKUP, ctx.partner.id, stored, after)
    for message in messages:
        unit.send(message)
    try:
        ctx.commit(unit, None)
    except Conflict:
        return None
    return after, written


# --- taking in ------------------------------------------------------------------------------------


def _take_in(ctx: Context, before: Known, as_of: date, lists: Lists, day: date, hour: int) -> None:
    begun = _written(ctx, before, before[0].begin())
    if begun is None:
        return
    generation = begun[0].begun
    rows = flawed(lists, _loans(ctx, lists))
    for some in _chunks(rows):
        unit = ctx.unit()
        for name, pledge, flaw in some:
            unit.create(
                COLLATERAL,
                ctx.partner.id,
                Collateral(
                    _row_id(ctx, generation, name, pledge),
                    pledge.loan,
                    name,
                    pledge.flici,
                    pledge.investor_id,
                    as_of,
                    flaw,
                    generation,
                ),
            )
        ctx.store.commit(unit)
    wrong = any(flaw is not None for _, _, flaw in rows)
    messages = [_flawed(ctx, as_of, rows)] if wrong else []
    shown = _written(ctx, begun, begun[0].shows(as_of, generation, day, hour), messages)
    if shown is not None:
        _clean(ctx, shown)


def _row_id(ctx: Context, generation: int, name: str, pledge: Pledge) -> str:
    what = "/".join((ctx.partner.id, str(generation), name, *pledge))
    return str(uuid5(NAMESPACE_URL, f"collateral/{what}"))


def _loans(ctx: Context, lists: Lists) -> set[str]:
    """Which of the loans on the lists are the partner's."""
    named = dict.fromkeys(row.loan for rows in lists.values() for row in rows)
    known: set[str] = set()
    for some in _chunks(named):
        known |= set(ctx.store.get_many(TERMS, ctx.partner.id, some, consistent=False))
    return known


def _clean(ctx: Context, known: Known) -> None:
    """Remove the rows of earlier generations, and of those that were never finished."""
    markup, _ = known
    for generation in range(markup.cleaned, markup.generation):
        old = ctx.store.each(COLLATERAL, ctx.partner.id, group={"generation": generation})
        for some in _chunks(list(old)):
            unit = ctx.unit()
            for stored in some:
                unit.delete(COLLATERAL, ctx.partner.id, stored)
            try:
                ctx.store.commit(unit)
            except Conflict:
                return  # another worker is at it
    _written(ctx, known, replace(markup, cleaned=markup.generation))


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield some


# --- alarms ---------------------------------------------------------------------------------------


def _unreachable(ctx: Context, day: date, asking: Asking) -> Message:
    code = f" (error {asking.error_code})" if asking.error_code else ""
    detail = f"The collateral markup could not be had on {day}{code}; the one before stays."
    return _alarm(ctx, f"{day}/given_up", detail)


def _flawed(ctx: Context, as_of: date, rows: Sequence[tuple[str, Pledge, str | None]]) -> Message:
    found: dict[str, set[str]] = {}
    for _, pledge, flaw in rows:
        if flaw is not None:
            found.setdefault(flaw, set()).add(pledge.loan)
    words = [f"{FLAWS[flaw]}: {_named(sorted(loans))}" for flaw, loans in found.items()]
    detail = f"The collateral markup of {as_of} does not fit. {'; '.join(words)}."
    return _alarm(ctx, f"{as_of}/flawed", detail)


def _named(loans: Sequence[str]) -> str:
    more = f" and {len(loans) - NAMED} more" if len(loans) > NAMED else ""
    return ", ".join(loan[:LONGEST_ID] for loan in loans[:NAMED]) + more


def _alarm(ctx: Context, subject: str, detail: str) -> Message:
    body = {"do": "collateral_alarm", "partner": ctx.partner.id}
    return Message(QUEUE, {**body, "subject": subject, "detail": detail})


def tell_a_person(ctx: Context, subject: str, detail: str) -> None:
    """Raise the alarm that a commit has asked for."""
    raise_alarm(ctx, "blackmoon_collateral", subject, detail)
