"""A story in which every function does all it ever asks of AWS, on the whole laptop stack.

``make permissions`` records what is called while it is told (see :mod:`tests.infra.recorded`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from chalicelib.domain.blackmoon import Offer
from chalicelib.domain.deliveries import Lane
from chalicelib.domain.partners import Partner as Tenant
from chalicelib.models.keys import LANE, OFFER
from chalicelib.models.store import Store, open_store
from chalicelib.models.unit import Unit
from chalicelib.usecases import offers, partners
from local.home import read_json
from tests.infra.calls import LOST
from tests.receiver import Receiver, receiving
from tests.scenarios.partner import Partner
from tests.scenarios.stack_client import SocketHttp, new_partner
from tests.scenarios.test_mandates_on_a_stack import fills_in
from tests.stack import Stack, until
from tests.support import Table

PATIENCE_SECONDS = 300.0
pytestmark = [pytest.mark.slow, pytest.mark.stack]


@pytest.fixture
def store(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The stack's own table."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    port = (read_json(stack.directory / "settings.json") or {})["aws_port"]
    return open_store(Table("backbone", endpoint_url=f"http://127.0.0.1:{port}"))  # type: ignore[arg-type]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A partner's server that fails once and is slow once."""
    with receiving([500, 6.0]) as found:
        yield found


def test_a_sandbox_partner(stack: Stack, receiver: Receiver) -> None:
    partner = new_partner(stack)
    made = partner.post("/webhook_endpoint/", {"url": receiver.url})
    receiver.secrets["/"] = [made["secret"]]
    partner.http.request("PATCH", "/partner/", {"disbursement_provider": "gocardless_outbound"})
    partner.goes_to("2026-03-02")
    product = partner.publishes(
        automatic_collection=True, sell_to_blackmoon=True, collection_retries=1
    )
    loan = partner.opens_loan(product)
    _signs(stack, partner, loan.now["end_user"])
    partner.goes_to(partner.today() + timedelta(days=5))
    loan.disburses("1000.00")
    _lists_and_leaves(partner)
    for _ in range(8):  # a first repayment, and tokens that end after two weeks
        partner.goes_to(partner.today() + timedelta(days=5))
    until(lambda: len(receiver.got) >= 3, PATIENCE_SECONDS)


def test_what_was_left_in_the_outbox_is_swept(stack: Stack, receiver: Receiver) -> None:
    partner = new_partner(stack)
    made = partner.post("/webhook_endpoint/", {"url": receiver.url})
    receiver.secrets["/"] = [made["secret"]]
    product = partner.publishes()
    body = {"product": product, "end_user": partner.borrower()}
    application = partner.post("/application/", body)["id"]
    complete = f"/application/{application}/complete/"
    partner.http.request("POST", complete, {}, headers={"X-Request-Id": LOST}).ok()
    stack.kill_application()  # a worker that starts runs every schedule at once
    until(lambda: receiver.got, PATIENCE_SECONDS)


def test_a_partner_of_a_stage(stack: Stack, store: Store) -> None:
    """Days by the wall clock, offers that are due, visits to endpoints that are."""
    now, key = datetime.now(UTC), f"a-stage's-key-{uuid4()}"
    tenant = Tenant(id=str(uuid4()), name="Lender", sandbox=False)
    unit = Unit(now)
    partners.add(unit, tenant, key, lambda: str(uuid4()), now - timedelta(days=2))
    store.commit(unit)
    partner = Partner(SocketHttp(stack.url, key))
    loan = partner.opens_loan(partner.publishes()).disburses("100.00").confirmed()
    unit = Unit(now)
    offer = Offer(
        str(uuid4()),
        loan.id,
        status="offered",
        offer_id="1",
        partner=tenant.id,
        amount=Decimal("100.00"),
        asked_at=now - timedelta(hours=2),
        wakes=now,
    )
    unit.create(OFFER, tenant.id, offer)
    # A visit is due that no message asks for (its endpoint is gone): only the sweeper can.
    lane = Lane(str(uuid4()), tenant.id, next_due=now - timedelta(minutes=5))
    unit.create(LANE, tenant.id, lane)
    store.commit(unit)
    stack.kill_application()

    until(lambda: all(one.value != offer for one in offers.due(store, now)), PATIENCE_SECONDS)
    until(lambda: store.get(LANE, tenant.id, lane.id) is None, PATIENCE_SECONDS)


def _signs(stack: Stack, partner: Partner, end_user: str) -> None:
    """The end user gives a mandate on the provider's page."""
    import requests

    links = {"success_url": f"{stack.url}/healthz?done", "failure_url": f"{stack.url}/healthz?left"}
    mandate = partner.post("/mandate/", {"end_user": end_user, **links})

    def form() -> str | None:
        answer = requests.get(mandate["authorisation_url"], allow_redirects=False, timeout=10)
        return answer.headers.get("location")

    assert fills_in(str(until(form))) == links["success_url"]


def _lists_and_leaves(partner: Partner) -> None:
    """What is exported and deleted."""
    answer = partner.http.request("GET", "/transaction/?format=csv")
    assert answer.status == 303, answer.text
    body = {
        "name": "Draft",
        "type": "line_of_credit",
        "max_loan_amount": 10,
        "max_interest_rate": 5,
    }
    draft = partner.post("/product/", body)
    partner.http.request("DELETE", f"/product/{draft['id']}/").ok(204)
