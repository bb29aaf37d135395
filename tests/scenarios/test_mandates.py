"""Mandates in a partner's words, with the provider's simulator behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib.integrations.gocardless.signature import signature
from chalicelib.models.keys import ORGANISATION
from chalicelib.models.store_errors import Conflict, Unavailable
from tests.http_support import Answer, Api
from tests.scenarios.partner import Loan
from tests.scenarios.paying import WEBHOOK, Paying, paying

LINKS = {"success_url": "https://lender.example.com/done",
         "failure_url": "https://lender.example.com/failed"}  # fmt: skip


@pytest.fixture
def pays(tmp_path: Path) -> Iterator[Paying]:
    with paying(tmp_path) as made:
        made.partner.goes_to("2026-03-02")
        yield made


def path_of(mandate: Any) -> str:
    return f"/mandate/{mandate['id']}/"


def active(pays: Paying, end_user: str) -> Any:
    """A mandate that has become active."""
    mandate = pays.mandate(end_user)
    pays.signs(mandate)
    pays.partner.goes_to(pays.partner.today() + timedelta(days=5))
    shown = pays.partner.get(path_of(mandate))
    assert shown["status"] == "active"
    return shown


def happens(pays: Paying, action: str, mandate: Any, **details: str) -> None:
    """The provider reports something, and it is taken in."""
    body = {"resource_type": "mandates", "action": action, "details": details,
            "links": {"mandate": mandate["provider_mandate_id"]}}  # fmt: skip
    pays.control("events", body)
    pays.control("drain", {})
    pays.works()


def test_a_mandate_becomes_active_and_is_used_for_the_borrowers_loans(pays: Paying) -> None:
    partner = pays.partner
    partner.post("/webhook_endpoint/", {"url": "http://127.0.0.1:9/hooks"})
    loan = partner.opens_loan(partner.publishes())
    borrower = loan.now["end_user"]
    mandate = pays.mandate(borrower)
    assert mandate["status"] == "pending_customer_approval"
    pays.signs(mandate)
    assert partner.get(path_of(mandate))["status"] == "pending_submission"
    assert loan.now["mandate"] is None
    partner.goes_to(partner.today() + timedelta(days=3))
    shown = partner.get(path_of(mandate))
    assert shown["status"] == "active"
    assert shown["provider_mandate_id"].startswith("MD") and shown["reference"]
    assert shown["loans"] == [loan.id] and loan.now["mandate"] == mandate["id"]
    later = Loan(partner, _another_loan(pays, borrower))
    pays.works()
    assert later.now["mandate"] == mandate["id"]
    assert sorted(partner.get(path_of(mandate))["loans"]) == sorted([loan.id, later.id])
    for by in (f"loan={loan.id}", f"product={loan.now['product']}", f"end_user={borrower}"):
        assert [one["id"] for one in partner.get(f"/mandate/?{by}")["results"]] == [mandate["id"]]
    told = partner.get("/webhook/?event=mandate_created")["results"]
    assert [row["data"]["id"] for row in told] == [mandate["id"]]
    outcomes = {event["outcome"] for event in partner.get("/provider_event/")["results"]}
    assert outcomes <= {"applied", "ignored"}


def _another_loan(pays: Paying, borrower: str) -> str:
    partner = pays.partner
    body = {"product": partner.publishes(), "end_user": borrower}
    application = partner.post("/application/", body)["id"]
    partner.post(f"/application/{application}/complete/", status=200)
    return str(partner.post("/loan/", {"application": application})["id"])


def test_the_form_is_not_there_before_the_provider_has_answered(pays: Paying) -> None:
    body = {"end_user": pays.partner.borrower(), **LINKS}
    mandate = pays.partner.post("/mandate/", body)
    way = "/direct-debit/" + mandate["authorisation_url"].partition("/direct-debit/")[2]
    waiting = pays.api.get(way, root=True).refused("unavailable", 503)
    assert int(waiting.headers["retry-after"]) > 0
    pays.works()
    nobody = Api(app, None)
    there = nobody.get(way.rstrip("/"), root=True)
    assert there.status == 302 and there.headers["location"].startswith(f"{pays.url}/flow/")
    assert there.headers["cache-control"] == "no-store"
    nobody.get("/direct-debit/no-such-token/", root=True).refused("not_found", 404)
    [asked] = pays.asked("POST /billing_request_flows")
    flow = asked["json"]["billing_request_flows"]
    assert (flow["redirect_uri"], flow["exit_uri"]) == tuple(LINKS.values())
    assert flow["prefilled_customer"] == {
        "given_name": "Test", "family_name": "Borrower", "country_code": "GB"}  # fmt: skip
    assert "1980" not in json.dumps(asked), "a birth date is nobody's business"


def test_a_form_that_has_expired_is_made_anew(pays: Paying) -> None:
    mandate = pays.mandate(pays.partner.borrower())
    first = pays.form_of(mandate)
    pays.partner.goes_to(pays.partner.today() + timedelta(days=8))
    way = "/direct-debit/" + mandate["authorisation_url"].partition("/direct-debit/")[2]
    pays.api.get(way, root=True).refused("unavailable", 503)
    pays.works()
    assert pays.form_of(mandate) != first
    assert len(pays.asked("POST /billing_requests")) == 1
    pays.signs(mandate)
    assert pays.partner.get(path_of(mandate))["status"] == "pending_submission"
    assert pays.api.get(way, root=True).headers["location"] == LINKS["success_url"]


def test_a_customer_who_leaves_and_a_set_up_that_is_cancelled(pays: Paying) -> None:
    mandate = pays.mandate(pays.partner.borrower())
    [record] = pays.org.records["billing_requests"].values()
    body = {"resource_type": "billing_requests", "action": "cancelled",
            "links": {"billing_request": record.id}, "details": {}}  # fmt: skip
    pays.control("events", body)
    pays.control("drain", {})
    pays.works()
    assert pays.partner.get(path_of(mandate))["status"] == "cancelled"
    way = "/direct-debit/" + mandate["authorisation_url"].partition("/direct-debit/")[2]
    assert pays.api.get(way, root=True).headers["location"] == LINKS["failure_url"]


def test_a_borrower_who_signs_again_is_collected_again(pays: Paying) -> None:
    partner = pays.partner
    loan = partner.opens_loan(partner.publishes())
    borrower = loan.now["end_user"]
    first = active(pays, borrower)
    happens(pays, "cancelled", first)
    assert partner.get(path_of(first))["status"] == "cancelled"
    assert not _account(pays, loan).mandate_usable
    again = active(pays, borrower)
    assert loan.now["mandate"] == again["id"] and _account(pays, loan).mandate_usable
    assert partner.get(path_of(first))["loans"] == []


def _account(pays: Paying, loan: Loan) -> Any:
    from chalicelib.usecases import loans

    return loans.load(pays.world.context_of(pays.partner_id), loan.id).account.value


def test_a_borrower_who_has_died_is_sensitive(pays: Paying) -> None:
    borrower = pays.partner.borrower()
    mandate = active(pays, borrower)
    happens(pays, "cancelled", mandate, reason_code="ADDACS-2")
    assert pays.partner.get(path_of(mandate))["status"] == "cancelled"
    assert pays.partner.get(f"/end_user/{borrower}/")["sensitive"] is True


def test_nothing_more_is_collected_from_a_borrower_who_has_died(pays: Paying) -> None:
    partner = pays.partner
    loan = partner.opens_loan(partner.publishes())
    borrower = loan.now["end_user"]
    first, other, waits = active(pays, borrower), active(pays, borrower), pays.mandate(borrower)
    pays.signs(waits)
    happens(pays, "cancelled", first, reason_code="ADDACS-2")
    assert partner.get(f"/end_user/{borrower}/")["sensitive"] is True
    assert partner.get(path_of(other))["is_disabled"] is True
    assert not _account(pays, loan).mandate_usable
    partner.goes_to(partner.today() + timedelta(days=5))
    late = partner.get(path_of(waits))
    assert (late["status"], late["is_disabled"]) == ("active", True)
    assert not _account(pays, loan).mandate_usable
    assert partner.get(path_of(first))["is_disabled"] is False, "it has ended by itself"


def test_choosing_and_disabling(pays: Paying) -> None:
    partner = pays.partner
    loan = partner.opens_loan(partner.publishes())
    first = active(pays, loan.now["end_user"])
    stranger = active(pays, partner.borrower())
    pending = pays.mandate(loan.now["end_user"])
    for wrong in (stranger, pending):
        answer = loan.does("set_go_cardless_mandate", {"mandate": wrong["id"]})
        answer.refused("mandate_not_usable")
    disable = f"{path_of(first)}manage_state/"
    partner.http.request("POST", disable, {"is_disabled": True}).refused("invalid_status")
    pays.signs(pending)
    partner.goes_to(partner.today() + timedelta(days=5))
    assert loan.now["mandate"] == first["id"], "it has one of its own"
    chosen = loan.does("set_go_cardless_mandate", {"mandate": pending["id"]}).ok(201)
    assert chosen["mandate"] == pending["id"]
    assert partner.get(path_of(pending))["loans"] == [loan.id]
    for _ in range(2):
        assert partner.post(disable, {"is_disabled": True})["is_disabled"] is True
    answer = loan.does("set_go_cardless_mandate", {"mandate": first["id"]})
    answer.refused("mandate_not_usable")
    loan.does("cancel").ok(201)
    answer = loan.does("set_go_cardless_mandate", {"mandate": pending["id"]})
    answer.refused("loan_not_open")


# --- the provider's webhooks ----------------------------------------------------------------------


def sends(pays: Paying, events: Any, secret: str | None = None, sign: str | None = None) -> Answer:
    """A webhook with these events, as the provider signs it unless told otherwise."""
    raw = json.dumps({"events": events}).encode()
    key = secret or pays.partner.get("/sandbox/simulators/")["gocardless"]["webhook_secret"]
    headers = {"Webhook-Signature": signature(key, raw) if sign is None else sign}
    return Api(app, None).post(WEBHOOK, raw=raw, headers=headers, root=True)


def odd_event(number: int) -> dict[str, Any]:
    return {"id": f"EV{number}", "resource_type": "novelties", "action": "appeared", "links": {}}


def test_only_the_provider_is_believed(pays: Paying) -> None:
    event = odd_event(1)
    for sign in ("", "0" * 64, "caf\u00e9", "x"):
        sends(pays, [event], sign=sign).refused("invalid_signature", 498)
    sends(pays, [event], secret="another").refused("invalid_signature", 498)
    bare = Api(app, None).post(WEBHOOK, raw=b'{"events":[]}', root=True)
    bare.refused("invalid_signature", 498)
    pays.works()
    assert pays.partner.get("/provider_event/")["count"] == 0
    assert sends(pays, [event]).status == 204


def test_many_events_at_once_each_once_and_unknown_ones_are_kept(pays: Paying) -> None:
    events = [odd_event(number) for number in range(250)]
    answer = sends(pays, events)
    assert (answer.status, answer.text) == (204, "")
    assert len(pays.world.line.waiting) == 10, "kept and queued, not acted on"
    pays.works()
    again = sends(pays, events)
    assert again.status == 204 and not pays.world.line.waiting
    sends(pays, [*events[:3], odd_event(250)])
    pays.works()
    found = pays.partner.get("/provider_event/?limit=200")
    assert found["count"] == 251
    assert {event["outcome"] for event in found["results"]} == {"ignored"}


def test_what_could_not_be_kept_is_not_answered_as_if_it_had_been(
    pays: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lost = pays.world.store.commit, list[Any]()

    def busy(unit: Any) -> None:
        if not lost and any(key[0].split("#")[1:2] == ["INBOUND"] for key in unit.operations):
            lost.append(unit)
            raise Conflict
        real(unit)

    monkeypatch.setattr(pays.world.store, "commit", busy)
    assert sends(pays, [odd_event(1)]).status == 204
    pays.works()
    assert lost and pays.partner.get("/provider_event/")["count"] == 1


def test_a_signed_body_that_is_no_webhook(pays: Paying) -> None:
    key = pays.partner.get("/sandbox/simulators/")["gocardless"]["webhook_secret"]
    for raw in (b"", b"[]", b"{"):
        headers = {"Webhook-Signature": signature(key, raw)}
        answer = Api(app, None).post(WEBHOOK, raw=raw, headers=headers, root=True)
        answer.refused("validation_error", 400)


def test_each_partner_has_an_organisation_of_its_own(pays: Paying) -> None:
    other = Api(app, pays.partner.post("/sandbox/partner/")["api_key"])
    mine = pays.partner.get("/sandbox/simulators/")["gocardless"]
    theirs = other.get("/sandbox/simulators/").ok()["gocardless"]
    assert mine == pays.partner.get("/sandbox/simulators/")["gocardless"]
    assert mine["url"] == theirs["url"] == pays.url
    for name in ("access_token", "webhook_secret", "creditor"):
        assert mine[name] != theirs[name]
    assert "payment_failed" in mine["scenarios"]
    assert sends(pays, [odd_event(1)], secret=theirs["webhook_secret"]).status == 204
    pays.works()
    assert other.get("/provider_event/").ok()["count"] == 1
    assert pays.partner.get("/provider_event/")["count"] == 0
    kept = pays.world.store.get(ORGANISATION, pays.partner_id, pays.partner_id)
    assert kept is not None and mine["access_token"] not in repr(kept)


# --- whatever goes wrong --------------------------------------------------------------------------

Happened = Callable[[], bool]
Trouble = Callable[[Paying], Happened]


def lost(pays: Paying) -> Happened:
    """No webhook arrives: the events are found in the provider's list."""
    pays.world.post.lose = True
    return lambda: not pays.world.post


def fault(kind: str, match: str) -> Trouble:
    """The simulator misbehaves once."""

    def arrange(pays: Paying) -> Happened:
        pays.partner.get("/sandbox/simulators/")
        pays.control("faults", {"match": match, "kind": kind, "times": 1})
        return lambda: pays.control("faults", method="GET") == {"faults": []}

    return arrange


def killed(when: str) -> Trouble:
    """The worker dies at its first commits: before they are written, or just after."""

    def arrange(pays: Paying) -> Happened:
        store, left = pays.world.store, [3]
        commit = store.commit

        def dying(unit: Any) -> None:
            if not left[0] or pays.world.line.serving:
                commit(unit)
                return
            left[0] -= 1
            if when == "after":
                commit(unit)
            raise Unavailable("killed")

        store.commit = dying  # type: ignore[method-assign]
        return lambda: left == [0]

    return arrange


def twice(pays: Paying) -> Happened:
    """Every message is delivered twice."""
    pays.world.line.copies = 2
    return lambda: True


CALLS = ("POST /billing_requests", "POST /billing_request_flows", "GET /mandates/*",
         "GET /billing_requests/*", "GET /events")  # fmt: skip
KINDS = ("timeout", "drop_answer", "429", "500", "html502")
TROUBLES: dict[str, Trouble] = {
    "webhooks lost": lost,
    "webhooks twice": fault("duplicate_webhook", "webhooks"),
    "webhooks reversed": fault("reorder_webhooks", "webhooks"),
    "webhooks a day late": fault("delay_webhooks", "webhooks"),
    "killed before the commit": killed("before"),
    "killed after the commit": killed("after"),
    "messages twice": twice,
    **{f"{call} {kind}": fault(kind, call) for call in CALLS for kind in KINDS},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
def test_it_ends_the_same_whatever_goes_wrong(tmp_path: Path, trouble: Trouble) -> None:
    with paying(tmp_path, read_seconds=0.3) as pays:
        partner = pays.partner
        partner.goes_to("2026-03-02")
        borrower = partner.borrower()
        happened = trouble(pays)
        mandate = pays.mandate(borrower)
        pays.signs(mandate)
        partner.goes_to("2026-03-06")
        shown = partner.get(path_of(mandate))
        assert happened(), "the trouble did not come about: this says nothing"
        assert shown["status"] == "active"
        assert len(pays.org.records["billing_requests"]) == 1
        assert [shown["provider_mandate_id"]] == list(pays.org.records["mandates"])
        assert pays.world.line.dead == []
        found = partner.get("/provider_event/?limit=200")["results"]
        told = pays.org.records["events"]
        assert {event["event_id"] for event in found} == set(told)
        assert len(found) == len(told)
        assert all(event["outcome"] != "waiting" for event in found)
