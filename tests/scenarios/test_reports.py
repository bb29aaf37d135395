"""Trial balance and portfolio over HTTP, against figures computed from what else is shown."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from app import app
from chalicelib.domain import status
from chalicelib.domain.postings import CHART
from chalicelib.domain.reports import BUCKET_NAMES
from chalicelib.handlers import reports as handler
from chalicelib.usecases import reports
from tests.http_support import Api
from tests.scenarios.partner import Loan, Partner
from tests.scenarios.world import World

CENT = Decimal("0.01")
Rows = list[dict[str, Any]]
LATE_FEE = {"name": "Late fee", "type": "flat", "amount": "12.00", "event": "arrears"}
#: What loans that were sold move: ``test_settlements.py``.
OF_SOLD_LOANS = {
    "loans_sold",
    "cession_clearing",
    "investors_payable",
    "servicing_fee_income",
    "origination_fee_income",
    "sale_results",
    "investors_share",
}
LINE = {
    "type": "line_of_credit",
    "name": "Line",
    "installments": None,
    "repayment_date_type": None,
    "repayment_date_period": None,
    "default_interest_rate": "18.5",
}


def shown(exact: Decimal) -> Decimal:
    return exact.quantize(CENT, ROUND_HALF_UP)


# --- a second way to the same figures -------------------------------------------------------------


def posted(items: Rows) -> dict[str, Decimal]:
    """The accounts of one loan, from its transactions as they are shown, in so many words."""
    net: Counter[str] = Counter()
    for item in items:
        manual = item["type"] == "repayment" and item["origin"] == "partner"
        if item["status"] != "applied" and not (item["status"] == "pending" and manual):
            continue
        principal, interest, fee = (
            Decimal(item["exact"][part]) for part in ("principal", "interest", "fee")
        )
        total, kind = principal + interest + fee, item["type"]
        way = -1 if kind in ("repayment", "allocation", "write_off") else 1
        net["loan_principal"] += way * principal  # type: ignore[assignment]
        net["interest_receivable"] += way * interest  # type: ignore[assignment]
        net["fees_receivable"] += way * fee  # type: ignore[assignment]
        if kind in ("disbursement", "refund"):
            net["cash_clearing"] -= item["amount"]
        elif kind == "repayment":
            where = "cash_clearing" if item["status"] == "applied" else "repayments_in_transit"
            net[where] += item["amount"]
        elif kind == "interest":
            net["interest_income"] -= total  # type: ignore[assignment]
        elif kind == "fee":
            net["fee_income"] -= total  # type: ignore[assignment]
        elif kind == "write_off":
            net["losses"] += total  # type: ignore[assignment]
        else:
            assert kind in ("rounding", "allocation"), kind
    return {account: Decimal(amount) for account, amount in net.items()}


def expected_balance(loans: Iterable[Loan]) -> dict[str, Decimal]:
    """Each loan's accounts rounded as they are shown; what is then missing is rounding."""
    net = dict.fromkeys(CHART, Decimal(0))
    for loan in loans:
        now = loan.now
        of_loan = {account: shown(one) for account, one in posted(loan.all_transactions()).items()}
        assert of_loan.get("loan_principal", 0) == now["principal"]
        assert of_loan.get("interest_receivable", 0) == now["interest"]
        assert of_loan.get("fees_receivable", 0) == now["fee"]
        assert of_loan.get("losses", 0) == now["written_off"]
        of_loan["overpayments_held"] = -now["overpayment"]
        for account, amount in of_loan.items():
            net[account] += amount
        net["rounding_differences"] -= sum(of_loan.values(), Decimal(0))
    return net


def expected_portfolio(loans: Rows) -> dict[tuple[str, str, str], list[Decimal]]:
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    for loan in loans:
        days = loan["days_past_due"]
        bucket = "0" if days == 0 else "90+" if days > 90 else ""
        bucket = bucket or ("1-30" if days <= 30 else "31-60" if days <= 60 else "61-90")
        sums = found.setdefault((loan["product"], loan["status"], bucket), [Decimal(0)] * 4)
        for place, amount in enumerate((1, loan["principal"], loan["interest"], loan["fee"])):
            sums[place] += amount
    return found


def check_balance(report: dict[str, Any], expected: dict[str, Decimal]) -> None:
    assert [row["account"] for row in report["accounts"]] == list(CHART)
    for row in report["accounts"]:
        assert min(row["debit"], row["credit"]) == 0
        assert row["debit"] - row["credit"] == expected[row["account"]], row
        assert [str(row[side].as_tuple().exponent) for side in ("debit", "credit")] == ["-2", "-2"]
    assert report["total_debit"] == report["total_credit"] > 0
    for side in ("debit", "credit"):
        assert report[f"total_{side}"] == sum(row[side] for row in report["accounts"])


def check_portfolio(report: dict[str, Any], loans: Rows) -> None:
    names = ("loans", "principal", "interest", "fee")
    rows = {
        (row["product"], row["status"], row["days_past_due"]): [row[name] for name in names]
        for row in report["rows"]
    }
    assert rows == expected_portfolio(loans)
    assert len(rows) == len(report["rows"])
    assert report["totals"] == {name: sum(row[name] for row in report["rows"]) for name in names}
    order = [
        (row["product"], status.LOAN.states.index(row["status"]),
         BUCKET_NAMES.index(row["days_past_due"]))
        for row in report["rows"]
    ]  # fmt: skip
    assert order == sorted(order)


def in_csv(partner: Partner, path: str) -> Rows:
    answer: Any = partner.http.request("GET", path)
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def as_text(rows: Rows) -> Rows:
    return [{name: str(value) for name, value in row.items()} for row in rows]


# --- the story ------------------------------------------------------------------------------------


def test_the_books_of_a_lender_with_loans_in_every_state(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "AT_ONCE", 3)  # several rounds through the book
    partner.goes_to("2026-01-14")
    term = partner.publishes(
        default_loan_amount="1000.00",
        default_interest_rate="17.3",
        default_fees=[LATE_FEE],
        repayment_holiday_scheduling="on_day",
    )
    line = partner.publishes(**LINE)
    active, late, arrears, gone, sold, ahead = (
        partner.opens_loan(term).disburses(amount).confirmed()
        for amount in ("1000.00", "333.33", "777.77", "500.00", "640.00", "910.10")
    )
    credit = partner.opens_loan(line).disburses("4321.09").confirmed()
    idle = partner.opens_loan(term)
    loans = [active, late, arrears, gone, sold, ahead, credit, idle]
    told: dict[str, dict[str, Any]] = {}

    def closes_the_day() -> None:
        day = str(partner.today())
        told[day] = {name: partner.get(f"/report/{name}/") for name in ("trial_balance",
                                                                        "portfolio")}  # fmt: skip
        listed = partner.get("/loan/?limit=200")["results"]
        check_balance(told[day]["trial_balance"], expected_balance(loans))
        check_portfolio(told[day]["portfolio"], listed)
        receivable = {
            row["account"]: row["debit"] for row in told[day]["trial_balance"]["accounts"]
        }
        assert told[day]["portfolio"]["totals"] == {
            "loans": len(loans),
            "principal": receivable["loan_principal"],
            "interest": receivable["interest_receivable"],
            "fee": receivable["fees_receivable"],
        }

    closes_the_day()
    partner.goes_to("2026-02-10")
    credit.repays("100.00")  # in transit
    sold.repays(sold.now["next_repayment_amount"]).confirmed()
    assert sold.now["overpayment"] > 0
    closes_the_day()
    partner.goes_to("2026-02-14")
    for loan in (active, late, ahead):
        loan.repays(loan.now["next_repayment_amount"]).confirmed()
    partner.goes_to("2026-02-16")
    credit.confirmed()
    sold.does("close", {"close_substatus": "written_off"}).ok(201)
    gone.does("close", {"close_substatus": "written_off"}).ok(201)
    closes_the_day()
    partner.goes_to("2026-03-12")
    for loan in (active, ahead):
        loan.repays(loan.now["next_repayment_amount"]).confirmed()
    settled = partner.opens_loan(term).disburses("100.00").confirmed()
    loans.append(settled)
    closes_the_day()
    partner.goes_to("2026-03-17")
    settled.repays(settled.now["principal"] + settled.now["interest"]).confirmed()
    active.repays("2.00").confirmed()
    ahead.transaction("fee", "3.50", name="Letter", fee_type="flat").ok(201)
    idle.does("cancel").ok(201)
    closes_the_day()

    states = Counter(loan.now["status"] for loan in loans)
    assert states == {"late": 1, "arrears": 1, "active": 3, "closed": 3, "cancelled": 1}
    buckets = {row["days_past_due"] for row in told["2026-03-17"]["portfolio"]["rows"]}
    assert buckets == {"0", "1-30", "31-60"}
    every = {row["account"] for day in told.values() for row in day["trial_balance"]["accounts"]
             if row["debit"] or row["credit"]}  # fmt: skip
    assert every == set(CHART) - OF_SOLD_LOANS

    # Asked for later, a day is what it was, whatever has been learnt since.
    partner.goes_to("2026-03-19")
    for day, then in told.items():
        for name, report in then.items():
            assert partner.get(f"/report/{name}/?date={day}") == report
    assert partner.get("/report/portfolio/?date=2026-01-13")["rows"] == []

    # And it is what the loans show as of that day.
    for day in ("2026-02-10", "2026-03-12"):
        as_of = [
            partner.get(f"/loan/{loan.id}/?as_of={day}")
            for loan in loans
            if loan is not settled or day == "2026-03-12"
        ]
        check_portfolio(told[day]["portfolio"], as_of)
        held = {row["account"]: row["credit"] for row in told[day]["trial_balance"]["accounts"]}
        assert held["overpayments_held"] == sum(loan["overpayment"] for loan in as_of)

    # As CSV the rows alone, asked for in either way.
    for name, rows in (("trial_balance", "accounts"), ("portfolio", "rows")):
        path = f"/report/{name}/?date=2026-02-16"
        found = in_csv(partner, path + "&format=csv")
        assert found == as_text(told["2026-02-16"][name][rows])
        answer: Any = partner.http.request("GET", path, headers={"Accept": "text/csv"})
        assert list(csv.DictReader(io.StringIO(answer.text))) == found
        assert f'filename="report-{name}-2026-02-16.csv"' in answer.headers["content-disposition"]

    # Nobody else's.
    key = partner.post("/sandbox/partner/", {})["api_key"]
    other = Partner(Api(app, key))
    assert other.get("/report/portfolio/")["rows"] == []
    assert other.get("/report/trial_balance/")["total_debit"] == 0
    other.goes_to("2026-03-19")
    mine = other.opens_loan(other.publishes()).disburses("70.00").confirmed()
    assert other.get("/report/portfolio/")["totals"]["principal"] == mine.now["principal"] == 70
    assert other.get("/report/trial_balance/")["total_debit"] == 70


def test_a_day_ahead_or_another_format_is_refused(partner: Partner) -> None:
    partner.goes_to("2026-03-16")
    for name in ("trial_balance", "portfolio"):
        api: Any = partner.http
        answer = api.get(f"/report/{name}/?date=2026-03-17").refused("validation_error", 400)
        assert answer.fields == {"date": "out_of_range"}
        answer = api.get(f"/report/{name}/?format=xml&date=1.1.2026").refused(
            "validation_error", 400
        )
        assert set(answer.fields) == {"date", "format"}
        assert api.get(f"/report/{name}/?date=2026-03-16").ok()["date"] == "2026-03-16"


def test_a_loan_that_changes_while_it_is_read_is_read_again(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner.goes_to("2026-03-16")
    loan = partner.opens_loan(partner.publishes(**LINE)).disburses("1000.00").confirmed()
    read, races = reports.standing, []

    def and_then_repaid(*given: Any) -> Any:
        standing = read(*given)
        if len(races) < 2:
            races.append(loan.repays("10.00"))
        return standing

    monkeypatch.setattr(reports, "standing", and_then_repaid)
    report = partner.get("/report/trial_balance/")
    assert len(races) == 2
    check_balance(report, expected_balance([loan]))


def test_the_documented_answers_are_real_ones(partner: Partner) -> None:
    partner.goes_to("2026-02-14")
    product = partner.publishes(
        default_loan_amount="1000.00",
        default_fees=[LATE_FEE],
        repayment_holiday_scheduling="on_day",
        arrears_tolerance=0,
    )
    one = partner.opens_loan(product).disburses("1000.00").confirmed()
    partner.opens_loan(product).disburses("1000.00").confirmed()
    partner.opens_loan(product)
    partner.goes_to("2026-03-14")
    one.repays(one.now["next_repayment_amount"]).confirmed()
    partner.goes_to("2026-03-16")
    (balance,) = handler.TrialBalanceOut.model_config["json_schema_extra"]["examples"]  # type: ignore[index,call-overload]
    (book,) = handler.PortfolioOut.model_config["json_schema_extra"]["examples"]  # type: ignore[index,call-overload]
    assert partner.get("/report/trial_balance/") == balance
    rows = [{**row, "product": product} for row in book["rows"]]
    assert partner.get("/report/portfolio/") == {**book, "rows": rows}


def test_the_document_names_every_account_status_and_bucket(world: World) -> None:
    fields = handler.PortfolioRowOut.model_fields
    assert handler.AccountRowOut.model_fields["account"].annotation.__args__ == tuple(CHART)  # type: ignore[union-attr]
    assert fields["status"].annotation.__args__ == status.LOAN.states  # type: ignore[union-attr]
    assert fields["days_past_due"].annotation.__args__ == BUCKET_NAMES  # type: ignore[union-attr]
