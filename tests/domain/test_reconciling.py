"""What is asked every hour, and a business date's reconciliation as the answers come in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import get_args

import pytest

from chalicelib.domain import reconciling
from chalicelib.domain.blackmoon import MOST_SHOWN, Difference, Reconciliation
from chalicelib.domain.blackmoon_answers import Remedy
from chalicelib.domain.collateral import LISTS, Markup, Pledge, flawed
from chalicelib.domain.hours import UNASKED, Asking
from chalicelib.domain.reconciling import WHY, Heard, Part

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = date(2026, 3, 2)
NEW = Reconciliation("r", DAY)
ROW = Difference("l", "direct", DAY, Decimal(100), Decimal(1), Decimal("0.1"), "24")
BACK = Difference("x", "reverse", DAY, Decimal(100), reverse_type="Overdue")


# --- hourly ---------------------------------------------------------------------------------------


def test_twenty_four_tries_and_no_more() -> None:
    asking, hours = UNASKED, 0
    while asking.waiting:
        assert asking.due(hours) and not asking.due(hours - 1)
        asking = asking.answered(hours, ready=False)
        hours += 1
    assert (asking.tries, asking.given_up, asking.ready) == (24, True, False)
    assert not asking.due(99)


def test_the_last_try_may_be_the_one() -> None:
    asking = Asking(tries=23, hour=22).answered(23, ready=True)
    assert (asking.tries, asking.ready, asking.given_up) == (24, True, False)


#: What a failure is, and how many of them running are borne.
BORNE = {
    "retry": 24, "few_retries": 3, "person": 24, "permanent": 1, "compare": 1, "split": 1,
    "refresh": 1, "reread": 1, "success": 1, "refusal": 1, "notice": 1,
}  # fmt: skip


@pytest.mark.parametrize("remedy", get_args(Remedy))
def test_how_long_failures_are_borne(remedy: Remedy) -> None:
    asking, tries = UNASKED, 0
    while asking.waiting:
        asking = asking.failed(tries, remedy, "8")
        tries += 1
    assert tries == BORNE[remedy] == asking.tries and asking.error_code == "8"


def test_an_answer_mends_what_failed_before() -> None:
    asking = UNASKED.failed(0, "few_retries", "160").failed(1, "few_retries", "160")
    asking = asking.answered(2, ready=False).failed(3, "few_retries", "160")
    assert asking.waiting and asking.failures == 1
    assert asking.answered(4, ready=True).error_code is None


# --- a business date ------------------------------------------------------------------------------


def matched(row: Reconciliation, hour: int = 0) -> Heard:
    return reconciling.compared(row, hour, (2, 2), (), (), AT)


def nothing_back(row: Reconciliation, hour: int = 0) -> Heard:
    return reconciling.sold_back(row, hour, (), AT)


def test_matched_when_both_are_heard_in_either_order() -> None:
    for first, second in ((matched, nothing_back), (nothing_back, matched)):
        heard = first(NEW)
        assert heard.row.status == "waiting" and heard.alarms == ()
        heard = second(heard.row)
        assert (heard.row.status, heard.row.alarmed_at, heard.alarms) == ("matched", None, ())


#: Only theirs, only ours, all, correct.
DIFFERENT = [((ROW,), (), 3, 2), ((), (ROW,), 2, 1), ((), (), 3, 2)]


@pytest.mark.parametrize(("only", "missing", "total", "correct"), DIFFERENT)
def test_a_difference_is_kept_and_told_at_once(
    only: tuple[Difference, ...], missing: tuple[Difference, ...], total: int, correct: int
) -> None:
    heard = reconciling.compared(NEW, 0, (total, correct), only, missing, AT)
    assert heard.alarms == ("differs",) and heard.row.alarmed_at == AT
    row = nothing_back(heard.row).row
    assert (row.status, row.platform_only, row.platform_missing) == ("discrepant", only, missing)
    assert (row.total_count, row.correct_count) == (total, correct)


def test_a_reversal_that_cannot_be_is_a_difference() -> None:
    heard = reconciling.sold_back(matched(NEW).row, 0, (BACK,), AT)
    assert heard.row.status == "discrepant" and heard.row.platform_only == (BACK,)
    assert heard.alarms == ("unexplained",)


def test_an_item_stays_within_its_size() -> None:
    heard = reconciling.compared(NEW, 0, (9000, 0), [ROW] * 9000, [ROW] * 9000, AT)
    assert len(heard.row.platform_only) == len(heard.row.platform_missing) == MOST_SHOWN


@pytest.mark.parametrize("part", ["direct", "reverse"])
def test_what_is_never_ready_fails_with_one_alarm(part: Part) -> None:
    other = nothing_back if part == "direct" else matched
    row, alarms = other(NEW).row, []
    for hour in range(24):
        heard = reconciling.not_ready(row, part, hour, AT)
        row = heard.row
        alarms += heard.alarms
        assert (row.status == "waiting") is (hour < 23)
    assert row.status == "failed" and alarms == [f"{part}_given_up"]
    assert reconciling.asking(row, part).tries == 24


def test_a_person_is_told_at_the_first_refusal_and_when_it_is_given_up() -> None:
    row, alarms = nothing_back(NEW).row, []
    for hour in range(24):
        heard = reconciling.failed(row, "direct", hour, "person", "3", AT)
        row = heard.row
        alarms += heard.alarms
    assert alarms == ["direct_person", "direct_given_up"] and row.error_code == "3"
    assert all(why in WHY for why in alarms)


def test_a_difference_is_worse_than_half_an_answer() -> None:
    row = reconciling.compared(NEW, 0, (2, 1), (ROW,), (), AT).row
    row = reconciling.failed(row, "reverse", 0, "permanent", "11", AT).row
    assert row.status == "discrepant" and row.error_code == "11"


def test_a_date_that_is_over_waits_no_longer() -> None:
    heard = reconciling.ended(matched(NEW).row, AT)
    assert (heard.row.status, heard.alarms) == ("failed", ("reverse_given_up",))
    assert reconciling.ended(heard.row, AT).alarms == ()


# --- collateral -----------------------------------------------------------------------------------


def lists(relevant: str, retained: str = "", left: str = "") -> dict[str, list[Pledge]]:
    given_lists = (relevant, retained, left)
    return {
        name: [Pledge(loan, "1", "24") for loan in loans]
        for name, loans in zip(LISTS, given_lists, strict=True)
    }


#: Relevant, retained and left loans (those of us are a to d), and what does not fit.
MARKUPS = [
    ("abc", "ab", "d", {}),
    ("abx", "a", "", {("relevant", "x"): "unknown_loan"}),
    ("ab", "c", "", {("retained", "c"): "retained_not_relevant"}),
    ("ab", "", "b", {("left", "b"): "left_but_relevant"}),
    ("", "x", "y", {("retained", "x"): "unknown_loan", ("left", "y"): "unknown_loan"}),
]


@pytest.mark.parametrize(("relevant", "retained", "left", "wrong"), MARKUPS)
def test_lists_that_do_not_fit(
    relevant: str, retained: str, left: str, wrong: dict[tuple[str, str], str]
) -> None:
    rows = flawed(lists(relevant, retained, left), set("abcd"))
    assert {(name, row.loan): flaw for name, row, flaw in rows if flaw} == wrong
    assert len(rows) == len(relevant + retained + left)


def test_a_row_that_comes_twice_is_one() -> None:
    assert len(flawed(lists("aab"), set("ab"))) == 2


def test_when_a_newer_markup_is_looked_for() -> None:
    markup = Markup("p")
    assert markup.due(DAY, 0)
    waits = markup.heard(DAY, UNASKED.answered(4, ready=False))
    assert [waits.due(DAY, hour) for hour in (4, 5)] == [False, True]
    there = waits.shows(DAY, 1, DAY, 5)
    assert there.due(DAY, 6) and not there.of(DAY).waiting, "there may be a newer one"
    over = markup.heard(DAY, UNASKED.failed(0, "permanent", "11"))
    assert not over.due(DAY, 1) and over.due(date(2026, 3, 3), 0)
    assert not over.due(date(2026, 3, 1), 23), "a date that is over"
