"""What CloudWatch is told: the table of all metrics, and the one way to emit one.

A metric is a row here or it does not exist.  Values are collected while an invocation runs and
leave as lines of CloudWatch's embedded metric format when it ends.  Whatever goes wrong with that,
the work is not touched by it.  No dimension holds the id of a partner, a loan or anything of a
person.  Amounts become binary numbers only in the line itself, and nothing is computed from it.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

NAMESPACE = "Backbone"
STAGE = "stage"
"""The dimension that every metric has: an account may hold several stages."""

COUNT, SECONDS, MILLISECONDS, NO_UNIT = "Count", "Seconds", "Milliseconds", "None"
SUM, EACH, GAUGE = "sum", "each", "gauge"
"""How values of one invocation come together: added up, kept one by one, only the last."""

BUSINESS, OPERATIONS, API, COST = "business", "operations", "api", "cost"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: ``also`` are further sets of its dimensions that it is told by (``()``: none).

    ``in_log``: CloudWatch is told by ``also`` alone.  Its own dimensions have many values, each of
    which would be paid for; they stay fields of the line, for Logs Insights and the page of the
    laptop, and a line has one value.
    """

    name: str
    unit: str
    dimensions: tuple[str, ...]
    audience: str
    meaning: str
    how: str = SUM
    also: tuple[tuple[str, ...], ...] = ()
    in_log: bool = False

    @property
    def told_by(self) -> tuple[tuple[str, ...], ...]:
        """The sets of dimensions that CloudWatch has series of, each at a price a month."""
        return self.also if self.in_log else (self.dimensions, *self.also)


class Measure(NamedTuple):
    """Something to be told once it has happened (see ``Unit.measures``)."""

    metric: Metric
    value: Decimal | int | float
    dimensions: Mapping[str, str]


def measure(metric: Metric, value: Decimal | int | float = 1, **dimensions: str) -> Measure:
    """The same, written like a call."""
    return Measure(metric, value, dimensions)


TOTAL: tuple[tuple[str, ...], ...] = ((),)
BY_PROVIDER = (("provider",),)

# --- business -------------------------------------------------------------------------------------

APPLICATIONS_CREATED = Metric(
    "ApplicationsCreated", COUNT, (), BUSINESS, "applications that were made"
)
APPLICATIONS_DECIDED = Metric(
    "ApplicationsDecided", COUNT, ("result",), BUSINESS, "applications decided: approved, declined"
)
LOANS_OPENED = Metric("LoansOpened", COUNT, (), BUSINESS, "loans opened for an application")
LOANS_DISBURSED = Metric(
    "LoansDisbursed", COUNT, ("provider",), BUSINESS, "disbursements that have arrived"
)
DISBURSED_AMOUNT = Metric(
    "DisbursedAmount", NO_UNIT, ("currency",), BUSINESS, "money of those disbursements"
)
REPAYMENTS_COLLECTED = Metric(
    "RepaymentsCollected", COUNT, ("provider",), BUSINESS, "repayments that were confirmed"
)
COLLECTED_AMOUNT = Metric(
    "CollectedAmount", NO_UNIT, ("currency",), BUSINESS, "money of those repayments, before reverts"
)
REPAYMENTS_FAILED = Metric(
    "RepaymentsFailed", COUNT, ("provider",), BUSINESS, "repayments that failed, at each attempt"
)
CHARGEBACKS = Metric("Chargebacks", COUNT, (), BUSINESS, "repayments taken back by a bank")
STATUS_MOVES = Metric(
    "StatusMoves", COUNT, ("before", "after"), BUSINESS, "loans whose status changed, as committed"
)
LOANS_IN_BOOK = Metric(
    "LoansInBook",
    COUNT,
    ("status",),
    BUSINESS,
    "loans of all partners by status, each as its last day closed; told hourly",
    GAUGE,
)

# --- operations -----------------------------------------------------------------------------------

CLOSE_LAG = Metric(
    "CloseLag",
    SECONDS,
    (),
    OPERATIONS,
    "time since the midnight, in its own zone, of the oldest business date that some partner has "
    "not closed; 0 when all are closed",
    GAUGE,
)
PARTNERS_BEHIND = Metric(
    "PartnersBehind", COUNT, (), OPERATIONS, "partners whose close is over an hour behind", GAUGE
)
DAYS_CLOSED = Metric("DaysClosed", COUNT, (), OPERATIONS, "partners' days that were closed")
DAYS_NOT_BEGUN = Metric("DaysNotBegun", COUNT, (), OPERATIONS, "days that could not be begun")
LOANS_BROUGHT_UP = Metric("LoansBroughtUp", COUNT, (), OPERATIONS, "loans that a daily job did")
LOANS_FAILED = Metric("LoansFailed", COUNT, (), OPERATIONS, "loans that it had to pass over")
LEDGER_CHECKS = Metric(
    "LedgerChecks", COUNT, (), OPERATIONS, "loans compared with the telling of their journal"
)
LEDGER_MISMATCH = Metric(
    "LedgerMismatch", COUNT, (), OPERATIONS, "loans whose account is not what the journal tells"
)
JOB_RUNS = Metric("JobRuns", COUNT, ("function",), OPERATIONS, "runs of a function that went well")
JOB_FAILURES = Metric("JobFailures", COUNT, ("function",), OPERATIONS, "runs that raised")
MESSAGES_SWEPT = Metric(
    "MessagesSwept", COUNT, (), OPERATIONS, "messages that a commit had left in the outbox"
)
OUTBOX_AGE = Metric(
    "OutboxAge", SECONDS, (), OPERATIONS, "age of the oldest message left in the outbox", GAUGE
)
ALARMS_RAISED = Metric(
    "AlarmsRaised",
    COUNT,
    ("alarm",),
    OPERATIONS,
    "new rows of /alarm/: things that a person has to look at",
    also=TOTAL,
)
PROVIDER_CALLS = Metric("ProviderCalls", COUNT, ("provider",), OPERATIONS, "tries of calls")
PROVIDER_ERRORS = Metric(
    "ProviderErrors",
    COUNT,
    ("provider", "kind"),
    OPERATIONS,
    "tries without a good answer: timeout, connection, 5xx, 429, other; circuit_open: not made",
    also=BY_PROVIDER,
)
PROVIDER_FAILING = Metric(
    "ProviderFailing",
    NO_UNIT,
    ("provider",),
    OPERATIONS,
    "1 for a try that counts against them or was not made, 0 for any other: the average is a share",
    EACH,
)
PROVIDER_LATENCY = Metric(
    "ProviderLatency",
    MILLISECONDS,
    ("provider", "operation"),
    OPERATIONS,
    "how long a try took",
    EACH,
    also=BY_PROVIDER,
    in_log=True,
)
PROVIDER_EVENTS_MISSED = Metric(
    "ProviderEventsMissed", COUNT, (), OPERATIONS, "provider's events that no webhook brought"
)
KEY_ERRORS = Metric(
    "KeyErrors",
    COUNT,
    ("service",),
    OPERATIONS,
    "access to a key or a secret that was refused",
    also=TOTAL,
)
WEBHOOK_ATTEMPTS = Metric("WebhookAttempts", COUNT, (), OPERATIONS, "attempts at partners' servers")
WEBHOOK_FAILURES = Metric("WebhookFailures", COUNT, (), OPERATIONS, "attempts that were not taken")
WEBHOOK_DELAY = Metric(
    "WebhookDelay", SECONDS, (), OPERATIONS, "from an event to the answer that took it", EACH
)
WEBHOOK_LANES_SWEPT = Metric(
    "WebhookLanesSwept", COUNT, (), OPERATIONS, "endpoints at which a retry was due"
)
OFFERS_SWEPT = Metric("OffersSwept", COUNT, (), OPERATIONS, "offers and daily files that were due")

# --- API ------------------------------------------------------------------------------------------

REQUESTS = Metric(
    "Requests", COUNT, ("answer",), API, "requests by answer: 2xx, 3xx, 4xx, 5xx; 429 and 503 apart"
)
REQUEST_LATENCY = Metric(
    "RequestLatency",
    MILLISECONDS,
    ("route",),
    API,
    "inside the function, by method and route template",
    EACH,
    also=TOTAL,
    in_log=True,
)
SERVER_ERRORS = Metric(
    "ServerErrors",
    COUNT,
    ("route",),
    API,
    "answers of 500 and above but 503",
    also=TOTAL,
    in_log=True,
)
COLD_STARTS = Metric(
    "ColdStarts",
    COUNT,
    ("function",),
    API,
    "first runs of a new container",
    also=TOTAL,
    in_log=True,
)

# --- cost -----------------------------------------------------------------------------------------

READ_UNITS = Metric(
    "ReadUnits",
    COUNT,
    ("operation",),
    COST,
    "DynamoDB read units as its answers say",
    also=TOTAL,
    in_log=True,
)
WRITE_UNITS = Metric(
    "WriteUnits",
    COUNT,
    ("operation",),
    COST,
    "DynamoDB write units, with indexes",
    also=TOTAL,
    in_log=True,
)
COMPUTE = Metric(
    "ComputeGbSeconds",
    NO_UNIT,
    ("function",),
    COST,
    "memory times time of runs, without start-up",
    also=TOTAL,
    in_log=True,
)

METRICS: Mapping[str, Metric] = {
    one.name: one for one in list(globals().values()) if isinstance(one, Metric)
}
"""All of them by name: what code may emit, and what dashboards and alarms may show."""

# --- emitting -------------------------------------------------------------------------------------

OTHER = "other"
MOST_VALUES = 90  # CloudWatch takes a hundred values of a metric in one line
_PLAIN = re.compile(r"[ -~]{1,120}")
_AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9]{6,}|[0-9a-fA-F]{24,}")

Key = tuple[Metric, tuple[str, ...]]
Value = Decimal | int | float


@lru_cache(maxsize=1024)
def safe(value: str) -> str:
    """A dimension's value; ``other`` for what may be an id or is no plain text."""
    return value if _PLAIN.fullmatch(value) and not _AN_ID.search(value) else OTHER


def to_stdout(line: str) -> None:
    """Where Lambda takes them from."""
    sys.stdout.write(line + "\n")


class Recorder:
    """What one container has measured and not told yet.  Safe to share; never raises."""

    def __init__(
        self,
        stage: str,
        write: Callable[[str], None] = to_stdout,
        logger: Callable[[], Logger] | None = None,
    ) -> None:
        self.stage = stage
        self.write = write
        self._logger = logger
        self._lock = threading.Lock()
        self._values: dict[Key, list[Value]] = {}

    def add(self, metric: Metric, value: Value = 1, **dimensions: str) -> None:
        """Measure something; ``dimensions`` are just those of the metric's row."""
        try:
            self._add(metric, value, dimensions)
        except Exception as error:
            self._complain(error)

    def add_all(self, measures: list[Measure]) -> None:
        """The same for several."""
        for metric, value, dimensions in measures:
            self.add(metric, value, **dimensions)

    def flush(self) -> None:
        """Write what was measured since the last time; nothing if nothing was."""
        with self._lock:
            values, self._values = self._values, {}
        try:
            for line in self._lines(values):
                self.write(line)
        except Exception as error:
            self._complain(error)

    def _add(self, metric: Metric, value: Value, dimensions: Mapping[str, str]) -> None:
        if METRICS.get(metric.name) is not metric or set(dimensions) != set(metric.dimensions):
            raise ValueError(f"{metric.name} with {sorted(dimensions)} is not in the table")
        key = (metric, tuple(safe(str(dimensions[name])) for name in metric.dimensions))
        with self._lock:
            known = self._values.setdefault(key, [])
            if metric.how == EACH or not known:
                known.append(value)
            elif metric.how == SUM:
                known[0] = Decimal(str(known[0])) + Decimal(str(value))
            else:
                known[0] = value

    def _lines(self, values: Mapping[Key, list[Value]]) -> list[str]:
        """One line for metrics that have their dimensions in common."""
        groups: dict[tuple[Any, ...], dict[Metric, list[Value]]] = {}
        for (metric, named), found in values.items():
            most = 1 if metric.in_log else MOST_VALUES
            for start in range(0, len(found), most):
                group = (metric.dimensions, named, metric.told_by, start)
                groups.setdefault(group, {})[metric] = found[start : start + most]
        return [
            self._line(dict(zip(names, named, strict=True)), told_by, metrics)
            for (names, named, told_by, _), metrics in groups.items()
        ]

    def _line(
        self,
        named: Mapping[str, str],
        told_by: tuple[tuple[str, ...], ...],
        metrics: Mapping[Metric, list[Value]],
    ) -> str:
        from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
            AmazonCloudWatchEMFProvider,
        )

        first, *others = ({STAGE: self.stage, **{n: named[n] for n in names}} for names in told_by)
        emf = AmazonCloudWatchEMFProvider(
            metric_set={},
            dimension_set={},
            metadata_set=dict(named),  # what is no dimension is a field of the line all the same
            namespace=NAMESPACE,
            service="",  # there is one service: its name would only cost a dimension
        )
        for name, value in first.items():
            emf.add_dimension(name, value)
        for other in others:
            emf.add_dimensions(**other)
        for metric, values in metrics.items():
            for one in values:
                emf.add_metric(metric.name, metric.unit, float(one))
        document: dict[str, Any] = dict(emf.serialize_metric_set())
        # Logs Insights counts with numbers, not with lists of one.
        document |= {metric.name: float(metrics[metric][0]) for metric in metrics if metric.in_log}
        return json.dumps(document, separators=(",", ":"))

    def _complain(self, error: Exception) -> None:
        """Once in the log is enough; and if not even that can be had, so be it."""
        try:
            if self._logger is not None:
                self._logger().warning("a metric was lost", exc_info=error)
        except Exception:
            self._logger = None
