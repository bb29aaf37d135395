"""Applications: every state and command, what comes from the product, what cannot be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.domain import applications
from chalicelib.domain.applications import APPLICATION, Application
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.models import codec

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
STATES = ("incomplete", "approved", "declined", "withdrawn")


@dataclass(frozen=True)
class Offer:
    """The part of a product that an application looks at."""

    id: str = "product"
    is_draft: bool = False
    max_loan_amount: Decimal = Decimal("5000.00")
    default_loan_amount: Decimal | None = Decimal("1000.00")
    max_interest_rate: Decimal = Decimal(20)
    default_interest_rate: Decimal | None = Decimal(10)
    installments: int | None = 4


def make(values: dict[str, Any] | None = None, offer: Any = None) -> Application:
    return applications.create("a1", "borrower", offer or Offer(), values or {}).state


def in_state(status: str, **more: Any) -> Application:
    return replace(make(), status=status, reason="because", decision="d1", **more)


COMMANDS: dict[str, tuple[Callable[[Application], Application], dict[str, str]]] = {
    "update": (
        lambda a: applications.change(a, Offer(), {"amount": Decimal(7)}).state,  # type: ignore[arg-type]
        {"incomplete": "incomplete"},
    ),
    "accept": (
        lambda a: applications.decided(a, "d2", True, "", NOW).state,
        {"incomplete": "approved"},
    ),
    "decline": (
        lambda a: applications.decided(a, "d2", False, "too poor", NOW).state,
        {"incomplete": "declined"},
    ),
    "reopen": (
        lambda a: applications.reopen(a).state,
        {"approved": "incomplete", "declined": "incomplete", "withdrawn": "incomplete"},
    ),
    "withdraw": (
        lambda a: applications.withdraw(a).state,
        {"incomplete": "withdrawn", "approved": "withdrawn", "declined": "withdrawn"},
    ),
    "add a data point": (
        lambda a: applications.with_data_point(a, "s1", "p1").state,
        {"incomplete": "incomplete"},
    ),
}


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_every_state_moves_or_is_refused(status: str, command: str) -> None:
    run, moves = COMMANDS[command]
    if status in moves:
        assert run(in_state(status)).status == moves[status]
    else:
        with pytest.raises(Refused) as refused:
            run(in_state(status))
        assert refused.value.code == "invalid_status"
        assert status in refused.value.message


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_moves_once_there_is_a_loan(status: str, command: str) -> None:
    with pytest.raises(Refused) as refused:
        COMMANDS[command][0](in_state(status, loan="l1"))
    assert refused.value.code == "application_immutable"


def test_the_states_tested_are_all_there_are() -> None:
    assert APPLICATION.states == STATES
    assert APPLICATION.initial == make().status


@pytest.mark.parametrize("status", STATES)
def test_only_an_approved_application_without_a_loan_gets_one(status: str) -> None:
    application = in_state(status)
    if status == "approved":
        with_loan = applications.attach_loan(application, "l1")
        assert with_loan == replace(application, loan="l1")
        with pytest.raises(Refused) as twice:
            applications.attach_loan(with_loan, "l2")
        assert twice.value.code == "loan_exists"
    else:
        with pytest.raises(Refused) as refused:
            applications.attach_loan(application, "l1")
        assert refused.value.code == "application_not_approved"


def test_what_is_missing_comes_from_the_product() -> None:
    made = make()
    assert (made.amount, made.rate, made.installments) == (Decimal("1000.00"), Decimal(10), 4)
    own = make({"amount": Decimal(5), "rate": Decimal(0), "installments": 9})
    assert (own.amount, own.rate, own.installments) == (Decimal(5), Decimal(0), 9)
    assert make({"amount": None}).amount == Decimal("1000.00")


def test_what_neither_request_nor_product_says_is_required() -> None:
    bare = Offer(default_loan_amount=None, default_interest_rate=None, installments=None)
    with pytest.raises(Invalid) as invalid:
        make({}, bare)
    assert [(flaw.field, flaw.code) for flaw in invalid.value.flaws] == [
        ("amount", "required"),
        ("rate", "required"),
    ]
    line = make({"amount": Decimal(1), "rate": Decimal(2)}, bare)
    assert line.installments is None


def test_amount_and_rate_stay_within_the_products_maxima() -> None:
    with pytest.raises(Invalid) as invalid:
        make({"amount": Decimal("5000.01"), "rate": Decimal("20.000001")})
    assert [flaw.field for flaw in invalid.value.flaws] == ["amount", "rate"]
    at_most = make({"amount": Decimal("5000.00"), "rate": Decimal(20)})
    with pytest.raises(Invalid):
        applications.change(at_most, Offer(), {"amount": Decimal(5001)})  # type: ignore[arg-type]


def test_a_draft_takes_no_application() -> None:
    with pytest.raises(Refused) as refused:
        make({}, Offer(is_draft=True))
    assert refused.value.code == "product_is_draft"


def test_a_change_touches_only_what_was_sent() -> None:
    before = make({"amount": Decimal(5), "custom_fields": {"a": Decimal("1.10")}})
    after = applications.change(before, Offer(), {"installments": 12}).state  # type: ignore[arg-type]
    assert after == replace(before, installments=12)
    cleared = applications.change(before, Offer(), {"amount": None, "custom_fields": None}).state  # type: ignore[arg-type]
    assert (cleared.amount, cleared.custom_fields) == (Decimal("1000.00"), {})


@pytest.mark.parametrize("name", ["end_user", "product"])
@pytest.mark.parametrize("status", STATES)
def test_borrower_and_product_never_change(name: str, status: str) -> None:
    application = in_state(status)
    with pytest.raises(Invalid) as invalid:
        applications.change(application, Offer(), {name: "other"})  # type: ignore[arg-type]
    assert invalid.value.code == "end_user_immutable"
    assert [flaw.field for flaw in invalid.value.flaws] == [name]


def test_the_same_borrower_and_product_may_be_sent_back() -> None:
    application = make()
    same = {"end_user": "borrower", "product": "product", "amount": Decimal(9)}
    changed = applications.change(application, Offer(), same).state  # type: ignore[arg-type]
    assert changed == replace(application, amount=Decimal(9))


def test_custom_fields_are_bounded() -> None:
    room = applications.MAX_CUSTOM_FIELDS - len('{"a": ""}')
    assert make({"custom_fields": {"a": "x" * room}}).custom_fields["a"] == "x" * room
    with pytest.raises(Invalid) as invalid:
        make({"custom_fields": {"a": "x" * (room + 1)}})
    assert invalid.value.flaws[0].field == "custom_fields"


def test_a_decision_is_announced_and_kept() -> None:
    decision = applications.decided(make(), "d9", False, "Age: too young", NOW)
    assert (decision.state.decision, decision.state.reason) == ("d9", "Age: too young")
    [event] = decision.events
    assert event.name == "application_processing_finished"
    assert event.data == {
        "id": "a1",
        "status": "declined",
        "reason": "Age: too young",
        "processed_at": NOW,
    }


def test_reopening_forgets_the_outcome_and_withdrawing_keeps_it() -> None:
    reopened = applications.reopen(in_state("declined")).state
    assert (reopened.decision, reopened.reason) == (None, "")
    withdrawn = applications.withdraw(in_state("declined")).state
    assert (withdrawn.decision, withdrawn.reason) == ("d1", "because")


def test_each_input_source_has_one_value() -> None:
    one = applications.with_data_point(make(), "s1", "p1").state
    assert one.data_points == {"s1": "p1"}
    with pytest.raises(Refused) as refused:
        applications.with_data_point(one, "s1", "p2")
    assert refused.value.code == "conflict"


def test_the_number_of_data_points_is_bounded() -> None:
    most = {f"s{n}": f"p{n}" for n in range(applications.MAX_DATA_POINTS)}
    with pytest.raises(Refused):
        applications.with_data_point(replace(make(), data_points=most), "another", "p")


def test_the_store_keeps_an_application_exactly() -> None:
    application = replace(
        make({"custom_fields": {"n": Decimal("1.50"), "list": [1, None, "x"]}}),
        data_points={"s1": "p1"},
        decision="d1",
    )
    assert codec.loads(Application, codec.dumps(application)) == application
