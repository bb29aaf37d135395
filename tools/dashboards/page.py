"""The dashboards as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from tools.dashboards.charts import COLOURS, chart, number
from tools.dashboards.definitions import Dashboard, Shown, Widget
from tools.dashboards.readings import Readings, Series, Window

STYLE = Path(__file__).parent / "style.css"
MOST_SERIES = 12
WORDS = {
    "Sum": "in all",
    "Maximum": "at most",
    "Average": "on average",
    "SampleCount": "in all",
}


def page(dashboards: Sequence[Dashboard], readings: Readings, hours: float) -> str:
    """The page's HTML."""
    window = readings.window(hours)
    links = "".join(f'<li><a href="#{one.name}">{one.title}</a></li>' for one in dashboards)
    sections = "".join(_section(one, readings, window) for one in dashboards)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Backbone: dashboards of this machine</title>"
        f"<style>{STYLE.read_text('utf-8')}</style></head><body>"
        f"<header><h1>Backbone: dashboards of this machine</h1><p>{_span(readings, window)}</p>"
        f"<nav><ul>{links}</ul></nav></header><main>{sections}</main></body></html>\n"
    )


def _span(readings: Readings, window: Window | None) -> str:
    if window is None:
        return "Nothing was measured yet: <code>make run</code>, or <code>make demo</code>, first."
    first, last = (datetime.fromtimestamp(at, UTC) for at in (window.first, window.last))
    return (
        f"{first:%-d %B %Y, %H:%M:%S} to {last:%-d %B %Y, %H:%M:%S} UTC, real time, in steps of "
        f"{_words(window.step)}; {readings.lines:,} lines of <code>.local/metrics.jsonl</code>. "
        "The same definitions make the dashboards in CloudWatch."
    )


def _words(seconds: int) -> str:
    for size, noun in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            many = seconds // size
            return f"{many} {noun}{'s' if many > 1 else ''}"
    raise AssertionError("a step is whole seconds")


def _section(dashboard: Dashboard, readings: Readings, window: Window | None) -> str:
    cards = "".join(
        _card(f"{dashboard.name}-{place}", one, readings, window)
        for place, one in enumerate(dashboard.widgets)
    )
    return (
        f'<section id="{dashboard.name}"><h2>{escape(dashboard.title)}</h2>'
        f'<p class="about">{escape(dashboard.about)}</p><div class="cards">{cards}</div></section>'
    )


def _card(ident: str, widget: Widget, readings: Readings, window: Window | None) -> str:
    found = shown_series(widget, readings, window) if window else []
    head = (
        f'<article class="w{widget.width}" id="{ident}"><h3>{escape(widget.title)}'
        f' <span class="unit">{escape(widget.unit)}</span></h3><p>{escape(widget.about)}</p>'
    )
    if not found or window is None:
        return f'{head}<p class="empty">{_why_empty(widget)}</p></article>'
    legend = _legend(found, widget.view == "area")
    return f"{head}{chart(ident, widget, found, window)}{legend}</article>"


def _why_empty(widget: Widget) -> str:
    if all(one.aws for one in widget.metrics):
        return "No data: only AWS measures this."
    return "No data: nothing of this kind has happened."


def shown_series(widget: Widget, readings: Readings, window: Window) -> list[Series]:
    """The widget's series, the largest first where there are many; the smallest are left out."""
    found = [one for shown in widget.metrics for one in readings.series(shown, window)]
    if widget.view in ("bars", "beside") and not any(one.whole for one in found):
        return found[:1] if found and _counts(widget.metrics) else []
    if len(found) > MOST_SERIES:
        found = sorted(found, key=lambda one: one.whole, reverse=True)[:MOST_SERIES]
    return found


def _counts(metrics: Sequence[Shown]) -> bool:
    """Whether a plot of nothing but zeros says something: it was looked, and there was none."""
    return all(not one.by for one in metrics)


def _legend(series: Sequence[Series], is_gauge: bool) -> str:
    return f'<ul class="legend">{"".join(_entries(series, is_gauge))}</ul>'


def _entries(series: Sequence[Series], is_gauge: bool) -> Iterator[str]:
    for place, one in enumerate(series):
        words = "now" if is_gauge else WORDS.get(one.stat, one.stat)
        value = one.last if is_gauge else one.whole
        yield (
            f'<li><svg class="key" viewBox="0 0 12 12" aria-hidden="true">'
            f'<rect class="c{place % COLOURS} k{place // COLOURS}" width="12" height="12"/></svg>'
            f"{escape(one.label)} <b>{number(value)}</b> <i>{escape(words)}</i></li>"
        )
