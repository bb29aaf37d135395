"""A small record, told by hand: 1,095.00 at 50 % is 1.50 a night, and half a pound a row.

Three rows, ten nights each.  One loan is collected on time; one misses the first row and pays it
four days late: two pounds more of interest, and a fee.  The third has its first row collected at
the second attempt, five days late, its second one taken back and paid again, and is paid off early.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from local.demo_debits import Debit, Mandate, Step, Told
from local.demo_decisions import Card, Decision, Rule
from local.demo_record import NOTHING, ZERO, Entry, Life, Quote, Record, Row, Sight, Split

START, FIRST, SECOND, LAST = (date(2024, 1, day) for day in (1, 11, 21, 31))
PAID_LATE = date(2024, 1, 15)
ROW = Decimal("365.00")


def split(principal: str, interest: str = "0.00", fee: str = "0.00") -> Split:
    return Split(Decimal(principal), Decimal(interest), Decimal(fee))


def jan(day: int) -> date:
    return date(2024, 1, day)


@dataclass
class Account:
    """Days of January, and what moves on them; half a pound a night for each row still owed."""

    day: int = 1
    owed: Split = NOTHING
    entries: list[Entry] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)

    def adds(self, kind: str, parts: Split, sign: int, **more: str) -> Account:
        self.owed = Split(
            self.owed.principal + sign * parts.principal,
            self.owed.interest + sign * parts.interest,
            self.owed.fee + sign * parts.fee,
        )
        self.entries.append(
            Entry(kind, "applied", more.get("name", ""), jan(self.day), parts.total, parts, parts,
                  self.owed, more.get("id", ""), more.get("how", ""))
        )  # fmt: skip
        return self

    def nights(self, to: int) -> Account:
        while self.day < to:
            self.day += 1
            self.adds("interest", Split(ZERO, self.owed.principal / 730, ZERO), 1)
        return self

    def repays(self, parts: Split, payment: str = "") -> Account:
        return self.adds("repayment", parts, -1, id=payment, how="gocardless" if payment else "")

    def seen(self, status: str, past: int = 0) -> Account:
        self.sights.append(Sight(jan(self.day), status, self.owed, past))
        return self


def row(
    number: int, due: date, interest: str, left: str, paid_on: date | None = None, paid: str = ""
) -> Row:
    charged = Decimal(interest)
    got = (ROW, Decimal(paid or interest)) if paid_on else (ZERO, ZERO)
    return Row(number, due, 10, ROW, charged, ROW + charged, Decimal(left), *got, paid_on)


def debit(name: str, amount: str, *steps: tuple[int, str, str], charged: int, status: str) -> Debit:
    told = tuple(Step(jan(day), action, cause) for day, action, cause in steps)
    return Debit(f"PM{name}", name, Decimal(amount), jan(charged), status, told)


CREATED, CONFIRMED = "payment_created", "payment_confirmed"
LENT = split("1095.00")
DECISION = Decision("v<1>", "accept", (
    Card("Score", "pass", "742", "600", (
        Rule("Bureau", "{{score}} > 0", (("score", "742"),), "742", "600", True),
    )),
))  # fmt: skip
MANDATE = Mandate(jan(1), jan(1), "active", ("account_holder_name", "branch_code"))


def _opened() -> Account:
    return Account().seen("inactive").adds("disbursement", LENT, 1).seen("active")


_on_time = _opened()
for _day, _interest, _name in ((11, "15.00", "t1"), (21, "10.00", "t2"), (31, "5.00", "t3")):
    _on_time.nights(_day).repays(split("365.00", _interest), _name)
    _on_time.seen("closed" if _day == 31 else "active")
# It is known to be over once the bank has had its time.
_on_time.sights[-1] = replace(_on_time.sights[-1], on=date(2024, 2, 1))
TWIN = Life(
    "On time", "Robin <script>alert(1)</script> & Co", DECISION, tuple(_on_time.entries),
    tuple(_on_time.sights),
    (row(1, FIRST, "15.00", "730.00", FIRST), row(2, SECOND, "10.00", "365.00", SECOND),
     row(3, LAST, "5.00", "0.00", LAST)),
    "paid_in_full",
    tuple(
        replace(
            debit(name, amount, (day - 5, "created", CREATED), charged=day, status="confirmed"),
            steps=(Step(jan(day - 5), "created", CREATED), Step(sure, "confirmed", CONFIRMED)),
        )
        for name, amount, day, sure in (
            ("t1", "380.00", 11, jan(12)), ("t2", "375.00", 21, jan(22)),
            ("t3", "370.00", 31, date(2024, 2, 1)),
        )
    ),
    MANDATE,
)  # fmt: skip

_late = _opened().nights(11).seen("active").nights(12).seen("late", 1).nights(14)
_late.adds("fee", split("0.00", "0.00", "25.00"), 1, name="Arrears fee").seen("arrears", 3)
_late.nights(15).repays(split("365.00", "15.00")).seen("active")
_late.nights(21).repays(split("365.00", "12.00", "25.00")).seen("active")
_late.nights(31).repays(split("365.00", "5.00")).seen("closed")
LATE = Life(
    "Missed", 'Kim "Example"', DECISION, tuple(_late.entries), tuple(_late.sights),
    (row(1, FIRST, "15.00", "730.00", PAID_LATE), row(2, SECOND, "12.00", "365.00", SECOND),
     row(3, LAST, "5.00", "0.00", LAST)),
    "paid_in_full",
)  # fmt: skip

_hard = _opened().nights(11).seen("active").nights(12).seen("late", 1)
_hard.nights(16).repays(split("365.00", "15.00"), "h1").nights(17).seen("active")
_hard.nights(21).repays(split("365.00", "12.50"), "h2").nights(22).seen("active")
_hard.nights(24).adds("chargeback", split("365.00", "12.50"), 1, id="h3").seen("late", 3)
_hard.nights(25).repays(split("365.00", "12.50")).seen("active")
_hard.nights(27).repays(split("365.00", "3.50")).seen("closed")
TROUBLED = Life(
    "Troubled", "Sam Example", DECISION, tuple(_hard.entries), tuple(_hard.sights),
    (row(1, FIRST, "15.00", "730.00", jan(16)), row(2, SECOND, "12.50", "365.00", jan(25))),
    "paid_in_full",
    (
        debit("h1", "380.00", (6, "created", CREATED), (11, "failed", "refer_to_payer"),
              (11, "resubmission_requested", "payment_retried"), (17, "confirmed", CONFIRMED),
              charged=16, status="paid_out"),
        debit("h2", "377.50", (16, "created", CREATED), (22, "confirmed", CONFIRMED),
              (24, "charged_back", "authorisation_disputed"), charged=21, status="charged_back"),
    ),
    MANDATE,
    {sight.on: sight.balance for sight in _hard.sights},
    Decimal("368.50"),
)  # fmt: skip
QUOTE = Quote(
    START, Decimal("1095.00"), Decimal(50), Decimal("63.2"),
    (row(1, FIRST, "15.00", "730.00"), row(2, SECOND, "10.00", "365.00"),
     row(3, LAST, "5.00", "0.00")),
    Decimal("30.00"), Decimal("1125.00"),
)  # fmt: skip


def _told(number: int, event: str, day: int, title: str, subject: str, figures: str) -> Told:
    return Told(f"w{number}", event, jan(day), title, subject, figures, "", 1)


HEARD = tuple(
    _told(number, *told)
    for number, told in enumerate((
        ("repayment_created", 6, "On time", "t1", "380.00"),
        ("repayment_created", 6, "Troubled", "h1", "380.00"),
        ("repayment_result", 11, "Troubled", "h1", "380.00, failed"),
        ("repayment_result", 12, "On time", "t1", "380.00, applied"),
        ("repayment_created", 16, "On time", "t2", "375.00"),
        ("repayment_created", 16, "Troubled", "h2", "<b>377.50</b>"),
        ("repayment_result", 17, "Troubled", "h1", "380.00, applied"),
        ("repayment_charged_back", 24, "Troubled", "h2", "377.50"),
        ("repayment_created", 26, "On time", "t3", "370.00"),
    ))
)  # fmt: skip
RECORD = Record(
    "Short <b>loan</b>", "Arrears fee", Decimal("25.00"), 2, 1, QUOTE, TWIN, LATE, TROUBLED, 1, 2,
    HEARD, tuple(told.id for told in HEARD),
)  # fmt: skip
