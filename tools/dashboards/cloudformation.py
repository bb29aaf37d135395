"""``infra/dashboards.yaml``: the same dashboards as CloudWatch shows them."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.metrics import NAMESPACE, STAGE
from tools.aws.stages import HTTP, document
from tools.dashboards.definitions import (
    ROOT,
    WHOLE_WIDTH,
    Dashboard,
    Shown,
    Widget,
    all_dashboards,
    things,
)

TEMPLATE = ROOT / "infra" / "dashboards.yaml"
LARGEST = 51_200  # bytes of a template that CloudFormation takes without a bucket
HEIGHT, HEADING = 6, 2
MOST_ROWS, PERCENTILES = 40, (50, 95, 99)
VIEWS = {
    "line": ("timeSeries", False),
    "area": ("timeSeries", True),
    "bars": ("timeSeries", True),
    "beside": ("timeSeries", False),
}

_HEAD = """\
# Written by `make dashboards` from infra/dashboards/*.json: change those.
AWSTemplateFormatVersion: "2010-09-09"
Description: A stage's dashboards, one for each audience.

Parameters:
  StageName:
    Type: String
  Prefix:
    Type: String
    Description: What the stage's names begin with, as its queues' do.
  TableName:
    Type: String

Resources:
"""


def template(dashboards: list[Dashboard]) -> str:
    """The template's text."""
    parts = [_HEAD]
    for one in dashboards:
        parts.append(
            f"  {one.title}:\n"
            "    Type: AWS::CloudWatch::Dashboard\n"
            "    Properties:\n"
            f'      DashboardName: !Sub "${{Prefix}}-{one.name}"\n'
            "      DashboardBody: !Sub |\n"
        )
        parts += [f"        {line}\n" for line in body(one)]
    return "".join(parts)


def body(dashboard: Dashboard) -> list[str]:
    """The dashboard's JSON, a widget a line; names are CloudFormation's (``Fn::Sub``)."""
    widgets: list[dict[str, Any]] = [
        {
            "type": "text",
            "x": 0,
            "y": 0,
            "width": WHOLE_WIDTH,
            "height": HEADING,
            "properties": {"markdown": f"# {dashboard.title}: ${{StageName}}\n{dashboard.about}"},
        }
    ]
    x, y = 0, HEADING
    for one in dashboard.widgets:
        if x + one.width > WHOLE_WIDTH:
            x, y = 0, y + HEIGHT
        place = {"x": x, "y": y, "width": one.width, "height": HEIGHT}
        kind, properties = (
            ("log", _table(one)) if one.metrics[0].in_log else ("metric", _properties(one))
        )
        widgets.append({"type": kind, **place, "properties": properties})
        x += one.width
    lines = [json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in widgets]
    return [
        '{"widgets":[',
        *(f"{line}," for line in lines[:-1]),
        lines[-1],
        "]}",
    ]


def _table(widget: Widget) -> dict[str, Any]:
    """A query of Logs Insights, over what is a field of the metrics' lines and no dimension."""
    [shown] = widget.metrics
    functions = [HTTP] if shown.by == ("route",) else sorted(document()["lambda_functions"])
    sources = " | ".join(f"SOURCE '/backbone/${{StageName}}/{name}'" for name in functions)
    columns, order = _columns(shown)
    query = (
        f"filter ispresent({shown.metric}) | stats {columns} by {', '.join(shown.by)} "
        f"| sort {order} desc | limit {MOST_ROWS}"
    )
    title = f"{widget.title} ({widget.unit})"
    place = {"title": title, "region": "${AWS::Region}", "view": "table"}
    return {**place, "query": f"{sources} | {query}"}


def _columns(shown: Shown) -> tuple[str, str]:
    """What is counted of each, and which of it comes first."""
    if shown.stat.startswith("p"):
        each = (f"pct({shown.metric}, {number}) as p{number}" for number in PERCENTILES)
        return ", ".join(("count(*) as times", *each)), shown.stat
    if shown.stat == "SampleCount":
        return "count(*) as times", "times"
    return f"sum({shown.metric}) as total", "total"


def _properties(widget: Widget) -> dict[str, Any]:
    view, stacked = VIEWS[widget.view]
    found: dict[str, Any] = {
        "title": widget.title,
        "region": "${AWS::Region}",
        "view": view,
        "stacked": stacked,
        "period": widget.period,
        "metrics": [
            row
            for number, shown in enumerate(widget.metrics)
            for row in _rows(shown, widget.period, number)
        ],
        "yAxis": {"left": {"label": widget.unit, "min": 0, "showUnits": False}},
    }
    if widget.mark is not None:
        found["annotations"] = {"horizontal": [{"value": widget.mark, "label": "alarm"}]}
    return found


def _rows(shown: Shown, period: int, number: int) -> list[list[Any]]:
    """The rows of a widget: a metric by its dimensions, or a search for all their values."""
    if shown.aws == "AWS/Lambda":
        # CloudFormation names the functions; their names begin with their stack's.
        search = (
            f'SEARCH(\'{{{shown.aws},FunctionName}} MetricName="{shown.metric}" '
            f"backbone ${{StageName}}', '{shown.stat}', {period})"
        )
        return [[{"expression": search, "id": f"e{number}", "label": ""}]]
    if shown.aws:
        return [
            [
                shown.aws,
                shown.metric,
                *(part for pair in named.items() for part in pair),
                {"label": f"{shown.label}{label}" or shown.metric, "stat": shown.stat},
            ]
            for named, label in things(shown.each)
        ]
    if not shown.by:
        more = {"label": shown.label or shown.metric, "stat": shown.stat}
        return [[NAMESPACE, shown.metric, STAGE, "${StageName}", more]]
    search = (
        f"SEARCH('{{{NAMESPACE},{','.join((STAGE, *shown.by))}}} "
        f'MetricName="{shown.metric}" {STAGE}="${{StageName}}"\', \'{shown.stat}\', {period})'
    )
    label = shown.label + " → ".join(f"${{!PROP('Dim.{name}')}}" for name in shown.by)
    return [[{"expression": search, "id": f"e{number}", "label": label}]]


def write() -> None:
    """Write the template."""
    TEMPLATE.write_text(template(all_dashboards()), "utf-8")


def is_current() -> bool:
    """Whether the committed template is what the definitions say."""
    present = TEMPLATE.read_text("utf-8") if TEMPLATE.exists() else ""
    return present == template(all_dashboards())
