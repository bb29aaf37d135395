"""What investors are due, over HTTP: loans sold, repaid, charged back, sold back, repaid again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.domain import payments as domain
from chalicelib.domain.blackmoon import Cession
from chalicelib.domain.ownership import holdings
from chalicelib.handlers import reports as handler
from chalicelib.usecases import loans, ownership, payments, reports, sales, settlements
from chalicelib.usecases.context import Context
from chalicelib.usecases.keyring import key_hash
from chalicelib.usecases.loans import Retelling
from tests.scenarios.partner import Loan, Partner
from tests.served import KEY, Served, serve

CENT = Decimal("0.01")
FEE = Decimal("0.1525")
LINE = {"type": "line_of_credit", "installments": None, "repayment_date_type": None,
        "repayment_date_period": None}  # fmt: skip
Report = dict[str, Any]


@dataclass
class Seller:
    """A partner that sells loans; its day is what the test says."""

    served: Served
    person: Partner
    product: str

    def on(self, day: str) -> Seller:
        self.served.world.today = date.fromisoformat(day)
        return self

    @property
    def ctx(self) -> Context:
        partner = self.served.world.identify(key_hash(KEY))
        assert partner is not None
        return self.served.world.context_for(partner)

    def lends(self, amount: str = "2000.00", product: str = "") -> Loan:
        return self.person.opens_loan(product or self.product).disburses(amount).confirmed()

    def cedes(self, loan: Loan, kind: str, day: str, price: str, **more: Any) -> None:
        """Record a cession today, as offers and reversals do."""
        ctx = self.ctx
        made = {"investor_legal_entity_id": "24", **more}
        if kind == "direct":
            made = {"servicing_fee": FEE, "origination_fee": Decimal("20.00"), **made}
        on = date.fromisoformat(day)
        unit = ctx.unit()
        ceded = Cession(str(uuid4()), loan.id, kind, on, Decimal(price), **made)
        ownership.record(ctx, unit, loan.id, [ceded])
        ctx.commit(unit, None)

    def charged_back(self, transaction: str) -> None:
        """The payments provider takes it back."""
        found = payments.find(self.ctx, transaction)
        assert found is not None
        decide = Retelling(lambda w, m: domain.charge_back(w, m, found.item, "disputed"))
        loans.carry_out(self.ctx, found.loan, decide)

    def settlement(self, month: str, investor: str = "24") -> Report:
        found: Report = self.person.get(f"/report/settlement/?investor={investor}&month={month}")
        check(found)
        return found

    def net(self, day: str | None = None) -> dict[str, Decimal]:
        """The trial balance: debits less credits; it agrees with the loans if it is today's."""
        report = self.person.get("/report/trial_balance/" + (f"?date={day}" if day else ""))
        assert report["total_debit"] == report["total_credit"]
        found = {row["account"]: row["debit"] - row["credit"] for row in report["accounts"]}
        assert sum(found.values()) == 0
        if day is None:
            shown = self.person.get("/loan/?limit=200")["results"]
            for name, account in SHOWN.items():
                assert sum(loan[name] for loan in shown) == abs(found[account]), name
        return found


SHOWN = {
    "principal": "loan_principal",
    "interest": "interest_receivable",
    "fee": "fees_receivable",
    "overpayment": "overpayments_held",
    "written_off": "losses",
}


def check(report: Report) -> None:
    """Rows add up, and each payable is what its fee leaves."""
    for row in (*report["rows"], report["totals"]):
        assert row["payable"] == row["collected"] - row["servicing_fee"]
    for name, total in report["totals"].items():
        assert total == sum(row[name] for row in report["rows"])


def fee_of(amount: str) -> Decimal:
    return (Decimal(amount) * FEE).quantize(CENT, ROUND_HALF_UP)


def rows(report: Report) -> dict[str, tuple[str, str]]:
    return {
        row["loan"]: (str(row["collected"]), str(row["servicing_fee"])) for row in report["rows"]
    }


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as made:
        yield made


@pytest.fixture
def seller() -> Iterator[Seller]:
    with serve() as made:
        person = Partner(made.api)
        yield Seller(made, person, person.publishes(default_loan_amount="5000.00"))


def test_two_months_of_loans_sold_repaid_charged_back_and_sold_back(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "AT_ONCE", 2)
    monkeypatch.setattr(settlements, "AT_ONCE", 2)
    seller.on("2026-03-02")
    sold, late, other, mine = (seller.lends() for _ in range(4))
    for loan in (sold, late):
        seller.cedes(loan, "direct", "2026-03-02", "2000.00")
    seller.cedes(
        other, "direct", "2026-03-02", "2000.00", investor_legal_entity_id="26",
        servicing_fee=Decimal("0.03"),
    )  # fmt: skip
    assert seller.net()["cession_clearing"] == 3 * Decimal("2020.00")
    assert seller.net()["origination_fee_income"] == -60
    seller.on("2026-03-10")
    sold.repays("100.01").confirmed()
    disputed = sold.last
    mine.repays("70.00").confirmed()
    other.repays("250.00").confirmed()
    seller.on("2026-03-20")
    sold.repays("300.00").confirmed()
    late.repays("50.00")  # on its way
    seller.on("2026-03-28")
    march = seller.settlement("2026-03")
    assert rows(march) == {sold.id: ("400.01", str(fee_of("100.01") + fee_of("300.00")))}
    assert rows(seller.settlement("2026-03", "26")) == {other.id: ("250.00", "7.50")}
    books = seller.net()
    owed = [loan.now for loan in (sold, late, other)]
    claims = sum(one["principal"] + one["interest"] + one["fee"] for one in owed)
    assert books["loans_sold"] == -claims - 50, "what is on its way is the investor's too"
    assert books["investors_payable"] == -(march["totals"]["payable"] + Decimal("242.50"))

    seller.on("2026-04-03")
    late.confirmed()
    seller.charged_back(disputed)
    sold.repays("25.00").confirmed()
    seller.on("2026-04-06")
    seller.cedes(sold, "reverse", "2026-04-06", "1700.00")
    sold.repays("80.00").confirmed()  # the originator's again
    seller.on("2026-04-09")
    late.repays("40.00").confirmed()
    seller.on("2026-04-20")
    sold.repays("33.00").confirmed()
    april = seller.settlement("2026-04")
    assert rows(april) == {
        sold.id: ("-75.01", str(fee_of("25.00") - fee_of("100.01"))),
        late.id: ("90.00", str(fee_of("50.00") + fee_of("40.00"))),
    }
    assert seller.settlement("2026-03") == march
    assert seller.settlement("2026-02")["rows"] == []
    books = seller.net()
    due = march["totals"]["payable"] + april["totals"]["payable"]
    assert books["investors_payable"] == -(due + Decimal("242.50"))
    kept = march["totals"]["servicing_fee"] + april["totals"]["servicing_fee"]
    assert books["servicing_fee_income"] == -(kept + Decimal("7.50"))

    # What is learnt of March in May is in May: a failure, and a sale back as of March.
    seller.on("2026-05-04")
    seller.cedes(late, "reverse", "2026-03-15", "1900.00")
    seller.person.post(f"/transaction/{other.last}/revert/")
    may = seller.settlement("2026-05")
    assert rows(may) == {late.id: ("-90.00", str(-fee_of("50.00") - fee_of("40.00")))}
    assert rows(seller.settlement("2026-05", "26")) == {other.id: ("-250.00", "-7.50")}
    seller.on("2026-06-11")
    assert [seller.settlement(month) for month in ("2026-03", "2026-04", "2026-05")] == [
        march, april, may,
    ]  # fmt: skip
    assert rows(seller.settlement("2026-03", "26")) == {other.id: ("250.00", "7.50")}
    total = sum(one["totals"]["payable"] for one in (march, april, may))
    assert (
        -seller.net()["investors_payable"]
        == total
        == seller.settlement("2026-03")["totals"]["payable"]
        - Decimal("75.01")
        + fee_of("100.01")
        - fee_of("25.00")
    )
    assert seller.net("2026-04-20") == books, "asked for later, a day is what it was"


def test_what_is_held_for_a_borrower_and_given_back(seller: Seller) -> None:
    seller.on("2026-03-02")
    loan = seller.lends()
    seller.cedes(loan, "direct", "2026-03-02", "2000.00")
    seller.on("2026-04-10")
    loan.repays(loan.now["next_repayment_amount"]).confirmed()
    held, paid = loan.now["overpayment"], loan.all_transactions()
    assert held > 0
    seller.on("2026-04-12")
    loan.does("close", {"close_substatus": "written_off"}).ok(201)
    [refund] = [one for one in loan.all_transactions() if one["type"] == "refund"]
    [repaid] = [one for one in paid if one["type"] == "repayment"]
    expected = [repaid["amount"], -refund["amount"]]
    [row] = seller.settlement("2026-04")["rows"]
    assert row["collected"] == sum(expected)
    assert row["servicing_fee"] == sum(fee_of(str(one)) for one in expected)
    books = seller.net()
    assert books["loans_sold"] == 0 and books["investors_payable"] == -row["payable"]


def test_the_cost_is_the_investors_loans_and_not_the_book(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller.on("2026-03-02")
    line = seller.person.publishes(**LINE, default_loan_amount="5000.00")
    bought, theirs, _, closed = (seller.lends(product=line) for _ in range(4))
    for loan in (bought, closed):
        seller.cedes(loan, "direct", "2026-03-02", "2000.00")
    seller.cedes(theirs, "direct", "2026-03-02", "2000.00", investor_legal_entity_id="26")
    closed.repays("2000.00").confirmed()
    closed.does("close", {"close_substatus": "paid_in_full"}).ok(201)
    read: list[str] = []
    real = reports.standing

    def counted(ctx: Context, loan: Any, *more: Any, **named: Any) -> Any:
        read.append(loan.id)
        return real(ctx, loan, *more, **named)

    monkeypatch.setattr(reports, "standing", counted)
    assert set(rows(seller.settlement("2026-03"))) == {closed.id}
    assert set(read) == {bought.id, closed.id}
    read.clear()
    seller.on("2026-04-03")
    assert seller.settlement("2026-04")["rows"] == []
    assert set(read) == {bought.id}, "nothing is read of a loan at rest"
    read.clear()
    assert seller.settlement("2026-04", "nobody")["rows"] == [] == read


def test_as_csv_and_as_documented(seller: Seller) -> None:
    seller.on("2026-02-02")
    line = seller.person.publishes(**LINE, default_loan_amount="5000.00")
    first, second = (seller.lends(product=line) for _ in range(2))
    for loan, day in ((first, "2026-02-02"), (second, "2026-02-03")):
        seller.on(day).cedes(loan, "direct", day, "2000.00")  # rows are in this order
    seller.on("2026-02-20")
    second.repays("100.00").confirmed()
    seller.on("2026-03-16")
    first.repays("169.03").confirmed()
    seller.charged_back(second.last)
    found = seller.settlement("2026-03")
    (example,) = handler.SettlementOut.model_config["json_schema_extra"]["examples"]  # type: ignore[index,call-overload]
    shown = [
        {**row, "loan": loan.id} for row, loan in zip(example["rows"], (first, second), strict=True)
    ]
    assert found == {**example, "rows": shown}
    path = "/report/settlement/?investor=24&month=2026-03"
    for asked, headers in ((path + "&format=csv", {}), (path, {"Accept": "text/csv"})):
        answer: Any = seller.person.http.request("GET", asked, headers=headers)
        assert answer.headers["content-type"].startswith("text/csv")
        assert 'filename="report-settlement-' in answer.headers["content-disposition"]
        table = list(csv.DictReader(io.StringIO(answer.text)))
        assert table == [{name: str(value) for name, value in row.items()} for row in shown]


@pytest.mark.parametrize(
    ("query", "flaws"),
    [
        ("", {"investor": "required", "month": "required"}),
        ("?month=2026-03", {"investor": "required"}),
        ("?investor=&month=2026-03", {"investor": "too_short"}),
        ("?investor=24", {"month": "required"}),
        ("?investor=24&month=2026-3", {"month": "not_a_month"}),
        ("?investor=24&month=2026-13", {"month": "not_a_month"}),
        ("?investor=24&month=0000-01", {"month": "not_a_month"}),
        ("?investor=24&month=2026-03-01", {"month": "not_a_month"}),
        ("?investor=24&month=2026-04", {"month": "out_of_range"}),
        ("?investor=24&month=9999-12", {"month": "out_of_range"}),
        ("?investor=24&month=2026-03&format=xml", {"format": "unknown_choice"}),
    ],
)
def test_what_is_refused(served: Served, query: str, flaws: dict[str, str]) -> None:
    answer = served.api.get(f"/report/settlement/{query}").refused("validation_error", 400)
    if "format" in flaws:
        assert set(answer.fields) == set(flaws)
    else:
        assert answer.fields == flaws


def test_an_unknown_investor_has_nothing(served: Served) -> None:
    for investor in ("nobody", "%23", "24%2324", "x" * 255):
        found = served.api.get(f"/report/settlement/?investor={investor}&month=0001-01").ok()
        assert (found["rows"], found["month"]) == ([], "0001-01")
        assert found["totals"] == {"collected": 0, "servicing_fee": 0, "payable": 0}


def test_nobody_sees_what_another_partner_has_sold(seller: Seller) -> None:
    seller.on("2026-03-02")
    loan = seller.lends()
    seller.cedes(loan, "direct", "2026-03-02", "2000.00")
    loan.repays("10.00").confirmed()
    assert len(seller.settlement("2026-03")["rows"]) == 1
    asked = "/report/settlement/?investor=24&month=2026-03"
    assert seller.served.other.get(asked).ok()["rows"] == []
    net = seller.served.other.get("/report/trial_balance/").ok()
    assert net["total_debit"] == 0


def test_the_holdings_that_are_kept_are_those_that_cessions_tell(seller: Seller) -> None:
    seller.on("2026-03-02")
    loan = seller.lends()
    seller.cedes(loan, "direct", "2026-03-02", "2000.00")
    seller.on("2026-03-05").cedes(loan, "reverse", "2026-03-04", "2000.00")
    seller.on("2026-03-09").cedes(
        loan, "direct", "2026-03-09", "1900.00", investor_legal_entity_id="a#b"
    )
    found = sales.known(seller.ctx, [loan.id], date(2026, 3, 9))[loan.id]
    assert found.holdings == ownership.holdings_of(seller.ctx, loan.id) == holdings(found.cessions)
    loan.repays("10.00").confirmed()
    assert rows(seller.settlement("2026-03", "a%23b")) == {loan.id: ("10.00", "1.53")}
