"""The benchmark of units: DynamoDB's rules by hand, and that a quiet night writes nothing."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from bench import _costs, units
from bench._meter import Meter, size, write_units
from bench.units import Row


def item(doc: str = "x", **index: str) -> dict[str, dict[str, str]]:
    given = {"pk": "p", "sk": "s", "doc": doc, **index}
    return {name: {"S": value} for name, value in given.items()}


@pytest.mark.parametrize(
    ("before", "after", "times", "expected"),
    [
        ({}, item(), 1, 1),  # a small item
        ({}, item(), 2, 2),  # in a transaction
        ({}, item("x" * 1100), 1, 2),  # 1 KB begun
        (item("x" * 1100), item(), 1, 2),  # the larger of before and after counts
        ({}, item(lp="a", ls="1"), 1, 2),  # and its index entry
        (item(lp="a", ls="1"), item("y", lp="a", ls="1"), 1, 1),  # an entry that stays is free
        (item(lp="a", ls="1"), item(lp="a", ls="2"), 1, 3),  # one that moves goes and comes
        (item(dp="a", ds="1"), item(), 2, 3),  # one that goes; not twice in a transaction
        (item(lp="a", ls="1", dp="b", ds="1"), {}, 1, 3),  # a deletion with two entries
    ],
)
def test_write_units(before: object, after: object, times: int, expected: int) -> None:
    assert write_units(before, after, times) == expected  # type: ignore[arg-type]


def test_an_item_s_size_is_its_names_and_values() -> None:
    assert size({"pk": {"S": "äb"}, "v": {"N": "123"}}) == 2 + 3 + 1 + 3


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    meter = Meter()
    with units.metered(meter):
        return {row.name: row for row in units.term_loans(meter, 2)}


@pytest.mark.slow
def test_a_quiet_night_of_a_loan_costs_nothing(rows: dict[str, Row]) -> None:
    night = rows["a loan's quiet night"].total
    assert (night.writes, night.reads, night.calls, night.runs) == (0, 0, 0, 0)
    assert rows["a partner's quiet day"].total.writes > 0, "the day itself is begun and closed"


@pytest.mark.slow
def test_the_page_says_what_is_measured(rows: dict[str, Row]) -> None:
    """Units do not depend on the machine; ``make bench ARGS='units --write'`` writes them anew."""
    page = _costs.PAGE.read_text("utf-8")
    for name in ("a repayment by hand", "a due date, not collected", "a webhook"):
        found = re.search(rf"^\| {name} \| ([0-9.]+) \| ([0-9.]+) ", page, re.MULTILINE)
        assert found, name
        told = Decimal(found[1]), Decimal(found[2])
        used = rows[name].total
        measured = Decimal(str(used.writes)), Decimal(str(used.reads))
        assert all(abs(a - b) <= 1 for a, b in zip(told, measured, strict=True)), (name, measured)


@pytest.mark.slow
def test_what_it_costs_grows_with_the_book(rows: dict[str, Row]) -> None:
    rows = {**rows, "a due date, collected": rows["a due date, not collected"]}
    small, large = (_costs.bill(rows, loans, 1, 10_000) for loans in (1000, 10_000))
    fixed = small.lines["Fixed"]
    assert fixed == large.lines["Fixed"] and small.total < large.total < 10 * small.total
    webhook = _costs.of_row(rows["a webhook"], Decimal(1)).lines
    assert webhook["DynamoDB"] > 0 and webhook["SQS"] > 0
    assert webhook["API Gateway and firewall"] == 0, "no request of the API's"
