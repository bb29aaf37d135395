"""Webhooks from the event to a partner's server, on loopback, checked by the reference library."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import standardwebhooks.webhooks

from chalicelib.jobs import schedules
from chalicelib.usecases import sandbox
from tests.receiver import Receiver, receiving
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.world import World


@pytest.fixture
def receiver(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    class TheirClock(datetime):
        """The reference library judges timestamps by the world's time."""

        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return world.wall

    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", TheirClock)
    with receiving() as one:
        yield one
        assert one.wrong == [], "every message carries a good signature"


def registers(partner: Partner, receiver: Receiver, *events: str, path: str = "") -> Any:
    body = {"url": receiver.url + path, "events": list(events) or ["*"]}
    made = partner.post("/webhook_endpoint/", body)
    receiver.secrets.setdefault(f"/{path}", []).append(made["secret"])
    return made


def settle(world: World) -> None:
    while world.line.step():
        pass


def log(partner: Partner, query: str = "") -> list[Any]:
    found: list[Any] = partner.get(f"/webhook/?limit=200{query}")["results"]
    return found


def active(partner: Partner) -> Loan:
    return partner.opens_loan(partner.publishes()).disburses("1500.00").confirmed()


def test_what_happens_arrives_as_the_resource_shows_it(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    made = registers(partner, receiver)
    loan = active(partner)
    settle(world)
    # Events of different things travel at the same time.
    decided, paid = sorted(receiver.got, key=lambda one: one.event)
    assert receiver.events().count("disbursement_result") == len(receiver.got) - 1 == 1
    application = partner.get(f"/application/{decided.json['data']['id']}/")
    assert decided.json["data"] == {
        "id": application["id"],
        "status": "approved",
        "reason": "",
        "processed_at": application["updated_at"],
    }
    transaction = partner.get(f"/transaction/{loan.last}/")
    shown = ("id", "provider_transaction_id", "processing_date", "amount", "created_at", "loan")
    assert paid.json["data"] == {name: transaction[name] for name in (*shown, "status")}
    assert b'"amount":1500.00' in paid.raw
    assert paid.headers["content-type"] == "application/json"
    [row] = log(partner, "&event=disbursement_result")
    assert (row["id"], row["event"], row["status"]) == (paid.id, paid.event, "delivered")
    assert {name: paid.json[name] for name in ("id", "event", "timestamp", "data")} == paid.json
    assert (row["data"], row["timestamp"]) == (paid.json["data"], paid.json["timestamp"])
    assert row["webhook_endpoint"] == made["id"]
    [attempt] = row["deliveries"]
    assert (attempt["response_status"], attempt["error"]) == (200, None)
    assert attempt["next_attempt_at"] is None
    assert int(paid.headers["webhook-timestamp"]) == int(world.wall.timestamp())


def test_a_loan_s_events_come_in_order_while_the_clock_moves(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    registers(partner, receiver, "loan_is_late", "loan_is_arrears", "loan_is_default")
    loan = active(partner)
    partner.goes_to(partner.today() + timedelta(days=60))
    loan.does("make_default").ok(201)
    settle(world)
    assert receiver.events() == ["loan_is_late", "loan_is_arrears", "loan_is_default"]
    late, _, default = receiver.got
    assert late.json["data"]["status"] == "late"
    now = loan.now
    for name in ("id", "amount", "rate", "status", "disbursed_at", "late_since", "end_user"):
        assert default.json["data"][name] == now[name], name
    assert isinstance(default.json["data"]["principal"], Decimal)
    # ``timestamp`` is the partner's time, the header's is real time.
    assert datetime.fromtimestamp(late.json["timestamp"], world.wall.tzinfo) > world.wall
    assert int(late.headers["webhook-timestamp"]) <= world.wall.timestamp()


def test_a_failure_is_repeated_by_the_schedule(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    registers(partner, receiver, "disbursement_result")
    receiver.answers = [500, 302, 404]
    active(partner)
    settle(world)
    pauses = (5, 300, 1800)
    for number, seconds in enumerate(pauses):
        [row] = log(partner)
        assert (len(receiver.got), row["status"]) == (number + 1, "pending")
        last = row["deliveries"][-1]
        pause = _instant(last["next_attempt_at"]) - _instant(last["attempted_at"])
        assert timedelta(seconds=seconds) <= pause <= timedelta(seconds=seconds * 1.1)
        if seconds <= 900:
            [delay] = {delay for delay, *_ in world.line.delayed}
            assert seconds <= delay <= seconds * 1.1 + 1
            world.wall += timedelta(seconds=delay)
            world.line.later()
        else:  # longer than SQS can wait: the table knows
            world.line.delayed.clear()
            assert schedules.sweep_webhooks() == 0
            world.wall += timedelta(seconds=seconds * 1.1)
            assert schedules.sweep_webhooks() == 1
        settle(world)
    [row] = log(partner)
    assert row["status"] == "delivered"
    assert [one["response_status"] for one in row["deliveries"]] == [500, 302, 404, 200]
    assert len({one.id for one in receiver.got}) == 1
    assert len({one.raw for one in receiver.got}) == 1
    assert all(one.path == "/" for one in receiver.got), "redirects are not followed"


def test_later_events_of_a_loan_wait_while_the_receiver_answers_badly(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    registers(partner, receiver, "disbursement_result", "loan_is_arrears")
    receiver.answers = [500]
    first = active(partner)
    settle(world)
    other = active(partner)
    first.does("make_arrears").ok(201)
    settle(world)
    assert receiver.events() == ["disbursement_result"] * 2
    world.wall += timedelta(seconds=6)
    world.line.later()
    settle(world)
    got = [(one.event, _loan_of(one)) for one in receiver.got]
    assert got[0] == ("disbursement_result", first.id)
    assert got[1] == ("disbursement_result", other.id)
    assert got[2:] == [("disbursement_result", first.id), ("loan_is_arrears", first.id)]


def test_while_the_clock_moves_retries_follow_at_once(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    registers(partner, receiver, "loan_is_late", "loan_is_arrears")
    active(partner)
    receiver.answers = [503, 503]
    partner.goes_to(partner.today() + timedelta(days=60))
    assert receiver.events() == ["loan_is_late"] * 3 + ["loan_is_arrears"]
    assert {row["status"] for row in log(partner)} == {"delivered"}


def test_a_receiver_that_is_down_does_not_stop_the_clock(world: World, partner: Partner) -> None:
    with receiving() as gone:
        registers(partner, gone, "loan_is_late", "loan_is_arrears")
    active(partner)
    partner.goes_to(partner.today() + timedelta(days=60))
    rows = log(partner)
    assert [row["event"] for row in rows] == ["loan_is_arrears", "loan_is_late"]
    for row in rows:
        assert (row["status"], len(row["deliveries"])) == ("pending", 3)
        assert row["deliveries"][-1]["error"] == "The connection was refused."


def test_the_clock_waits_for_what_was_on_its_way(
    world: World, partner: Partner, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    registers(partner, receiver, "disbursement_result", "loan_is_late")
    loan = partner.opens_loan(partner.publishes()).disburses("1500.00")
    world.line.lose = True  # its message is lost, and with it the sweeper's turn has not come
    loan.confirmed()
    world.line.lose = False
    monkeypatch.setattr(sandbox, "NUDGE_SECONDS", 0.0)
    partner.goes_to(partner.today())  # the same date again only drains
    assert receiver.events() == ["disbursement_result"]


def test_the_clock_gives_up_on_what_nobody_can_send(
    world: World, partner: Partner, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    registers(partner, receiver, "disbursement_result")
    monkeypatch.setattr(sandbox, "GIVE_UP_SECONDS", 0.2)
    world.line.lose = True
    partner.opens_loan(partner.publishes()).disburses("1500.00").confirmed()
    partner.goes_to(partner.today())
    assert receiver.got == []
    assert [row["status"] for row in log(partner)] == ["pending"]


def test_410_disables_the_endpoint_and_says_so(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    made = registers(partner, receiver, "disbursement_result")
    receiver.answers = [410]
    active(partner)
    settle(world)
    where = f"/webhook_endpoint/{made['id']}/"
    assert partner.get(where)["is_disabled"]
    [row] = log(partner)
    assert row["status"] == "failed"
    [alarm] = partner.get("/alarm/")["results"]
    assert alarm["name"] == "webhook_endpoint_disabled" and made["id"] in alarm["detail"]
    active(partner)
    settle(world)
    assert len(log(partner)) == 1, "a disabled endpoint hears nothing"
    again = f"/webhook/{row['id']}/retry/"
    partner.http.request("POST", again).refused("invalid_status")
    partner.http.request("PATCH", where, {"is_disabled": False}).ok(200)
    assert partner.post(again)["status"] == "pending"
    settle(world)
    assert [row["status"] for row in log(partner)] == ["delivered"]
    assert receiver.got[0].id == receiver.got[-1].id


def test_a_whole_schedule_without_success_disables_the_endpoint(
    world: World, partner: Partner
) -> None:
    with receiving() as gone:
        made = registers(partner, gone, "disbursement_result")
    active(partner)
    settle(world)
    begun = world.wall
    for number in range(1, 10):
        assert not partner.get(f"/webhook_endpoint/{made['id']}/")["is_disabled"]
        [row] = log(partner)
        assert len(row["deliveries"]) == number
        world.wall = _instant(row["deliveries"][-1]["next_attempt_at"])
        assert schedules.sweep_webhooks() == 1
        settle(world)
    assert timedelta(hours=75) < world.wall - begun < timedelta(hours=84)
    [row] = log(partner)
    assert (row["status"], len(row["deliveries"])) == ("failed", 10)
    assert partner.get(f"/webhook_endpoint/{made['id']}/")["is_disabled"]
    assert schedules.sweep_webhooks() == 0


def test_old_and_new_secret_sign_for_a_day(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    made = registers(partner, receiver, "application_processing_finished")
    turned = partner.post(f"/webhook_endpoint/{made['id']}/rotate_secret/")
    receiver.secrets["/"].append(turned["secret"])
    product = partner.publishes()
    partner.approved(product)
    settle(world)
    assert len(receiver.got[0].headers["webhook-signature"].split()) == 2
    world.wall += timedelta(hours=24)
    del receiver.secrets["/"][0]
    partner.approved(product)
    settle(world)
    assert len(receiver.got[1].headers["webhook-signature"].split()) == 1


def test_what_is_pending_fails_when_the_endpoint_is_disabled_or_deleted(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    off = registers(partner, receiver, "disbursement_result", path="off")
    gone = registers(partner, receiver, "disbursement_result", path="gone")
    receiver.answers = [500, 500]
    active(partner)
    settle(world)
    partner.http.request("PATCH", f"/webhook_endpoint/{off['id']}/", {"is_disabled": True}).ok(200)
    assert partner.http.request("DELETE", f"/webhook_endpoint/{gone['id']}/").status == 204
    settle(world)
    found = {row["webhook_endpoint"]: row for row in log(partner)}
    assert {row["status"] for row in found.values()} == {"failed"}
    assert found[off["id"]]["deliveries"][-1]["error"] == "The endpoint is disabled."
    assert found[gone["id"]]["deliveries"][-1]["error"] == "The endpoint was deleted."
    assert len(receiver.got) == 2


def test_an_address_that_is_no_longer_public_gets_nothing(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    world.hosts["lender.example"] = ("8.8.8.8",)
    partner.post("/webhook_endpoint/", {"url": "https://lender.example/hooks"})
    world.hosts["lender.example"] = ("8.8.8.8", "169.254.169.254")
    active(partner)
    settle(world)
    for row in log(partner):
        [attempt] = row["deliveries"]
        assert attempt["error"] == "Not sent. Its host must have public addresses only."


def test_messages_may_be_lost_and_come_twice(
    world: World, partner: Partner, receiver: Receiver
) -> None:
    registers(partner, receiver, "disbursement_result")
    product = partner.publishes()
    loan = partner.opens_loan(product).disburses("1500.00")
    world.line.lose = True
    loan.confirmed()
    settle(world)
    assert receiver.got == []
    world.line.lose = False
    world.wall += timedelta(minutes=2)
    schedules.sweep_outbox()
    world.line.waiting.extend(list(world.line.waiting) * 2)
    settle(world)
    assert receiver.events() == ["disbursement_result"]


def test_there_are_at_most_fifty_endpoints(partner: Partner) -> None:
    for number in range(50):
        body = {"url": f"http://127.0.0.1:9/{number}", "is_disabled": number % 2 == 0}
        made = partner.post("/webhook_endpoint/", body)
    partner.http.request("POST", "/webhook_endpoint/", body).refused("invalid_status")
    assert partner.http.request("DELETE", f"/webhook_endpoint/{made['id']}/").status == 204
    partner.post("/webhook_endpoint/", body)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _loan_of(one: Any) -> str:
    data = one.json["data"]
    return str(data.get("loan") or data["id"])
