"""What the demo saw of direct debits and webhooks: plain values, read from JSON.  Pure: no I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

RETRIED = "resubmission_requested"
#: What counts as money that the provider has collected and still has, or has paid on.
COLLECTED = frozenset({"confirmed", "paid_out"})


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the provider told of a payment."""

    on: date
    action: str
    cause: str


@dataclass(frozen=True, slots=True)
class Debit:
    """A payment at the provider; ``steps`` oldest first, ``charged_on`` the newest charge date."""

    payment: str
    transaction: str
    amount: Decimal
    charged_on: date
    status: str
    steps: tuple[Step, ...]

    @property
    def attempts(self) -> int:
        """How often the money was asked for."""
        return 1 + self.count(RETRIED)

    def count(self, action: str) -> int:
        """How often the provider told this."""
        return sum(step.action == action for step in self.steps)

    def when(self, action: str) -> date | None:
        """The first day on which the provider told this."""
        return next((step.on for step in self.steps if step.action == action), None)


@dataclass(frozen=True, slots=True)
class Mandate:
    """How a borrower came to a direct debit; ``typed`` are the fields the form did not know."""

    signed_on: date
    active_on: date
    status: str
    typed: tuple[str, ...]


def debits_of(
    payments: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> tuple[Debit, ...]:
    """From the provider's own lists, both newest first; the oldest payment first."""
    steps: dict[str, list[Step]] = {}
    for event in events:
        if event["resource_type"] == "payments":
            step = Step(_day(event["created_at"]), event["action"], event["details"]["cause"])
            steps.setdefault(event["links"]["payment"], []).insert(0, step)
    return tuple(
        Debit(
            payment=payment["id"],
            transaction=payment["metadata"].get("transaction", ""),
            amount=Decimal(payment["amount"]).scaleb(-2),
            charged_on=date.fromisoformat(payment["charge_date"]),
            status=payment["status"],
            steps=tuple(steps.get(payment["id"], ())),
        )
        for payment in reversed(list(payments))
    )


def _day(instant: str) -> date:
    return datetime.fromisoformat(instant).date()


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook as it arrived: ``flaw`` says what is wrong with its signature, empty if nothing."""

    id: str
    event: str
    data: Mapping[str, Any]
    flaw: str

    @classmethod
    def read(cls, raw: bytes, flaw: str) -> Self:
        """From the body of a request, with exact numbers."""
        body = json.loads(raw, parse_float=Decimal)
        return cls(body["id"], body["event"], body["data"], flaw)

    @property
    def loan(self) -> str:
        """Which loan it is about, if any."""
        if self.event.startswith("loan_"):
            return str(self.data["id"])
        return str(self.data.get("loan") or "")

    @property
    def subject(self) -> str:
        """What it is about: a transaction, a mandate, an application, a loan."""
        return str(self.data.get("id") or self.data.get("loan") or "")


@dataclass(frozen=True, slots=True)
class Told:
    """A webhook in the demo's words: the business date, whose it is, and its main figures."""

    id: str
    event: str
    on: date
    whose: str
    subject: str
    figures: str
    flaw: str
    times: int


#: For each event the members that say what it is about, with their words.
FIGURES: Mapping[str, Sequence[tuple[str, str]]] = {
    "application_processing_finished": (("status", ""),),
    "disbursement_result": (("amount", ""), ("status", "")),
    "loan_closed": (("close_substatus", ""),),
    "loan_is_arrears": (("days_past_due", "days past due"),),
    "loan_is_late": (("days_past_due", "days past due"), ("next_repayment_amount", "to be paid")),
    "mandate_created": (("reference", ""), ("status", "")),
    "repayment_charged_back": (("amount", ""),),
    "repayment_created": (("amount", ""), ("provider_transaction_id", "payment")),
    "repayment_due_day_soon": (("amount", ""), ("due_date", "due")),
    "repayment_result": (("amount", ""), ("status", "")),
}
#: Their word stands before the value.
AHEAD = frozenset({"due", "payment"})


def figures(hook: Hook) -> str:
    """The main figures of a webhook, for a reader."""
    found = []
    for name, word in FIGURES.get(hook.event, ()):
        value = hook.data.get(name)
        if value is None or value == "":
            continue
        text = _shown(value)
        if name == "days_past_due" and value == 1:
            word = "day past due"
        found.append(" ".join(filter(None, (word, text) if word in AHEAD else (text, word))))
    return ", ".join(found)


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    text = str(value)
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return text.replace("_", " ")
    return f"{on.day} {on:%b %Y}"


def told(
    hooks: Sequence[Hook], days: Mapping[str, date], whose: Mapping[str, str]
) -> tuple[Told, ...]:
    """Each webhook once, in the order of arrival.

    ``days`` are the business dates by webhook's id, ``whose`` leads from ids of loans, borrowers,
    applications to their stories.
    """
    times: dict[str, int] = {}
    for hook in hooks:
        times[hook.id] = times.get(hook.id, 0) + 1
    found: dict[str, Told] = {}
    for hook in hooks:
        ids = (hook.loan, str(hook.data.get("end_user") or ""), hook.subject)
        title = next((whose[one] for one in ids if one in whose), "")
        known = found.get(hook.id)
        found[hook.id] = Told(
            hook.id, hook.event, days[hook.id], title, hook.subject, figures(hook),
            hook.flaw or (known.flaw if known else ""), times[hook.id],
        )  # fmt: skip
    return tuple(found.values())
