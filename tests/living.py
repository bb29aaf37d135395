"""Living things of every kind that the documented examples refer to, made over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from chalicelib.domain.mandates import Mandate
from chalicelib.handlers.openapi.refs import Example, Ref
from tests.scenarios.partner import Loan, Partner

INTEGER = {"type": "integer", "default": 700}


class Living:
    """One partner's things; ``make(kind)`` makes a new one and gives it as its resource does."""

    def __init__(self, partner: Partner, keep: Callable[[Mandate], None] | None = None) -> None:
        self.partner = partner
        self.keep = keep
        self._product = ""
        self.line = ""
        self._number = 0

    def request(self, example: Example) -> tuple[Any, list[str]]:
        """A body with living things, and the path's values; a kind is one thing in both."""
        made: dict[str, Any] = {}

        def living(ref: Ref) -> Any:
            if ref.kind not in made:
                made[ref.kind] = self.make(ref.kind)
            return made[ref.kind][ref.attribute]

        return example.filled(living), [living(ref) for ref in example.path]

    def make(self, kind: str) -> Any:
        """A new thing of ``kind``."""
        return MAKERS[kind](self)

    @property
    def product(self) -> str:
        """A published product with a selector that approves everybody."""
        if not self._product:
            # What an example's rules read.
            self.partner.post("/input_source/", {"name": "credit_score", **INTEGER})
            self._product = self.partner.publishes()
        return self._product

    def new(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST to a collection."""
        return self.partner.post(path, body)

    def name(self, stem: str) -> str:
        """A name that no other thing has."""
        self._number += 1
        return f"{stem}_{self._number}"

    def loan(self) -> Loan:
        """An open loan, not disbursed."""
        return self.partner.opens_loan(self.product)


DRAFT = {"type": "term_loan_equal_instalments", "name": "Draft", "max_loan_amount": 50000,
         "max_interest_rate": 30, "installments": 12,
         "repayment_date_type": "day_of_month", "repayment_date_period": 14}  # fmt: skip


def _published(living: Living) -> Any:
    return living.partner.get(f"/product/{living.product}/")


def _without_selector(living: Living) -> Any:
    product = living.new("/product/", DRAFT)
    return living.partner.post(f"/product/{product['id']}/publish/")


def _application(living: Living) -> Any:
    body = {"product": living.product, "end_user": living.partner.borrower()}
    return living.new("/application/", body)


def _scorecard(living: Living) -> Any:
    product = living.product  # makes the input source
    assert product
    rule = {"statement": "{{credit_score}} >= 600", "weight": 1, "threshold": 1}
    return living.new("/scorecard/", {"name": living.name("card"), "threshold": 1, "rules": [rule]})


def _active_scorecard(living: Living) -> Any:
    card = _scorecard(living)
    return living.partner.post(f"/scorecard/{card['id']}/activate/")


def _engine(living: Living) -> Any:
    cards = [_active_scorecard(living)["id"]]
    return living.new("/risk_engine/", {"version": living.name("engine"), "scorecards": cards})


def _active_engine(living: Living) -> Any:
    return living.partner.post(f"/risk_engine/{_engine(living)['id']}/activate/")


def _selector(living: Living) -> Any:
    choice = {"version": _active_engine(living)["version"], "weight": 1}
    product = _without_selector(living)["id"]
    return living.new("/risk_engine_selector/", {"product": product, "risk_engines": [choice]})


def _data_point(living: Living) -> Any:
    source = _input_source(living)["id"]
    application = _application(living)["id"]
    body = {"input_source": source, "application": application, "value": 700}
    return living.new("/data_point/", body)


def _input_source(living: Living) -> Any:
    return living.new("/input_source/", {"name": living.name("source"), **INTEGER})


def _approved(living: Living) -> Any:
    application = living.partner.approved(living.product)
    return living.partner.get(f"/application/{application}/")


def _active_loan(living: Living) -> Any:
    return living.loan().disburses("1500.00").confirmed().now


def _paid_loan(living: Living) -> Any:
    """A line of credit that was repaid before its first night: it stays open."""
    if not living.line:
        given = {"type": "line_of_credit", "installments": None, "repayment_date_type": None,
                 "repayment_date_period": None}  # fmt: skip
        living.line = living.partner.publishes(**given)
    loan = living.partner.opens_loan(living.line).disburses("1500.00").confirmed()
    return loan.repays("1500.00").confirmed().now


def _address(living: Living) -> Any:
    person = living.partner.borrower()
    return living.new(f"/end_user/{person}/address/", {"city": "Leeds", "country": "GB"})


def _company(living: Living) -> Any:
    return living.new("/end_user/", {"type": "limited_company", "company_name": "Example Ltd"})


def _assignment(living: Living) -> Any:
    person = {"end_user": living.partner.borrower(), "role": "director"}
    return living.new(f"/end_user/{_company(living)['id']}/assign-enduser/", person)


def _endpoint(living: Living) -> Any:
    return living.new("/webhook_endpoint/", {"url": "https://lender.example.com/webhooks"})


def _mandate(living: Living) -> Any:
    """Only the provider makes one: ``keep`` puts it where the application looks."""
    mandate = Mandate(str(uuid4()), living.partner.borrower(), "", "", status="active")
    if living.keep is not None:
        living.keep(mandate)
    return {"id": mandate.id}


def _pending(living: Living) -> Any:
    loan = living.loan().disburses("1500.00")
    return living.partner.get(f"/transaction/{loan.last}/")


MAKERS: Mapping[str, Callable[[Living], Any]] = {
    "product": _published,
    "draft_product": lambda living: living.new("/product/", DRAFT),
    "product_without_selector": _without_selector,
    "end_user": lambda living: living.partner.get(f"/end_user/{living.partner.borrower()}/"),
    "company": _company,
    "address": _address,
    "assignment": _assignment,
    "webhook_endpoint": _endpoint,
    "mandate": _mandate,
    "input_source": _input_source,
    "data_point": _data_point,
    "scorecard": _scorecard,
    "active_scorecard": _active_scorecard,
    "risk_engine": _engine,
    "active_engine": _active_engine,
    "selector": _selector,
    "incomplete_application": _application,
    "approved_application": _approved,
    "inactive_loan": lambda living: living.loan().now,
    "active_loan": _active_loan,
    "paid_loan": _paid_loan,
    "pending_transaction": _pending,
}
