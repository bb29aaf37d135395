"""What is emitted: lines of the embedded metric format, from rows of the table only, harmlessly."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import metrics, watching
from chalicelib.handlers.http import Backbone
from chalicelib.integrations.transport import Attempt
from chalicelib.metrics import METRICS, Recorder
from chalicelib.runtime import Runtime, use
from local.events import scheduled_event
from local.home import ROOT

SOME_ID = "4a24984b-19c2-4f3d-b3fc-6916d959f74b"


def recorder() -> tuple[Recorder, list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    return Recorder("dev", write=lambda line: lines.append(json.loads(line))), lines


def about(line: dict[str, Any]) -> dict[str, Any]:
    [found] = line["_aws"]["CloudWatchMetrics"]
    return dict(found)


def test_a_sum_is_one_value_in_one_line() -> None:
    told, lines = recorder()
    told.add(metrics.DISBURSED_AMOUNT, Decimal("0.10"), currency="GBP")
    told.add(metrics.DISBURSED_AMOUNT, Decimal("0.20"), currency="GBP")
    told.flush()
    [line] = lines
    assert line["DisbursedAmount"] == [0.3], "added up exactly, and only then made a number"
    assert about(line)["Namespace"] == "Backbone"
    assert about(line)["Dimensions"] == [["stage", "currency"]]
    assert (line["stage"], line["currency"]) == ("dev", "GBP")
    told.flush()
    assert len(lines) == 1, "told once"


def test_values_are_kept_one_by_one_and_a_gauge_is_the_last() -> None:
    told, lines = recorder()
    for value in (3, 1, 2):
        told.add(metrics.WEBHOOK_DELAY, value)
        told.add(metrics.CLOSE_LAG, value)
    told.flush()
    by_name = {name: line[name] for line in lines for name in METRICS if name in line}
    assert by_name == {"WebhookDelay": [3.0, 1.0, 2.0], "CloseLag": [2.0]}


def test_what_has_many_values_is_a_field_of_the_line_and_no_series() -> None:
    """Each series has a price a month; fields are counted by Logs Insights, a number a line."""
    told, lines = recorder()
    for value in (3, 1):
        told.add(metrics.REQUEST_LATENCY, value, route="GET /loan/{pk}")
    told.add(metrics.PROVIDER_LATENCY, 7, provider="gocardless", operation="POST /payments")
    told.flush()
    latencies = [line for line in lines if "RequestLatency" in line]
    assert [line["RequestLatency"] for line in latencies] == [3.0, 1.0]
    for line in latencies:
        assert about(line)["Dimensions"] == [["stage"]]
        assert (line["stage"], line["route"]) == ("dev", "GET /loan/{pk}")
    [call] = [line for line in lines if "ProviderLatency" in line]
    assert about(call)["Dimensions"] == [["stage", "provider"]]
    assert (call["provider"], call["operation"]) == ("gocardless", "POST /payments")


def test_every_metric_is_told_by_something() -> None:
    assert all(row.told_by for row in METRICS.values())
    assert not any(row.how == metrics.GAUGE for row in METRICS.values() if row.in_log), (
        "the last of several values of one field would be lost"
    )


def test_many_values_take_several_lines() -> None:
    told, lines = recorder()
    for value in range(250):
        told.add(metrics.WEBHOOK_DELAY, value)
    told.flush()
    assert [len(line["WebhookDelay"]) for line in lines] == [90, 90, 70]
    values = [one for line in lines for one in line["WebhookDelay"]]
    assert values == [float(n) for n in range(250)]


def test_what_is_not_in_the_table_is_lost_and_said() -> None:
    lines: list[str] = []
    said: list[str] = []
    logger = SimpleNamespace(warning=lambda text, **_: said.append(text))
    told = Recorder("dev", lines.append, lambda: logger)  # type: ignore[arg-type, return-value]
    told.add(metrics.Metric("Mine", "Count", (), "business", "of nobody's"))
    told.add(metrics.LOANS_IN_BOOK, 3)
    told.add(metrics.LOANS_OPENED, 1, partner=SOME_ID)
    told.flush()
    assert (lines, said) == ([], ["a metric was lost"] * 3)


@pytest.mark.parametrize(
    "value", [SOME_ID, f"GET /loan/{SOME_ID}", "55779911", "a\nb", "", "x" * 121, "£"]
)
def test_ids_and_odd_texts_are_no_dimension(value: str) -> None:
    assert metrics.safe(value) == "other"


@pytest.mark.parametrize(
    "value",
    ["GET /loan/{pk}/quote", "late", "circuit_open", "webhooks-slow", "GBP", "POST /payments/*/x"],
)
def test_words_are(value: str) -> None:
    assert metrics.safe(value) == value


def test_nothing_that_goes_wrong_is_felt() -> None:
    def broken(_: str) -> None:
        raise OSError("the disk is full")

    def no_logger() -> Any:
        raise RuntimeError("nor is there a log")

    told = Recorder("dev", broken, no_logger)
    told.add(metrics.LOANS_OPENED)
    told.flush()
    told.add(metrics.LOANS_OPENED, "many")  # type: ignore[arg-type]
    told.flush()


def test_every_row_can_be_told() -> None:
    told, lines = recorder()
    for row in METRICS.values():
        told.add(row, 1, **dict.fromkeys(row.dimensions, "x"))
    told.flush()
    assert {metric["Name"] for line in lines for metric in about(line)["Metrics"]} == set(METRICS)
    assert all(row.meaning and row.audience in ("business", "operations", "api", "cost")
               for row in METRICS.values())  # fmt: skip


def test_every_row_is_used_somewhere() -> None:
    used: set[str] = set()
    for path in (ROOT / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used |= {node.attr} if node.value.id == "metrics" else set()
    rows = {name for name, value in vars(metrics).items() if isinstance(value, metrics.Metric)}
    assert rows <= used, f"in the table and never measured: {sorted(rows - used)}"


# --- what is looked at ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (200, None, None),
        (404, None, None),
        (429, None, "429"),
        (502, None, "5xx"),
        (None, "ReadTimeout", "timeout"),
        (None, "TimeoutError", "timeout"),
        (None, "ConnectionError", "connection"),
        (None, "SSLError", "connection"),
        (None, "CircuitOpen", "circuit_open"),
        (None, "interrupted", "other"),
    ],
)
def test_how_a_call_failed(status: int | None, error: str | None, kind: str | None) -> None:
    assert watching.kind_of(Attempt("gocardless", "GET /x", 1, 0.1, status, error)) == kind


def denied(code: str, operation: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def test_refused_keys_and_secrets_are_known_wherever_they_are_wrapped() -> None:
    secret = denied("AccessDeniedException", "GetSecretValue")
    assert watching.refused_by(secret) == "secrets"
    table = denied("AccessDeniedException", "GetItem", "KMS key access denied")
    wrapped = RuntimeError("the table does not answer")
    wrapped.__cause__ = table
    assert watching.refused_by(wrapped) == "kms"
    assert watching.refused_by(denied("AccessDeniedException", "SendMessage")) == "other"
    assert watching.refused_by(denied("ThrottlingException", "GetItem")) is None
    assert watching.refused_by(ValueError("no")) is None


def test_importing_the_application_does_not_bring_the_emitter() -> None:
    text = "import app, sys; print([m for m in sys.modules if 'lambda_powertools' in m])"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", done.stdout


def test_every_function_tells_how_its_runs_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_warm", set())
    lines: list[str] = []
    world = Runtime()
    world.metrics = Recorder("dev", lines.append)
    app = Backbone(app_name="own", configure_logs=False)
    seen: list[Any] = []

    @app.schedule("rate(1 minute)")
    def tick(event: Any) -> None:
        seen.append(event)

    @app.on_sqs_message("backbone-days", batch_size=1, name="days", maximum_concurrency=5)
    def days(event: Any) -> None:
        seen.append(event)

    def work(_: Any) -> None:
        raise denied("AccessDeniedException", "GetSecretValue")

    context = SimpleNamespace(memory_limit_in_mb="512")
    with use(world):
        tick(scheduled_event("tick", datetime.now(UTC), "eu-west-2"), context)
        days({"Records": []}, context)
        with pytest.raises(ClientError):
            watching.measured("bad", work)(SimpleNamespace())
    assert len(seen) == 2
    told = [json.loads(line) for line in lines]
    by = {
        name: {line["function"] for line in told if name in line}
        for name in ("JobRuns", "JobFailures", "ColdStarts", "ComputeGbSeconds")
    }
    assert by == {
        "JobRuns": {"tick", "days"},
        "JobFailures": {"bad"},
        "ColdStarts": {"tick", "days", "bad"},
        "ComputeGbSeconds": {"tick", "days"},
    }
    assert [line["service"] for line in told if "KeyErrors" in line] == ["secrets"]


def test_units_are_told_by_operation_and_in_all() -> None:
    lines: list[str] = []
    world = Runtime()
    world.metrics = Recorder("dev", lines.append)
    used = watching.capacity(world)
    used("TransactWriteItems", 4.0, 2.0)
    used("TransactWriteItems", 2.0, 0.0)
    used("Query", 0.5, 1.0)
    world.flush()
    told = {line["operation"]: line for line in map(json.loads, lines)}
    assert told["TransactWriteItems"]["WriteUnits"] == 8.0
    assert told["Query"]["ReadUnits"] == 1.5
    assert about(told["Query"])["Dimensions"] == [["stage"]]
