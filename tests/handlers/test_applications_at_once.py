"""Two requests at once on one application: what the one decides, the other sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.handlers.risk_support import Lender, between, do, lending
from tests.served import Served


@pytest.fixture
def world() -> Iterator[tuple[Lender, Served]]:
    with lending() as (lender, served):
        yield lender, served


def test_a_data_point_given_while_it_is_decided_counts_or_is_refused(
    world: tuple[Lender, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    lender, served = world
    salary = lender.source("salary", default=0)
    product = lender.ready("{{salary}} > 10")
    application = lender.application(product)
    act = lambda: lender.point(salary, application, 50)  # noqa: E731
    monkeypatch.setattr(served.world.store, "commit", between(served.world.store, act))
    done = do(lender, application, "complete").ok()
    assert done["status"] == "approved"  # decided again, on the value that came in between
    assert lender.api.get("/decision/").ok()["count"] == 1


def test_a_scorecard_changed_while_it_decides_decides_as_it_is_kept(
    world: tuple[Lender, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    lender, served = world
    product = lender.ready("0")
    [card] = lender.api.get("/scorecard/").ok()["results"]
    application = lender.application(product)
    rules = [{"statement": "1", "weight": 1, "threshold": 1}]
    act = lambda: lender.api.patch(f"/scorecard/{card['id']}/", {"rules": rules}).ok()  # noqa: E731
    monkeypatch.setattr(served.world.store, "commit", between(served.world.store, act))
    assert do(lender, application, "complete").ok()["status"] == "approved"
    lender.api.patch(f"/scorecard/{card['id']}/", {"threshold": 5}).refused("invalid_status")


def test_completing_twice_at_once_decides_once(
    world: tuple[Lender, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    lender, served = world
    application = lender.application(lender.ready("1"))
    act = lambda: do(lender, application, "complete").ok()  # noqa: E731
    monkeypatch.setattr(served.world.store, "commit", between(served.world.store, act))
    do(lender, application, "complete").refused("invalid_status")
    assert lender.api.get("/decision/").ok()["count"] == 1
    do(lender, application, "complete").refused("invalid_status")


def test_an_idempotency_key_replays_a_completion(world: tuple[Lender, Served]) -> None:
    lender, _ = world
    application = lender.application(lender.ready("1"))
    path, headers = f"/application/{application['id']}/complete/", {"Idempotency-Key": "once"}
    first = lender.api.post(path, headers=headers)
    again = lender.api.post(path, headers=headers)
    assert (first.status, again.status) == (200, 200)
    assert (again.text, again.headers["idempotent-replayed"]) == (first.text, "true")
    assert lender.api.get("/decision/").ok()["count"] == 1
