"""What becomes of each loan of the book: plain data, the same for every run of the same size.

A life is a loan's product, what investors say to it, and steps, each so many days after it was
opened; a habit is what its borrower does whenever something falls due.  Steps that would lie behind
the end of a run are never done, so that a month's book is the beginning of a year's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.scenarios.partner import PRODUCT

BEGINS = date(2026, 1, 14)
MONTH_DAYS = 31

_MONTHLY = {**PRODUCT, "repayment_date_period": 2, "arrears_tolerance": 3}
_LINE = {
    name: PRODUCT[name] for name in ("max_loan_amount", "max_interest_rate", "default_loan_amount")
} | {"default_interest_rate": "18.5"}
_NOT_OF_LINES = dict.fromkeys(
    ("installments", "repayment_date_type", "repayment_date_period",
     "repayment_holiday_scheduling")
)  # fmt: skip
SOLD = {"sell_to_blackmoon": True}
FEES = [{"name": "Arrears", "type": "flat", "amount": "12.50", "event": "arrears"}]

#: By name; what stands in :data:`tests.scenarios.partner.PRODUCT` besides.
PRODUCTS: dict[str, dict[str, Any]] = {
    "equal, sold": {**_MONTHLY, **SOLD, "name": "Equal instalments"},
    "equal, kept": {**_MONTHLY, "name": "Equal instalments kept", "default_fees": FEES,
                    "early_repayment_recalculation": "reduced_instalments"},
    "principal, sold": {**_MONTHLY, **SOLD, "name": "Equal principal",
                        "type": "term_loan_equal_principal", "repayment_date_period": 4},
    "principal, kept": {**_MONTHLY, "name": "Equal principal kept", "default_fees": FEES,
                        "type": "term_loan_equal_principal"},
    "line, sold": {**_LINE, **_NOT_OF_LINES, **SOLD, "type": "line_of_credit", "name": "Line"},
    "line, kept": {**_LINE, **_NOT_OF_LINES, "type": "line_of_credit", "name": "Line kept"},
    "revolving, sold": {**_LINE, **SOLD, "type": "revolving_credit", "name": "Revolving",
                        "installments": None, "statement_day": 25, "repayment_date_period": 5,
                        "minimum_repayment_percentage": "5", "minimum_repayment_amount": "25"},
}  # fmt: skip

Step = tuple[int, str, Any]


@dataclass(frozen=True)
class Kind:
    """One sort of life.

    ``decision`` is what investors say (None: whatever Blackmoon's calculation says); ``pays`` is
    how many days after a due date its borrower pays, ``bank`` what becomes of a collection; one
    that gives back has charged back before.
    """

    name: str
    product: str
    steps: tuple[Step, ...]
    decision: bool | None = None
    pays: int | None = None
    bank: str | None = None


PAID_OUT: Step = (0, "pays_out", "1500.00")
KINDS = (
    Kind("sold, paid in time", "equal, sold", (PAID_OUT,), True, pays=0),
    Kind("kept, collected in time", "principal, kept", ((0, "mandate", None), PAID_OUT)),
    Kind("sold line with top-ups", "line, sold",
         (PAID_OUT, (4, "pays_out", "400.00"), (6, "repays", "250.00"),
          (9, "pays_out", "150.25"), (40, "pays_out", "75.00"), (90, "settles", None)), True),
    Kind("sold, paid late", "principal, sold", (PAID_OUT,), True, pays=6),
    Kind("revolving, pays its minimum", "revolving, sold",
         (PAID_OUT, (5, "pays_out", "310.10"), (50, "pays_out", "90.00")), True, pays=-1),
    Kind("refused, repaid early", "equal, sold",
         (PAID_OUT, (5, "repays", "300.00"), (8, "settles", None)), False),
    Kind("cancelled before acceptance", "equal, sold", ((0, "cancels", None),), True),
    Kind("cancelled after acceptance", "equal, sold",
         ((0, "accepts", None), (1, "cancels", None)), True),
    Kind("sold, then sold back", "equal, sold",
         (PAID_OUT, (7, "sold_back", "Overdue")), True, pays=0),
    Kind("learnt of late", "equal, kept",
         (PAID_OUT, (13, "repays_back", (11, "211.00")), (130, "repays_back", (100, "95.55")))),
    Kind("a collection by hand fails", "line, kept",
         ((0, "mandate", None), PAID_OUT, (6, "collects", "120.00"), (8, "bounces", None),
          (70, "settles", None))),
    Kind("sold, collected, charged back", "equal, sold",
         ((0, "mandate", None), PAID_OUT), True, bank="charges_back"),
    Kind("sold, repaid, reverted", "line, sold",
         (PAID_OUT, (3, "repays", "333.33"), (12, "reverts", None), (60, "repays", "40.00")), True),
    Kind("kept, written off", "equal, kept", (PAID_OUT, (19, "written_off", None))),
    Kind("its sale is cancelled", "line, sold",
         (PAID_OUT, (3, "withdraws", None), (6, "pays_out", "100.00"), (7, "repays", "55.00")),
         True),
    Kind("sold, collection fails", "principal, sold",
         ((0, "mandate", None), PAID_OUT), True, bank="bounces"),
    Kind("sold, settled early", "principal, sold",
         (PAID_OUT, (3, "repays", "400.40"), (10, "settles", None)), True),
    Kind("as Blackmoon decides", "equal, sold", (PAID_OUT,), None, pays=1),
    Kind("not disbursed in time", "revolving, sold",
         ((2, "pays_out", "800.00"), (7, "repays", "200.00")), True, pays=0),
    Kind("never disbursed", "principal, kept", ()),
    Kind("sold, a top-up comes back", "line, sold",
         (PAID_OUT, (2, "sends", "250.00"), (5, "comes_back", None), (9, "repays", "20.00")), True),
    Kind("sold, all of it comes back", "principal, sold",
         ((0, "sends", "1500.00"), (3, "comes_back", None)), True),
    Kind("sold, charged back, given back", "equal, sold",
         ((0, "mandate", None), PAID_OUT), True, bank="gives_back"),
    Kind("revolving, given back when its statement is closed", "revolving, sold",
         ((0, "mandate", None), PAID_OUT), True, bank="gives_back_late"),
    Kind("kept, all of it comes back, then cancelled", "principal, kept",
         ((0, "sends", "1500.00"), (3, "comes_back", None), (3, "cancels", None))),
)  # fmt: skip


@dataclass
class Life:
    """One loan's life: what has become of it, as far as it has come (kept as JSON)."""

    kind: int
    opens: str
    loan: str = ""
    last: str = ""
    done: list[str] = field(default_factory=list)

    @property
    def of(self) -> Kind:
        """Its sort."""
        return KINDS[self.kind]

    def steps_on(self, day: date) -> list[Step]:
        """What is to be done on a day."""
        age = (day - date.fromisoformat(self.opens)).days
        return [step for step in self.of.steps if step[0] == age]


def lives(loans: int, days: int) -> list[Life]:
    """The book: opened in the first third of a month, or in two thirds of a longer run."""
    span = days // 3 if days <= MONTH_DAYS else days * 2 // 3
    return [
        Life(number % len(KINDS), (BEGINS + timedelta(days=number * span // loans)).isoformat())
        for number in range(loans)
    ]
