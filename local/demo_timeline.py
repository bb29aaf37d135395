"""A chart of payments, a line each, by days before and after the day on which each was due.

SVG text like ``local.demo_charts``, styled by the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from local.demo_charts import WIDTH, label_at, shown, svg

LEFT, RIGHT, TOP, LANE = Decimal(150), Decimal(170), Decimal(30), Decimal(40)
#: So far apart are marks of one day.
APART = Decimal(13)
SHAPES = {
    "asked": '<circle class="mark asked" cx="{x}" cy="{y}" r="5"/>',
    "arrived": '<circle class="mark arrived" cx="{x}" cy="{y}" r="6"/>',
    "refused": '<path class="mark refused" d="M{x} {y}m-5 -5l10 10m0 -10l-10 10"/>',
    "again": '<path class="mark again" d="M{x} {y}m-5 -6l11 6l-11 6z"/>',
    "back": '<path class="mark back" d="M{x} {y}m5 -6l-11 6l11 6z"/>',
    "card": '<path class="mark card" d="M{x} {y}m-6 -5h12v10h-12z"/>',
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened so many days after the due date; ``words`` stand beside it."""

    day: int
    kind: str
    words: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A payment: what it is, its marks in order, and how it ended."""

    label: str
    note: str
    marks: Sequence[Mark]
    end: str
    style: str = ""


def shape(kind: str, x: Decimal, y: Decimal) -> str:
    """A mark's drawing."""
    return SHAPES[kind].format(x=shown(x), y=shown(y))


def timeline(ident: str, title: str, description: str, lanes: Sequence[Lane]) -> str:
    """The chart; empty without payments.  ``ident`` must be unique on its page."""
    days = [mark.day for lane in lanes for mark in lane.marks]
    if not days:
        return ""
    first, last = min(*days, -1) - 1, max(*days, 1) + 1
    height = TOP + LANE * len(lanes)
    parts = list(_days(first, last, height))
    for number, lane in enumerate(lanes):
        parts += _lane(first, last, TOP + LANE * number + LANE / 2, lane)
    return svg(ident, title, description, height + 8, parts)


def _x(first: int, last: int, day: int) -> Decimal:
    return LEFT + (WIDTH - LEFT - RIGHT) * (day - first) / (last - first)


def _days(first: int, last: int, height: Decimal) -> Iterator[str]:
    due = shown(_x(first, last, 0))
    yield f'<path class="due" d="M{due} {TOP - 8}V{shown(height)}"/>'
    yield label_at(_x(first, last, 0), TOP - 14, "middle", "due date", "label strong")
    for day in range(first + 1, last):
        if day % 5 == 0 and day:
            x = _x(first, last, day)
            yield f'<path class="grid" d="M{shown(x)} {TOP - 8}V{shown(height)}"/>'
            yield label_at(x, TOP - 14, "middle", f"{day:+d} days")


def _lane(first: int, last: int, y: Decimal, lane: Lane) -> Iterator[str]:
    yield label_at(Decimal(0), y - 3, "start", lane.label, "label strong")
    yield label_at(Decimal(0), y + 12, "start", lane.note, "label note")
    xs: list[Decimal] = []
    for mark in lane.marks:
        x = _x(first, last, mark.day)
        xs.append(max(x, xs[-1] + APART) if xs else x)
    yield f'<path class="way" d="M{shown(min(xs))} {shown(y)}H{shown(max(xs))}"/>'
    for number, (mark, x) in enumerate(zip(lane.marks, xs, strict=True)):
        yield f"<g><title>{escape(mark.title)}</title>{shape(mark.kind, x, y)}</g>"
        if mark.words:
            below = number % 2
            yield label_at(x, y + 18 if below else y - 10, "middle", mark.words, "label note")
    style = f"label note {lane.style}".strip()
    yield label_at(WIDTH - RIGHT + 6, y + 4, "start", lane.end, style)
