"""Every status with every command: it moves, or it is refused with its own code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.domain import disbursing, loans
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import TRANSACTION
from chalicelib.domain.status import LOAN
from tests.domain.lives import Life, terms
from tests.rules.plain import START, D, agreed, lasts, latest, line, plain, retries


def _by_hand(command: str) -> Life:
    life = lasts(plain(), 5)
    life.tells(loans.set_status, command)
    return life


def _closed() -> Life:
    life = lasts(plain(), 5)
    life.tells(loans.close, "gone", "written_off")
    return life


def _inactive() -> Life:
    return Life(terms(**agreed()), START)


def _cancelled() -> Life:
    life = _inactive()
    life.tells(loans.cancel)
    return life


LOANS: dict[str, Callable[[], Life]] = {
    "inactive": _inactive,
    "active": lambda: lasts(plain(), 5),
    "late": lambda: lasts(plain(), 33),
    "arrears": lambda: _by_hand("make_arrears"),
    "default": lambda: _by_hand("make_default"),
    "closed": _closed,
    "cancelled": _cancelled,
}


def _tells(command: Callable[..., object], *given: object) -> Callable[[Life], object]:
    return lambda life: life.tells(command, *given)


COMMANDS: dict[str, Callable[[Life], object]] = {
    "disburse": _tells(disbursing.disburse, D(1), loans.Asked()),
    "repay 1.00": lambda life: life.repays("1"),
    "repay all": lambda life: life.repays(life.view().account.balances.total or D(1)),
    "repay, dated back": lambda life: life.repays_as_of("1", START),
    "fee": lambda life: life.fee("1"),
    "stop interest": _tells(loans.set_interest, False),
    "start interest": _tells(loans.set_interest, True),
    "make_arrears": _tells(loans.set_status, "make_arrears"),
    "make_default": _tells(loans.set_status, "make_default"),
    "close as paid": _tells(loans.close, "done", "paid_in_full"),
    "write off": _tells(loans.close, "gone", "written_off"),
    "cancel": _tells(loans.cancel),
}

STATUS, OPEN, OWED = "invalid_status", "loan_not_open", "outstanding_balance"
LIMIT = "credit_limit_exceeded"  # the whole amount is drawn

#: What comes of each: the status after it, or the code of the refusal.  A part of a late row's
#: money changes nothing, nor does a repayment under a status by hand but for the row that it owes.
LOAN_TABLE = {
    #                     inactive    active     late       arrears    default    closed  cancelled
    "disburse":          ("inactive", LIMIT,     STATUS,    STATUS,    STATUS,    OPEN,   OPEN),
    "repay 1.00":        (STATUS,     "active",  "late",    "arrears", "default", OPEN,   OPEN),
    "repay all":         (STATUS,     "closed",  "closed",  "closed",  "closed",  OPEN,   OPEN),
    "repay, dated back": (STATUS,     "active",  "late",    "arrears", "default", OPEN,   OPEN),
    "fee":               (STATUS,     "active",  "late",    "arrears", "default", OPEN,   OPEN),
    "stop interest":     ("inactive", "active",  "late",    "arrears", "default", OPEN,   OPEN),
    "start interest":    ("inactive", "active",  "late",    "arrears", "default", OPEN,   OPEN),
    "make_arrears":      (STATUS,     "arrears", "arrears", STATUS,    STATUS,    OPEN,   OPEN),
    "make_default":      (STATUS,     "default", "default", "default", STATUS,    OPEN,   OPEN),
    "close as paid":     (STATUS,     OWED,      OWED,      OWED,      OWED,      OPEN,   OPEN),
    "write off":         (STATUS,     "closed",  "closed",  "closed",  "closed",  OPEN,   OPEN),
    "cancel":            ("cancelled", STATUS,   STATUS,    STATUS,    STATUS,    OPEN,   OPEN),
}  # fmt: skip

PAIRS = [
    pytest.param(status, command, expected, id=f"{status}, {command}: {expected}")
    for command, row in LOAN_TABLE.items()
    for status, expected in zip(LOANS, row, strict=True)
]


@pytest.mark.parametrize(("status", "command", "expected"), PAIRS)
def test_loan(status: str, command: str, expected: str) -> None:
    life = LOANS[status]()
    assert life.account.status == status
    before = life.account
    if expected in LOANS:
        COMMANDS[command](life)
        assert life.account.status == expected
        return
    with pytest.raises(Refused) as refused:
        COMMANDS[command](life)
    assert refused.value.code == expected
    assert life.account == before, "a refused command changes nothing"


def test_the_table_knows_every_status_and_every_command() -> None:
    assert set(LOANS) == set(LOAN.states)
    assert set(LOAN_TABLE) == set(COMMANDS)


#: A line of credit takes further draws while it is active.
@pytest.mark.parametrize(
    ("status", "expected"),
    [("inactive", "inactive"), ("active", "active"), ("arrears", STATUS), ("default", STATUS),
     ("closed", OPEN), ("cancelled", OPEN)],
)  # fmt: skip
def test_line_of_credit_disburse(status: str, expected: str) -> None:
    life = line(drawn="0" if status in ("inactive", "cancelled") else "3650", amount=D(10000))
    if status in ("arrears", "default"):
        life.tells(loans.set_status, f"make_{status}")
    elif status == "closed":
        life.tells(loans.close, "gone", "written_off")
    elif status == "cancelled":
        life.tells(loans.cancel)
    assert life.account.status == status
    if expected in LOANS:
        life.tells(disbursing.disburse, D(1), loans.Asked())
        assert life.account.status == expected
        return
    with pytest.raises(Refused) as refused:
        life.tells(disbursing.disburse, D(1), loans.Asked())
    assert refused.value.code == expected


#: Pending is refused on a revert with its own code.
TRANSACTION_TABLE = {
    #          pending                applied     failed     reverted
    "apply":  ("applied",             STATUS,     STATUS,    STATUS),
    "fail":   ("failed",              "failed",   STATUS,    STATUS),
    "retry":  (STATUS,                STATUS,     "pending", STATUS),
    "revert": ("transaction_pending", "reverted", STATUS,    STATUS),
}  # fmt: skip
STATES = ("pending", "applied", "failed", "reverted")


@pytest.mark.parametrize(
    ("state", "command", "expected"),
    [
        pytest.param(state, command, expected, id=f"{state}, {command}: {expected}")
        for command, row in TRANSACTION_TABLE.items()
        for state, expected in zip(STATES, row, strict=True)
    ],
)
def test_transaction(state: str, command: str, expected: str) -> None:
    life = lasts(plain(), 5)
    item = life.repays("100", confirmed=state in ("applied", "reverted"))
    if state == "failed":
        life.fails(latest(life, item))
    elif state == "reverted":
        life.reverts(latest(life, item))
    item = latest(life, item)
    assert item.status == state
    commands: dict[str, Callable[[], object]] = {
        "apply": lambda: life.tells(loans.apply_repayment, item),
        "fail": lambda: life.fails(item),
        "retry": lambda: retries(life, item),
        "revert": lambda: life.reverts(item),
    }
    before = life.account
    if expected in STATES:
        commands[command]()
        assert latest(life, item).status == expected
        return
    with pytest.raises(Refused) as refused:
        commands[command]()
    assert refused.value.code == expected
    assert life.account == before


def test_the_transaction_table_knows_every_state() -> None:
    assert set(STATES) == set(TRANSACTION.states)
    assert set(TRANSACTION_TABLE) == set(TRANSACTION.moves)
