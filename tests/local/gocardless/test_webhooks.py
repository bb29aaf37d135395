"""Webhooks: signed, in order, at most 250 events each, tried again, and disturbed on purpose."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from gocardless_pro import webhooks
from gocardless_pro.errors import InvalidSignatureError

from local.gocardless.webhooks import signature
from tests.local.gocardless.support import Partner, Running, running
from tests.stack import until

LIFE = [
    ("mandates", "created"),
    ("mandates", "submitted"),
    ("mandates", "active"),
    ("payments", "created"),
    ("payments", "submitted"),
    ("payments", "confirmed"),
    ("payments", "paid_out"),
    ("payouts", "paid"),
]


def life(partner: Partner, days: tuple[str, ...] = ("2026-01-20",)) -> None:
    """A mandate and a payment, through all their days."""
    mandate = partner.mandate(active=False)
    params = {"amount": 1000, "currency": "GBP", "links": {"mandate": mandate}}
    partner.client().payments.create(params=params)
    for day in days:
        partner.moves_to(day)


def test_the_signature_is_hmac_sha256_in_hex() -> None:
    expected = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    assert signature("key", b"The quick brown fox jumps over the lazy dog") == expected


def test_all_that_happens_is_told_in_order_and_signed(simulator: Running, partner: Partner) -> None:
    mandate = partner.mandate(active=False)
    params = {"amount": 1000, "currency": "GBP", "metadata": {"transaction": "t"}}
    links = {"links": {"mandate": mandate}}
    payment = partner.client().payments.create(params={**params, **links})
    moved = partner.moves_to("2026-01-20")
    assert moved == {
        "business_date": "2026-01-20",
        "webhooks": {"unsent": 0, "undelivered": 0},
    }
    actions = simulator.endpoint.actions(partner.secret)
    assert sorted(actions) == sorted(LIFE)
    assert [a for kind, a in actions if kind == "payments"] == [
        "created", "submitted", "confirmed", "paid_out",
    ]  # fmt: skip
    told = [e for e in simulator.endpoint.events(partner.secret) if e.resource_type == "payments"]
    assert {e.links.payment for e in told} == {payment.id}
    assert all(e.attributes["resource_metadata"] == {"transaction": "t"} for e in told)
    listed = partner.client().events.all()
    assert {e.id for e in listed} == {e.id for e in simulator.endpoint.events(partner.secret)}
    headers, body = simulator.endpoint.received[-1]
    assert headers["User-Agent"] == "gocardless-webhook-service/1.2"
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(InvalidSignatureError):
        webhooks.parse(body.decode() + " ", partner.secret, headers["Webhook-Signature"])


def test_what_is_told_without_a_clock_leaves_by_itself(
    simulator: Running, partner: Partner
) -> None:
    partner.mandate(active=False)
    until(lambda: simulator.endpoint.actions(partner.secret) == [("mandates", "created")], 5)


def test_at_most_250_events_each(simulator: Running, partner: Partner) -> None:
    org = simulator.simulator.world.of_partner(partner.name)
    assert org is not None
    with simulator.simulator.world.changing(org):
        creditor = org.get("creditors", org.head.creditor)
        for _ in range(520):
            org.emit(creditor, "updated", {}, {"creditor": creditor.id})
    partner.control("drain")
    sizes = [len(json.loads(body)["events"]) for _, body in simulator.endpoint.received]
    assert sizes == [250, 250, 20]


def test_a_drain_tries_at_once_and_the_rest_is_tried_later(
    simulator: Running, partner: Partner
) -> None:
    simulator.endpoint.answers = [500, 498, 204]
    life(partner, ("2026-01-05",))
    client = partner.client()
    until(lambda: all(w.successful for w in client.webhooks.list().records), 5)
    bodies = [body for _, body in simulator.endpoint.received]
    assert len(bodies) >= 3
    assert bodies[0] == bodies[1] or bodies[0] in bodies[2:], "the same bytes again"
    (oldest,) = client.webhooks.list(params={"limit": 500}).records[-1:]
    assert (oldest.response_code, oldest.is_test) == (204, True)
    assert oldest.request_body.encode() == bodies[0]


def test_when_all_tries_are_used_up_a_person_may_ask_again(
    simulator: Running, partner: Partner
) -> None:
    simulator.endpoint.answers = [500]
    partner.mandate(active=False)
    until(lambda: len(simulator.endpoint.received) == 5, 10)
    client = partner.client()
    (webhook,) = client.webhooks.list().records
    assert (webhook.successful, webhook.response_code) == (False, 500)
    assert partner.control("drain").json()["webhooks"] == {"unsent": 0, "undelivered": 0}
    assert len(simulator.endpoint.received) == 5
    simulator.endpoint.answers = [204]
    assert client.webhooks.retry(webhook.id).successful
    assert len(simulator.endpoint.received) == 6


def test_a_clock_does_not_wait_for_an_endpoint_that_fails(
    simulator: Running, partner: Partner
) -> None:
    simulator.endpoint.answers = [500]
    begun = time.monotonic()
    life(partner)
    assert time.monotonic() - begun < 5
    simulator.endpoint.answers = [204]


def test_duplicates(simulator: Running, partner: Partner) -> None:
    partner.fails("webhooks", "duplicate_webhook", 1)
    life(partner)
    actions = simulator.endpoint.actions(partner.secret)
    assert set(actions) == set(LIFE)
    assert len(actions) > len(LIFE)
    bodies = [body for _, body in simulator.endpoint.received]
    assert bodies[0] == bodies[1]
    assert len(set(bodies)) == len(bodies) - 1


def test_a_drains_webhooks_in_reverse_one_event_each(simulator: Running, partner: Partner) -> None:
    partner.fails("webhooks", "reorder_webhooks", 1)
    mandate = partner.mandate(active=False)
    time.sleep(0.1)
    assert simulator.endpoint.received == [], "held back until a drain"
    partner.moves_to("2026-01-07")
    assert simulator.endpoint.actions(partner.secret) == [
        ("mandates", "active"),
        ("mandates", "submitted"),
        ("mandates", "created"),
    ]
    sizes = [len(json.loads(body)["events"]) for _, body in simulator.endpoint.received]
    assert sizes == [1, 1, 1]
    partner.client().mandates.cancel(mandate)
    partner.control("drain")
    assert simulator.endpoint.actions(partner.secret)[-1] == ("mandates", "cancelled")


def test_a_day_late(simulator: Running, partner: Partner) -> None:
    partner.fails("webhooks", "delay_webhooks", 1)
    partner.mandate(active=False)
    assert partner.control("drain").json()["webhooks"]["unsent"] == 1
    assert simulator.endpoint.received == []
    partner.moves_to("2026-01-06")
    assert simulator.endpoint.actions(partner.secret) == [
        ("mandates", "created"),
        ("mandates", "submitted"),
    ]


def test_lost_ones_are_found_in_the_list_of_events(simulator: Running, partner: Partner) -> None:
    partner.fails("webhooks", "timeout", 1000)
    life(partner)
    assert simulator.endpoint.received == []
    found = [(e.resource_type, e.action) for e in partner.client().events.all()]
    assert sorted(found) == sorted(LIFE)
    partner.control("faults", method="DELETE")


def test_an_unheard_answer_makes_the_webhook_come_again(
    simulator: Running, partner: Partner
) -> None:
    partner.fails("webhooks", "drop_answer", 1)
    partner.mandate(active=False)
    partner.control("drain")
    assert simulator.endpoint.actions(partner.secret) == [("mandates", "created")] * 2


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    with running(tmp_path, retries=(60,)) as first:
        first.endpoint.answers = [500]
        partner = first.partner()
        mandate = partner.mandate()
        partner.control("drain")
        left = {"mandate": partner.client().mandates.get(mandate).attributes}
        undelivered = [w.id for w in partner.client().webhooks.list().records]
        headers = {"Idempotency-Key": "key"}
        params = {"amount": 1000, "currency": "GBP", "links": {"mandate": mandate}}
        payment = partner.client().payments.create(params=params, headers=headers)
        partner.moves_to("2026-01-06")
    with running(tmp_path, retries=(60,)) as second:
        again = second.partner()
        assert again.opened["access_token"] == partner.opened["access_token"]
        assert again.opened["business_date"] == "2026-01-06"
        client = again.client()
        shown = client.mandates.get(mandate).attributes
        assert shown.pop("next_possible_charge_date") == "2026-01-09"
        assert shown.items() <= left["mandate"].items()
        assert client.payments.create(params=params, headers=headers).id == payment.id
        again.moves_to("2026-01-13")
        assert client.payments.get(payment.id).status == "paid_out"
        kept = {w.id: w.successful for w in client.webhooks.list(params={"limit": 500}).records}
        assert [kept[identity] for identity in undelivered] == [False] * len(undelivered)
