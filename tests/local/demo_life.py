"""A small record, made by hand: 730.00 at 50 % is 1.00 a night.

Two rows, ten nights each.  One loan pays both on time; the other misses the first and pays it four
days late: two pounds more of interest, and a fee.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from local.demo_record import (
    ZERO,
    Card,
    Decision,
    Entry,
    Life,
    Quote,
    Record,
    Row,
    Rule,
    Sight,
    Split,
)

START, FIRST, LAST = date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 21)
PAID_LATE = date(2024, 1, 15)


def split(principal: str, interest: str = "0.00", fee: str = "0.00") -> Split:
    return Split(Decimal(principal), Decimal(interest), Decimal(fee))


def entry(kind: str, on: date, parts: Split, after: Split, name: str = "") -> Entry:
    return Entry(kind, "applied", name, on, parts.total, parts, parts, after)


def nights(first: int, last: int, each: str, start: Split) -> list[Entry]:
    """Interest on the days of January from ``first`` to ``last``."""
    found, night = [], Decimal(each)
    for number, day in enumerate(range(first, last + 1), start=1):
        after = Split(start.principal, start.interest + night * number, start.fee)
        found.append(entry("interest", date(2024, 1, day), split("0.00", each), after))
    return found


def row(number: int, due: date, interest: str, left: str, paid_on: date | None = None) -> Row:
    principal, charged = Decimal("365.00"), Decimal(interest)
    paid = (principal, charged) if paid_on else (ZERO, ZERO)
    return Row(number, due, 10, principal, charged, principal + charged, Decimal(left), *paid,
               paid_on)  # fmt: skip


def sight(day: int, status: str, balance: Split) -> Sight:
    return Sight(date(2024, 1, day), status, balance)


LENT, HALF, PAID = split("730.00"), split("365.00"), split("0.00")
DECISION = Decision("v<1>", "accept", (
    Card("Score", "pass", "742", "600", (
        Rule("Bureau", "{{score}} > 0", (("score", "742"),), "742", "600", True),
    )),
))  # fmt: skip
OPENING = [entry("disbursement", START, LENT, LENT), *nights(2, 11, "1.00", LENT)]
TWIN = Life(
    "On time", "Robin <script>alert(1)</script> & Co", DECISION,
    (
        *OPENING,
        entry("repayment", FIRST, split("365.00", "10.00"), HALF),
        *nights(12, 21, "0.50", HALF),
        entry("repayment", LAST, split("365.00", "5.00"), PAID),
    ),
    (
        sight(1, "inactive", PAID), sight(1, "active", LENT), sight(11, "active", HALF),
        sight(21, "closed", PAID),
    ),
    (row(1, FIRST, "10.00", "365.00", FIRST), row(2, LAST, "5.00", "0.00", LAST)),
    "paid_in_full",
)  # fmt: skip
BEFORE_FEE, AFTER_FEE = split("730.00", "13.00"), split("730.00", "13.00", "25.00")
BACK = split("365.00", "4.00", "25.00")
LATE = Life(
    "Missed", 'Kim "Example"', DECISION,
    (
        *OPENING,
        *nights(12, 14, "1.00", split("730.00", "10.00")),
        entry("fee", date(2024, 1, 14), split("0.00", "0.00", "25.00"), AFTER_FEE, "Arrears fee"),
        *nights(15, 15, "1.00", AFTER_FEE),
        entry("repayment", PAID_LATE, split("365.00", "10.00"), BACK),
        *nights(16, 21, "0.50", BACK),
        entry("repayment", LAST, split("365.00", "7.00", "25.00"), PAID),
    ),
    (
        sight(1, "inactive", PAID), sight(1, "active", LENT),
        sight(11, "active", split("730.00", "10.00")),
        sight(12, "late", split("730.00", "11.00")),
        sight(14, "arrears", AFTER_FEE), sight(15, "active", BACK), sight(21, "closed", PAID),
    ),
    (row(1, FIRST, "10.00", "365.00", PAID_LATE), row(2, LAST, "7.00", "0.00", LAST)),
    "paid_in_full",
)  # fmt: skip
QUOTE = Quote(
    START, Decimal("730.00"), Decimal(50), Decimal("63.2"),
    (row(1, FIRST, "10.00", "365.00"), row(2, LAST, "5.00", "0.00")),
    Decimal("15.00"), Decimal("745.00"),
)  # fmt: skip
RECORD = Record("Short <b>loan</b>", "Arrears fee", Decimal("25.00"), 2, 1, QUOTE, TWIN, LATE)
