"""Whose a loan is on each day, by its cessions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.blackmoon import Cession
from chalicelib.domain.ownership import Holding, followed, holder, holder_on, holdings, owner_on

D1 = date(2026, 3, 2)
FEE = Decimal("0.15")
_ids = count()


def day(number: int) -> date:
    return D1 + timedelta(days=number - 1)


def ceded(on: int, kind: str = "direct", investor: str | None = "24", fee: str = "0.15") -> Cession:
    return Cession(
        f"c{next(_ids)}", "l", kind, day(on), Decimal(100), servicing_fee=Decimal(fee),
        investor_legal_entity_id=investor,
    )  # fmt: skip


def back(on: int) -> Cession:
    return Cession(f"c{next(_ids)}", "l", "reverse", day(on), Decimal(100), reverse_type="Overdue")


def owners(cessions: list[Cession], until: int = 8) -> str:
    """Each day's owner, a letter a day: ``.`` is the originator."""
    found = holdings(cessions)
    return "".join(
        "." if (held := holder_on(found, day(one))) is None else held.investor[-1]
        for one in range(1, until)
    )


#: Cessions, and whose the days 1 to 7 are.
LIVES = [
    ([], "......."),
    ([ceded(3)], "..44444"),
    ([ceded(3), back(5)], "..44..."),
    ([ceded(3), ceded(4, "topup"), back(5)], "..44..."),
    ([ceded(3), back(3)], "......."),
    ([ceded(1), back(3), ceded(5, investor="26")], "44..666"),
    ([ceded(1), back(3), ceded(3, investor="26")], "4466666"),
    ([ceded(2), back(2), ceded(2, investor="26")], ".666666"),
    ([ceded(2), ceded(4, investor="26")], ".446666"),
    ([back(2)], "......."),
    ([back(2), ceded(3)], "..44444"),
    ([ceded(3), back(5), back(6)], "..44..."),
    ([ceded(3, "topup")], "......."),
]


@pytest.mark.parametrize(("cessions", "expected"), LIVES)
def test_whose_each_day_is(cessions: list[Cession], expected: str) -> None:
    assert owners(cessions) == expected
    by_day = sorted(cessions, key=lambda one: one.day, reverse=True)
    assert owners(by_day) == expected, "however they come"


def test_the_day_of_the_sale_is_the_investors_and_the_day_of_the_return_ours() -> None:
    [held] = holdings([ceded(3), back(5)])
    assert held == Holding("24", FEE, day(3), day(5))
    assert [held.on(day(number)) for number in (2, 3, 4, 5)] == [False, True, True, False]
    assert owner_on([ceded(3), back(5)], day(4)) == "24"
    assert owner_on([ceded(3), back(5)], day(5)) is None


def test_each_holding_has_its_own_fee() -> None:
    found = holdings([ceded(1, fee="0.1"), back(2), ceded(4, investor="26", fee="0.2")])
    assert [(one.investor, one.servicing_fee) for one in found] == [
        ("24", Decimal("0.1")), ("26", Decimal("0.2")),
    ]  # fmt: skip
    assert holder(found) == found[1]


def test_a_return_dated_before_the_purchase_takes_all_of_it_back() -> None:
    known = followed(followed((), ceded(4)), back(2))
    assert known == (Holding("24", FEE, day(4), day(4)),) and holder(known) is None
    assert holder_on(known, day(4)) is None


def test_an_investor_who_is_not_named_owns_it_all_the_same() -> None:
    [held] = holdings([ceded(1, investor=None)])
    assert held.investor == "" and held.on(day(1))


MOVES = st.lists(
    st.tuples(st.sampled_from(["direct", "topup", "reverse"]), st.integers(1, 6)), max_size=8
)


@given(MOVES)
def test_each_day_has_one_owner_and_holdings_never_overlap(moves: list[tuple[str, int]]) -> None:
    found = holdings([back(on) if kind == "reverse" else ceded(on, kind) for kind, on in moves])
    for one in range(1, 9):
        assert sum(held.on(day(one)) for held in found) <= 1
    for earlier, later in pairwise(found):
        assert earlier.until is not None and earlier.until <= later.since
    assert len(found) <= sum(kind == "direct" for kind, _ in moves)
