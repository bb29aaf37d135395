"""Scenarios in a partner's words, over HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Protocol

_NUMBERS = count(1)
PRODUCT = {
    "type": "term_loan_equal_instalments",
    "name": "Term loan",
    "max_loan_amount": "100000.00",
    "max_interest_rate": "50",
    "default_loan_amount": "12000.00",
    "default_interest_rate": "12",
    "installments": 6,
    "repayment_date_type": "day_of_month",
    "repayment_date_period": 14,
    "repayment_holiday_scheduling": "last_business_day_before_the_day",
}
BORROWER = {
    "type": "individual",
    "first_name": "Test",
    "last_name": "Borrower",
    "birth_date": "1980-01-01",
    "country": "GB",
}


class Answer(Protocol):
    """What both clients answer: in process and over a socket."""

    status: int
    json: Any

    def ok(self, status: int = 200) -> Any: ...
    def refused(self, code: str, status: int = 409) -> Answer: ...


class Http(Protocol):
    """A client with a partner's key."""

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> Answer: ...


class Partner:
    """A partner's engineer at work."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def get(self, path: str) -> Any:
        return self.http.request("GET", path).ok(200)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self.http.request("POST", path, body).ok(status)

    def today(self) -> date:
        return date.fromisoformat(self.get("/sandbox/clock/")["business_date"])

    def goes_to(self, day: date | str) -> Partner:
        answer = self.post("/sandbox/clock/", {"business_date": str(day)}, 200)
        assert answer == {"business_date": str(day)}
        return self

    def next_day(self) -> Partner:
        return self.goes_to(self.today() + timedelta(days=1))

    def publishes(self, **given: Any) -> str:
        """A published product that approves everybody; its id.  ``None`` leaves a field out."""
        fields = {name: value for name, value in {**PRODUCT, **given}.items() if value is not None}
        product = self.post("/product/", fields)["id"]
        self.post(f"/product/{product}/publish/")
        number = next(_NUMBERS)
        source = self.post("/input_source/", {"name": f"score_{number}", "type": "integer",
                                              "default": 700})  # fmt: skip
        rule = {"statement": f"{{{{{source['name']}}}}}", "weight": 1, "threshold": 600}
        card = self.post("/scorecard/", {"name": "Score", "threshold": 600,
                                         "stop_on_first_fail": False, "rules": [rule]})  # fmt: skip
        self.post(f"/scorecard/{card['id']}/activate/")
        version = f"v{number}"
        engine = self.post("/risk_engine/", {"version": version, "scorecards": [card["id"]]})
        self.post(f"/risk_engine/{engine['id']}/activate/")
        self.post("/risk_engine_selector/", {"product": product, "risk_engines": [
            {"version": version, "weight": 1}]})  # fmt: skip
        return str(product)

    def borrower(self, **given: Any) -> str:
        return str(self.post("/end_user/", {**BORROWER, **given})["id"])

    def approved(self, product: str, **given: Any) -> str:
        """An approved application of a new borrower; its id."""
        body = {"product": product, "end_user": self.borrower(), **given}
        application = self.post("/application/", body)["id"]
        decided = self.post(f"/application/{application}/complete/", status=200)
        assert decided["status"] == "approved", decided
        return str(application)

    def opens_loan(self, product: str, **given: Any) -> Loan:
        application = self.approved(product, **given)
        return Loan(self, self.post("/loan/", {"application": application})["id"])


class Loan:
    """One loan, told what to do and looked at."""

    def __init__(self, partner: Partner, loan_id: str) -> None:
        self.partner, self.id, self.last = partner, loan_id, ""

    def transaction(self, kind: str, amount: Any = None, **more: Any) -> Answer:
        body = {"loan": self.id, "type": kind, "idempotency_key": f"key-{next(_NUMBERS)}", **more}
        if amount is not None:
            body["amount"] = amount
        answer = self.partner.http.request("POST", "/transaction/", body)
        if answer.status == 201:
            self.last = answer.json["id"]
        return answer

    def disburses(self, amount: Any) -> Loan:
        self.transaction("disbursement", amount).ok(201)
        return self

    def repays(self, amount: Any) -> Loan:
        self.transaction("repayment", amount).ok(201)
        return self

    def confirmed(self) -> Loan:
        self.partner.post(f"/transaction/{self.last}/apply/", {})
        return self

    def does(self, action: str, body: Any = None) -> Answer:
        return self.partner.http.request("POST", f"/loan/{self.id}/{action}/", body or {})

    @property
    def now(self) -> Any:
        return self.partner.get(f"/loan/{self.id}/")

    def shows(self, **expected: str) -> Loan:
        """Compare fields as text."""
        shown = self.now
        assert {name: str(shown[name]) for name in expected} == expected
        return self

    def all_transactions(self) -> list[Any]:
        """Every transaction of the loan, newest first, page by page."""
        found: list[Any] = []
        path = f"/transaction/?loan={self.id}&limit=200"
        while True:
            page = self.partner.get(path + f"&offset={len(found)}")
            found += page["results"]
            if page["next"] is None:
                assert len(found) == page["count"]
                return found

    def folds(self) -> Loan:
        """Each balance is the sum of its transactions' splits, to ten decimals."""
        shown = self.now
        for name in ("principal", "interest", "fee"):
            total = Decimal(0)
            for item in self.all_transactions():
                counts = item["status"] == "applied" or (
                    item["type"] == "repayment" and item["status"] == "pending"
                )
                sign = -1 if item["type"] in ("repayment", "allocation", "write_off") else 1
                total += sign * Decimal(item["exact"][name]) if counts else 0
            rounded = total.quantize(Decimal("0.01"), "ROUND_HALF_UP")
            assert rounded == shown[name], (name, total, shown[name])
        return self
