"""The dashboards of ``infra/dashboards/*.json``, read and checked.

A widget's metric is a row of ``chalicelib/metrics.py``, told apart ``by`` some of its dimensions,
or one of AWS's own (:data:`AWS_METRICS`), for ``each`` thing of a stage that it is measured for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.metrics import METRICS
from chalicelib.models.keys import QUEUES

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "infra" / "dashboards"
NAMES = ("business", "operations", "api", "cost")
VIEWS = ("line", "area", "bars", "beside")
STATISTIC = re.compile(r"Sum|Average|Maximum|Minimum|SampleCount|p[0-9]{2}")
EDGE_RULES = ("one-key", "one-address", "large-body", "known-bad", "reputation")
PERIOD_SECONDS, WIDTH, WHOLE_WIDTH = 300, 8, 24

AWS_METRICS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AWS/SQS": {
        "ApproximateNumberOfMessagesVisible": ("queues", "dead queues"),
        "ApproximateAgeOfOldestMessage": ("queues", "dead queues"),
    },
    "AWS/Lambda": {
        "Errors": ("functions",),
        "Throttles": ("functions",),
        "Invocations": ("functions",),
        "Duration": ("functions",),
    },
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits": ("table",),
        "ConsumedWriteCapacityUnits": ("table",),
        "ReadThrottleEvents": ("table",),
        "WriteThrottleEvents": ("table",),
    },
    "AWS/ApiGateway": {
        "Count": ("gateway",),
        "4XXError": ("gateway",),
        "5XXError": ("gateway",),
        "Latency": ("gateway",),
    },
    "AWS/WAFV2": {"BlockedRequests": ("edge rules",)},
}
"""What AWS measures by itself, and for which things of a stage it is shown."""


class Flawed(Exception):
    """A definition cannot be; says where and why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One metric of a widget.  ``aws`` is AWS's namespace, ``each`` what it is measured for."""

    metric: str
    stat: str
    by: tuple[str, ...] = ()
    label: str = ""
    aws: str = ""
    each: str = ""

    @property
    def in_log(self) -> bool:
        """Whether CloudWatch has no series of it: it is counted in the functions' logs."""
        return not self.aws and self.by not in METRICS[self.metric].told_by


@dataclass(frozen=True, slots=True)
class Widget:
    """One plot.  ``mark`` is a value at which a line is drawn; ``period`` in seconds."""

    title: str
    about: str
    view: str
    unit: str
    metrics: tuple[Shown, ...]
    width: int = WIDTH
    period: int = PERIOD_SECONDS
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page for one audience."""

    name: str
    title: str
    about: str
    widgets: tuple[Widget, ...]


def all_dashboards(folder: Path = FOLDER) -> list[Dashboard]:
    """Every dashboard, in order; :class:`Flawed` for the first mistake."""
    return [read(folder / f"{name}.json") for name in NAMES]


def read(path: Path) -> Dashboard:
    """One dashboard."""
    found = json.loads(path.read_text("utf-8"))
    try:
        widgets = tuple(widget(each) for each in found["widgets"])
        return Dashboard(path.stem, found["title"], found["about"], widgets)
    except (KeyError, TypeError, Flawed) as error:
        raise Flawed(f"{path.name}: {error}") from None


def widget(found: Mapping[str, Any]) -> Widget:
    """One widget of a definition."""
    where = str(found["title"])
    unknown = set(found) - {"title", "about", "view", "stat", "unit", "metrics"}
    unknown -= {"width", "period", "mark"}
    if unknown or found["view"] not in VIEWS:
        raise Flawed(f"{where}: {sorted(unknown) or found['view']} is not known")
    more = {name: int(found[name]) for name in ("width", "period", "mark") if name in found}
    metrics = tuple(_shown(where, found["stat"], each) for each in found["metrics"])
    made = Widget(where, found["about"], found["view"], found["unit"], metrics, **more)
    if not metrics or WHOLE_WIDTH % made.width or made.period % 60:
        raise Flawed(f"{where}: no metrics, or a width or a period that cannot be")
    if len(metrics) > 1 and any(one.in_log for one in metrics):
        raise Flawed(f"{where}: what is counted in the log has a plot of its own")
    return made


def _shown(where: str, stat: str, found: Mapping[str, Any]) -> Shown:
    shown = Shown(**{**found, "by": tuple(found.get("by", ())), "stat": found.get("stat", stat)})
    if not STATISTIC.fullmatch(shown.stat):
        raise Flawed(f"{where}: {shown.stat} is no statistic")
    if shown.aws:
        if shown.each not in AWS_METRICS.get(shown.aws, {}).get(shown.metric, ()):
            raise Flawed(f"{where}: {shown.aws} {shown.metric} for each of {shown.each!r}")
        return shown
    row = METRICS.get(shown.metric)
    if row is None:
        raise Flawed(f"{where}: chalicelib/metrics.py has no {shown.metric}")
    if shown.by not in (row.dimensions, *row.also):
        raise Flawed(f"{where}: {shown.metric} is not told by {shown.by}")
    return shown


def things(each: str) -> Iterator[tuple[dict[str, str], str]]:
    """Dimensions of each thing that AWS measures (names are CloudFormation's), and its label.

    A thing of which there is one has none.
    """
    if each == "queues":
        yield from (({"QueueName": f"${{Prefix}}-{one}"}, one) for one in QUEUES)
    elif each == "dead queues":
        yield from (({"QueueName": f"${{Prefix}}-{one}-dead"}, one) for one in QUEUES)
    elif each == "table":
        yield {"TableName": "${TableName}"}, ""
    elif each == "gateway":
        yield {"ApiName": "backbone-${StageName}"}, ""
    elif each == "edge rules":
        named = {"WebACL": "${Prefix}-edge", "Region": "${AWS::Region}"}
        yield from (({**named, "Rule": one}, one) for one in EDGE_RULES)


def names_of(dashboards: list[Dashboard]) -> set[str]:
    """Our own metrics that are on some dashboard."""
    return {
        shown.metric
        for one in dashboards
        for widget in one.widgets
        for shown in widget.metrics
        if not shown.aws
    }
