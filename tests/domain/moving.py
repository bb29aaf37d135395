"""Everything that can move money on a loan, for lives of every kind of product."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from chalicelib.domain import chargebacks, loans, rebuild
from chalicelib.domain.account import DefaultFee
from chalicelib.domain.errors import Refused
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import PENNY, pence
from tests.domain.lives import Life, moment, terms
from tests.domain.test_account_properties import agreements

COMMON = {
    "amount": Decimal(100_000),
    "rate": Decimal("17.3"),
    "default_fees": (DefaultFee("Arrears", "percent", Decimal("0.7"), "arrears"),),
}
lines = st.builds(lambda: terms(kind="line_of_credit", **COMMON))
revolving = st.builds(
    lambda day: terms(
        kind="revolving_credit",
        statement_day=day,
        minimum_repayment_percentage=Decimal(5),
        minimum_repayment_amount=Decimal(25),
        **COMMON,
    ),
    st.integers(1, 31),
)
all_products = st.one_of(agreements, agreements, lines, revolving)
OFTEN = ("part", "pending", "due", "mandate", "apply", "charge", "undo", "wait")
ONCE = ("settle", "fee", "percent", "stop", "start", "hand", "fail", "revert", "backdate", "off")
MOVES = (*OFTEN, *OFTEN, *ONCE)
moves = st.lists(
    st.tuples(st.sampled_from(MOVES), st.integers(0, 25), st.integers(1, 60)),
    min_size=2,
    max_size=11,
)


def move(life: Life, what: str, share: int) -> bool:
    """Do it on the day the life stands on; whether it was possible."""
    try:
        return _move(life, what, share)
    except Refused:
        return False


def _move(life: Life, what: str, share: int) -> bool:
    account = life.view().account
    owed = pence(account.balances.total - account.overpayment)
    part = min(owed, max(PENNY, pence(account.balances.total * share / 100)))
    match what:
        case "part" | "pending" if part > 0:
            life.repays(part, confirmed=what == "part")
        case "due" if life.view().next_repayment_amount:
            life.repays(life.view().next_repayment_amount)  # type: ignore[arg-type]
        case "settle" if owed > 0:
            life.repays(owed)
        case "fee":
            life.fee("7.77")
        case "percent":
            life.fee("1.3", "percent")
        case "stop" | "start":
            life.tells(loans.set_interest, what == "start")
        case "hand":
            life.tells(loans.set_status, "make_arrears")
        case "mandate":
            life.tells(loans.set_mandate, "mandate", not account.mandate_usable)
        case "backdate" if part > 0 and account.disbursed_on:
            life.repays_as_of(part, account.disbursed_on)
        case "off":
            life.tells(loans.close, "gone", "written_off")
        case _:
            return _provider(life, what)
    return True


def _provider(life: Life, what: str) -> bool:
    """What is learnt of money that was on its way, or had arrived."""
    repayments = life.of("repayment")
    waiting = next((item for item in repayments if item.status == "pending"), None)
    applied = next((item for item in repayments if item.status == "applied"), None)
    charged = next((item for item in life.of("chargeback") if item.counts), None)
    match what:
        case "apply" if waiting:
            _apply(life, waiting)
        case "fail" if waiting:
            life.fails(waiting)
        case "fail" if applied:
            life.fails(applied)
        case "charge" if applied and not _charged(life, applied):
            life.tells(chargebacks.charge_back, applied, "refund asked for")
        case "undo" if charged:
            life._keep(rebuild.cancel_chargeback(life._whole(), moment(life.day), charged))
        case "revert" if applied:
            life.reverts(applied)
        case _:
            return False
    return True


def _apply(life: Life, waiting: Transaction) -> None:
    if waiting.counts:
        life.tells(loans.apply_repayment, waiting)
    else:
        day = moment(life.day)
        life._keep(rebuild.confirm_collection(life._whole(), day, waiting, life.day))


def _charged(life: Life, item: Transaction) -> bool:
    return any(one.compensates == item.id and one.counts for one in life.of("chargeback"))
