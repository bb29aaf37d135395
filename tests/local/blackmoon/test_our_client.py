"""The application's own client against the simulator: what one writes the other reads."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from chalicelib.domain import blackmoon_answers
from chalicelib.integrations.blackmoon.client import Blackmoon, Credentials
from chalicelib.integrations.blackmoon.errors import BlackmoonTrouble
from chalicelib.integrations.blackmoon.multipart import FilePart
from chalicelib.integrations.blackmoon.results import CessionRow
from chalicelib.integrations.transport import Limits, Transport
from local.blackmoon.errors import ERRORS
from tests.local.blackmoon.support import Partner

LOAN = "7d0f0c2e-2f0b-4f86-8b5c-0b0c5d9f5a11"


def client_of(partner: Partner) -> Blackmoon:
    limits = Limits(connect_seconds=1, read_seconds=1, attempts=1)
    transport = Transport(limits, sleep=lambda _: None, uniform=max)
    who = Credentials(partner.opened["organization_id"], partner.opened["access_token"])
    return Blackmoon(partner.url, who, transport)


def file_of(text: str) -> FilePart:
    data = text.encode()
    return FilePart(
        "x.csv", len(data), lambda: (data[at : at + 7] for at in range(0, len(data), 7))
    )


def test_a_loan_is_sold_reported_reconciled_and_sold_back(partner: Partner) -> None:
    client = client_of(partner)
    partner.says(decision=True)
    bid = client.create_offer(LOAN, {"amount": Decimal("1000.10"), "currency": "GBP"})
    assert bid.will_participate and bid.bid_amount == bid.loan_amount == Decimal("1000.10")
    assert bid.offer_id is not None
    accepted = client.accept_offer(bid.offer_id)
    assert accepted.updated_datetime is not None and accepted.updated_datetime > "2026-01-05T"
    assert client.accept_offer(bid.offer_id).warning.remedy == "success"
    assert client.decline_offer(bid.offer_id).warning.remedy == "refusal"
    client.send_applications(file_of(f"applicationId,disbursedAmount\n{LOAN},900.05\n"))
    rows = f"repaymentId,applicationId,datetime,amount\nr,{LOAN},2026-01-04T00:00:00+00:00,1.10\n"
    client.send_repayments(file_of(rows))

    history = [
        CessionRow(
            LOAN, "direct", _today(partner), Decimal("900.05"), bid.origination_fee,
            bid.servicing_fee, bid.investor_legal_entity_id,
        )
    ]  # fmt: skip
    assert not client.reconcile_direct_cessions(history).ready
    matched = client.reconcile_direct_cessions(history)
    assert (matched.ready, matched.total_count, matched.correct_count) == (True, 1, 1)
    partner.says(drop_cessions=[LOAN], platform_only=["other"])
    told = client.reconcile_direct_cessions(history)
    assert (told.total_count, told.correct_count) == (2, 0)
    assert told.platform_missing == tuple(history)
    assert [row.loan_id for row in told.platform_only] == ["other"]

    assert client.cancel_offer(bid.offer_id).offer_id == bid.offer_id
    assert not client.reverse_cessions().ready
    (back,) = client.reverse_cessions().rows
    assert (back.loan_id, back.price, back.type) == (LOAN, Decimal("900.05"), "Cancelled")


def test_collateral_ping_and_tokens(partner: Partner) -> None:
    client = client_of(partner)
    partner.says(not_ready=0, collateral={"date": "2026-01-05", "relevant": [LOAN], "left": ["2"]})
    assert [p.loan_id for p in client.relevant_portfolio().loans] == [LOAN]
    assert client.retained_portfolio().loans == ()
    assert [p.loan_id for p in client.left_portfolio().loans] == ["2"]
    assert client.last_update_date().day == _today(partner)
    assert client.ping().message == "pong"
    fresh = client.refresh_tokens(partner.opened["refresh_token"])
    assert fresh.expires_at is not None and fresh.expires_at.isoformat()[:10] == "2026-01-19"
    with pytest.raises(BlackmoonTrouble) as trouble:
        client.ping()
    assert (trouble.value.code, trouble.value.remedy) == ("2", "reread")
    assert partner.opened["access_token"] not in str(trouble.value)


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_has_its_row_in_the_table(partner: Partner, code: int) -> None:
    partner.fails("ping", "error", code=code)
    with pytest.raises(BlackmoonTrouble) as trouble:
        client_of(partner).ping()
    rule = blackmoon_answers.rule_of("error", str(code), "ping")
    assert rule.code == str(code), "a row of its own"
    assert (trouble.value.code, trouble.value.remedy) == (str(code), rule.remedy)


@pytest.mark.parametrize("kind", ["timeout", "drop_answer", "429", "500", "html502"])
def test_what_no_code_says(partner: Partner, kind: str) -> None:
    partner.fails("ping", kind)
    with pytest.raises(BlackmoonTrouble) as trouble:
        client_of(partner).ping()
    assert trouble.value.remedy == "retry"
    assert trouble.value.code is None


def _today(partner: Partner) -> date:
    return date.fromisoformat(partner.opened["business_date"])
