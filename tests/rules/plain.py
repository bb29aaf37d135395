"""Loans of round figures, so that what must come out can be worked out by hand.

* ``plain``: 36,500 at 10 %, which is 10.00 a night; five rows that repay 7,300 each on the 15th,
  from 15 January 2023 on.  Each row paid takes 2.00 off the night:

      due      15 Feb   15 Mar   15 Apr   15 May   15 Jun
      nights       31       28       31       30       31
      interest    310      224      186      120       62

* ``line``: a line of credit of up to 3,650 at 10 %, which is 1.00 a night.
* ``revolving``: the same with a statement on the 1st, which asks for 5 %, interest and fees, at
  least 20.00, by the 15th.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from chalicelib.domain import loans, rebuild
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import EXACT, pence, ten_places
from chalicelib.domain.schedule import Basis, Row, due_dates, plan
from tests.domain.lives import Life, moment, terms

D = Decimal
START = date(2023, 1, 15)
EQUAL_PRINCIPAL, EQUAL_INSTALMENTS = "equal_principal_payments", "equal_instalments"


def on(day: str) -> date:
    """``"2023-02-15"``, or ``"02-15"`` in the year of the plain loans, as a date."""
    return date.fromisoformat(day if len(day) == 10 else f"2023-{day}")


def agreed(**given: object) -> dict[str, object]:
    """The plain loan's terms, some of them otherwise."""
    usual: dict[str, object] = {
        "amount": D(36500),
        "rate": D(10),
        "installments": 5,
        "interest_calculation": EQUAL_PRINCIPAL,
        "repayment_date_period": 15,
    }
    return {**usual, **given}


def plain(start: date = START, **given: object) -> Life:
    """The plain loan, disbursed on ``start``."""
    life = Life(terms(**agreed(**given)), start)
    return life.disburses(life.terms.amount)


def line(start: date = START, drawn: str = "3650", **given: object) -> Life:
    """The line of credit with ``drawn`` disbursed."""
    usual: dict[str, object] = {"kind": "line_of_credit", "amount": D(3650), "rate": D(10)}
    life = Life(terms(**{**usual, "installments": 0, **given}), start)
    return life.disburses(drawn) if D(drawn) else life


def revolving(start: date = START, drawn: str = "3650", **given: object) -> Life:
    """The revolving credit with ``drawn`` disbursed."""
    usual: dict[str, object] = {
        "kind": "revolving_credit",
        "statement_day": 1,
        "minimum_repayment_percentage": D(5),
        "minimum_repayment_amount": D(20),
        "repayment_date_period": 15,
    }
    return line(start, drawn, **{**usual, **given})


def mandated(life: Life, *, usable: bool = True) -> Life:
    """The loan gets a mandate by which it is collected, or loses its use."""
    life.tells(loans.set_mandate, "mandate", usable)
    return life


def automatic(life: Life) -> list[Transaction]:
    """The automatic repayments, the oldest first."""
    return sorted((t for t in life.of("repayment") if t.row is not None), key=lambda t: t.seq)


def arrives(life: Life, item: Transaction, charged: date) -> Transaction:
    """The provider confirms an automatic repayment, which it charged on a day."""
    found = latest(life, item)
    life._keep(rebuild.confirm_collection(life._whole(), moment(life.day), found, charged))
    return latest(life, item)


def retries(life: Life, item: Transaction) -> Transaction:
    """A failed repayment goes to its provider again."""
    life._keep(rebuild.retry(life._whole(), moment(life.day), latest(life, item)))
    return latest(life, item)


def laid(start: date = START, **given: object) -> tuple[Row, ...]:
    """The rows of a loan on the plain loan's terms, some of them otherwise."""
    loan = terms(**agreed(**given))
    dates = due_dates(loan.plan, start)
    return plan(loan.plan, dates, (Basis(1, start, loan.amount),))


def fee(amount: str, event: str = "manual", kind: str = "flat", name: str = "Fee") -> DefaultFee:
    """A fee of a product."""
    return DefaultFee(name, kind, D(amount), event)


def lasts(life: Life, nights: int, *, daily: bool = True) -> Life:
    """Some nights pass."""
    return life.goes_to(life.day + timedelta(days=nights), daily=daily)


def shown(*amounts: Decimal) -> tuple[str, ...]:
    """Amounts as they are shown."""
    return tuple(str(pence(amount)) for amount in amounts)


def kept(*amounts: Decimal) -> tuple[str, ...]:
    """Amounts as they are kept, to ten places."""
    return tuple(f"{ten_places(amount):f}" for amount in amounts)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum, with as many digits as the ledger has."""
    found = D(0)
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def balances(life: Life) -> str:
    """Principal, interest and fee as shown, in one text."""
    return " ".join(shown(*life.view().account.balances))


def split(item: Transaction) -> str:
    """A transaction's split as shown, in one text, and what it adds to ``overpayment``."""
    return " ".join(shown(*item.split, item.overpayment))


def bills(life: Life) -> list[str]:
    """The billed rows that are not paid, each ``number principal interest fee`` still missing."""
    rows = life.view().account.billed
    return [" ".join([str(r.number), *shown(r.principal, r.interest, r.fee)]) for r in rows]


def due(life: Life) -> str:
    """The next repayment's date and amount."""
    view = life.view()
    return f"{view.next_repayment_date} {view.next_repayment_amount:.2f}"


def latest(life: Life, item: Transaction) -> Transaction:
    """A transaction as it is now."""
    return next(one for one in life.transactions() if one.id == item.id)


def planned(life: Life) -> list[str]:
    """Each row of the running schedule: ``number principal interest``, as shown."""
    return [" ".join([str(r.number), *shown(r.principal, r.interest)]) for r in life.schedule()]
