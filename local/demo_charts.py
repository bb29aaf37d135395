"""Charts as SVG text: pure functions from figures to markup, styled by the page's style sheet.

Coordinates are ``Decimal`` like the figures that they show, written to one decimal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from html import escape

from local.demo_record import PARTS, ZERO, Split

WIDTH = Decimal(760)
LEFT, RIGHT, TOP = Decimal(64), Decimal(12), Decimal(14)
PANEL, BARS = Decimal(150), Decimal(210)
BELOW = Decimal(40)
MOST_TICKS = 5
#: Of a hundredth to a tenth of the highest value: the last one always reaches it.
FACTORS = tuple(map(Decimal, ("1", "2", "2.5", "5", "10", "20")))
BAR_SHARE = Decimal("0.46")


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its style's name, and a value for each day from which it holds, oldest first."""

    style: str
    points: Sequence[tuple[date, Decimal]]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of days to be shaded."""

    first: date
    last: date
    style: str
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A stacked bar; ``amount`` stands above it (parts rounded each may miss it by a penny)."""

    split: Split
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Pair:
    """A planned and a paid bar side by side, with two lines below."""

    label: str
    below: str
    planned: Bar
    paid: Bar


def money(amount: Decimal) -> str:
    """``12,434.70``."""
    return f"{amount:,.2f}"


def day(on: date) -> str:
    """``9 Feb 2018``."""
    return f"{on.day} {on:%b %Y}"


def ticks(highest: Decimal) -> list[Decimal]:
    """Round values from zero up to the first one that is not below ``highest``."""
    if highest <= 0:
        return [ZERO, Decimal(1)]
    step = Decimal(1).scaleb(highest.adjusted() - 1)
    step *= next(factor for factor in FACTORS if highest <= step * factor * MOST_TICKS)
    found = [ZERO]
    while found[-1] < highest:
        found.append(found[-1] + step)
    return found


def months(first: date, last: date) -> Iterator[date]:
    """The firsts of the months from ``first`` to ``last``."""
    on = first.replace(day=1)
    while on <= last:
        if on >= first:
            yield on
        on = (on + timedelta(days=31)).replace(day=1)


def shown(value: Decimal) -> str:
    """A coordinate."""
    return f"{value:.1f}"


@dataclass(frozen=True, slots=True)
class _Scale:
    """From days and amounts to coordinates."""

    first: date
    last: date
    top: Decimal
    height: Decimal

    def x(self, on: date) -> Decimal:
        days = max((self.last - self.first).days, 1)
        return LEFT + (WIDTH - LEFT - RIGHT) * (on - self.first).days / days

    def y(self, amount: Decimal) -> Decimal:
        return TOP + self.height * (1 - amount / self.top)


def svg(ident: str, title: str, description: str, height: Decimal, parts: Sequence[str]) -> str:
    """A drawing that is as wide as its place, with a name and a description."""
    name = escape(ident)
    return (
        f'<svg role="img" aria-labelledby="{name}-t {name}-d" '
        f'viewBox="0 0 {WIDTH} {shown(height)}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def label_at(x: Decimal, y: Decimal, anchor: str, text: str, style: str = "label") -> str:
    """A text at a place; nothing in it is markup."""
    return (
        f'<text class="{escape(style)}" x="{shown(x)}" y="{shown(y)}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def _grid(scale: _Scale, values: Sequence[Decimal]) -> Iterator[str]:
    for value in values:
        y = scale.y(value)
        yield f'<path class="grid" d="M{LEFT} {shown(y)}H{shown(WIDTH - RIGHT)}"/>'
        yield label_at(LEFT - 8, y + 4, "end", f"{value.normalize():,f}")


def lines_chart(
    ident: str,
    title: str,
    description: str,
    series: Sequence[Series],
    bands: Sequence[Band] = (),
) -> str:
    """A panel with every series as a step line over the days of them all.

    A value holds until the next point.  ``ident`` must be unique on its page.
    """
    days = [on for line in series for on, _ in line.points]
    if not days:
        return ""
    values = ticks(max(value for line in series for _, value in line.points))
    scale = _Scale(min(days), max(days), values[-1], PANEL)
    foot = TOP + PANEL
    parts = [_band(scale, band) for band in bands]
    parts += _grid(scale, values)
    marks = list(months(scale.first, scale.last))
    for on in marks:
        x = scale.x(on)
        parts.append(f'<path class="tick" d="M{shown(x)} {foot}v5"/>')
        year = f" {on.year}" if on.month == 1 or on == marks[0] else ""
        parts.append(label_at(x, foot + 18, "middle", f"{on:%b}{year}"))
    for line in series:
        parts.append(f'<path class="line {escape(line.style)}" d="{_steps(scale, line.points)}"/>')
    return svg(ident, title, description, foot + BELOW - 14, parts)


def _band(scale: _Scale, band: Band) -> str:
    first, last = scale.x(band.first), scale.x(band.last)
    return (
        f'<rect class="band {escape(band.style)}" x="{shown(first)}" y="{TOP}" '
        f'width="{shown(last - first)}" height="{PANEL}"><title>{escape(band.label)}</title></rect>'
    )


def _steps(scale: _Scale, points: Sequence[tuple[date, Decimal]]) -> str:
    """Across to a day, then up or down to its value; nothing is drawn where nothing changes."""
    (first, value), *more = points
    path = [f"M{shown(scale.x(first))} {shown(scale.y(value))}"]
    for on, new in more:
        if new != value:
            path.append(f"H{shown(scale.x(on))}V{shown(scale.y(new))}")
            value = new
    path.append(f"H{shown(scale.x(points[-1][0]))}")
    return "".join(path)


def bars_chart(ident: str, title: str, description: str, pairs: Sequence[Pair]) -> str:
    """For each pair two bars, planned and paid, stacked of principal, interest and fee."""
    if not pairs:
        return ""
    values = ticks(max(bar.split.total for pair in pairs for bar in (pair.planned, pair.paid)))
    scale = _Scale(date.min, date.max, values[-1], BARS)
    foot, room = TOP + BARS, (WIDTH - LEFT - RIGHT) / len(pairs)
    parts = list(_grid(scale, values))
    for number, pair in enumerate(pairs):
        middle = LEFT + room * number + room / 2
        parts += _bar(scale, middle - room * BAR_SHARE, room, pair.planned, "planned")
        parts += _bar(scale, middle, room, pair.paid, "paid")
        parts.append(label_at(middle, foot + 16, "middle", pair.label))
        parts.append(label_at(middle, foot + 31, "middle", pair.below, "label note"))
    return svg(ident, title, description, foot + BELOW, parts)


def _bar(scale: _Scale, x: Decimal, room: Decimal, bar: Bar, style: str) -> Iterator[str]:
    width, reached = room * BAR_SHARE - 3, ZERO
    for part in PARTS:
        amount: Decimal = getattr(bar.split, part)
        if amount <= 0:
            continue
        low, high = scale.y(reached), scale.y(reached + amount)
        yield (
            f'<rect class="bar {style} {part}" x="{shown(x + 1)}" y="{shown(high)}" '
            f'width="{shown(width)}" height="{shown(low - high)}">'
            f"<title>{style}: {part} {money(amount)}</title></rect>"
        )
        reached += amount
    yield label_at(
        x + 1 + width / 2, scale.y(reached) - 4, "middle", money(bar.amount), "label amount"
    )
