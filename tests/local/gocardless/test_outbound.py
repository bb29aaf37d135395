"""Outbound payments: signed with a registered key, executed at once, or failing by their words."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.local.gocardless.support import BANK, PERSON, Partner, Running

KEY = ec.generate_private_key(ec.SECP521R1())
PEM = (
    KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
COVERED = (
    '("@method" "@authority" "@request-target" "content-digest" "content-type" "content-length")'
)


def signed(
    partner: Partner, path: str, body: Any, wrong: str = "", created: int = 0, nonce: str = ""
) -> httpx.Response:
    """A request as GoCardless wants it signed; ``wrong`` breaks one thing."""
    raw = json.dumps(body).encode()
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    parameters = (
        f'{COVERED};keyid="{"other" if wrong == "keyid" else "key-1"}"'
        f';created={created or int(time.time())};nonce="{nonce or uuid4()}"'
    )
    base = (
        f'"@method": POST\n"@authority": {partner.url[7:]}\n'
        f'"@request-target": {"/payments" if wrong == "target" else path}\n'
        f'"content-digest": sha256=:{digest}:\n"content-type": application/json\n'
        f'"content-length": {len(raw)}\n"@signature-params": {parameters}'
    )
    key = ec.generate_private_key(ec.SECP521R1()) if wrong == "key" else KEY
    value = base64.b64encode(key.sign(base.encode(), ec.ECDSA(hashes.SHA512()))).decode()
    headers = {
        "Authorization": f"Bearer {partner.opened['access_token']}",
        "GoCardless-Version": "2015-07-06",
        "Content-Type": "application/json",
        "Content-Digest": f"sha256=:{digest}:",
        "Gc-Signature-Input": f"sig-1={parameters}",
        "Gc-Signature": f"sig-1=:{value}:",
        "Idempotency-Key": str(uuid4()),
    }
    if wrong == "body":
        raw = raw.replace(b"1000", b"9000")
    return httpx.post(f"{partner.url}{path}", content=raw, headers=headers)


@pytest.fixture
def payee(partner: Partner) -> str:
    """A recipient's bank account; the key is registered."""
    answer = partner.control("public-keys", {"id": "key-1", "public_key_pem": PEM})
    assert answer.status_code == 201
    client = partner.client()
    customer = client.customers.create(params={**PERSON, "country_code": "GB"})
    params = {**BANK, "country_code": "GB", "links": {"customer": customer.id}}
    return str(client.customer_bank_accounts.create(params=params).id)


def order(payee: str, **more: Any) -> dict[str, Any]:
    return {
        "outbound_payments": {
            "amount": 1000,
            "scheme": "faster_payments",
            "description": "Loan L1",
            "reference": "LOAN 123",
            "links": {"recipient_bank_account": payee},
            **more,
        }
    }


def actions(partner: Partner) -> list[str]:
    partner.control("drain")
    params = {"resource_type": "outbound_payments"}
    return [event.action for event in partner.client().events.all(params=params)][::-1]


def test_a_signed_one_is_executed(partner: Partner, payee: str, simulator: Running) -> None:
    answer = signed(partner, "/outbound_payments", order(payee, execution_date="2026-01-05"))
    assert answer.status_code == 201, answer.text
    made = answer.json()["outbound_payments"]
    assert made["status"] == "verifying"
    assert made["id"].startswith("OUT")
    verified = made["verifications"]["recipient_bank_account_holder_verification"]
    assert verified["result"] == "full_match"
    assert partner.client().outbound_payments.get(made["id"]).status == "executed"
    assert actions(partner) == ["created", "set_to_executing", "executed"]
    stats = partner.client().outbound_payments.stats()
    assert stats.attributes == {"executed": {"count": 1, "amount": 1000}}
    assert ("outbound_payments", "executed") in simulator.endpoint.actions(partner.secret)


@pytest.mark.parametrize("wrong", ["key", "keyid", "target", "body"])
def test_one_that_is_signed_wrongly_is_refused(partner: Partner, payee: str, wrong: str) -> None:
    answer = signed(partner, "/outbound_payments", order(payee), wrong)
    assert answer.status_code == 401
    assert answer.json()["error"]["errors"][0]["reason"] == "invalid_signature"
    assert actions(partner) == []


def test_unsigned_old_and_replayed_ones_are_refused(partner: Partner, payee: str) -> None:
    path = "/outbound_payments"
    headers = {
        "Authorization": f"Bearer {partner.opened['access_token']}",
        "GoCardless-Version": "2015-07-06",
    }
    assert httpx.post(partner.url + path, json=order(payee), headers=headers).status_code == 401
    old = int(time.time()) - 400
    assert signed(partner, path, order(payee), created=old).status_code == 401
    nonce = str(uuid4())
    assert signed(partner, path, order(payee), nonce=nonce).status_code == 201
    assert signed(partner, path, order(payee), nonce=nonce).status_code == 401


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("failed_to_execute", ["created", "failed"]),
        ("failed_due_to_bank_rejection", ["created", "set_to_executing", "failed"]),
        (
            "failed_due_to_bank_rejection_after_execution",
            ["created", "set_to_executing", "executed", "failed"],
        ),
    ],
)
def test_words_that_make_it_fail(
    partner: Partner, payee: str, words: str, found: list[str]
) -> None:
    made = signed(partner, "/outbound_payments", order(payee, description=words)).json()
    identity = made["outbound_payments"]["id"]
    assert partner.client().outbound_payments.get(identity).status == "failed"
    assert actions(partner) == found


def test_a_later_date_is_waited_for_and_may_be_cancelled(partner: Partner, payee: str) -> None:
    later = order(payee, execution_date="2026-01-10")  # a Saturday: Faster Payments work
    first, second = (
        signed(partner, "/outbound_payments", later).json()["outbound_payments"]["id"]
        for _ in range(2)
    )
    client = partner.client()
    assert client.outbound_payments.get(first).status == "scheduled"
    assert signed(partner, f"/outbound_payments/{first}/actions/cancel", None).status_code == 200
    partner.moves_to("2026-01-09")
    assert client.outbound_payments.get(second).status == "scheduled"
    partner.moves_to("2026-01-10")
    assert client.outbound_payments.get(second).status == "executed"
    assert client.outbound_payments.get(first).status == "cancelled"
    late = signed(partner, f"/outbound_payments/{second}/actions/cancel", None)
    assert late.json()["error"]["errors"][0]["reason"] == "cancellation_failed"


def test_an_approval_where_the_organisation_wants_one(partner: Partner, payee: str) -> None:
    partner.control("organisations", {"outbound_needs_approval": True})
    made = signed(partner, "/outbound_payments", order(payee)).json()["outbound_payments"]["id"]
    client = partner.client()
    assert client.outbound_payments.get(made).status == "pending_approval"
    approval = signed(partner, f"/outbound_payments/{made}/actions/approve", None)
    assert approval.status_code == 200, approval.text
    assert client.outbound_payments.get(made).status == "executed"
    assert actions(partner) == [
        "created", "set_to_pending_approval", "set_to_executing", "executed",
    ]  # fmt: skip
    again = signed(partner, f"/outbound_payments/{made}/actions/approve", None)
    assert again.status_code == 422


def test_a_withdrawal_goes_to_the_creditors_own_account(partner: Partner, payee: str) -> None:
    body = {"data": {"amount": 5, "scheme": "faster_payments", "reference": "OWN"}}
    made = signed(partner, "/outbound_payments/withdrawal", body).json()["outbound_payments"]
    assert made["is_withdrawal"]
    assert made["links"]["recipient_bank_account"] != payee
