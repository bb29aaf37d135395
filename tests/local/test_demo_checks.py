"""What the demo compares: it finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from local.demo_checks import checks, cost_of_lateness, extra
from local.demo_record import Entry, Life, Record, Split
from tests.local.demo_life import FIRST, LATE, QUOTE, RECORD, TWIN, split


def wrong(record: Record) -> list[str]:
    return [check.what for check in checks(record) if not check.holds]


def changed(life: Life, which: int, **values: object) -> Life:
    """The life with another value in its last entries."""
    entries = list(life.entries)
    entries[which] = replace(entries[which], **values)  # type: ignore[arg-type]
    return replace(life, entries=tuple(entries))


def test_a_life_as_it_should_be_agrees_in_everything() -> None:
    assert wrong(RECORD) == []


def test_lateness_costs_the_rows_principal_for_its_nights() -> None:
    assert cost_of_lateness(RECORD) == 2
    assert extra(RECORD) == (Decimal("2.00"), Decimal("25.00"))


def test_the_exact_balance_of_each_day_is_what_its_last_transaction_left() -> None:
    days = dict(TWIN.balances())
    assert days[date(2024, 1, 10)] == split("730.00", "9.00")
    assert days[FIRST] == split("365.00")
    assert len(days) == 21


def test_a_day_without_a_transaction_keeps_its_balance() -> None:
    quiet = replace(TWIN, entries=(TWIN.entries[0],))
    days = list(quiet.balances())
    assert len(days) == 21
    assert {balance for _, balance in days} == {split("730.00")}


def test_moves_are_the_first_sights_of_each_status() -> None:
    assert [(m.status, m.on.day) for m in LATE.moves] == [
        ("inactive", 1), ("active", 1), ("late", 12), ("arrears", 14), ("active", 15),
        ("closed", 21),
    ]  # fmt: skip


def test_what_is_only_pending_does_not_count() -> None:
    pending = replace(TWIN.entries[-1], status="pending")
    assert replace(TWIN, entries=(*TWIN.entries, pending)).collected == TWIN.collected


PENNY = Decimal("0.01")


def dearer(night: Entry) -> dict[str, Split]:
    more = Split(night.exact.principal, night.exact.interest + PENNY, night.exact.fee)
    return {"exact": more, "split": more}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (replace(RECORD, twin=changed(TWIN, -1, amount=Decimal("370.01"))), "amounts collected"),
        (replace(RECORD, twin=changed(TWIN, 5, **dearer(TWIN.entries[5]))), "interest charged"),
        (replace(RECORD, late=changed(LATE, 13, **dearer(LATE.entries[13]))), "Missed: interest"),
        (replace(RECORD, late=changed(LATE, -1, amount=Decimal("397.01"))), "Missed: all that"),
        (replace(RECORD, fee=Decimal("24.00")), "fees charged"),
        (replace(RECORD, tolerance=3), "Missed: statuses"),
        (replace(RECORD, quote=replace(QUOTE, interest=Decimal("15.01"))), "interest charged"),
        (replace(RECORD, quote=replace(QUOTE, total=Decimal("745.01"))), "all that was collected"),
        (replace(RECORD, twin=replace(TWIN, rows=LATE.rows)), "paid on"),
        (replace(RECORD, late=replace(LATE, close_substatus="written_off")), "at the end"),
        (replace(RECORD, twin=changed(TWIN, 3, after=split("730.00", "7.77"))), "not the sum"),
        (
            replace(RECORD, twin=replace(TWIN, sights=(*TWIN.sights[:2], replace(
                TWIN.sights[2], balance=split("365.00", "0.01")), TWIN.sights[3]))),
            "transactions contradict",
        ),
    ],
)  # fmt: skip
def test_each_wrong_figure_is_found(record: Record, expected: str) -> None:
    assert any(expected in what for what in wrong(record))
