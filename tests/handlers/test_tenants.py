"""Nothing of another partner can be seen, named or guessed, on any route that is served.

Routes and bodies come from the declarations themselves: a new resource without a maker below, or a
new body without an example, fails here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from app import app
from chalicelib import runtime
from chalicelib.domain.blackmoon import Cession, Collateral, Offer, Reconciliation
from chalicelib.domain.data_files import DataFile
from chalicelib.domain.deliveries import Webhook
from chalicelib.domain.statements import Statement
from chalicelib.handlers.api import RESOURCES
from chalicelib.handlers.openapi import examples
from chalicelib.handlers.openapi.examples import Example, Ref
from chalicelib.handlers.routing import PREFIX, Operation, operations
from chalicelib.handlers.schema import Nothing
from chalicelib.models import keys
from chalicelib.models.unit import Unit
from tests.http_support import Answer, Api
from tests.living import Living
from tests.scenarios.partner import Partner
from tests.scenarios.world import World

KEY = "not-a-real-key-of-the-first-tenant"
DAY, NOW, TEN = date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC), Decimal(10)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROWS = [row for row in operations(RESOURCES) if {"pk", "sub"} & set(row.variables)]
SAMPLES = [(row, example) for row in operations(RESOURCES) for example in examples.of(row)]


@dataclass
class Tenant:
    """One partner with a thing of each kind, made when it is first asked for."""

    id: str
    api: Api
    living: Living
    store: Any
    made: dict[str, Any] = field(default_factory=dict)

    def thing(self, kind: str) -> Any:
        """A thing of a kind of ``tests/living.py``, always the same."""
        if kind not in self.made:
            self.made[kind] = self.living.make(kind)
        return self.made[kind]

    def ref(self, ref: Ref) -> Any:
        """What a reference of an example stands for."""
        return self.thing(ref.kind)[ref.attribute]

    def keep(self, kind: Any, value: Any) -> str:
        """Put a value where the application looks, as the platform's own work does."""
        unit = Unit(NOW)
        unit.create(kind, self.id, value)
        self.store.commit(unit)
        return str(value.id)

    def ids(self, where: str) -> list[str]:
        """The ids of the path's thing, outermost first."""
        if where not in self.made:
            assert where in MAKERS, f"no maker of another partner's {where}"
            self.made[where] = MAKERS[where](self)
        return list(self.made[where])


def _kind(kind: str, *attributes: str) -> Callable[[Tenant], list[str]]:
    names = attributes or ("id",)
    return lambda tenant: [str(tenant.thing(kind)[name]) for name in names]


def _kept(kind: Any, value: Callable[[str], Any]) -> Callable[[Tenant], list[str]]:
    return lambda tenant: [tenant.keep(kind, value(str(uuid4())))]


LOAN = str(uuid4())
MAKERS: Mapping[str, Callable[[Tenant], list[str]]] = {
    "/product/{pk}": _kind("draft_product"),
    "/end_user/{pk}": _kind("company"),
    "/end_user/{pk}/address/{sub}": _kind("address", "end_user", "id"),
    "/end_user/{pk}/assign-enduser/{sub}": _kind("assignment", "company", "id"),
    "/input_source/{pk}": _kind("input_source"),
    "/data_point/{pk}": _kind("data_point"),
    "/scorecard/{pk}": _kind("scorecard"),
    "/risk_engine/{pk}": _kind("risk_engine"),
    "/risk_engine_selector/{pk}": _kind("selector"),
    "/decision/{pk}": _kind("approved_application", "decision"),
    "/application/{pk}": _kind("incomplete_application"),
    "/loan/{pk}": _kind("active_loan"),
    "/transaction/{pk}": _kind("pending_transaction"),
    "/mandate/{pk}": _kind("mandate"),
    "/webhook_endpoint/{pk}": _kind("webhook_endpoint"),
    "/api_key/{pk}": lambda tenant: [tenant.api.post("/api_key/").ok(201)["id"]],
    "/statement/{pk}": _kept(
        keys.STATEMENT,
        lambda id: Statement(id, LOAN, LOAN, LOAN, 1, DAY, DAY, TEN, TEN, TEN, TEN, TEN, TEN, DAY),
    ),
    "/webhook/{pk}": _kept(keys.WEBHOOK, lambda id: Webhook(id, "loan_closed", LOAN, 1)),
    "/blackmoon/offer/{pk}": _kept(keys.OFFER, lambda id: Offer(id, LOAN)),
    "/blackmoon/cession/{pk}": _kept(
        keys.CESSION, lambda id: Cession(id, LOAN, "direct", DAY, TEN)
    ),
    "/blackmoon/collateral/{pk}": _kept(
        keys.COLLATERAL, lambda id: Collateral(id, LOAN, "left", "1", "2", DAY)
    ),
    "/blackmoon/file/{pk}": _kept(
        keys.DATA_FILE, lambda id: DataFile(id, DAY, "loans", status="sent")
    ),
    "/blackmoon/reconciliation/{pk}": _kept(
        keys.RECONCILIATION, lambda id: Reconciliation(id, DAY)
    ),
}


@dataclass
class Two:
    """The partner whose things they are, and the one who asks for them."""

    owner: Tenant
    stranger: Tenant


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    world = World()
    world.hosts["lender.example.com"] = ("93.184.216.34",)
    with runtime.use(world):
        first = runtime.bootstrap(KEY)
        second = Api(app, KEY).post("/sandbox/partner/").ok(201)
        yield Two(_tenant(world, first, KEY), _tenant(world, second["id"], second["api_key"]))


def _tenant(world: World, partner_id: str, key: str) -> Tenant:
    api = Api(app, key)
    tenant = Tenant(partner_id, api, Living(Partner(api)), world.store)
    tenant.living.keep = lambda mandate: tenant.keep(keys.MANDATE, mandate) and None
    return tenant


def place(row: Operation) -> str:
    """What a row's ids name: its path up to its last variable."""
    path = row.path.removeprefix(PREFIX)
    return path[: path.rindex("}") + 1]


def asked(
    tenant: Tenant, row: Operation, ids: Sequence[str], body: Any, path: str | None = None
) -> Answer:
    """A request with the path's ids; the request id is always the same."""
    where = path or row.path
    for name, value in zip(row.variables, ids, strict=True):
        where = where.replace(f"{{{name}}}", value)
    headers = {"X-Request-Id": "the-same"}
    return tenant.api.request(row.method, where + "/", body, headers=headers, root=True)


def body_of(tenant: Tenant, row: Operation) -> Any:
    """A body that is right but for whose thing it is sent to."""
    if row.body is None:
        return None
    found = examples.of(row)
    assert found or row.body is Nothing, f"{row.name} has no example"
    return found[0].filled(tenant.ref) if found else {}


def same(answers: Sequence[Answer], status: int) -> None:
    first = answers[0]
    assert first.status == status, first.text
    for other in answers[1:]:
        assert (other.status, other.headers, other.text) == (status, first.headers, first.text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_another_partners_id_is_as_good_as_none(two: Two, row: Operation) -> None:
    theirs, nobodys = two.owner.ids(place(row)), [str(uuid4()) for _ in row.variables]
    tried = [nobodys, theirs]
    if len(nobodys) > 1:
        mine = two.stranger.ids(place(row))
        tried += [[*mine[:-1], nobodys[-1]], [*mine[:-1], theirs[-1]], [*theirs[:-1], mine[-1]]]
    body = body_of(two.stranger, row)
    for path in (row.path, *row.aliases):
        answers = [asked(two.stranger, row, ids, body, path) for ids in tried]
        answers[0].refused("not_found", 404)
        kinds = {answer.text for answer in answers}
        same(answers if len(nobodys) == 1 else answers[:2], 404)
        if len(nobodys) > 1:
            same(answers[2:4], 404)
            assert {answer.status for answer in answers} == {404}
            assert len(kinds) <= 2, "of the thing itself, or of what it belongs to"


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.method == "GET"], ids=lambda row: row.name
)
def test_it_is_there_for_its_owner(two: Two, row: Operation) -> None:
    answer = asked(two.owner, row, two.owner.ids(place(row)), None)
    assert answer.status in (200, 400, 409), answer.text


def test_an_api_key_is_there_for_its_owner(two: Two) -> None:
    [key] = two.owner.ids("/api_key/{pk}")
    assert key in two.owner.api.get("/api_key/").text
    assert key not in two.stranger.api.get("/api_key/").text


def references(example: Example) -> list[Ref]:
    """The references to other things in an example's body, each once."""
    found: list[Ref] = []
    example.filled(lambda ref: found.append(ref) or "")  # type: ignore[func-returns-value]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("row", "example"),
    [pair for pair in SAMPLES if references(pair[1])],
    ids=lambda one: getattr(one, "name", getattr(one, "summary", "")),
)
def test_an_id_inside_a_body_is_as_good_as_none(two: Two, row: Operation, example: Example) -> None:
    ids = two.stranger.ids(place(row)) if row.variables else []
    for wanted in references(example):
        theirs = two.owner.ref(wanted)
        if not UUID.fullmatch(theirs):
            continue  # a name that each partner gives for itself
        answers = []
        for value in (str(uuid4()), theirs):

            def living(ref: Ref, wanted: Ref = wanted, value: str = value) -> Any:
                return value if ref == wanted else two.stranger.ref(ref)

            answers.append(asked(two.stranger, row, ids, example.filled(living)))
        same(answers, 400)
        assert theirs not in answers[1].text


@pytest.mark.parametrize(
    "path", ["/loan/?end_user=", "/transaction/?loan=", "/application/?end_user="]
)
def test_a_filter_by_another_partners_id_finds_nothing(two: Two, path: str) -> None:
    kind = {"end_user": "end_user", "loan": "active_loan"}[path.partition("?")[2].rstrip("=")]
    theirs, nobodys = two.owner.thing(kind)["id"], str(uuid4())
    answers = [two.stranger.api.get(path + one) for one in (nobodys, theirs)]
    assert answers[0].ok()["count"] == 0
    assert answers[0].text == answers[1].text


def test_their_things_are_as_they_were(two: Two) -> None:
    """Asked last: nothing that was tried above has changed anything."""
    for kind in ("draft_product", "company", "address", "scorecard", "webhook_endpoint"):
        thing = two.owner.thing(kind)
        path = {
            "draft_product": f"/product/{thing['id']}/",
            "company": f"/end_user/{thing['id']}/",
            "address": f"/end_user/{thing.get('end_user')}/address/{thing['id']}/",
            "scorecard": f"/scorecard/{thing['id']}/",
            "webhook_endpoint": f"/webhook_endpoint/{thing['id']}/",
        }[kind]
        shown = two.owner.api.get(path).ok()
        assert shown == {name: value for name, value in thing.items() if name != "secret"}
