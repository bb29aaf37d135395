"""What is paid for without any loan, counted from what the repository would deploy.

A metric's series is one set of values of its dimensions that CloudWatch is told.  AWS charges it by
the hour in which it is told: one that is told only when something fails is counted, and not paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import prod

from bench import _prices as prices
from chalicelib.domain.status import LOAN
from chalicelib.metrics import METRICS, Metric
from chalicelib.usecases.measuring import IN_BOOK
from tools.aws.stages import HTTP, functions
from tools.aws.templates import INFRA, read
from tools.dashboards.definitions import NAMES

MOVES = {
    (before, after)
    for steps in LOAN.moves.values()
    for before, after in steps.items()
    if before != after
}
VALUES: Mapping[str, tuple[str, ...]] = {
    "answer": ("2xx", "3xx", "4xx", "5xx", "429", "503"),
    "result": ("approved", "declined"),
    "status": IN_BOOK,
    "currency": ("GBP",),
    "provider": ("gocardless", "blackmoon"),  # of transactions: by hand, and one provider
    "function": tuple(one.name for one in functions() if one.name != HTTP),
    "kind": ("timeout", "connection", "5xx", "429", "circuit_open", "other"),
    "service": ("kms", "secrets", "other"),
    "alarm": (
        "mandate_not_requested",
        "repayment_not_collected",
        "repayment_collected_again",
        "disbursement_not_submitted",
        "disbursement_returned",
        "disbursement_paid_twice",
        "provider_events_not_read",
        "webhook_endpoint_disabled",
        "blackmoon_offer",
        "blackmoon_file",
        "blackmoon_collateral",
        "blackmoon_reconciliation",
        "blackmoon_tokens",
    ),
}
"""What a dimension may be; a lender of one currency."""

TROUBLE = frozenset({"ServerErrors", "JobFailures", "ProviderErrors", "KeyErrors", "AlarmsRaised"})
"""Told only when there is any."""


def series(metric: Metric) -> int:
    """How many series CloudWatch may have of a metric, in a stage."""
    return sum(_sets(names) for names in metric.told_by)


def _sets(names: tuple[str, ...]) -> int:
    return len(MOVES) if set(names) == {"before", "after"} else prod(len(VALUES[n]) for n in names)


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is paid for by the month."""

    name: str
    many: int
    each: Decimal

    @property
    def dollars(self) -> Decimal:
        """A month."""
        return self.many * self.each


@cache
def parts() -> tuple[Part, ...]:
    """All of a stage's, but its partners' secrets."""
    told = sum(series(row) for row in METRICS.values() if row.name not in TROUBLE)
    alarms = read(INFRA / "alarms.yaml")["Resources"]
    rules = read(INFRA / "edge.yaml")["Resources"]["WebAcl"]["Properties"]["Rules"]
    return (
        Part("series of metrics", told, prices.METRIC_MONTH),
        Part("dashboards", len(NAMES), prices.DASHBOARD_MONTH),
        Part("web ACL (not on `dev`), a dollar a rule", 1, prices.firewall(len(rules))),
        Part("alarms", len(alarms) + 2 * len(functions()), prices.ALARM_MONTH),
        Part("key", 1, prices.KEY_MONTH),
        Part("secret of GoCardless", 1, prices.SECRET_MONTH),
    )


def dollars(partners: int) -> Decimal:
    """A month of a stage; each partner has a secret of Blackmoon's."""
    return sum((one.dollars for one in parts()), partners * prices.SECRET_MONTH)
