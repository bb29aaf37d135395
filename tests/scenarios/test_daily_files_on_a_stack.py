"""The daily files on the running stack: real queues, workers, object storage and clock."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.local.blackmoon.support import Partner as There
from tests.scenarios.partner import Partner
from tests.scenarios.stack_client import new_partner
from tests.stack import Stack

pytestmark = pytest.mark.stack

REPLICA = Path(__file__).parents[2] / "docs" / "partners" / "data-replica.md"
METHODS = {"loans": "data.sendApplications", "repayments": "data.sendRepayments"}


def _there(stack: Stack, partner: Partner) -> There:
    access = partner.get("/sandbox/simulators/")["blackmoon"]
    return There(str(stack.run["blackmoon_url"]), partner.get("/partner/")["id"], dict(access))


def _moves(partner: Partner, days: int) -> str:
    """The clock goes on; the date that it comes to."""
    now = date.fromisoformat(str(partner.get("/sandbox/clock/")["business_date"]))
    to = (now + timedelta(days=days)).isoformat()
    partner.post("/sandbox/clock/", {"business_date": to}, 200)
    return to


def _rows(there: There, day: str, kind: str) -> list[Mapping[str, str]]:
    """What was sent on a business date, each of its loans or repayments once."""
    sent = [
        one["files"][kind]
        for one in there.received()
        if one["path"] == f"/{METHODS[kind]}" and one["business_date"] == day
    ]
    assert len(sent) == 1, "once per business date"
    return list(csv.DictReader(io.StringIO(sent[0])))


def _sum(rows: list[Any], name: str) -> Decimal:
    return sum((Decimal(str(row[name])) for row in rows), Decimal(0))


def _reads_the_replica(stack: Stack, partner: Partner, day: str, before: str) -> None:
    """The documentation's own query, over what the stack has written."""
    (query,) = re.findall(r"```sql\n(.*?)```", REPLICA.read_text(), re.DOTALL)
    assert query.count("'.local/") == 2
    here = query.replace("'.local/", f"'{stack.directory}/")
    given = {"date": day, "partner": partner.get("/partner/")["id"]}
    rows = duckdb.execute(here, given).fetchall()
    loans = [
        partner.get(f"/loan/{one['id']}/?as_of={before}")
        for one in partner.get("/loan/")["results"]
    ]
    repaid = partner.get("/transaction/?type=repayment&status=applied")["results"]
    assert {row[1] for row in rows} == {"active"} and sum(row[2] for row in rows) == len(loans)
    assert sum(row[3] for row in rows) == _sum(loans, "principal")
    assert sum(row[4] for row in rows) == _sum(repaid, "amount") == Decimal(100)
    assert all(isinstance(row[3], Decimal) and isinstance(row[4], Decimal) for row in rows)


def test_both_files_as_each_day_begins(stack: Stack) -> None:
    partner = new_partner(stack)
    there = _there(stack, partner)
    there.says(decision=True)
    sold_as, kept_as = partner.publishes(sell_to_blackmoon=True), partner.publishes()
    sold, kept = partner.opens_loan(sold_as), partner.opens_loan(kept_as)
    _moves(partner, 0)
    for loan in (sold, kept):
        loan.disburses("1500.00").confirmed()
    first = _moves(partner, 1)
    assert {row["loanId"] for row in _rows(there, first, "loans")} == {sold.id, kept.id}
    kept.repays("100.00").confirmed()
    second = _moves(partner, 1)
    rows = _rows(there, second, "loans")
    repaid = _rows(there, second, "repayments")
    shown = [partner.get(f"/loan/{row['loanId']}/?as_of={first}") for row in rows]
    assert _sum(rows, "principal") == _sum(shown, "principal")
    api = partner.get(f"/transaction/?loan={sold.id},{kept.id}&type=repayment")["results"]
    assert _sum(repaid, "amount") == _sum(api, "amount") == Decimal(100)
    assert [row["repaymentId"] for row in repaid] == [one["id"] for one in api]
    files = partner.get("/blackmoon/file/")["results"]
    assert [one["business_date"] for one in files] == [second, second, first, first]
    assert {one["status"] for one in files} == {"sent"}
    assert partner.get("/alarm/")["results"] == []
    stored = {one["kind"]: one for one in files if one["business_date"] == second}
    assert str(stored["loans"]["sum"]) == str(_sum(rows, "principal"))
    assert stored["repayments"]["rows"] == 1

    _reads_the_replica(stack, partner, second, first)

    other = new_partner(stack)
    other.opens_loan(other.publishes()).disburses("500.00").confirmed()
    _moves(other, 1)
    assert other.get("/blackmoon/file/")["results"] == [], "nothing is sold"
