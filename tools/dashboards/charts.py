"""Plots as SVG: lines, areas and bars over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import groupby

from tools.dashboards.definitions import Widget
from tools.dashboards.readings import Series, Window

COLUMN, HEIGHT = 60, 200  # of a widget's width; of all
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 24
COLOURS = 8
MOST_TICKS = 4
FACTORS = (1, 2, 5, 10)
SIZES = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e5, 1e3, "k"))


@dataclass(frozen=True, slots=True)
class Scale:
    """From steps and values to coordinates."""

    width: int
    window: Window
    top: float

    def x(self, place: float) -> float:
        """Where a step begins."""
        return LEFT + (self.width - LEFT - RIGHT) * place / self.window.points

    def y(self, value: float) -> float:
        """How high a value is."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top)


def ticks(highest: float, whole: bool) -> list[float]:
    """Round values from zero up to the first that is not below ``highest``; ``whole`` numbers."""
    if highest <= 0:
        return [0.0, 1.0]
    step = 1.0 if whole else 1e-6
    while step * 10 * MOST_TICKS < highest:
        step *= 10
    step *= next(one for one in FACTORS if step * one * MOST_TICKS >= highest)
    found = [0.0]
    while found[-1] < highest - step / 1e6:
        found.append(found[-1] + step)
    return found


def number(value: float) -> str:
    """A value for people: ``124.3k``, ``12,434.7``, ``3``, ``0.25``."""
    for least, size, letter in SIZES:
        if abs(value) >= least:
            return f"{value / size:,.1f}{letter}"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def clock(at: float, window: Window) -> str:
    """A time of day, as exact as the window asks for."""
    long = window.last - window.first > 86_400
    pattern = "%d %b %H:%M" if long else "%H:%M:%S" if window.step < 60 else "%H:%M"
    return datetime.fromtimestamp(at, UTC).strftime(pattern)


def chart(ident: str, widget: Widget, series: Sequence[Series], window: Window) -> str:
    """The drawing of a widget; its series have the colours of their places in the list."""
    known = [value for one in series for value in one.points if value is not None]
    whole = all(value == int(value) for value in known)
    values = ticks(_highest(series, widget.view in ("area", "bars")), whole)
    scale = Scale(COLUMN * widget.width, window, values[-1])
    parts = [*_grid(scale, values), *_times(scale)]
    if widget.mark is not None and widget.mark <= scale.top:
        y = scale.y(widget.mark)
        parts.append(f'<path class="mark" d="M{LEFT} {y:.1f}H{scale.width - RIGHT}"/>')
    parts += DRAWN[widget.view](scale, series)
    told = "; ".join(f"{one.label}: {number(one.whole)}" for one in series)
    return (
        f'<svg role="img" aria-labelledby="{ident}-t {ident}-d" '
        f'viewBox="0 0 {scale.width} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{ident}-t">{escape(widget.title)}</title>'
        f'<desc id="{ident}-d">{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def _highest(series: Sequence[Series], stacked: bool) -> float:
    columns = zip(*(one.points for one in series), strict=True)
    together = sum if stacked else max
    return max((together([value or 0.0 for value in one]) for one in columns), default=0.0)


def _grid(scale: Scale, values: Sequence[float]) -> Iterator[str]:
    for value in values:
        y = scale.y(value)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{scale.width - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'


def _times(scale: Scale) -> Iterator[str]:
    window = scale.window
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = clock(window.first + window.points * window.step * share, window)
        x = scale.x(window.points * share)
        yield f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{at}</text>'


def _bars(scale: Scale, series: Sequence[Series]) -> Iterator[str]:
    """One on top of the other."""
    width = max(1.0, scale.x(1) - scale.x(0) - 1)
    reached = [0.0] * scale.window.points
    for place, one in enumerate(series):
        for step, value in enumerate(one.points):
            if value:
                yield _bar(scale, place, one, step, (scale.x(step), width), reached[step])
                reached[step] += value


def _beside(scale: Scale, series: Sequence[Series]) -> Iterator[str]:
    """Side by side, for what is not part of one whole."""
    width = max(1.0, (scale.x(1) - scale.x(0) - 1) / len(series))
    for place, one in enumerate(series):
        for step, value in enumerate(one.points):
            if value:
                yield _bar(scale, place, one, step, (scale.x(step) + place * width, width), 0.0)


def _colour(place: int) -> str:
    """The colour of a series: behind the eighth they come again, paler, as in the legend."""
    return f"c{place % COLOURS} k{place // COLOURS}"


def _bar(
    scale: Scale, place: int, one: Series, step: int, across: tuple[float, float], low: float
) -> str:
    value, window = one.points[step] or 0.0, scale.window
    foot, head = scale.y(low), scale.y(low + value)
    tip = f"{clock(window.first + step * window.step, window)} {one.label}: {number(value)}"
    return (
        f'<rect class="{_colour(place)}" x="{across[0]:.1f}" y="{head:.1f}" '
        f'width="{across[1]:.1f}" height="{max(foot - head, 1.0):.1f}">'
        f"<title>{escape(tip)}</title></rect>"
    )


def _lines(scale: Scale, series: Sequence[Series]) -> Iterator[str]:
    """From step to step; where a step has no value the line has a gap, and a lone one is a dot."""
    for place, one in enumerate(series):
        for known, steps in groupby(enumerate(one.points), lambda pair: pair[1] is not None):
            if not known:
                continue
            points = [(scale.x(step + 0.5), scale.y(value or 0.0)) for step, value in steps]
            if len(points) == 1:
                [(x, y)] = points
                drawn = f'<circle class="{_colour(place)}" cx="{x:.1f}" cy="{y:.1f}" r="2.5">'
                yield f"{drawn}<title>{escape(one.label)}</title></circle>"
                continue
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            style = f"line l{place % COLOURS} d{place // COLOURS % 3}"
            yield f'<path class="{style}" d="M{path}"><title>{escape(one.label)}</title></path>'


def _areas(scale: Scale, series: Sequence[Series]) -> Iterator[str]:
    """Stacked; a value holds until the next one, as that of a gauge does."""
    below = [0.0] * scale.window.points
    for place, one in enumerate(series):
        values = _held(one.points)
        above = [low + value for low, value in zip(below, values, strict=True)]
        if any(values):
            path = _outline(scale, above, below)
            title = f"<title>{escape(one.label)}</title>"
            yield f'<path class="{_colour(place)}" d="{path}">{title}</path>'
        below = above


def _outline(scale: Scale, above: Sequence[float], below: Sequence[float]) -> str:
    """Along the upper edge and back along the lower one, in steps."""
    forth = [(step + end, value) for step, value in enumerate(above) for end in (0, 1)]
    back = [(step + end, value) for step, value in enumerate(below) for end in (0, 1)]
    points = [key for key, _ in groupby([*forth, *reversed(back)])]
    return "M" + "L".join(f"{scale.x(x):.1f} {scale.y(y):.1f}" for x, y in points) + "Z"


def _held(points: Sequence[float | None]) -> list[float]:
    found: list[float] = []
    last = 0.0
    for value in points:
        last = last if value is None else value
        found.append(last)
    return found


DRAWN: Mapping[str, Callable[[Scale, Sequence[Series]], Iterator[str]]] = {
    "line": _lines,
    "area": _areas,
    "bars": _bars,
    "beside": _beside,
}
