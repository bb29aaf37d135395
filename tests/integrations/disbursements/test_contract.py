"""The same questions to every disbursement provider; GoCardless's is asked at the simulator."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.integrations.disbursements.gocardless_outbound import (
    STATE_OF,
    GoCardlessOutbound,
    on_statement,
    plain,
)
from chalicelib.integrations.disbursements.interface import (
    STATES,
    DisbursementProvider,
    Forged,
    Payee,
    Reported,
)
from chalicelib.integrations.disbursements.manual import Manual
from chalicelib.integrations.disbursements.signing import BadKey, Signer, SigningKey, new_key
from chalicelib.integrations.gocardless.errors import ProviderTrouble
from chalicelib.integrations.simulators import GoCardlessSimulator
from chalicelib.integrations.transport import Limits, Transport
from local.gocardless.moves import OUTBOUND
from tests.local.gocardless.support import Partner, Running, running

PAYEE = Payee("Test Borrower", "55779911", "200000")
QUICK = Limits(connect_seconds=1, read_seconds=2, attempts=3)
AMOUNT = Decimal("1234.56")


class At:
    """A partner's account at the simulator, with a registered key."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.calls: list[tuple[str, int | None]] = []
        self.transport = Transport(
            QUICK,
            sleep=lambda _: None,
            uniform=max,
            heard=lambda one: self.calls.append((one.operation, one.status)),
        )
        self.key, public = new_key(str(uuid4()))
        simulator = GoCardlessSimulator(partner.url, self.transport)
        simulator.register_key(partner.name, self.key.id, public)
        self.provider = self.signed_with(self.key)

    def signed_with(self, key: SigningKey | None, wall: float = 0) -> GoCardlessOutbound:
        signer = key and Signer(key, wall=lambda: time.time() + wall, nonce=lambda: str(uuid4()))
        return GoCardlessOutbound(
            self.partner.url,
            self.partner.opened["access_token"],
            self.transport,
            signer=signer,
            creditor=self.partner.opened["creditor"],
            webhook_secret=self.partner.opened["webhook_secret"],
        )

    def held(self, kind: str = "outbound_payments") -> list[Any]:
        """What the simulator has, newest first."""
        return list(getattr(self.partner.client(), kind).list().records)

    def happens(self, action: str, ref: str, **details: str) -> None:
        body = {"resource_type": "outbound_payments", "action": action, "details": details,
                "links": {"outbound_payment": ref}}  # fmt: skip
        assert self.partner.control("events", body).status_code == 201

    def fails_at(self, match: str, kind: str, times: int = 1) -> None:
        body = {"match": match, "kind": kind, "times": times}
        assert self.partner.control("faults", body).status_code == 201


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("gocardless")) as found:
        yield found


@pytest.fixture
def at(simulator: Running) -> At:
    return At(simulator.partner(str(uuid4())))


def all_providers(at: At) -> list[DisbursementProvider]:
    return [Manual(), at.provider]


# --- every provider -------------------------------------------------------------------------------


def test_the_same_key_pays_once_and_what_is_paid_can_be_looked_at(at: At) -> None:
    for provider in all_providers(at):
        key = str(uuid4())
        first = provider.submit(key, PAYEE, AMOUNT, "LOAN 1")
        again = provider.submit(key, PAYEE, AMOUNT, "LOAN 1")
        other = provider.submit(str(uuid4()), PAYEE, AMOUNT, "LOAN 1")
        assert first.ref == again.ref != other.ref, provider.name
        assert first.state == "accepted", provider.name
        assert provider.fetch(first.ref).ref == first.ref
        assert provider.fetch(first.ref).state in STATES
    assert len(at.held()) == 2


def test_stopping_what_cannot_be_stopped_says_how_it_stands(at: At) -> None:
    for provider in all_providers(at):
        ref = provider.submit(str(uuid4()), PAYEE, AMOUNT, "LOAN 1").ref
        assert provider.cancel(ref) == provider.fetch(ref), provider.name


def test_a_forged_message_is_nobodys(at: At) -> None:
    for provider in all_providers(at):
        for headers in ({}, {"Webhook-Signature": "00"}, {"Webhook-Signature": "\u00fc"}):
            with pytest.raises(Forged):
                provider.parse_event(b'{"events": []}', headers)


# --- GoCardless -----------------------------------------------------------------------------------


def test_a_payment_is_made_as_asked_and_signed_as_the_simulator_checks_it(at: At) -> None:
    made = at.provider.submit("key-1", PAYEE, AMOUNT, "Rent deposit_7 \u00a3")
    [payment] = at.held()
    assert (payment.id, payment.amount, payment.scheme) == (made.ref, 123456, "faster_payments")
    assert (payment.reference, payment.description) == ("Rent deposit 7", "Rent deposit_7 \u00a3")
    [customer], [account] = at.held("customers"), at.held("customer_bank_accounts")
    assert (customer.given_name, customer.family_name) == ("Test", "Borrower")
    assert (account.account_holder_name, account.account_number_ending) == ("TEST BORROWER", "11")
    assert at.provider.fetch(made.ref).state == "paid", "the simulator pays at once"
    assert all(status in (200, 201) for _, status in at.calls)


@pytest.mark.parametrize("wrong", ["another key", "no key", "an old signature", "unknown id"])
def test_nothing_is_paid_with_a_wrong_signature(at: At, wrong: str) -> None:
    provider = {
        "another key": at.signed_with(replace(new_key("k")[0], id=at.key.id)),
        "no key": at.signed_with(None),
        "an old signature": at.signed_with(at.key, wall=-400),
        "unknown id": at.signed_with(replace(at.key, id="unknown")),
    }[wrong]
    with pytest.raises(ProviderTrouble) as trouble:
        provider.submit("key-1", PAYEE, AMOUNT, "LOAN 1")
    assert trouble.value.remedy == "person"
    assert at.held() == []


def test_a_key_of_another_kind_is_refused_before_anything_is_sent() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    small = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for pem in (small.decode(), "nonsense"):
        signer = Signer(SigningKey("k", pem), wall=time.time, nonce=lambda: "n")
        with pytest.raises(BadKey) as refused:
            signer.headers("POST", "https://api.example.com/outbound_payments", "a/b", b"{}")
        assert pem not in str(refused.value)


@pytest.mark.parametrize("kind", ["timeout", "drop_answer", "429", "500", "html502"])
@pytest.mark.parametrize(
    "match", ["POST /customers", "POST /customer_bank_accounts", "POST /outbound_payments"]
)
def test_whatever_fails_on_the_way_one_payment_is_made(at: At, match: str, kind: str) -> None:
    at.fails_at(match, kind)
    made = at.provider.submit("key-1", PAYEE, AMOUNT, "LOAN 1")
    assert [one.id for one in at.held()] == [made.ref], "each try is signed with a nonce of its own"
    assert [len(at.held(kind)) for kind in ("customers", "customer_bank_accounts")] == [1, 1]


def test_an_account_that_is_no_account_is_refused_for_good_and_not_repeated_in_the_error(
    at: At,
) -> None:
    wrong = replace(PAYEE, account_number="12345678")
    with pytest.raises(ProviderTrouble) as trouble:
        at.provider.submit("key-1", wrong, AMOUNT, "LOAN 1")
    assert (trouble.value.remedy, trouble.value.fields) == ("permanent", ("account_number",))
    assert "12345678" not in str(trouble.value) and "12345678" not in repr(wrong)
    assert at.held() == []


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("failed_to_execute", "failed"),
        ("failed_due_to_bank_rejection", "failed"),
        ("failed_due_to_bank_rejection_after_execution", "returned"),
    ],
)
def test_failed_and_returned_are_told_apart_by_what_happened(
    at: At, words: str, state: str
) -> None:
    made = at.provider.submit("key-1", PAYEE, AMOUNT, words)
    seen = at.provider.fetch(made.ref)
    assert (seen.state, seen.cause) == (state, "outbound_payment_failed")


def test_the_causes_of_a_return_are_the_banks(at: At) -> None:
    made = at.provider.submit("key-1", PAYEE, AMOUNT, "LOAN 1")
    at.happens("failed", made.ref, cause="account_closed")
    seen = GoCardlessOutbound.looking(at.provider).fetch(made.ref)
    assert (seen.state, seen.cause) == ("returned", "account_closed")


def test_what_waits_for_an_approval_can_be_stopped(at: At) -> None:
    at.partner.control("organisations", {"outbound_needs_approval": True})
    made = at.provider.submit("key-1", PAYEE, AMOUNT, "LOAN 1")
    assert at.provider.fetch(made.ref).state == "awaiting_approval"
    stopped = at.provider.cancel(made.ref)
    assert (stopped.state, stopped.cause) == ("failed", "outbound_payment_cancelled")
    assert at.provider.cancel(made.ref).state == "failed"


def test_its_messages_are_read_when_they_are_signed(at: At) -> None:
    events = [
        {"id": "EV1", "resource_type": "outbound_payments", "action": "executed",
         "links": {"outbound_payment": "OUT1"}},
        {"id": "EV2", "resource_type": "payments", "action": "paid_out",
         "links": {"payment": "PM1"}},
    ]  # fmt: skip
    raw = json.dumps({"events": events}).encode()
    secret = at.partner.opened["webhook_secret"].encode()
    given = {"webhook-signature": hmac.new(secret, raw, hashlib.sha256).hexdigest()}
    assert at.provider.parse_event(raw, given) == [Reported("EV1", "OUT1", "executed")]


def test_every_status_of_the_simulator_means_something() -> None:
    reached = {move.target for move in OUTBOUND.values()} | {"verifying"}
    assert reached == set(STATE_OF)
    assert set(STATE_OF.values()) | {"returned"} == set(STATES)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Ren\u00e9e  O'Neil", "Renee O'Neil"), ("Zo\u0144 & S\u00f6hne", "Zon & Sohne"),
     ("a;b<c>", "a b c")],
)  # fmt: skip
def test_names_are_written_in_the_letters_of_banks(name: str, shown: str) -> None:
    assert plain(name) == shown


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("", "LOAN"),
        ("\u20ac\u20ac", "LOAN"),
        ("INV-2026/0001 for the extension", "INV-2026/0001 for"),
    ],
)
def test_references_fit_a_statement(reference: str, shown: str) -> None:
    assert on_statement(reference) == shown
