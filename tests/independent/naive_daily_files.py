"""The daily files for Blackmoon, worked out from what the partner API's lists say each evening.

Written from the contract's words alone (Blackmoon, "Daily"): the file of day D tells what was known
as day D-1 ended.  :class:`Watch` is shown the lists of every evening; what happened on which day it
takes from what has changed since the evening before, never from a date that it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
DAYS, DAYS_ON_THE_FIRST = 7, 32
OPEN = ("active", "late", "arrears", "default")
ARRIVING = ("repayment", "chargeback")
PARTS = ("principal", "interest", "fee", "overpayment")
RETURNED, PAYS_OUT = "disbursement_return", "gocardless_outbound"
NOTHING = Decimal("0.00")

Shown = Mapping[str, Any]
Row = dict[str, str]


@dataclass(frozen=True)
class Evening:
    """What the lists showed at the end of a day, each by its id, and what does not change.

    ``transactions`` holds disbursements, repayments and chargebacks; ``kinds`` each product's type,
    ``matures`` the due date of each term loan's last row as its schedule was laid.
    """

    day: date
    currency: str
    loans: Mapping[str, Shown]
    transactions: Mapping[str, Shown]
    cessions: Iterable[Shown]
    kinds: Mapping[str, str]
    matures: Mapping[str, str]


@dataclass
class Watch:
    """What was seen to happen: when a loan was closed, and when money was seen to have arrived, or
    to have been taken back.
    """

    closed: dict[str, str] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)

    def sees(self, evening: Evening) -> None:
        """Another evening; every evening has to be seen, in order."""
        today = evening.day.isoformat()
        for name, loan in evening.loans.items():
            if loan["status"] != "closed":
                self.closed.pop(name, None)
            else:
                self.closed.setdefault(name, today)
        for name, item in evening.transactions.items():
            if item["type"] not in ARRIVING:
                continue
            before = self.known.get(name)
            if item["status"] == "applied" or (before and item["status"] != "pending"):
                if before is None or before[0] != item["status"]:
                    self.known[name] = [item["status"], today]
            else:
                self.known.pop(name, None)

    # --- the file of loans ---

    def loans(self, evening: Evening) -> dict[str, Row]:
        """The rows of the loans' file of the next day, by loan."""
        sales = sales_of(evening)
        found = {}
        for name, loan in evening.loans.items():
            closed = date.fromisoformat(self.closed[name]) if name in self.closed else None
            lately = closed is not None and closed >= _first(evening.day)
            if loan["status"] in OPEN or lately or name in sales:
                found[name] = self._loan(evening, loan, sales)
        return found

    def _loan(self, evening: Evening, loan: Shown, sales: Mapping[str, str | None]) -> Row:
        name = str(loan["id"])
        paid = sorted(
            (item["effective_date"], item["created_at"], item["amount"])
            for item in evening.transactions.values()
            if (item["loan"], item["type"], item["status"]) == (name, "disbursement", "applied")
        )
        values = {
            "applicationId": name,
            "loanId": name,
            "productId": loan["product"],
            "productType": evening.kinds[loan["product"]],
            "status": loan["status"],
            "balanceDate": evening.day,
            "currency": evening.currency,
            "loanAmount": loan["amount"],
            "interestRate": loan["rate"],
            "installments": loan["installments"],
            "apr": loan["apr"],
            "createdDate": _in_london(loan["created_at"]).date(),
            "disbursementDate": loan["disbursed_at"],
            "disbursedAmount": sum((amount for _, _, amount in paid), NOTHING),
            "disbursements": ";".join(f"{on}:{_text(amount)}" for on, _, amount in paid),
            "maturityDate": evening.matures.get(name),
            "principal": loan["principal"],
            "interestAmount": loan["interest"],
            "feeAmount": loan["fee"],
            "overpaymentAmount": loan["overpayment"],
            "writtenOffAmount": loan["written_off"],
            "daysPastDue": loan["days_past_due"],
            "lateSinceDate": loan["late_since"],
            "arrearsSinceDate": loan["arrears_since"],
            "closedDate": self.closed.get(name),
            "closeSubstatus": loan["close_substatus"],
            "everSold": "true" if name in sales else "false",
            "investorId": sales.get(name),
        }
        return {title: _text(value) for title, value in values.items()}

    # --- the file of repayments ---

    def repayments(self, evening: Evening) -> dict[str, Row]:
        """The rows of the repayments' file of the next day, by repayment."""
        sales, first = sales_of(evening), _first(evening.day)
        return {
            name: self._repayment(evening, evening.transactions[name], known)
            for name, (_, known) in self.known.items()
            if date.fromisoformat(known) >= first or evening.transactions[name]["loan"] in sales
        }

    def _repayment(self, evening: Evening, item: Shown, known: str) -> Row:
        sign = 1 if item["type"] == "repayment" else -1
        sign = sign if item["status"] == "applied" else 0
        parts = {f"{part}Amount": item[part] * sign for part in PARTS[:3]}
        values = {
            "repaymentId": item["id"],
            "applicationId": item["loan"],
            "loanId": item["loan"],
            "datetime": _counts_from(item),
            "amount": item["amount"] * sign,
            "type": RETURNED if _came_back(item) else item["type"],
            "status": item["status"],
            **parts,
            "overpaymentAmount": item["overpayment"] * abs(sign),
            "statedAmount": item["amount"],
            "effectiveDate": item["effective_date"],
            "knownDate": known,
            "currency": evening.currency,
        }
        return {title: _text(value) for title, value in values.items()}


def disowned(evening: Evening) -> list[str]:
    """Loans whose list says another investor than the list of cessions does."""
    sales = sales_of(evening)
    return [one for one, loan in evening.loans.items() if loan["investor"] != sales.get(one)]


def _first(day: date) -> date:
    """The first day of the window that ends on ``day``."""
    made = day + timedelta(days=1)
    return made - timedelta(days=DAYS_ON_THE_FIRST if made.day == 1 else DAYS)


def sales_of(evening: Evening) -> dict[str, str | None]:
    """Every loan that was ever sold, and whose it is: its investor's, or (None) ours again.

    Of one day's cessions the reversal comes after the sale.
    """
    moves = [one for one in evening.cessions if one["type"] in ("direct", "reverse")]
    moves.sort(key=lambda one: (one["day"], one["type"] == "reverse"))
    found: dict[str, str | None] = {}
    for one in moves:
        if date.fromisoformat(one["day"]) > evening.day:
            continue
        if one["type"] == "direct":
            found[one["loan"]] = one["investor_legal_entity_id"]
        elif one["loan"] in found:
            found[one["loan"]] = None
    return found


def _came_back(item: Shown) -> bool:
    """What was paid out has come back: a repayment by itself, from who had paid it out.

    A chargeback that is given back is one from the collecting bank.
    """
    return (item["type"], item["origin"], item["provider"]) == ("repayment", "provider", PAYS_OUT)


def _in_london(instant: str) -> datetime:
    return datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(LONDON)


def _counts_from(item: Shown) -> str:
    """The second at which money was applied, or the beginning of the day from which it counts."""
    if item["applied_at"]:
        at = _in_london(item["applied_at"])
        if at.date().isoformat() == item["effective_date"]:
            return at.replace(microsecond=0).isoformat()
    on = date.fromisoformat(item["effective_date"])
    return datetime(on.year, on.month, on.day, tzinfo=LONDON).isoformat()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}" if value else f"{abs(value):f}"
    return str(value)
