"""What a value may be, by the name of its field: of an application and of a row of a file.

Fields are agreed on with each originator: a name that is not known here may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from local.blackmoon import wire

LONGEST = 10_000
Rule = Callable[[str], str]
"""The flaw of a text that is not empty, or nothing."""


def _identity(text: str) -> str:
    return "" if wire.identity(text) else "must be an id of at most 100 characters"


def _signed(text: str) -> str:
    return "" if wire.NUMBER.fullmatch(text) else "must be a number"


def _amount(text: str) -> str:
    return _signed(text) or ("must not be negative" if text.startswith("-") else "")


def _count(text: str) -> str:
    return "" if re.fullmatch(r"[0-9]{1,6}", text) else "must be a whole number"


def _currency(text: str) -> str:
    return "" if re.fullmatch(r"[A-Z]{3}", text) else "must be a currency's code"


def _day(text: str) -> str:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return "must be a date in ISO 8601"
    return ""


def instant(text: str) -> str:
    """ISO 8601 with an offset: ``2015-05-21T10:20:38+03:00``."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or "T" not in text:
        return "must be a date and time in ISO 8601 with an offset"
    return ""


def _disbursements(text: str) -> str:
    for one in text.split(";"):
        day, _, amount = one.partition(":")
        if len(day) != 10 or _day(day) or _amount(amount) or not amount:
            return "must be dates and amounts: 2026-01-05:500.00;2026-01-09:250.00"
    return ""


def _any(text: str) -> str:
    return f"must have at most {LONGEST} characters" if len(text) > LONGEST else ""


_NAMED: Mapping[str, Rule] = {
    "applicationId": _identity,
    "currency": _currency,
    "disbursements": _disbursements,
    "income": _amount,
    "installments": _count,
    "interestRate": _amount,
    "principal": _amount,
    "rate": _amount,
    "term": _count,
}
_ENDINGS: Mapping[str, Rule] = {"Amount": _amount, "Date": _day}

REPAYMENT: Mapping[str, Rule] = {
    "repaymentId": _identity,
    "applicationId": _identity,
    "datetime": instant,
    "amount": _signed,
}


def of(name: str) -> Rule:
    """The rule of a loan's field."""
    ending = next((rule for end, rule in _ENDINGS.items() if name.endswith(end)), _any)
    return _NAMED.get(name, ending)
