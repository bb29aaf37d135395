"""Over HTTP: forms, files, faults, what was received, and partners apart."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.blackmoon.support import (
    HTTP,
    RECONCILE,
    REVERSES,
    Partner,
    Running,
    fields,
    running,
)

REPAYMENTS = "repaymentId,applicationId,datetime,amount\nr1,1,2026-01-04T10:00:00Z,1.10\n"


def test_ping_by_get_and_post(partner: Partner) -> None:
    form = partner.form(extra="é")
    posted = partner.asks("ping", extra="é")
    fetched = HTTP.get(f"{partner.url}/ping", params=form).json()
    assert posted == fetched
    assert posted["success"]["message"] == "pong"
    assert posted["success"]["date"] == "2026-01-05T00:00:00+0000"
    assert posted["success"]["parameters"] == posted["success"]["requestParameters"] == form


def test_numbers_are_exact(partner: Partner) -> None:
    partner.says(decision=True)
    text = fields(amount="1000.10")
    answer = HTTP.post(f"{partner.url}/offers.create", data=partner.form(applicationFields=text))
    assert '"loanAmount":1000.10,' in answer.text
    assert answer.headers["Content-Type"] == "application/json"


def test_a_file_in_a_form(partner: Partner) -> None:
    files = {"repayments": ("repayments.csv", REPAYMENTS.encode(), "text/csv")}
    assert partner.asks("data.sendRepayments", files) == {"success": []}
    (entry,) = partner.received("data.sendRepayments")
    assert entry["files"] == {"repayments": REPAYMENTS}
    assert entry["form"] == partner.form()
    assert entry["response"] == {"success": []}
    assert (entry["method"], entry["path"], entry["status"], entry["fault"]) == (
        "POST", "/data.sendRepayments", 200, None,
    )  # fmt: skip
    assert set(entry) == {
        "at", "business_date", "method", "path", "query", "headers", "form", "files", "status",
        "response", "fault",
    }  # fmt: skip


def test_another_organisation_does_not_exist(simulator: Running, partner: Partner) -> None:
    other = simulator.partner(f"{partner.name}-other")
    partner.says(decision=True)
    offer = partner.asks("offers.create", applicationFields=fields())["success"]["offerId"]
    assert other.asks("offers.accept", offerId=offer)["error"]["errorCode"] == 9
    stolen = other.asks("ping", accessToken=partner.opened["access_token"])
    assert stolen["error"]["errorCode"] == 2
    nobody = other.asks("ping", organizationId="999")
    assert nobody["error"]["errorCode"] == 2
    assert "error" not in other.asks("offers.create", applicationFields=fields()), "its own loan-1"
    assert partner.asks("offers.accept", offerId=offer)["success"]["offerId"] == offer


def test_what_is_no_method(partner: Partner) -> None:
    for path, method, status in (
        ("offers.createe", "POST", 404),
        ("offers.create", "PUT", 405),
        ("offers.create", "HEAD", 405),
    ):
        answer = HTTP.request(method, f"{partner.url}/{path}", params=partner.form())
        assert answer.status_code == status


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("html502", 502)])
def test_errors_that_do_nothing(partner: Partner, kind: str, status: int) -> None:
    partner.says(decision=True)
    partner.fails("offers.*", kind)
    form = partner.form(applicationFields=fields())
    answer = HTTP.post(f"{partner.url}/offers.create", data=form)
    assert answer.status_code == status
    assert "success" in partner.asks("offers.create", applicationFields=fields())
    first, second = partner.received("offers.create")
    assert (first["status"], first["fault"]) == (status, kind)
    assert (second["status"], second["fault"]) == (200, None)


def test_a_timeout_does_nothing_and_a_dropped_answer_has_done_the_work(partner: Partner) -> None:
    partner.says(decision=True)
    partner.fails("POST /offers.create", "timeout")
    partner.fails("*", "drop_answer")
    form = partner.form(applicationFields=fields())
    begun = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        HTTP.post(f"{partner.url}/offers.create", data=form)
    assert time.monotonic() - begun >= 0.3
    assert partner.control("blackmoon-state", method="GET").json()["offers"] == []
    with pytest.raises(httpx.RemoteProtocolError):
        HTTP.post(f"{partner.url}/offers.create", data=form)
    again = partner.asks("offers.create", applicationFields=fields())
    assert again["error"]["errorCode"] == 103
    assert [r["fault"] for r in partner.received()] == ["timeout", "drop_answer", None]


def test_a_lost_new_pair_is_known_to_the_control_routes(simulator: Running) -> None:
    partner = simulator.partner("lost")
    partner.fails("auth.refreshTokens", "drop_answer")
    token = partner.opened["refresh_token"]
    with pytest.raises(httpx.RemoteProtocolError):
        form = partner.form(refreshToken=token)
        HTTP.post(f"{partner.url}/auth.refreshTokens", data=form)
    assert partner.asks("auth.refreshTokens", refreshToken=token)["error"]["errorCode"] == 3
    assert partner.asks("ping")["error"]["errorCode"] == 2
    assert "success" in simulator.partner("lost").asks("ping")


def test_a_fault_is_for_its_partner_and_its_times(simulator: Running, partner: Partner) -> None:
    other = simulator.partner(f"{partner.name}-other")
    partner.fails("ping", "error", 2, code=10)
    told = partner.control("faults", method="GET").json()["faults"]
    assert told == [{"match": "ping", "kind": "error", "times": 2, "code": 10}]
    assert "success" in other.asks("ping")
    assert "success" in partner.asks("collateral.getLastUpdateDate")
    assert partner.asks("ping")["error"]["errorCode"] == 10
    partner.control("faults", method="DELETE")
    assert "success" in partner.asks("ping")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {}),
        ("clock", {"business_date": "tomorrow"}),
        ("clock", {"business_date": "2026-01-06", "time": "24:00"}),
        ("organisations", {"business_date": "x"}),
        ("faults", {"match": "offers.made", "kind": "500"}),
        ("faults", {"match": "webhooks", "kind": "500"}),
        ("faults", {"kind": "500"}),
        ("faults", {"match": "ping", "kind": "duplicate_webhook"}),
        ("faults", {"match": "ping", "kind": "error"}),
        ("faults", {"match": "ping", "kind": "error", "code": 4}),
        ("faults", {"match": "ping", "kind": "500", "times": 0}),
        ("blackmoon-state", []),
        ("blackmoon-state", {"unknown": 1}),
        ("blackmoon-state", {"decision": "yes"}),
        ("blackmoon-state", {"not_ready": -1}),
        ("blackmoon-state", {"bid": "1.1"}),
        ("blackmoon-state", {"suspended": None}),
        ("blackmoon-state", {"platform_only": [{"type": "direct"}]}),
        ("blackmoon-state", {"drop_cessions": "loan"}),
        ("blackmoon-state", {"reverse_cessions": [{"loanId": "1", "type": "Lost"}]}),
        ("blackmoon-state", {"collateral": {"date": "2026"}}),
        ("blackmoon-state", {"collateral": {"lists": []}}),
        ("blackmoon-state", {"decision": True, "collateral": 7}),
    ],
)
def test_what_the_control_routes_refuse(partner: Partner, path: str, body: Any) -> None:
    before = partner.control("blackmoon-state", method="GET").json()
    answer = partner.control(path, body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert partner.control("blackmoon-state", method="GET").json() == before


def test_the_clock(partner: Partner) -> None:
    partner.says(decision=True)
    body = {"business_date": "2026-01-06", "time": "09:00"}
    assert partner.control("clock", body).json() == body
    partner.asks("offers.create", applicationFields=fields())
    back = partner.control("clock", {"business_date": "2026-01-05"})
    assert (back.status_code, back.json()["code"]) == (409, "clock_backwards")
    late = {"business_date": "2026-01-06", "time": "10:00"}
    assert partner.control("clock", late).status_code == 200
    (offer,) = partner.control("blackmoon-state", method="GET").json()["offers"]
    assert offer["status"] == "declined"
    assert partner.received("offers.create")[0]["business_date"] == "2026-01-06"


def test_all_of_it_outlives_the_process(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        partner = first.partner("kept")
        partner.says(
            decision=True, platform_only=["loan-9"], drop_cessions=["x"], not_ready=0,
            reverse_cessions=["loan-3"], collateral={"date": "2026-01-05", "relevant": ["1"]},
        )  # fmt: skip
        offer = partner.asks("offers.create", applicationFields=fields())["success"]["offerId"]
        partner.asks("offers.accept", offerId=offer)
        fresh = partner.asks("auth.refreshTokens", refreshToken=partner.opened["refresh_token"])
        before = partner.control("blackmoon-state", method="GET").json()
    with running(tmp_path) as second:
        again = second.partner("kept")
        assert again.opened["organization_id"] == partner.opened["organization_id"]
        assert again.opened["access_token"] == fresh["success"]["accessToken"]
        assert again.control("blackmoon-state", method="GET").json() == before
        told = again.asks(RECONCILE, cessionTransactions="[]")["success"]
        assert [row["loanId"] for row in told["platformOnly"]] == ["loan-1", "loan-9"]
        assert len(again.asks(REVERSES)["success"]["reverseCessionTransactions"]) == 1
        taken = again.asks("offers.create", applicationFields=fields())
        assert taken["error"]["errorCode"] == 102


def test_the_page_says_what_it_holds_and_no_token(partner: Partner) -> None:
    partner.says(decision=True, collateral={"relevant": ["1", "2"]})
    offer = partner.asks("offers.create", applicationFields=fields("<b>loan"))["success"]["offerId"]
    partner.asks("offers.accept", offerId=offer)
    files = {"repayments": ("repayments.csv", REPAYMENTS.encode(), "text/csv")}
    partner.asks("data.sendRepayments", files)
    partner.fails("offers.accept", "500", 7)
    answer = HTTP.get(f"{partner.url}/")
    text = answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for shown in (offer, "1000.00", "offers.accept", partner.name, "&lt;b&gt;loan", "repayments"):
        assert shown in text
    for hidden in ("access_token", "refresh_token"):
        assert partner.opened[hidden] not in text
    assert "<b>loan" not in text
