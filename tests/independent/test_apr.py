"""The annual percentage rate, against published worked examples and against a naive solver.

Where the figures come from:

* Council Directive 87/102/EEC, Annex III "Examples of calculation", as inserted by Directive
  98/7/EC (the equation is that which Directive 2008/48/EC, Annex I, and FCA CONC App 1.2 took over;
  neither of these two prints an example of its own).  Part A counts days, part B equal months.
* Commission proposal COM(2005) 483 final/2 for what became Directive 2008/48/EC, Annex II, examples
  2 to 5 (pages 59 to 61): 6,000 over 48 equal months.  The proposal's examples were left out of the
  directive as adopted.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

import pytest

from chalicelib.domain.account import DefaultFee
from chalicelib.domain.apr import annual_rate
from tests.independent import naive_apr, naive_schedule
from tests.independent.test_schedules import drawn, quote_of

DAYS, MONTHS = 365, 12


class Example(NamedTuple):
    """``flows``: (time in units, amount); ``rate`` as printed; ``unit``: so many make a year."""

    where: str
    advance: str
    flows: list[tuple[int, str]]
    unit: int
    rate: str
    percent: str


def monthly(amount: str) -> list[tuple[int, str]]:
    return [(month, amount) for month in range(1, 49)]


PUBLISHED = [
    Example("98/7/EC A, first: 546 days", "1000", [(546, "1200")], DAYS, "0.1296204", "13.0"),
    Example("98/7/EC A, second: 50 kept back", "950", [(546, "1200")], DAYS, "0.169026", "16.9"),
    Example(
        "98/7/EC A, third: two years", "1000", [(365, "600"), (730, "600")],
        DAYS, "0.1306623", "13.1",
    ),
    Example("98/7/EC B, first: 18 months", "1000", [(18, "1200")], MONTHS, "0.129243", "12.9"),
    Example("COM(2005), 2", "6000", monthly("149.31"), MONTHS, "0.0938059", "9.4"),
    Example("COM(2005), 3: 60 of costs", "5940", monthly("149.31"), MONTHS, "0.0995497", "10.0"),
    Example("COM(2005), 4: costs spread", "6000", monthly("150.56"), MONTHS, "0.0985669", "9.9"),
    Example("COM(2005), 5: insurance", "5940", monthly("152.31"), MONTHS, "0.1110701", "11.1"),
]  # fmt: skip

#: The same Annex III, A, fourth example, whose equation is printed with these payments and days.
FOURTH = [(90, "272"), (181, "272"), (365, "544")]


def naive_rate(advance: str, flows: list[tuple[int, str]], unit: int) -> Decimal:
    all_flows = [(Fraction(0), -Decimal(advance))]
    all_flows += [(Fraction(time, unit), Decimal(amount)) for time, amount in flows]
    rate = naive_apr.solve(all_flows, digits=14)
    assert rate is not None
    return rate


def product_percent(advance: str, flows: list[tuple[int, str]], unit: int) -> Decimal | None:
    return annual_rate(Decimal(advance), [(time, Decimal(value)) for time, value in flows], unit)


@pytest.mark.parametrize("example", PUBLISHED, ids=lambda example: example.where)
def test_published_examples(example: Example) -> None:
    rate = naive_rate(example.advance, example.flows, example.unit)
    printed = Decimal(example.rate)
    unit = Decimal(1).scaleb(printed.as_tuple().exponent)  # type: ignore[arg-type]
    assert abs(rate - printed) < unit  # one of them is cut off, not rounded
    assert str(naive_apr.percent(rate)) == example.percent
    assert str(product_percent(example.advance, example.flows, example.unit)) == example.percent


def test_the_published_fourth_example_solves_its_own_equation() -> None:
    """Only its payments are taken from the page: 272, 272 and 544 after 90, 181 and 365 days."""
    rate = naive_rate("1000", FOURTH, DAYS)
    assert product_percent("1000", FOURTH, DAYS) == naive_apr.percent(rate)


def disbursement_fees(random: Random) -> list[DefaultFee]:
    fees = []
    for number in range(random.randint(0, 3)):
        kind = random.choice(("flat", "percent"))
        amount = Decimal(random.randint(1, 5000 if kind == "flat" else 900)) / 100
        event = random.choice(("disbursement", "disbursement", "manual"))
        fees.append(DefaultFee(f"Fee {number}", kind, amount, event))
    return fees


def charged(fees: list[DefaultFee], principal: Decimal) -> Decimal:
    """Each a sum, or a percentage of the total balance at that moment (kept to ten places)."""
    total = Decimal(0)
    for fee in fees:
        if fee.event != "disbursement":
            continue
        if fee.type == "flat":
            total = total + fee.amount
        else:
            share = (principal + total) * fee.amount / 100
            total = total + share.quantize(Decimal("1e-10"))
    return total


def naive_quote_apr(case: dict[str, Any], fees: list[DefaultFee]) -> Decimal | None:
    rows = naive_schedule.schedule(**case)
    times = naive_apr.times(case["start"], [(row.unmoved, row.due) for row in rows])
    extra = Fraction(charged(fees, case["amount"]))
    flows = [(Fraction(0), -case["amount"])]
    for row, time in zip(rows, times, strict=True):
        pays = Fraction(row.principal) + Fraction(row.interest)
        if pays > 0:
            pays, extra = pays + extra, Fraction(0)
        flows.append((time, Decimal(pays.numerator) / Decimal(pays.denominator)))
    rate = naive_apr.solve(flows)
    return None if rate is None else naive_apr.percent(rate)


@pytest.mark.parametrize("seed", range(40))
def test_the_apr_of_random_quotes(seed: int) -> None:
    """Disbursement fees are paid with the first paying row; time in months where all are whole."""
    random = Random(f"apr {seed}")
    for _ in range(4):
        case = drawn(random, random.choice((1, 6, 14)))
        case["amount"] = max(case["amount"], Decimal(100))
        if random.random() < 0.5:
            rules = case["rules"]
            case["rules"] = naive_schedule.Rules("day_of_month", case["start"].day, rules.moving)
        fees = disbursement_fees(random)
        assert quote_of(case, default_fees=tuple(fees)).apr == naive_quote_apr(case, fees), (
            case,
            fees,
        )


@pytest.mark.parametrize(
    ("start", "dates", "years"),
    [
        (date(2024, 1, 31), [date(2024, 2, 29), date(2024, 3, 31)], ["1/12", "1/6"]),
        (date(2024, 1, 30), [date(2024, 2, 29), date(2024, 3, 30)], ["1/12", "1/6"]),
        (date(2024, 1, 15), [date(2024, 2, 15), date(2024, 3, 14)], ["31/365", "59/365"]),
    ],
)
def test_time_is_in_twelfths_where_every_date_is_whole_months(
    start: date, dates: list[date], years: list[str]
) -> None:
    found = naive_apr.times(start, [(day, day) for day in dates])
    assert found == [Fraction(text) for text in years]
