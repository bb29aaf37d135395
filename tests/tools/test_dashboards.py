"""Dashboards show what is emitted and nothing else; the page here says the same as CloudWatch."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chalicelib import metrics
from chalicelib.metrics import METRICS, Recorder
from tools.aws import policies
from tools.aws.stages import functions, stage
from tools.aws.templates import INFRA, read
from tools.dashboards import charts, cloudformation, definitions, page, readings
from tools.dashboards.definitions import AWS_METRICS, Flawed, Shown, Widget, all_dashboards
from tools.dashboards.readings import Readings, Window


def alarmed() -> set[tuple[str, str]]:
    """Namespace and name of what alarms look at."""
    found = read(INFRA / "alarms.yaml")["Resources"].values()
    return {(one["Properties"]["Namespace"], one["Properties"]["MetricName"]) for one in found}


def test_every_metric_is_on_a_dashboard_or_an_alarm() -> None:
    watched = definitions.names_of(all_dashboards())
    watched |= {name for namespace, name in alarmed() if namespace == metrics.NAMESPACE}
    assert watched == set(METRICS)


def test_every_audience_sees_its_metrics() -> None:
    for one in all_dashboards():
        shown = definitions.names_of([one])
        own = {name for name, row in METRICS.items() if row.audience == one.name}
        assert own <= shown, f"{one.name} lacks {sorted(own - shown)}"


GOOD = {"title": "T", "about": "a", "view": "line", "stat": "Sum", "unit": "u"}


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": [{"metric": "Invented"}]},
        {"metrics": [{"metric": "LoansInBook"}]},
        {"metrics": [{"metric": "LoansInBook", "by": ["partner"]}]},
        {"metrics": [{"metric": "LoansOpened", "stat": "Total"}]},
        {"metrics": [{"aws": "AWS/SQS", "metric": "Invented", "each": "queues"}]},
        {"metrics": [{"aws": "AWS/SQS", "metric": "ApproximateAgeOfOldestMessage", "each": "x"}]},
        {"metrics": []},
        {"metrics": [{"metric": "ServerErrors", "by": ["route"]}, {"metric": "LoansOpened"}]},
        {"metrics": [{"metric": "LoansOpened"}], "view": "pie"},
        {"metrics": [{"metric": "LoansOpened"}], "colour": "red"},
        {"metrics": [{"metric": "LoansOpened"}], "width": 7},
    ],
)
def test_a_definition_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    definitions.widget({**GOOD, "metrics": [{"metric": "LoansOpened"}]})
    with pytest.raises((Flawed, TypeError)):
        definitions.widget({**GOOD, **change})


# --- CloudWatch -----------------------------------------------------------------------------------


def bodies() -> dict[str, Any]:
    """Each dashboard's JSON as CloudFormation would give it to CloudWatch."""
    values = {"StageName": "dev", "Prefix": "backbone-dev", "TableName": "t", "AWS::Region": "r"}
    found = {}
    for name, resource in read(cloudformation.TEMPLATE)["Resources"].items():
        text = resource["Properties"]["DashboardBody"]["Fn::Sub"]
        for key, value in values.items():
            text = text.replace(f"${{{key}}}", value)
        found[name] = json.loads(text.replace("${!", "${"))
    return found


def test_the_template_is_current_and_small_enough() -> None:
    assert cloudformation.is_current(), "run `make dashboards`"
    assert cloudformation.TEMPLATE.stat().st_size < cloudformation.LARGEST


def test_every_row_is_what_is_emitted_or_measured_by_aws() -> None:
    for name, body in bodies().items():
        widgets = [one for one in body["widgets"] if one["type"] == "metric"]
        assert widgets, name
        for one in widgets:
            for row in one["properties"]["metrics"]:
                _check(row)


def _check(row: list[Any]) -> None:
    if isinstance(row[0], dict):
        found = re.fullmatch(r"SEARCH\('\{([^,}]+),([^}]+)\} MetricName=\"(\w+)\".*\)",
                             row[0]["expression"])  # fmt: skip
        assert found, row
        namespace, names, metric = found.groups()
        dimensions = tuple(names.split(","))
    else:
        namespace, metric, *rest = row[:-1]
        dimensions = tuple(rest[::2])
        assert "${" not in json.dumps(rest)
    if namespace == metrics.NAMESPACE:
        known = METRICS[metric]
        assert dimensions[0] == "stage"
        assert dimensions[1:] in known.told_by, "CloudWatch has no such series"
    else:
        assert metric in AWS_METRICS[namespace]


def test_what_is_no_series_is_counted_in_the_logs_of_functions_that_are_there() -> None:
    groups = {policies.log_group(stage("dev"), one) for one in functions()}
    seen = set()
    for body in bodies().values():
        for one in (one for one in body["widgets"] if one["type"] == "log"):
            *sources, filtered, stats, _, _ = one["properties"]["query"].split(" | ")
            found = {re.fullmatch(r"SOURCE '([^']+)'", source)[1] for source in sources}  # type: ignore[index]
            assert found and found <= groups
            [name] = re.findall(r"^filter ispresent\((\w+)\)$", filtered)
            row = METRICS[name]
            assert row.in_log and stats.endswith(f" by {', '.join(row.dimensions)}")
            assert row.dimensions == ("route",) or found == groups, "any function may tell it"
            seen.add(name)
    assert seen == {name for name, row in METRICS.items() if row.in_log}


def test_plots_of_several_things_can_tell_them_apart() -> None:
    for body in bodies().values():
        for one in (one for one in body["widgets"] if one["type"] == "metric"):
            labels = [row[-1]["label"] for row in one["properties"]["metrics"] if len(row) > 1]
            assert len(set(labels)) == len(labels) and all(labels), one["properties"]["title"]


def test_widgets_do_not_overlap() -> None:
    for body in bodies().values():
        taken: set[tuple[int, int]] = set()
        for one in body["widgets"]:
            places = {
                (x, y)
                for x in range(one["x"], one["x"] + one["width"])
                for y in range(one["y"], one["y"] + one["height"])
            }
            assert not taken & places
            assert max(x for x, _ in places) < 24
            taken |= places


# --- the page here --------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Which tags there are, whether they close, and what is fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [str(known["id"])] if "id" in known else []
        self.fetched += [str(known[name]) for name in ("src", "href") if name in known]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [str(known["id"])] if "id" in known else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(path: Path) -> Readings:
    """A little of everything, through the real emitter."""
    lines: list[str] = []
    told = Recorder("laptop", lines.append)
    for row in METRICS.values():
        told.add(row, 2, **dict.fromkeys(row.dimensions, "<b>&word"))
    told.flush()
    sqs = {"Namespace": "AWS/SQS", "Dimensions": [["QueueName"]],
           "Metrics": [{"Name": "ApproximateNumberOfMessagesVisible"}]}  # fmt: skip
    stamp = {"Timestamp": json.loads(lines[0])["_aws"]["Timestamp"], "CloudWatchMetrics": [sqs]}
    for name in ("backbone-days", "backbone-days-dead"):
        line = {"_aws": stamp, "QueueName": name, "ApproximateNumberOfMessagesVisible": 3}
        lines.append(json.dumps(line))
    path.write_text("\n".join([*lines, "{torn", '{"message": "no metric"}']) + "\n")
    return readings.read([path.with_name("nothing"), path])


def test_the_page_stands_alone_and_shows_every_widget(tmp_path: Path) -> None:
    found = written(tmp_path / "metrics.jsonl")
    text = page.page(all_dashboards(), found, 24.0)
    outline = Outline(text)
    assert not outline.open
    assert len(set(outline.ids)) == len(outline.ids)
    assert all(one.startswith("#") for one in outline.fetched), "nothing is fetched"
    assert "<b>&word" not in text and "&lt;b&gt;&amp;word" in text
    own = [w for one in all_dashboards() for w in one.widgets if not all(m.aws for m in w.metrics)]
    assert text.count("<desc") >= len(own), "each has a plot"
    assert text.count("No data: only AWS measures this.") > 0
    assert "No data: nothing of this kind has happened." not in text


def test_a_page_of_nothing_says_so() -> None:
    text = page.page(all_dashboards(), Readings(), 24.0)
    assert "Nothing was measured yet" in text
    widgets = sum(len(one.widgets) for one in all_dashboards())
    assert text.count('class="empty"') == widgets


def test_fields_of_the_log_are_read_as_dimensions(tmp_path: Path) -> None:
    """Also from a line that says them as dimensions; each value once."""
    lines: list[str] = []
    told = Recorder("laptop", lines.append)
    told.add(metrics.REQUEST_LATENCY, 5, route="GET /loan")
    told.add(metrics.REQUEST_LATENCY, 9, route="GET /loan")
    told.flush()
    older = json.loads(lines[0])
    older["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["stage", "route"], ["stage"]]
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join([*lines, json.dumps(older)]))
    found = readings.read([path])
    window = found.window(24)
    assert window is not None
    [by_route] = found.series(Shown("RequestLatency", "SampleCount", by=("route",)), window)
    [in_all] = found.series(Shown("RequestLatency", "SampleCount", label="all"), window)
    assert (by_route.label, by_route.whole, in_all.whole) == ("GET /loan", 3, 3)


def test_queues_and_their_dead_letters_are_apart(tmp_path: Path) -> None:
    found = written(tmp_path / "metrics.jsonl")
    window = found.window(24)
    assert window is not None
    name = "ApproximateNumberOfMessagesVisible"
    for each in ("queues", "dead queues"):
        [one] = found.series(Shown(name, "Maximum", aws="AWS/SQS", each=each), window)
        assert (one.label, one.whole) == ("days", 3)


VALUES = [5.0, 1.0, 4.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("stat", "value"),
    [("Sum", 15), ("Average", 3), ("Maximum", 5), ("Minimum", 1), ("SampleCount", 5), ("p50", 3),
     ("p95", 5), ("p99", 5)],
)  # fmt: skip
def test_statistics(stat: str, value: float) -> None:
    assert readings.statistic(stat, VALUES) == value


def test_values_fall_into_their_steps() -> None:
    found = Readings()
    for at, value in ((100.0, 1.0), (104.9, 2.0), (105.0, 4.0), (500.0, 8.0)):
        reading = readings.Reading(at, "Backbone", "LoansOpened", {"stage": "x"}, (value,))
        found.by_metric["Backbone", "LoansOpened"].append(reading)
    window = found.window(24)
    assert window is not None and window.step == 10
    [one] = found.series(Shown("LoansOpened", "Sum"), window)
    assert [value for value in one.points if value is not None] == [7.0, 8.0]
    assert (one.whole, one.last, len(one.points)) == (15.0, 8.0, window.points)
    assert found.window(0.05) == Window(315.0, 500.001, 5) or found.window(0.05) is not None


@pytest.mark.parametrize(
    ("highest", "whole", "last"),
    [(0, True, 1), (1, True, 1), (3, True, 3), (7, True, 8), (0.3, False, 0.3), (999, True, 1000),
     (21600, True, 30000)],
)  # fmt: skip
def test_ticks_reach_the_highest_value(highest: float, whole: bool, last: float) -> None:
    found = charts.ticks(highest, whole)
    assert found[0] == 0 and found[-1] >= highest and len(found) <= 6
    assert found[-1] == pytest.approx(last, rel=0.5)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (0.25, "0.25"), (12434.7, "12,435"), (250_000, "250.0k"), (5e6, "5.0M")],
)
def test_numbers_for_people(value: float, text: str) -> None:
    assert charts.number(value) == text


@pytest.mark.parametrize("view", definitions.VIEWS)
def test_each_kind_of_plot_is_drawn_inside_its_frame(view: str) -> None:
    points = (1.0, None, 3.0, 2.0, None)
    series = [readings.Series(f"s{n}", "Sum", points, 6.0) for n in range(10)]
    shown = tuple(Shown("LoansOpened", "Sum") for _ in series)
    widget = Widget("T", "a", view, "u", shown, mark=2)
    drawn = charts.chart("x", widget, series, Window(0.0, 5.0, 1))
    assert "nan" not in drawn.lower()
    numbers = [float(one) for one in re.findall(r'(?:x|cx)="(-?[\d.]+)"', drawn)]
    assert min(numbers) >= 0 and max(numbers) <= 480
