"""Loans paid out by GoCardless's outbound payments, with the provider's simulator behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app import app
from chalicelib.models.keys import SIGNING_KEY
from chalicelib.models.store_errors import Unavailable
from chalicelib.usecases import disbursements
from tests.http_support import Api
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.paying import Paying, paying

ACCOUNT = {"bank_account_number": "55779911", "sort_code": "20-00-00"}
OUT = "POST /outbound_payments"


@pytest.fixture
def pays(tmp_path: Path) -> Iterator[Paying]:
    with paying(tmp_path) as made:
        made.partner.goes_to("2026-03-02")
        made.partner.get("/sandbox/simulators/")
        chooses(made, "gocardless_outbound")
        made.partner.post("/webhook_endpoint/", {"url": "http://127.0.0.1:9/hooks"})
        yield made


def chooses(pays: Paying, provider: str) -> None:
    body = {"disbursement_provider": provider}
    shown = pays.api.request("PATCH", "/partner/", body).ok(200)
    assert shown["disbursement_provider"] == provider


def opens(pays: Paying, account: dict[str, str] | None = None, **product: Any) -> Loan:
    partner = pays.partner
    borrower = partner.borrower(**(ACCOUNT if account is None else account))
    application = partner.approved(partner.publishes(**product), end_user=borrower)
    return Loan(partner, partner.post("/loan/", {"application": application})["id"])


def asks(loan: Loan, amount: str = "12000.00", **more: Any) -> Any:
    return loan.transaction("disbursement", amount, **more).ok(201)


def shown(pays: Paying, item: Any) -> Any:
    return pays.partner.get(f"/transaction/{item['id']}/")


def outbound(pays: Paying) -> list[Any]:
    return [record.doc for record in pays.org.all("outbound_payments")]


def tells(pays: Paying) -> None:
    """What the provider has to tell is told and taken in."""
    pays.control("drain", {})
    pays.works()


def happens(pays: Paying, item: Any, action: str, **details: str) -> None:
    ref = shown(pays, item)["provider_transaction_id"]
    body = {"resource_type": "outbound_payments", "action": action, "details": details,
            "links": {"outbound_payment": ref}}  # fmt: skip
    pays.control("events", body)
    tells(pays)


def results(pays: Paying, event: str = "disbursement_result") -> list[tuple[str, str]]:
    rows = pays.partner.get(f"/webhook/?event={event}&ordering=created_at")["results"]
    return [(row["data"]["id"], row["data"]["status"]) for row in rows]


def alarms(pays: Paying) -> list[str]:
    return [row["name"] for row in pays.partner.get("/alarm/")["results"]]


def retried(pays: Paying, item: Any) -> Any:
    return pays.partner.post(f"/transaction/{item['id']}/retry/")


# --- paid, failed, waiting ------------------------------------------------------------------------


def test_a_disbursement_is_paid_out_and_the_loan_becomes_active(pays: Paying) -> None:
    loan = opens(pays)
    asked = asks(loan, reference="Kitchen 7")
    assert (asked["status"], asked["provider"]) == ("pending", "gocardless_outbound")
    assert asked["provider_transaction_id"] is None
    pays.works()
    [payment] = outbound(pays)
    assert (payment["amount"], payment["reference"]) == (1_200_000, "Kitchen 7")
    tells(pays)
    done = shown(pays, asked)
    assert (done["status"], done["provider_transaction_id"]) == ("applied", payment["id"])
    assert done["effective_date"] == "2026-03-02"
    loan.shows(status="active", principal="12000.00", pending_principal="0.00")
    assert results(pays) == [(asked["id"], "applied")]
    [row] = pays.partner.get("/webhook/?event=disbursement_result")["results"]
    assert row["data"]["provider_transaction_id"] == payment["id"]
    assert alarms(pays) == []
    loan.folds()


def test_moving_the_clock_is_enough(pays: Paying) -> None:
    loan = opens(pays)
    asked = asks(loan)
    pays.partner.next_day()
    assert shown(pays, asked)["status"] == "applied"
    loan.shows(status="active")


def test_by_hand_stays_the_default_and_nothing_is_sent(pays: Paying) -> None:
    chooses(pays, "manual")
    loan = opens(pays)
    asked = asks(loan)
    pays.partner.next_day()
    item = shown(pays, asked)
    assert (item["status"], item["provider"]) == ("pending", None)
    loan.confirmed().shows(status="active")
    assert outbound(pays) == []


@pytest.mark.parametrize(
    "words",
    ["failed_to_execute", "failed_due_to_bank_rejection",
     "failed_due_to_bank_rejection_after_execution"],
)  # fmt: skip
def test_a_failed_one_is_sent_again_under_the_same_id(pays: Paying, words: str) -> None:
    loan = opens(pays)
    asked = asks(loan, reference=words)
    tells_all(pays)
    failed = shown(pays, asked)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "outbound_payment_failed")
    loan.shows(status="inactive", pending_principal="0.00")
    assert results(pays) == [(asked["id"], "failed")]
    pays.partner.next_day()
    waiting = retried(pays, asked)
    assert waiting["id"] == asked["id"]
    assert (waiting["status"], waiting["failure_reason"]) == ("pending", "")
    tells_all(pays)
    first, second = outbound(pays)
    again = shown(pays, asked)
    assert again["provider_transaction_id"] == second["id"] != first["id"]
    assert again["status"] == "failed", "the words still make it fail"
    assert [status for _, status in results(pays)] == ["failed", "failed"]
    assert alarms(pays) == []


def tells_all(pays: Paying) -> None:
    pays.works()
    tells(pays)


def test_after_a_failure_the_account_is_corrected_and_it_is_paid(pays: Paying) -> None:
    loan = opens(pays, {"bank_account_number": "12345678", "sort_code": "200000"})
    asked = asks(loan)
    tells_all(pays)
    failed = shown(pays, asked)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "validation_failed")
    assert "12345678" not in str(pays.partner.get("/webhook/")["results"])
    person = loan.now["end_user"]
    pays.api.request("PATCH", f"/end_user/{person}/", ACCOUNT).ok(200)
    retried(pays, asked)
    tells_all(pays)
    loan.shows(status="active", principal="12000.00").folds()
    assert [status for _, status in results(pays)] == ["failed", "applied"]


def test_without_bank_details_it_fails_and_says_so(pays: Paying) -> None:
    asked = asks(opens(pays, {}))
    tells_all(pays)
    failed = shown(pays, asked)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "bank_details_missing")
    assert alarms(pays) == []


def test_one_that_waits_for_an_approval_is_pending_until_it_comes(pays: Paying) -> None:
    pays.control("organisations", {"outbound_needs_approval": True})
    loan = opens(pays)
    asked = asks(loan)
    tells_all(pays)
    pays.partner.goes_to("2026-03-05")
    assert shown(pays, asked)["status"] == "pending"
    loan.shows(status="inactive", pending_principal="12000.00")
    happens(pays, asked, "scheduled")
    happens(pays, asked, "set_to_executing")
    assert shown(pays, asked)["status"] == "pending"
    happens(pays, asked, "executed")
    done = shown(pays, asked)
    assert (done["status"], done["effective_date"]) == ("applied", "2026-03-05")


# --- come back ------------------------------------------------------------------------------------


def test_money_that_comes_back_is_compensated_and_can_be_paid_out_again(pays: Paying) -> None:
    loan = opens(pays)
    asked = asks(loan)
    tells_all(pays)
    pays.partner.goes_to("2026-03-06")
    assert loan.now["interest"] == Decimal("15.78")
    happens(pays, asked, "failed", cause="account_closed", reason_code="X")
    assert shown(pays, asked)["status"] == "applied"
    back = next(one for one in loan.all_transactions() if one["type"] == "repayment")
    assert (back["origin"], back["status"], back["effective_date"]) == (
        "provider", "applied", "2026-03-06")  # fmt: skip
    assert (str(back["principal"]), back["failure_reason"]) == ("12000.00", "account_closed")
    loan.shows(status="inactive", principal="0.00", interest="0.00", written_off="15.78").folds()
    assert alarms(pays) == ["disbursement_returned"]
    assert results(pays, "repayment_result") == [(back["id"], "applied")]
    pays.partner.goes_to("2026-03-09")
    again = asks(loan)
    tells_all(pays)
    loan.shows(status="active", principal="12000.00", interest="0.00")
    assert loan.now["disbursed_at"] == "2026-03-09" and shown(pays, again)["status"] == "applied"
    totals = pays.partner.get("/report/trial_balance/")
    assert totals["total_debit"] == totals["total_credit"]
    as_of = pays.partner.get(f"/loan/{loan.id}/?as_of=2026-03-05")
    assert (as_of["status"], str(as_of["principal"])) == ("active", "12000.00")


def test_a_return_that_is_told_twice_is_taken_in_once(pays: Paying) -> None:
    loan = opens(pays)
    asked = asks(loan)
    tells_all(pays)
    happens(pays, asked, "failed", cause="account_closed")
    pays.control("faults", {"match": "webhooks", "kind": "duplicate_webhook", "times": 5})
    ref = shown(pays, asked)["provider_transaction_id"]
    with pays.simulator.world.changing(pays.org):
        pays.org.emit(pays.org.get("outbound_payments", ref), "failed",
                      {"origin": "bank", "cause": "account_closed"},
                      {"outbound_payment": ref})  # fmt: skip
    tells(pays)
    kinds = [one["type"] for one in loan.all_transactions()]
    assert kinds.count("repayment") == 1
    loan.shows(status="inactive", overpayment="0.00").folds()


# --- by hand meanwhile ----------------------------------------------------------------------------


def test_applied_by_hand_before_it_was_sent_nothing_is_sent(pays: Paying) -> None:
    loan = opens(pays)
    asked = asks(loan)
    loan.confirmed()
    tells_all(pays)
    assert outbound(pays) == []
    item = shown(pays, asked)
    assert (item["status"], item["provider"]) == ("applied", None)
    assert alarms(pays) == []


def test_applied_by_hand_while_it_waits_it_is_stopped(pays: Paying) -> None:
    pays.control("organisations", {"outbound_needs_approval": True})
    loan = opens(pays)
    asks(loan)
    tells_all(pays)
    loan.confirmed()
    tells_all(pays)
    assert [payment["status"] for payment in outbound(pays)] == ["cancelled"]
    loan.shows(status="active", principal="12000.00").folds()
    assert alarms(pays) == []


def test_applied_by_hand_when_it_was_paid_already_a_person_is_told(pays: Paying) -> None:
    loan = opens(pays)
    asked = asks(loan)
    pays.world.post.lose = True
    pays.works()
    assert shown(pays, asked)["provider_transaction_id"].startswith("OUT")
    loan.confirmed()
    pays.world.post.lose = False
    tells_all(pays)
    pays.partner.next_day()
    loan.shows(principal="12000.00").folds()
    assert alarms(pays) == ["disbursement_paid_twice"]


def test_applied_by_hand_while_the_provider_is_being_asked(
    pays: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    pays.control("organisations", {"outbound_needs_approval": True})
    loan = opens(pays)
    asked = asks(loan)
    real = disbursements._submitted

    def meanwhile(*given: Any) -> None:
        monkeypatch.setattr(disbursements, "_submitted", real)
        loan.confirmed()
        real(*given)

    monkeypatch.setattr(disbursements, "_submitted", meanwhile)
    tells_all(pays)
    assert [payment["status"] for payment in outbound(pays)] == ["cancelled"]
    assert shown(pays, asked)["status"] == "applied" and alarms(pays) == []


# --- whatever goes wrong --------------------------------------------------------------------------


def dies(pays: Paying, monkeypatch: pytest.MonkeyPatch, number: int, after: bool) -> None:
    """The worker is killed at its commit ``number``, before it or right after it."""
    store = pays.world.store
    real, count = store.commit, [0]

    def commit(unit: Any) -> Any:
        if pays.world.line.serving:
            return real(unit)
        count[0] += 1
        if count[0] != number:
            return real(unit)
        if after:
            real(unit)
        raise Unavailable()

    monkeypatch.setattr(store, "commit", commit)


def end_of(pays: Paying, loan: Loan, item: Any) -> list[Any]:
    """What a person could see at the end, without ids and times."""
    done = shown(pays, item)
    now = loan.now
    assert len(outbound(pays)) == 1, "paid once"
    assert pays.world.line.dead == []
    return [
        done["status"], done["effective_date"], done["provider_transaction_id"][:3],
        now["status"], now["principal"], now["pending_principal"], now["next_repayment_date"],
        len(results(pays)), alarms(pays), len(loan.all_transactions()),
    ]  # fmt: skip


UNDISTURBED = [
    "applied", "2026-03-02", "OUT", "active", Decimal("12000.00"), Decimal("0.00"), "2026-04-14",
    1, [], 2,
]  # fmt: skip
Trouble = Callable[[Paying, pytest.MonkeyPatch], None]


def fault(match: str, kind: str) -> Trouble:
    body = {"match": match, "kind": kind, "times": 1}
    return lambda pays, _: pays.control("faults", body) and None


TROUBLES: dict[str, Trouble] = {
    "nothing": lambda pays, _: None,
    "a lost answer": fault(OUT, "drop_answer"),
    "duplicated webhooks": fault("webhooks", "duplicate_webhook"),
    "reversed webhooks": fault("webhooks", "reorder_webhooks"),
    "every message twice": lambda pays, _: setattr(pays.world.line, "copies", 2),
    **{
        f"killed {'after' if after else 'before'} commit {number}": (
            lambda pays, patch, number=number, after=after: dies(pays, patch, number, after)
        )
        for number in (1, 2, 3, 4)
        for after in (False, True)
    },
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_goes_wrong_it_is_paid_once(
    pays: Paying, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loan = opens(pays)
    TROUBLES[trouble](pays, monkeypatch)
    asked = asks(loan)
    tells_all(pays)
    pays.partner.goes_to(pays.partner.today() + timedelta(days=1))
    assert end_of(pays, loan, asked) == UNDISTURBED
    loan.folds()


def test_webhooks_that_never_come_are_found(pays: Paying) -> None:
    pays.world.post.lose = True
    loan = opens(pays)
    asked = asks(loan)
    pays.works()
    assert shown(pays, asked)["status"] == "pending"
    pays.partner.next_day()
    assert shown(pays, asked)["status"] == "applied"


# --- keys and secrets -----------------------------------------------------------------------------


def test_the_sandboxes_key_is_made_once_and_shown_nowhere(
    pays: Paying, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        asks(opens(pays))
    tells_all(pays)
    assert len(pays.asked("POST /_control/public-keys")) <= 1
    assert len(pays.org.head.public_keys) == 1
    kept = pays.world.store.get(SIGNING_KEY, pays.partner_id, pays.partner_id)
    assert kept is not None and kept.value.key_id in pays.org.head.public_keys
    told = "".join(capfd.readouterr())
    for secret in (kept.value.private_pem[60:90], "55779911", "200000"):
        assert secret not in told and secret not in repr(kept.value)
    bodies = [text for _, text in pays.world.line.waiting]
    assert not any("55779911" in text for text in bodies)


def test_a_stage_without_a_key_fails_the_disbursement_and_tells_a_person(tmp_path: Path) -> None:
    with paying(tmp_path, gocardless_url=None) as pays:
        chooses(pays, "gocardless_outbound")
        asked = asks(opens(pays))
        pays.works()
        failed = shown(pays, asked)
        assert (failed["status"], failed["failure_reason"]) == ("failed", "provider_not_configured")
        assert alarms(pays) == ["disbursement_not_submitted"]


def test_another_partners_events_say_nothing_of_ours(pays: Paying) -> None:
    other = pays.partner.post("/sandbox/partner/")
    loan = opens(pays)
    asked = asks(loan)
    pays.works()
    stranger = Partner(Api(app, other["api_key"]))
    answer = stranger.http.request("GET", f"/transaction/{asked['id']}/")
    assert answer.status == 404
