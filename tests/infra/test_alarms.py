"""Every alarm has a runbook, every runbook an alarm, and all look at what there is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.metrics import METRICS, NAMESPACE
from chalicelib.models.keys import QUEUES
from local.home import ROOT
from tools.aws import per_function
from tools.aws.stages import functions, stage
from tools.aws.templates import INFRA, read
from tools.dashboards.definitions import AWS_METRICS

RUNBOOKS = ROOT / "docs" / "operators" / "runbooks"
LINK = re.compile(r"Runbook: (docs/operators/runbooks/[a-z-]+\.md)$")
TEMPLATE: dict[str, Any] = read(INFRA / "alarms.yaml")
ALARMS: dict[str, dict[str, Any]] = {
    name: one["Properties"] for name, one in TEMPLATE["Resources"].items()
}


def name_of(alarm: dict[str, Any]) -> str:
    return str(alarm["AlarmName"]["Fn::Sub"]).removeprefix("${Prefix}-")


BESIDE_FUNCTIONS = [
    one["Properties"]
    for function in functions()
    for one in per_function.resources(stage("dev"), function).values()
    if one.get("Type") == "AWS::CloudWatch::Alarm"
]


def runbook(alarm: dict[str, Any]) -> str:
    found = LINK.search(alarm["AlarmDescription"])
    assert found, alarm["AlarmDescription"]
    return found[1]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_leads_to_its_runbook_and_tells_somebody(name: str) -> None:
    alarm = ALARMS[name]
    path = ROOT / runbook(alarm)
    assert path.is_file()
    text = path.read_text("utf-8")
    family = name_of(alarm)
    queue_or_job = re.sub(r"^.*?-(dead-letters|late)$", r"<queue>-\1", family)
    assert f"`{family}`" in text or f"`{queue_or_job}`" in text, "the runbook names its alarm"
    for actions in ("AlarmActions", "OKActions"):
        assert alarm[actions]["Fn::If"][:2] == ["HasTopic", [{"Ref": "AlarmTopicArn"}]]


def test_every_runbook_is_some_alarms_and_says_all_that_is_asked_of_it() -> None:
    linked = {runbook(alarm) for alarm in (*ALARMS.values(), *BESIDE_FUNCTIONS)}
    there = {path.relative_to(ROOT).as_posix() for path in RUNBOOKS.glob("*.md")}
    assert there == linked
    for path in RUNBOOKS.glob("*.md"):
        heads = " ".join(re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)).lower()
        for asked in (
            "what it means",
            "how to see it",
            "what to do",
            "how to know that it is over",
        ):
            assert asked in heads, f"{path.name}: {asked}"


def test_runbooks_lead_somewhere() -> None:
    for path in RUNBOOKS.glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_the_plots_that_runbooks_name_are_there() -> None:
    titles = {
        match
        for file in (INFRA / "dashboards").glob("*.json")
        for match in re.findall(r'\{"title": "([^"]+)"', file.read_text("utf-8"))
    }
    named = {"Operations": 0, "API": 0, "Cost": 0}
    for path in RUNBOOKS.glob("*.md"):
        text = " ".join(path.read_text("utf-8").split())
        for board in named:
            for group in re.findall(rf"Dashboard \*{board}\*: ((?:\*\*[^*]+\*\*[^*.]*)+)", text):
                for title in re.findall(r"\*\*([^*]+)\*\*", group):
                    assert title in titles, f"{path.name}: {title}"
                    named[board] += 1
    assert all(named.values())


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_looks_at_what_is_measured(name: str) -> None:
    alarm = ALARMS[name]
    dimensions = tuple(one["Name"] for one in alarm["Dimensions"])
    if alarm["Namespace"] != NAMESPACE:
        assert alarm["MetricName"] in AWS_METRICS[alarm["Namespace"]]
        return
    row = METRICS[alarm["MetricName"]]
    assert alarm["Dimensions"][0] == {"Name": "stage", "Value": {"Ref": "StageName"}}
    assert dimensions[1:] in (row.dimensions, *row.also)


def values(metric: str, dimension: str) -> set[str]:
    return {
        str(one["Value"])
        for alarm in ALARMS.values()
        if alarm["MetricName"] == metric
        for one in alarm["Dimensions"]
        if one["Name"] == dimension
    }


def test_every_queue_and_every_schedule_has_its_alarms() -> None:
    depths = values("ApproximateNumberOfMessagesVisible", "QueueName")
    ages = values("ApproximateAgeOfOldestMessage", "QueueName")
    assert depths == {str({"Fn::Sub": f"${{Prefix}}-{one}-dead"}) for one in QUEUES}
    assert ages == {str({"Fn::Sub": f"${{Prefix}}-{one}"}) for one in QUEUES}
    scheduled = {one.name for one in functions() if one.rate is not None}
    assert values("JobRuns", "function") == scheduled


def test_what_must_be_watched_is() -> None:
    asked = {"CloseLag", "LedgerMismatch", "KeyErrors", "OutboxAge", "ProviderFailing", "Requests",
             "WriteUnits", "ReadUnits", "ComputeGbSeconds", "AlarmsRaised"}  # fmt: skip
    assert asked <= {alarm["MetricName"] for alarm in ALARMS.values()}
    close = ALARMS["DailyCloseLate"]
    assert close["Threshold"] == {"Ref": "LatestClose"}
    assert TEMPLATE["Parameters"]["LatestClose"]["Default"] == 6 * 3600


def test_an_alarm_that_hears_nothing_of_a_schedule_rings() -> None:
    for name, alarm in ALARMS.items():
        silent = alarm["TreatMissingData"]
        assert silent == ("breaching" if name.endswith("Stands") else "notBreaching")
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 86_400
