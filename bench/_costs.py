"""From units to money: what a book of loans costs a month on AWS, by list prices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from bench import _fixed
from bench import _prices as prices
from local.home import ROOT

if TYPE_CHECKING:
    from bench._meter import Used
    from bench.units import Row

PAGE = ROOT / "docs" / "operators" / "costs.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"

DAYS, HOURS = Decimal("30.4"), Decimal("730")
CALL_SECONDS = Decimal("0.006")
"""How long a function waits for one call to DynamoDB, on average; not measured here."""
WHOLE_CORE_MB = 1769
"""Lambda gives a function of this size one core, a smaller one its share."""
WAITING_SECONDS: Mapping[str, Decimal] = dict.fromkeys(
    ("gocardless", "provider_events", "webhooks"), Decimal("0.3")
)
"""How long a run waits for somebody else's server; not measured here."""
SQS_REQUESTS = 3
"""A message is sent, received and deleted."""
RUN_LOG_BYTES = 350
"""Lambda's own lines about a run."""

MONTHLY: Mapping[str, Decimal] = {
    "opening a loan": Decimal(1) / 12,
    "a due date, collected": Decimal(1),
    "a repayment by hand": Decimal("0.1"),
    "reading a loan": Decimal(10),
    "a page of loans": Decimal("0.5"),
    "a page of transactions": Decimal(2),
    "a webhook": Decimal(5),
}
"""How often each happens a loan and month: a one-year term loan, collected by direct debit."""

SIZES = {1_000: 1, 100_000: 10, 10_000_000: 50}
"""Loans: partners."""
MONTHS_KEPT = 12
"""A loan's journal grows by this many months before it is old, on average half of that."""
RUNS_A_MONTH = {
    "a run of close_days": HOURS,
    "a run of sweep_outbox": HOURS * 60,
    "a run of sweep_webhooks": HOURS * 60,
    "a run of sweep_offers": HOURS * 60,
}


@dataclass
class Bill:
    """Dollars a month, by service."""

    lines: dict[str, Decimal]

    @property
    def total(self) -> Decimal:
        """All of it."""
        return sum(self.lines.values(), Decimal(0))


@cache
def memory(function: str) -> int:
    """Megabytes of a function, from ``.chalice/config.json``."""
    document = json.loads((ROOT / ".chalice" / "config.json").read_text("utf-8"))
    own = document["lambda_functions"].get(function, {})
    return int(own.get("lambda_memory_size", document["lambda_memory_size"]))


def of_row(row: Row, times: Decimal) -> Bill:
    """What an operation costs so many times."""
    lines: dict[str, Decimal] = {}
    for function, used in row.uses.items():
        for service, amount in _of(function, used).items():
            lines[service] = lines.get(service, Decimal(0)) + amount * times
    return Bill(lines)


def _of(function: str, used: Used) -> dict[str, Decimal]:
    megabytes = memory(function)
    slow = Decimal(max(1, Decimal(WHOLE_CORE_MB) / megabytes))
    runs, requests = Decimal(str(used.runs)), Decimal(0)
    seconds = Decimal(str(used.seconds)) * slow + Decimal(str(used.calls)) * CALL_SECONDS
    seconds += runs * WAITING_SECONDS.get(function, Decimal(0))
    if function == "api_handler":
        requests = runs
    return {
        "DynamoDB": Decimal(str(used.reads)) * prices.DYNAMODB_READ
        + Decimal(str(used.writes)) * prices.DYNAMODB_WRITE,
        "Lambda": runs * prices.LAMBDA_REQUEST
        + seconds * megabytes / 1024 * prices.LAMBDA_GB_SECOND,
        "API Gateway and firewall": requests * (prices.API_REQUEST + prices.FIREWALL_REQUEST),
        "SQS": Decimal(str(used.messages)) * SQS_REQUESTS * prices.SQS_REQUEST,
        "Logs": (Decimal(str(used.log_bytes)) + RUN_LOG_BYTES * runs) / 10**9 * prices.LOG_GB,
    }


def bill(rows: Mapping[str, Row], loans: int, partners: int, stored: int) -> Bill:
    """A month of ``loans`` loans of ``partners`` partners; ``stored`` bytes a loan and month."""
    lines: dict[str, Decimal] = {}

    def add(row: str, times: Decimal) -> None:
        for service, amount in of_row(rows[row], times).lines.items():
            lines[service] = lines.get(service, Decimal(0)) + amount

    for name, often in MONTHLY.items():
        add(name, often * loans)
    add("a partner's quiet day", DAYS * partners)
    for name, runs in RUNS_A_MONTH.items():
        add(name, runs)
    gigabytes = Decimal(stored) * MONTHS_KEPT / 2 * loans / 10**9
    lines["Storage and backup"] = gigabytes * (prices.DYNAMODB_GB_MONTH + prices.BACKUP_GB_MONTH)
    lines["Fixed"] = _fixed.dollars(partners)
    return Bill(lines)


# --- the page -------------------------------------------------------------------------------------


def text(rows: Sequence[Row], stored: int) -> str:
    """The measured part of the page, as Markdown."""
    kept = f"A loan has {_thousands(stored)} bytes in the table after a month, with its indexes."
    return "\n".join([*_units(rows), "", kept, "", *_bills(rows, stored), "", *_without_loans()])


def _units(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| one … | write units | read units | runs | calls to DynamoDB | ms | messages "
        "| log bytes | dollars a million |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        used = row.total
        cost = of_row(row, Decimal(prices.MILLION)).total
        lines.append(
            f"| {row.name} | {_one(used.writes)} | {_one(used.reads)} | {_one(used.runs)} "
            f"| {_one(used.calls)} | {used.seconds * 1000:.0f} | {_one(used.messages)} "
            f"| {used.log_bytes:.0f} | {cost:.2f} |"
        )
    return lines


def _one(number: float) -> str:
    """With one digit; what is nothing is ``0``."""
    return f"{number:.1f}" if abs(number) >= 0.05 else "0"


def _bills(rows: Sequence[Row], stored: int) -> list[str]:
    by_name = {row.name: row for row in rows}
    bills = {loans: bill(by_name, loans, many, stored) for loans, many in SIZES.items()}
    head = " | ".join(f"{_thousands(loans)} loans" for loans in bills)
    lines = [f"| dollars a month | {head} |", "|---|" + "--:|" * len(bills)]
    services = next(iter(bills.values())).lines
    for service in services:
        lines.append(_row(service, [one.lines[service] for one in bills.values()]))
    lines.append(_row("**all**", [one.total for one in bills.values()]))
    lines.append(_row("a thousand loans", [1000 * one.total / n for n, one in bills.items()]))
    used = [1000 * (one.total - one.lines["Fixed"]) / n for n, one in bills.items()]
    lines.append(_row("a thousand loans, without what is fixed", used))
    return lines


def _without_loans() -> list[str]:
    lines = ["| fixed, a stage and month | how many | dollars |", "|---|--:|--:|"]
    lines += [f"| {one.name} | {one.many} | {one.dollars:.2f} |" for one in _fixed.parts()]
    return [*lines, f"| a partner's secret of Blackmoon | | {prices.SECRET_MONTH:.2f} |"]


def _row(name: str, amounts: Sequence[Decimal]) -> str:
    return f"| {name} | " + " | ".join(f"{one:,.2f}" for one in amounts) + " |"


def _thousands(number: int) -> str:
    return f"{number:,}"


def write(measured: str) -> None:
    """Put the measured part into the page."""
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}", "utf-8")
