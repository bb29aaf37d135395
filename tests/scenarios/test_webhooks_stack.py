"""Webhooks from the laptop stack to a real receiver, with the stack's processes killed on the way.

By the receiver's own clock, so that the reference library judges timestamps as a partner's would.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import timedelta

import pytest

from tests.receiver import Receiver, receiving
from tests.scenarios.partner import Partner
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack, until


@pytest.fixture
def partner(stack: Stack) -> Partner:
    return new_partner(stack)


def registers(partner: Partner, receiver: Receiver) -> None:
    made = partner.post("/webhook_endpoint/", {"url": receiver.url})
    receiver.secrets["/"] = [made["secret"]]


def test_a_moved_clock_has_sent_everything(partner: Partner) -> None:
    with receiving([500]) as receiver:
        registers(partner, receiver)
        loan = partner.opens_loan(partner.publishes()).disburses("1500.00").confirmed()
        until(lambda: len(receiver.got) >= 3, 30)  # one of them was tried again after 5 seconds
        partner.goes_to(partner.today() + timedelta(days=45))
        names = Counter(one.event for one in receiver.got)
        assert names["loan_is_late"] == names["loan_is_arrears"] == 1
        assert receiver.wrong == []
        rows = partner.get("/webhook/?limit=200")["results"]
        assert {row["status"] for row in rows} == {"delivered"}
        assert {row["id"] for row in rows} == {one.id for one in receiver.got}
        of_loan = [one.event for one in receiver.got if loan.id in one.raw.decode()]
        assert of_loan.index("loan_is_late") < of_loan.index("loan_is_arrears")


def test_a_killed_worker_loses_no_webhook(stack: Stack, partner: Partner) -> None:
    with receiving([1.0, 1.0]) as receiver:
        registers(partner, receiver)
        product = partner.publishes()
        approved = {partner.approved(product) for _ in range(3)}
        until(lambda: bool(receiver.got), 30)
        for pid in stack.run["app_pids"]:
            os.kill(pid, signal.SIGKILL)

        def told() -> set[str]:
            return {one.json["data"]["id"] for one in receiver.got}

        until(lambda: told() == approved, 90)  # the worker's successor has its messages at once
        partner.goes_to(partner.today())
        rows = partner.get("/webhook/?limit=200")["results"]
        assert [row["status"] for row in rows] == ["delivered"] * 3
        assert receiver.wrong == []
