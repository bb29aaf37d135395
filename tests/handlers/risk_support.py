"""A partner at work on the risk resources: everything that a decision needs, in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from chalicelib.models.store import Store
from tests.http_support import Api
from tests.served import Served, serve

NOWHERE = "00000000-0000-4000-8000-000000000000"
PRODUCT = {
    "type": "term_loan_equal_instalments",
    "name": "Flexi",
    "max_loan_amount": "5000.00",
    "default_loan_amount": "1000.00",
    "max_interest_rate": 20,
    "default_interest_rate": 10,
    "installments": 4,
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 1,
}
BORROWER = {"first_name": "Ada", "last_name": "Example", "birth_date": "1990-03-03"}
_NUMBERS = count(1)


class Lender:
    """One partner's client; each method makes one thing and gives its answer's body."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def source(self, name: str, kind: str = "float", **more: Any) -> dict[str, Any]:
        return self._made("/input_source/", {"name": name, "type": kind, **more})

    def card(self, *statements: str, active: bool = True, **more: Any) -> dict[str, Any]:
        """A scorecard of rules with equal weights, each passing from 1."""
        weight = f"{1 / len(statements):.2f}"
        rules = [{"statement": text, "weight": weight, "threshold": 1} for text in statements]
        body = {"name": "Basics", "threshold": 1, "rules": rules, **more}
        made = self._made("/scorecard/", body)
        return self.activated("scorecard", made) if active else made

    def engine(self, *cards: dict[str, Any], active: bool = True, **more: Any) -> dict[str, Any]:
        body = {"version": f"v{next(_NUMBERS)}", "scorecards": [card["id"] for card in cards]}
        made = self._made("/risk_engine/", {**body, **more})
        return self.activated("risk_engine", made) if active else made

    def selector(self, product: dict[str, Any], *engines: dict[str, Any]) -> dict[str, Any]:
        weight = f"{1 / len(engines):.2f}"
        shares = [{"version": engine["version"], "weight": weight} for engine in engines]
        body = {"product": product["id"], "risk_engines": shares}
        return self._made("/risk_engine_selector/", body)

    def product(self, published: bool = True, **more: Any) -> dict[str, Any]:
        made = self._made("/product/", {**PRODUCT, **more})
        if published:
            self.api.post(f"/product/{made['id']}/publish/").ok(201)
        return made

    def borrower(self, **more: Any) -> dict[str, Any]:
        return self._made("/end_user/", {**BORROWER, **more})

    def application(self, product: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """An application of a new borrower, unless ``end_user`` is said."""
        product = product or self.product()
        body = {"product": product["id"], **more}
        body.setdefault("end_user", None)
        body["end_user"] = body["end_user"] or self.borrower()["id"]
        return self._made("/application/", body)

    def point(self, source: dict[str, Any], application: dict[str, Any], value: Any) -> Any:
        body = {"input_source": source["id"], "application": application["id"], "value": value}
        return self._made("/data_point/", body)

    def ready(self, *statements: str, **more: Any) -> dict[str, Any]:
        """A published product whose applications one engine of one scorecard decides."""
        product = self.product()
        self.selector(product, self.engine(self.card(*statements, **more)))
        return product

    def activated(self, resource: str, thing: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.post(f"/{resource}/{thing['id']}/activate/").ok(201)
        return answer

    def read(self, resource: str, thing: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.get(f"/{resource}/{thing['id']}/").ok()
        return answer

    def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.post(path, body).ok(201)
        return answer


@contextmanager
def lending() -> Iterator[tuple[Lender, Served]]:
    """A partner of the real application over a table in memory."""
    with serve() as served:
        yield Lender(served.api), served


def between(store: Store, act: Callable[[], None]) -> Callable[[Any], None]:
    """A commit that lets ``act`` happen once, after the decision and before the write."""
    real, waiting = store.commit, [act]

    def commit(unit: Any) -> None:
        if waiting:
            waiting.pop()()
        real(unit)

    return commit


def do(lender: Lender, application: dict[str, Any], action: str) -> Any:
    return lender.api.post(f"/application/{application['id']}/{action}/")
