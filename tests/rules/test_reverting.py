"""Reverting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Transaction
from tests.domain.lives import Life
from tests.rules.plain import balances, bills, fee, lasts, latest, line, on, plain
from tests.rules.rule import rule

IN_ONE_STEP = (
    "`POST /transaction/{id}/revert/` reverts an applied transaction and every later one of that "
    "loan, in one step, interest included; nothing is recalculated afterwards and reverted nights "
    "are not charged again."
)


def _told() -> Life:
    """A repayment on 20 January, a fee on the 25th, another repayment on the 30th; 5 February."""
    life = plain().goes_to(on("01-20"))
    life.repays("3700")
    life.goes_to(on("01-25")).fee("25")
    life.goes_to(on("01-30")).repays("115")
    return life.goes_to(on("02-05"))


def of_day(life: Life, kind: str, day: str) -> Transaction:
    """The transaction of a kind that is effective on a day."""
    return next(one for one in life.of(kind) if one.effective_date == on(day))


@rule(
    IN_ONE_STEP,
    {
        # what is reverted besides: 16 nights from 21 January on, or 11, or 6
        "the first repayment": ("repayment", "01-20", {"repayment": 2, "fee": 1, "interest": 16}),
        "the fee": ("fee", "01-25", {"repayment": 1, "fee": 1, "interest": 11}),
        "the last repayment": ("repayment", "01-30", {"repayment": 1, "interest": 6}),
        # a night, with what came after it: that day's fee too
        "a night": ("interest", "01-25", {"repayment": 1, "fee": 1, "interest": 12}),
        "the last night": ("interest", "02-05", {"interest": 1}),
        "the disbursement": (
            "disbursement", "01-15",
            {"disbursement": 1, "repayment": 2, "fee": 1, "interest": 21},
        ),
    },
    part="reverts an applied transaction and every later one of that loan, in one step, interest "
    "included",
)  # fmt: skip
def test_every_later_one(kind: str, day: str, expected: dict[str, int]) -> None:
    life = _told()
    target = of_day(life, kind, day)
    life.reverts(target)
    gone = [item for item in life.transactions() if item.status == "reverted"]
    assert {kind: sum(one.type == kind for one in gone) for kind in {g.type for g in gone}} == (
        expected
    )
    assert {item.reverted_by for item in gone} <= {target.id}


@rule(
    IN_ONE_STEP,
    {
        # 10.00 a night until 20 January, 9.00 from then on; free up to 5 February
        "the first repayment": ("repayment", "01-20", "36500.00 50.00 0.00",
                                "36500.00 60.00 0.00"),
        # 5 x 9.00
        "the fee": ("fee", "01-25", "32850.00 45.00 0.00", "32850.00 54.00 0.00"),
        "the last repayment": ("repayment", "01-30", "32850.00 90.00 25.00",
                               "32850.00 99.00 25.00"),
        "a night": ("interest", "01-25", "32850.00 36.00 0.00", "32850.00 45.00 0.00"),
        "today's night": ("interest", "02-05", "32850.00 45.00 0.00", "32850.00 54.00 0.00"),
    },
    part="nothing is recalculated afterwards and reverted nights are not charged again",
)  # fmt: skip
def test_free_nights(kind: str, day: str, at_once: str, a_night_later: str) -> None:
    life = _told()
    life.reverts(of_day(life, kind, day))
    assert balances(life) == at_once
    assert balances(lasts(life, 1)) == a_night_later


REFUSED = (
    "Refused if it or any later one is pending (`409 transaction_pending`), or belongs to a closed "
    "statement."
)


@rule(
    REFUSED,
    {
        "it is pending": (["01-20"], "01-20", "transaction_pending"),
        "a later one is": (["01-25"], "01-20", "transaction_pending"),
        "one of that day is, made after it": (["01-20b"], "01-20", "transaction_pending"),
        "none is": ([], "01-20", None),
        "an earlier one is": (["01-18"], "01-20", None),
    },
    part="Refused if it or any later one is pending (`409 transaction_pending`)",
)
def test_pending(pending: list[str], target: str, code: str | None) -> None:
    life = plain()
    items: dict[str, Transaction] = {}
    for day in ("01-18", "01-20", "01-20b", "01-25"):
        life.goes_to(on(day[:5]))
        items[day] = life.repays("100", confirmed=day not in pending)
    chosen = latest(life, items[target])
    if code is None:
        life.reverts(chosen)
        assert latest(life, chosen).status == "reverted"
        return
    before = life.account
    with pytest.raises(Refused) as refused:
        life.reverts(chosen)
    assert refused.value.code == code
    assert life.account == before


THEN = (
    "The balances are then exactly what they were before it; what the calendar did since (rows "
    "that came due, status) is done again on them, with the reverted nights free."
)


def _repaid_then(until: str, amount: str = "3700", **agreed: object) -> tuple[Life, Transaction]:
    life = plain(**agreed).goes_to(on("01-20"))
    done = life.repays(amount)
    return life.goes_to(on(until)), done


@rule(
    THEN,
    {
        "the same day": ("01-20", "36500.00 50.00 0.00", [], "active"),
        "before a due date": ("02-05", "36500.00 50.00 0.00", [], "active"),
        # nights from 21 January on are free: 50.00 are billed
        "on a due date": ("02-15", "36500.00 50.00 0.00", ["1 7300.00 50.00 0.00"], "active"),
        "late since": ("02-20", "36500.00 50.00 0.00", ["1 7300.00 50.00 0.00"], "late"),
        "in arrears since": ("03-01", "36500.00 50.00 0.00", ["1 7300.00 50.00 0.00"], "arrears"),
        "two rows since": (
            "03-15", "36500.00 50.00 0.00",
            ["1 7300.00 50.00 0.00", "2 7300.00 0.00 0.00"], "arrears",
        ),
    },
)  # fmt: skip
def test_done_again(until: str, owed: str, rows: list[str], status: str) -> None:
    life, done = _repaid_then(until)
    life.reverts(latest(life, done))
    assert (balances(life), bills(life), life.account.status) == (owed, rows, status)


@rule(
    THEN,
    {
        "the repayment that cured it": ("03-01", "7610", "arrears", ["1 7300.00 310.00 0.00"]),
        "a day after the due date": ("02-16", "7610", "late", ["1 7300.00 310.00 0.00"]),
        "on the due date": ("02-15", "7610", "active", ["1 7300.00 310.00 0.00"]),
    },
    part="status",
)
def test_no_longer_cured(day: str, amount: str, status: str, rows: list[str]) -> None:
    life = plain().goes_to(on(day))
    done = life.repays(amount)
    assert (life.account.status, bills(life)) == ("active", [])
    life.reverts(latest(life, done))
    assert (life.account.status, bills(life)) == (status, rows)


def _arrears_fee() -> Life:
    return plain(default_fees=(fee("15", "arrears"),)).goes_to(on("02-28"))


def _disbursement_fee() -> Life:
    return plain(default_fees=(fee("15", "disbursement"),))


def _allocated() -> Life:
    life = plain().goes_to(on("02-10"))
    life.repays("7600")
    return life.goes_to(on("02-15"))


def _fee_later() -> Life:
    life = plain(default_fees=(fee("15", "arrears"),)).goes_to(on("02-20"))
    life.repays("100")
    return life.goes_to(on("03-01"))


def _fee_asked_for() -> Life:
    return plain().goes_to(on("01-20")).fee("15").goes_to(on("01-25"))


@rule(
    THEN,
    {
        # entering arrears on 23 February: 36,500 + 390 were owed before the fee
        "an arrears fee": (_arrears_fee, "fee", "36500.00 390.00 0.00 0.00"),
        "a disbursement fee": (_disbursement_fee, "fee", "36500.00 0.00 0.00 0.00"),
        # 40.00 waited and were owed
        "an allocation": (_allocated, "allocation", "29200.00 40.00 0.00 40.00"),
        # repaid on 20 February when 36,500 + 360 were owed; in arrears since
        "a repayment, a fee came later": (_fee_later, "repayment", "36500.00 360.00 0.00 0.00"),
        # and for comparison what somebody asked for
        "a fee asked for": (_fee_asked_for, "fee", "36500.00 50.00 0.00 0.00"),
    },
    part="The balances are then exactly what they were before it",
)
def test_exactly_what_they_were(story: Callable[[], Life], kind: str, owed: str) -> None:
    life = story()
    life.reverts(life.of(kind)[0])
    assert life.folded() == life.account.balances
    assert f"{balances(life)} {life.account.overpayment:.2f}" == owed


@rule(
    "Reverting the only disbursement returns the loan to `inactive`.",
    {
        "on the day": (plain, "01-15", "inactive"),
        "late": (plain, "02-20", "inactive"),
        "with repayments": (_told, "02-05", "inactive"),
        "a line of credit": (line, "02-05", "inactive"),
    },
)
def test_back_to_inactive(story: Callable[[], Life], day: str, status: str) -> None:
    life = story().goes_to(on(day))
    life.reverts(life.of("disbursement")[0])
    account = life.account
    assert (account.status, account.disbursed_on, balances(life)) == (
        status, None, "0.00 0.00 0.00"
    )  # fmt: skip
    assert balances(lasts(life, 30)) == "0.00 0.00 0.00"
    life.disburses("1000")
    assert life.account.status == "active"


@rule(
    "Reverting the only disbursement returns the loan to `inactive`.",
    {
        # two draws of 1,000; the second on the 20th, after 5 nights of 0.2739726027
        "the second of two": (1, "active", "1000.00 1.37 0.00"),
        "the first of two, with the second": (0, "inactive", "0.00 0.00 0.00"),
    },
    part="the only disbursement",
)
def test_of_two(which: int, status: str, owed: str) -> None:
    life = lasts(line(drawn="1000"), 5).disburses("1000").goes_to(on("01-30"))
    items = sorted(life.of("disbursement"), key=lambda item: item.effective_date)
    life.reverts(items[which])
    assert (life.account.status, balances(life)) == (status, owed)
