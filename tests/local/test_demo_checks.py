"""What the demo compares: it finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from local.demo_checks import checks, cost_of_lateness, expected_interest, extra
from local.demo_record import Entry, Life, Record, Split, in_order
from tests.local.demo_life import FIRST, HEARD, LATE, QUOTE, RECORD, TROUBLED, TWIN, split


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
    assert cost_of_lateness(RECORD, LATE, 1) == 2
    assert cost_of_lateness(RECORD, TROUBLED, 1) == Decimal("2.5")
    assert expected_interest(RECORD) == TROUBLED.interest == 31
    assert extra(RECORD) == (Decimal("2.00"), Decimal("25.00"))


def test_the_exact_balance_of_each_day_is_what_its_last_transaction_left() -> None:
    days = dict(TWIN.balances())
    assert days[date(2024, 1, 10)] == split("1095.00", "13.50")
    assert days[FIRST] == split("730.00")
    assert len(days) == 32


def test_a_day_without_a_transaction_keeps_its_balance() -> None:
    quiet = replace(TWIN, entries=(TWIN.entries[0],))
    days = list(quiet.balances())
    assert len(days) == 32
    assert {balance for _, balance in days} == {split("1095.00")}


def test_moves_are_the_first_sights_of_each_status() -> None:
    assert [(m.status, m.on.day) for m in LATE.moves] == [
        ("inactive", 1), ("active", 1), ("late", 12), ("arrears", 14), ("active", 15),
        ("closed", 31),
    ]  # fmt: skip


def test_what_is_only_pending_does_not_count() -> None:
    pending = replace(TWIN.entries[-1], status="pending")
    assert replace(TWIN, entries=(*TWIN.entries, pending)).collected == TWIN.collected


def test_entries_are_in_the_order_of_the_days_from_which_they_count() -> None:
    night, money = TWIN.entries[10], TWIN.entries[11]
    assert (night.kind, money.kind, night.on) == ("interest", "repayment", money.on)
    # A list is newest first by when things were made: a collection is made five days ahead.
    listed = [*reversed(TWIN.entries[2:11]), money, TWIN.entries[1], TWIN.entries[0]]
    assert in_order(listed) == TWIN.entries[:12]


def test_each_row_has_the_payment_that_was_made_for_it() -> None:
    assert [TROUBLED.debit_of(row) for row in QUOTE.rows] == [RETRIED, BACK, BACK]
    assert TWIN.debit_of(QUOTE.rows[0]) == TWIN.debits[0]
    assert LATE.debit_of(QUOTE.rows[0]) is None


def test_what_was_taken_back_was_not_kept() -> None:
    assert sum(TROUBLED.collected) - Decimal("377.50") == TROUBLED.kept == Decimal("1126.00")
    assert TROUBLED.settled_on == date(2024, 1, 27)


PENNY = Decimal("0.01")


def dearer(night: Entry) -> dict[str, Split]:
    more = Split(night.exact.principal, night.exact.interest + PENNY, night.exact.fee)
    return {"exact": more, "split": more}


RETRIED, BACK = TROUBLED.debits


def troubled(which: int, **values: object) -> Record:
    """The record with another value in a payment of the troubled loan."""
    debits = list(TROUBLED.debits)
    debits[which] = replace(debits[which], **values)  # type: ignore[arg-type]
    return replace(RECORD, troubled=replace(TROUBLED, debits=tuple(debits)))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (replace(RECORD, twin=changed(TWIN, -1, amount=Decimal("370.01"))), "amounts collected"),
        (replace(RECORD, twin=changed(TWIN, 5, **dearer(TWIN.entries[5]))), "interest charged"),
        (replace(RECORD, late=changed(LATE, 13, **dearer(LATE.entries[13]))), "Missed: interest"),
        (replace(RECORD, late=changed(LATE, -1, amount=Decimal("397.01"))), "Missed: all that"),
        (replace(RECORD, fee=Decimal("24.00")), "fees charged"),
        (replace(RECORD, tolerance=3), "Missed: statuses"),
        (replace(RECORD, quote=replace(QUOTE, interest=Decimal("30.01"))), "interest charged"),
        (replace(RECORD, quote=replace(QUOTE, total=Decimal("1125.01"))), "all that was collected"),
        (replace(RECORD, twin=replace(TWIN, rows=LATE.rows)), "paid on"),
        (replace(RECORD, late=replace(LATE, close_substatus="written_off")), "at the end"),
        (replace(RECORD, twin=changed(TWIN, 3, after=split("730.00", "7.77"))), "not the sum"),
        (
            replace(RECORD, late=replace(LATE, sights=(*LATE.sights[:2], replace(
                LATE.sights[2], balance=split("365.00", "0.01")), *LATE.sights[3:]))),
            "Missed: balances read on the way",
        ),
        (
            replace(RECORD, troubled=replace(TROUBLED, known={FIRST: split("1095.00", "15.01")})),
            "Troubled: balances read on the way",
        ),
        (replace(RECORD, troubled=replace(TROUBLED, payoff=Decimal("368.49"))), "settled the loan"),
        (replace(RECORD, troubled=replace(TROUBLED, sights=TROUBLED.sights[:5])), "at the end"),
        (troubled(0, amount=Decimal("379.99")), "each payment at the provider"),
        (troubled(0, status="failed"), "sum of what the provider collected"),
        (troubled(0, charged_on=date(2024, 1, 15)), "for the third working day"),
        (troubled(0, steps=(*RETRIED.steps, RETRIED.steps[2])), "transactions, attempts"),
        (troubled(1, status="paid_out"), "sum of what the provider collected"),
        (troubled(1, steps=(*BACK.steps[:2], replace(BACK.steps[2], on=date(2024, 1, 25)))),
         "the chargeback's day and split"),
        (replace(RECORD, troubled=replace(TROUBLED, debits=(*TROUBLED.debits, BACK))),
         "Payments made at the provider"),
        (replace(RECORD, heard=(replace(HEARD[0], flaw="wrong"), *HEARD[1:])), "signatures"),
        (replace(RECORD, heard=HEARD[1:]), "received, against those"),
        (replace(RECORD, delivered=RECORD.delivered[1:]), "received, against those"),
        (replace(RECORD, heard=(*HEARD, replace(HEARD[0], id="w99"))), "repayments announced"),
        (replace(RECORD, heard=(*HEARD[:2], *HEARD[3:])), "what the partner heard of it"),
    ],
)  # fmt: skip
def test_each_wrong_figure_is_found(record: Record, expected: str) -> None:
    assert any(expected in what for what in wrong(record))


def test_a_chargeback_that_is_missing_is_found() -> None:
    without = [entry for entry in TROUBLED.entries if entry.kind != "chargeback"]
    found = wrong(replace(RECORD, troubled=replace(TROUBLED, entries=tuple(without))))
    assert "Troubled: the payment that was taken back" in found
