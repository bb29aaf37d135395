"""Whatever goes wrong between us and the payments provider: the end is the undisturbed one.

Every call to the provider meets every trouble; every story meets every way in which the provider's
webhooks go astray.  Nothing is collected or paid twice, nothing is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from app import app
from chalicelib.integrations.gocardless.signature import signature
from tests.http_support import Answer, Api
from tests.scenarios.collecting import Collector, last
from tests.scenarios.partner import Loan
from tests.scenarios.paying import WEBHOOK
from tests.scenarios.troubled import (
    HOOKS,
    Killed,
    Prepared,
    Troubled,
    Watch,
    Wrong,
    copied,
    end_of,
    prepared,
)

BANK = {"bank_account_number": "55779911", "sort_code": "20-00-00"}
Known = dict[str, str]
Happened = Callable[[], bool]

# --- the stories ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """A few days in which the provider is asked for something.

    ``prepare`` is undisturbed and done once; ``act`` meets the troubles.  ``calls`` are those of
    ``act`` that are disturbed, ``astray`` how its webhooks go.  ``needs``: a call that matters only
    where webhooks go astray, and in which way.
    """

    prepare: Callable[[Troubled], Known]
    act: Callable[[Troubled], None]
    calls: tuple[str, ...]
    astray: tuple[str, ...] = ("twice", "reversed", "a day late", "lost")
    needs: dict[str, str] = field(default_factory=dict)


def opens(t: Troubled, day: str, **product: Any) -> Loan:
    """A loan, and an endpoint that hears of it."""
    partner = t.pays.partner
    partner.goes_to(day)
    partner.post("/webhook_endpoint/", HOOKS)
    borrower = partner.borrower(**BANK)
    return partner.opens_loan(partner.publishes(**product), end_user=borrower)


def borrowed(t: Troubled, day: str, **product: Any) -> Loan:
    """A loan that is paid out, with a mandate that is active; six days later."""
    loan = opens(t, day, **product)
    t.pays.signs(t.pays.mandate(loan.now["end_user"]))
    mandate = t.records("mandates")[0]["id"]
    t.tells("mandates", "active", {"mandate": mandate})
    t.settles()
    t.next_day()
    assert loan.now["mandate"] is not None
    return loan.disburses("1000.00").confirmed()


def payment(t: Troubled, action: str, **details: str) -> None:
    """Something happens to the payment."""
    t.tells("payments", action, {"payment": t.records("payments")[-1]["id"]}, **details)


def asking_for_a_mandate(t: Troubled) -> Known:
    return {"loan": opens(t, "2026-03-02").id}


def asks_for_a_mandate(t: Troubled) -> None:
    t.pays.signs(t.pays.mandate(t.loan.now["end_user"]))
    t.settles()
    for action in ("submitted", "active"):
        t.tells("mandates", action, {"mandate": t.records("mandates")[0]["id"]})
    t.settles()
    t.next_day()


def collecting(t: Troubled) -> Known:
    return {"loan": borrowed(t, "2026-03-02").id}


def collects(t: Troubled) -> None:
    """A repayment by hand is collected; the money arrives."""
    t.loan.transaction("repayment", "300.00").ok(201)
    t.settles()
    payment(t, "confirmed")
    t.settles()
    t.next_day()


def failing(t: Troubled) -> Known:
    loan = borrowed(t, "2026-03-02", collection_retries=1)
    loan.transaction("repayment", "300.00").ok(201)
    t.settles()
    return {"loan": loan.id}


def fails_and_is_retried(t: Troubled) -> None:
    """The product has it tried once more; the money arrives."""
    payment(t, "failed", reason_code="ARUDD-0")
    t.settles()
    payment(t, "confirmed")
    t.settles()
    t.next_day()


def failing_for_good(t: Troubled) -> Known:
    loan = borrowed(t, "2026-03-02", collection_retries=0)
    loan.transaction("repayment", "300.00").ok(201)
    t.settles()
    return {"loan": loan.id}


def fails_and_is_sent_again(t: Troubled) -> None:
    """The partner has it tried once more, the next day."""
    payment(t, "failed", reason_code="ARUDD-0")
    t.next_day()
    t.pays.partner.post(f"/transaction/{last(t.loan)['id']}/retry/")
    t.settles()
    payment(t, "confirmed")
    t.settles()
    t.next_day()


def shrinking(t: Troubled) -> Known:
    """The first row's collection has been announced; it is due on 14 April."""
    loan = borrowed(t, "2026-03-02", installments=2)
    weeks = Collector(t.pays, str(t.pays.partner.today()))
    weeks.loans.append(loan)
    weeks.goes_to("2026-04-09")
    assert t.records("payments")[0]["status"] == "pending_submission"
    return {"loan": loan.id}


def owes_less(t: Troubled) -> None:
    """A repayment by hand makes the collection smaller: it is cancelled and made anew."""
    loan = t.loan
    loan.transaction("repayment", "200.00", collect=False).ok(201)
    loan.confirmed()
    t.settles()
    t.next_day()


def repaid(t: Troubled) -> Known:
    """A repayment that has arrived."""
    known = collecting(t)
    t.known = known
    t.loan.transaction("repayment", "300.00").ok(201)
    t.settles()
    payment(t, "confirmed")
    t.settles()
    return known


def is_charged_back(t: Troubled) -> None:
    """The money goes back; it is known as the next day begins."""
    payment(t, "paid_out")
    payment(t, "charged_back")
    t.next_day()
    t.next_day()


def paying_out(t: Troubled) -> Known:
    loan = opens(t, "2026-03-02")
    body = {"disbursement_provider": "gocardless_outbound"}
    t.pays.api.request("PATCH", "/partner/", body).ok(200)
    return {"loan": loan.id}


def pays_out(t: Troubled) -> None:
    t.loan.transaction("disbursement", "1000.00").ok(201)
    t.settles()
    t.next_day()


STORIES = {
    "mandate": Story(
        asking_for_a_mandate,
        asks_for_a_mandate,
        ("POST /billing_requests", "POST /billing_request_flows"),
    ),
    "collection": Story(
        collecting,
        collects,
        ("GET /mandates/*", "POST /payments", "GET /payments/*", "GET /events"),
        needs={"GET /events": "lost"},
    ),
    "retry": Story(
        failing,
        fails_and_is_retried,
        ("POST /payments/*/actions/retry",),
        astray=("twice", "reversed"),
    ),
    "retry by hand": Story(
        failing_for_good,
        fails_and_is_sent_again,
        (),
        astray=("a day late", "lost"),
    ),
    "cancellation": Story(
        shrinking,
        owes_less,
        ("POST /payments/*/actions/cancel",),
    ),
    "chargeback": Story(repaid, is_charged_back, ()),
    "disbursement": Story(
        paying_out,
        pays_out,
        ("POST /customers", "POST /customer_bank_accounts", "POST /outbound_payments",
         "GET /outbound_payments/*"),
    ),
}  # fmt: skip

# --- what goes wrong ------------------------------------------------------------------------------

Trouble = Callable[[Troubled, str], Happened]
"""Arranges it for a call; what it gives says afterwards whether it came about."""


def suffers(kind: str, times: int, t: Troubled, match: str) -> Happened:
    """The simulator misbehaves."""
    t.pays.control("faults", {"match": match, "kind": kind, "times": times})
    return lambda: sum(one["fault"] == kind for one in t.pays.asked(match)) == times


def is_struck(kind: str, times: int, t: Troubled, match: str) -> Happened:
    """The connection misbehaves."""
    wrong = Wrong(match, kind, times)
    t.wrongs.append(wrong)
    return lambda: wrong.happened == times


def dies(after: bool, t: Troubled, match: str) -> Happened:
    """The worker is killed at the commit that follows the call: before it, or right after it."""
    store = t.pays.world.store
    commit, killed, armed = store.commit, list[str](), list[bool]()

    def dying(unit: Any) -> None:
        if not armed or killed:
            commit(unit)
            return
        killed.append(match)
        if after:
            commit(unit)
        raise Killed

    store.commit = dying  # type: ignore[method-assign]
    t.watches.append(Watch(match, lambda: armed.append(True)))
    return lambda: killed == [match]


def comes_twice(t: Troubled, match: str) -> Happened:
    """Every message is delivered twice, one time after the other."""
    t.line.copies = 2
    watch = Watch(match, lambda: None)
    t.watches.append(watch)
    return lambda: watch.happened == 1 and t.line.given >= 2


def comes_twice_at_once(t: Troubled, match: str) -> Happened:
    """Another worker does all of the message while the first one reads the call's answer."""
    watch = Watch(match, lambda: t.line.again())
    t.watches.append(watch)
    return lambda: watch.happened == 1


FAULTS: dict[str, Trouble] = {
    "timeout before": partial(suffers, "timeout", 1),
    "timeout after": partial(is_struck, "late_answer", 1),
    "reset before": partial(is_struck, "reset", 3),
    "reset after": partial(suffers, "drop_answer", 1),
    "429": partial(suffers, "429", 3),
    "500": partial(suffers, "500", 3),
    "html 502": partial(suffers, "html502", 3),
    "killed before the commit": partial(dies, False),
    "killed after the commit": partial(dies, True),
    "message twice": comes_twice,
    "message twice at once": comes_twice_at_once,
}
"""Three times is as often as a call is tried: its message comes again."""


def twice(t: Troubled) -> Happened:
    """Every webhook is delivered twice."""
    t.pays.control("faults", {"match": "webhooks", "kind": "duplicate_webhook", "times": 1000})

    def happened() -> bool:
        seen = [event["id"] for _, events in t.arrived for event in events]
        return bool(seen) and len(seen) == 2 * len(set(seen))

    return happened


def reversed_(t: Troubled) -> Happened:
    """The newest first, one event each."""
    t.pays.control("faults", {"match": "webhooks", "kind": "reorder_webhooks", "times": 1000})

    def happened() -> bool:
        seen = [event["created_at"] for _, events in t.arrived for event in events]
        return any(later < earlier for earlier, later in pairwise(seen))

    return happened


def a_day_late(t: Troubled) -> Happened:
    """What happens on a day is told on another."""
    t.pays.control("faults", {"match": "webhooks", "kind": "delay_webhooks", "times": 1000})

    def happened() -> bool:
        return bool(t.arrived) and all(
            event["created_at"][:10] < day for day, events in t.arrived for event in events
        )

    return happened


def lost(t: Troubled) -> Happened:
    """No webhook arrives: what happened is found in the provider's list."""
    t.pays.world.post.lose = True
    return lambda: not t.arrived and bool(t.pays.asked("GET /events"))


ASTRAY: dict[str, Callable[[Troubled], Happened]] = {
    "twice": twice,
    "reversed": reversed_,
    "a day late": a_day_late,
    "lost": lost,
}
LATE = frozenset({"a day late", "lost"})
KNOWN_ON = re.compile(r" processing_date=\S+")

# --- the matrix -----------------------------------------------------------------------------------

QUICK = frozenset(
    {
        "POST /billing_requests",
        "POST /payments",
        "POST /payments/*/actions/retry",
        "POST /payments/*/actions/cancel",
        "POST /outbound_payments",
    }
)
"""What must not be done twice; the other calls are looks, and what comes before a payment."""


def combination(*names: str) -> Any:
    """One of the matrix; the slow ones are run by ``make test ARGS='-m slow'``."""
    marks = () if len(names) == 2 or names[1] in QUICK else (pytest.mark.slow,)
    return pytest.param(*names, marks=marks, id=" | ".join(names))


BY_CALL = [
    combination(name, call, fault)
    for name, story in STORIES.items()
    for call in story.calls
    for fault in FAULTS
]
BY_WEBHOOK = [combination(name, way) for name, story in STORIES.items() for way in story.astray]


class Stories:
    """Worlds prepared once, and how each story ends undisturbed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._known: dict[str, tuple[Prepared, dict[str, Any]]] = {}

    def of(self, name: str) -> tuple[Prepared, dict[str, Any]]:
        if name not in self._known:
            story, place = STORIES[name], self.directory / name.replace(" ", "-")
            before = prepared(place, story.prepare)
            with copied(before, place.with_suffix(".undisturbed")) as t:
                story.act(t)
                self._known[name] = before, end_of(t)
                assert not t.line.errors
                for call in story.calls:
                    assert t.pays.asked(call), f"{call} is not part of this story"
        return self._known[name]


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    return Stories(tmp_path_factory.mktemp("stories"))


@pytest.mark.parametrize(("name", "call", "fault"), BY_CALL)
def test_a_call_that_goes_wrong(
    stories: Stories, tmp_path: Path, name: str, call: str, fault: str
) -> None:
    before, expected = stories.of(name)
    story = STORIES[name]
    with copied(before, tmp_path / "copy") as t:
        also = story.needs.get(call)
        disturbed = [ASTRAY[also](t)] if also else []
        disturbed.append(FAULTS[fault](t, call))
        story.act(t)
        assert all(happened() for happened in disturbed), "it did not come about"
        same(end_of(t), expected, late=bool(also))


@pytest.mark.parametrize(("name", "way"), BY_WEBHOOK)
def test_webhooks_go_astray(stories: Stories, tmp_path: Path, name: str, way: str) -> None:
    before, expected = stories.of(name)
    with copied(before, tmp_path / "copy") as t:
        happened = ASTRAY[way](t)
        STORIES[name].act(t)
        assert happened(), "it did not come about"
        same(end_of(t), expected, late=way in LATE)


def test_the_matrix_is_whole() -> None:
    """Every trouble for every call, and enough of it whenever the tests are run."""
    assert len(BY_CALL) == len(FAULTS) * sum(len(story.calls) for story in STORIES.values())
    quick = [one for one in (*BY_CALL, *BY_WEBHOOK) if not one.marks]
    assert len(quick) >= 60
    calls = {call for story in STORIES.values() for call in story.calls}
    assert calls >= QUICK and len(calls) == 12


# --- who is believed, and by whom -----------------------------------------------------------------


def sent(body: bytes, sign: str) -> Answer:
    """A webhook with this signature."""
    headers = {"Webhook-Signature": sign}
    return Api(app, None).post(WEBHOOK, raw=body, headers=headers, root=True)


def webhooks(t: Troubled) -> list[tuple[bytes, str]]:
    """All that the simulator has composed: bodies and signatures."""
    return [
        (one["request_body"].encode(), one["request_headers"]["Webhook-Signature"])
        for one in t.records("webhooks")
    ]


def test_webhooks_that_are_replayed_or_forged_change_nothing(
    stories: Stories, tmp_path: Path
) -> None:
    before, expected = stories.of("chargeback")
    with copied(before, tmp_path / "copy") as t:
        STORIES["chargeback"].act(t)
        known = webhooks(t)
        assert len(known) > 3
        for body, sign in known:
            assert sent(body, sign).status == 204, "the same again"
            anew = json.dumps(json.loads(body), indent=1).encode()
            secret = t.pays.org.head.webhook_secret
            assert sent(anew, signature(secret, anew)).status == 204, "the same events, other bytes"
            sent(body + b" ", sign).refused("invalid_signature", 498)
            sent(body, signature("not-the-secret", body)).refused("invalid_signature", 498)
        t.settles()
        same(end_of(t), expected, late=False)


def test_partners_do_not_see_each_other_in_trouble(stories: Stories, tmp_path: Path) -> None:
    """One's webhooks are lost, and come signed by the other, whose provider fails all the time."""
    before, expected = stories.of("collection")
    with copied(before, tmp_path / "copy") as t:
        other = Api(app, t.pays.partner.post("/sandbox/partner/")["api_key"])
        theirs = other.get("/sandbox/simulators/").ok()["gocardless"]
        other_id = other.get("/partner/").ok()["id"]
        failing = {"match": "*", "kind": "500", "times": 1000}
        headers = {"X-Partner": other_id}
        url = f"{t.pays.url}/_control/faults"
        assert requests.post(url, json=failing, headers=headers, timeout=5).status_code < 300
        happened = lost(t)
        STORIES["collection"].act(t)
        assert happened()
        for body, _ in webhooks(t):
            assert sent(body, signature(theirs["webhook_secret"], body)).status == 204
        t.pays.works()
        for path in ("loan", "mandate", "transaction", "end_user", "webhook"):
            assert other.get(f"/{path}/").ok()["count"] == 0
        other.get(f"/transaction/{last(t.loan)['id']}/").refused("not_found", 404)
        other.post(f"/transaction/{last(t.loan)['id']}/retry/").refused("not_found", 404)
        assert {r["outcome"] for r in other.get("/provider_event/").ok()["results"]} <= {
            "ignored",
            "waiting",
        }
        assert t.line.dead and all(other_id in text for _, text in t.line.dead), "theirs alone"
        t.line.dead.clear()
        same(end_of(t), expected, late=True)


def same(found: dict[str, Any], expected: dict[str, Any], late: bool) -> None:
    """Compare all of it; ``late``: but for the days on which things became known."""
    here, there = set(lines(found, late)), set(lines(expected, late))
    assert (sorted(here - there), sorted(there - here)) == ([], []), "found, expected"


def lines(value: Any, late: bool, path: str = "") -> Iterator[str]:
    """Everything in ``value``, a line each, by the way that leads to it."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        yield f"{path}: {len(value)}"
        for name, inner in pairs:
            yield from lines(inner, late, f"{path}/{name}")
    elif not (late and path.endswith("/processing_date")):
        yield f"{path}: {KNOWN_ON.sub('', value) if late else value}"
