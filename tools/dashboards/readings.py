"""The laptop stack's metrics (``.local/metrics.jsonl``) as series for a widget's metrics."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.metrics import METRICS, NAMESPACE, STAGE
from chalicelib.usecases.measuring import IN_BOOK
from tools.dashboards.definitions import Shown

#: How long a point may stand for, in seconds; the shortest that leaves no more points than these.
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400)
MOST_POINTS = 72
NAMED_BY = {
    "AWS/SQS": "QueueName",
    "AWS/Lambda": "FunctionName",
    "AWS/WAFV2": "Rule",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """Values of one metric at an instant (seconds since 1970), by one set of its dimensions."""

    at: float
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a page shows, in steps; both ends in seconds since 1970."""

    first: float
    last: float
    step: int

    @property
    def points(self) -> int:
        """How many steps there are."""
        return max(1, math.ceil((self.last - self.first) / self.step))

    def place(self, at: float) -> int | None:
        """The step that an instant falls in."""
        if not self.first <= at <= self.last:
            return None
        return min(int((at - self.first) // self.step), self.points - 1)


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one colour of a plot: a value or nothing for each step, and all values as one."""

    label: str
    stat: str
    points: tuple[float | None, ...]
    whole: float

    @property
    def last(self) -> float:
        """The newest value."""
        return next((one for one in reversed(self.points) if one is not None), 0.0)


@dataclass(slots=True)
class Readings:
    """All that was read, by metric."""

    lines: int = 0
    by_metric: dict[tuple[str, str], list[Reading]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def window(self, hours: float) -> Window | None:
        """The last ``hours`` before the newest reading; ``None`` if there is nothing."""
        instants = [one.at for found in self.by_metric.values() for one in found]
        if not instants:
            return None
        last = max(instants)
        first = max(min(instants), last - hours * 3600)
        span = max(last - first, 1.0)
        step = next((one for one in STEPS if span / one <= MOST_POINTS), STEPS[-1])
        return Window(first // step * step, last + 0.001, step)

    def series(self, shown: Shown, window: Window) -> list[Series]:
        """What a widget's metric shows: one series for each value of what it is told by."""
        groups: dict[str, list[tuple[int, tuple[float, ...]]]] = defaultdict(list)
        for one in self.by_metric.get((shown.aws or NAMESPACE, shown.metric), ()):
            label, place = _label(shown, one.dimensions), window.place(one.at)
            if label is not None and place is not None:
                groups[label].append((place, one.values))
        labels = sorted(groups, key=_order)
        return [_series(label, shown.stat, groups[label], window) for label in labels]


def _order(label: str) -> tuple[int, str]:
    """A loan's statuses as they get worse, all else by name."""
    return (IN_BOOK.index(label) if label in IN_BOOK else len(IN_BOOK), label)


def read(paths: Iterable[Path]) -> Readings:
    """Read files of metric lines, oldest file first; what is no such line is passed over."""
    found = Readings()
    for path in paths:
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    _take(found, line)
    return found


def _take(found: Readings, line: str) -> None:
    try:
        document = json.loads(line)
        for one in _readings(document):
            found.by_metric[one.namespace, one.name].append(one)
        found.lines += 1
    except (ValueError, KeyError, TypeError):
        return


def _readings(document: Mapping[str, Any]) -> Iterator[Reading]:
    at = document["_aws"]["Timestamp"] / 1000
    for about in document["_aws"]["CloudWatchMetrics"]:
        for metric in about["Metrics"]:
            value = document[metric["Name"]]
            values = tuple(value) if isinstance(value, list) else (value,)
            for names in _told_by(metric["Name"], about):
                named = {name: str(document[name]) for name in names}
                yield Reading(at, about["Namespace"], metric["Name"], named, values)


def _told_by(metric: str, about: Mapping[str, Any]) -> list[list[str]]:
    """The sets of dimensions in a line; the fields of a metric that is in the log are one more."""
    found: list[list[str]] = about["Dimensions"]
    row = METRICS.get(metric) if about["Namespace"] == NAMESPACE else None
    fields = [STAGE, *row.dimensions] if row is not None and row.in_log else None
    return found if fields is None or fields in found else [*found, fields]


def _label(shown: Shown, named: Mapping[str, str]) -> str | None:
    """What a reading is called in a plot; ``None`` if it is not of what is shown."""
    if shown.aws:
        value = named.get(NAMED_BY.get(shown.aws, ""), shown.metric)
        dead = value.endswith("-dead")
        if shown.aws == "AWS/SQS" and dead != (shown.each == "dead queues"):
            return None
        return (
            value.removeprefix("backbone-").removesuffix("-dead")
            if not shown.label
            else shown.label
        )
    if set(named) != {STAGE, *shown.by}:
        return None
    return (shown.label + " → ".join(named[name] for name in shown.by)) or shown.metric


def _series(
    label: str, stat: str, found: Sequence[tuple[int, tuple[float, ...]]], window: Window
) -> Series:
    steps: list[list[float]] = [[] for _ in range(window.points)]
    for place, values in found:
        steps[place] += values
    points = tuple(statistic(stat, values) if values else None for values in steps)
    return Series(label, stat, points, statistic(stat, [one for step in steps for one in step]))


def statistic(stat: str, values: Sequence[float]) -> float:
    """What CloudWatch makes of a period's values, of which there is at least one."""
    if stat.startswith("p"):
        ordered = sorted(values)
        return ordered[max(0, math.ceil(len(ordered) * int(stat[1:]) / 100) - 1)]
    return _STATISTICS[stat](values)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": _mean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": lambda values: float(len(values)),
}
