"""The page of a running stack shows what has just happened on it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.request import urlopen

from local.home import Home
from local.metrics_file import MetricsFile
from tests.stack import Stack, until
from tools.dashboards import page, readings
from tools.dashboards.definitions import all_dashboards


def test_requests_runs_and_queues_of_a_stack_are_on_it(stack: Stack, tmp_path: Path) -> None:
    with urlopen(f"{stack.url}/healthz") as answer:
        assert answer.status == 200
    file = MetricsFile.of(Home(stack.directory))

    def found() -> readings.Readings:
        return readings.read((file.older, file.path))

    names = {
        ("Backbone", "Requests"),
        ("Backbone", "JobRuns"),
        ("Backbone", "ReadUnits"),
        ("Backbone", "CloseLag"),
        ("AWS/Lambda", "Invocations"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    }
    until(lambda: names <= set(found().by_metric), 60)
    assert not stack.log("api").count('"_aws"'), "they are in the file, not in the log"
    now = found()
    latencies = now.by_metric["Backbone", "RequestLatency"]
    routes = {route for one in latencies if (route := one.dimensions.get("route"))}
    assert "GET /healthz" in routes
    text = page.page(all_dashboards(), now, 24.0)
    shown = [route for route in routes if escape(route) in text]
    enough = min(len(routes), page.MOST_SERIES)
    assert len(shown) >= enough, "other stories ran on this stack too: the slowest routes are shown"
    assert "close_days" in text
