"""A book's days, one after the other: what is done, what the files say, what is compared."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from backbone_client import Client
from tests.independent.naive_daily_files import Watch, disowned
from tests.stack import Stack
from tests.year.book import Book
from tests.year.lives import BEGINS, Life, lives

METHODS = {"loans": "data.sendApplications", "repayments": "data.sendRepayments"}
ID = {"loans": "loanId", "repayments": "repaymentId"}
SUMMED = {"loans": "principal", "repayments": "amount"}
EXPECTED = "disbursement_returned"  # a person is to ask why money came back
NUMBERS = frozenset({"interestRate", "apr"})  # rates: 12 and 12.0 are the same

Say = Callable[[str], None]
Rows = dict[str, dict[str, str]]


class Differs(AssertionError):
    """A day on which the platform and the lists do not say the same."""


@dataclass
class State:
    """How far a run has come; kept as JSON as each day ends, so that it can go on later."""

    key: str
    day: str
    lives: list[Life]
    products: dict[str, str] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    matures: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """All of it."""
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(asdict(self)))
        aside.replace(path)

    @classmethod
    def load(cls, path: Path) -> State:
        """As it was saved."""
        found = json.loads(path.read_text())
        found["lives"] = [Life(**one) for one in found["lives"]]
        found["watch"] = Watch(**found["watch"])
        return cls(**found)


class Run:
    """A book on a stack.  ``keep`` is where its state goes; ``strict`` stops it at a difference."""

    def __init__(self, stack: Stack, state: State, keep: Path | None, strict: bool = True) -> None:
        self.state, self.keep, self.strict = state, keep, strict
        self.book = Book(stack, state.key, state.products)
        self.book.matures = state.matures
        self.seconds: dict[str, float] = {}

    @classmethod
    def begin(
        cls, stack: Stack, loans: int, days: int, keep: Path | None = None, strict: bool = True
    ) -> Run:
        """A new partner with its products, as the first day begins."""
        with Client(stack.url, stack.api_key) as first:
            key = first.sandbox.create_partner().api_key
        assert key is not None
        run = cls(stack, State(key, BEGINS.isoformat(), lives(loans, days)), keep, strict)
        run.book.partner.goes_to(BEGINS)
        run.book.publishes()
        run.look()
        return run

    @property
    def day(self) -> date:
        """The date at which the run stands."""
        return date.fromisoformat(self.state.day)

    def look(self) -> None:
        """The lists as they are, for what is done next."""
        self.book.evening(self.day)

    def goes_on(self, until: date, say: Say = lambda _: None) -> None:
        """Day by day up to a date."""
        while self.day < until:
            before = time.monotonic()
            self.seconds = {}
            try:
                rows = self._one_day()
            finally:  # what was done of a day that did not end is not done again
                self._kept()
            took = time.monotonic() - before
            parts = " ".join(f"{name} {value:.1f}" for name, value in self.seconds.items())
            say(
                f"{self.day}  loans {len(self.book.shown):3}  rows {rows['loans']}+"
                f"{rows['repayments']}  {took:5.1f} s ({parts})  differences "
                f"{len(self.state.differences)}"
            )

    def _kept(self) -> None:
        if self.keep is not None:
            self.state.save(self.keep)

    def _one_day(self) -> Mapping[str, int]:
        day, book, watch = self.day, self.book, self.state.watch
        with _Timed(self.seconds, "done"):
            book.lives_through(self.state.lives, day)
        if book.did:
            with _Timed(self.seconds, "drain"):
                book.partner.goes_to(day)
        with _Timed(self.seconds, "lists"):
            evening = book.evening(day)
        watch.sees(evening)
        for name in disowned(evening):
            self._differs(f"{day} loan {name}: its investor is not what its cessions say")
        expected = {"loans": watch.loans(evening), "repayments": watch.repayments(evening)}
        tomorrow = day + timedelta(days=1)
        with _Timed(self.seconds, "clock"):
            book.partner.goes_to(tomorrow)
        with _Timed(self.seconds, "check"):
            for kind, rows in expected.items():
                self._compare(tomorrow, kind, rows)
            self._reconciled(tomorrow)
        self.state.day = tomorrow.isoformat()
        return {kind: len(rows) for kind, rows in expected.items()}

    # --- what is compared -------------------------------------------------------------------------

    def _compare(self, day: date, kind: str, expected: Rows) -> None:
        """What Blackmoon received is what the lists said, and what the platform says of it."""
        sent = self.received(day, kind)
        if len(sent) != 1:
            self._differs(f"{day} {kind}: {len(sent)} files")
            return
        listed = list(csv.DictReader(io.StringIO(sent[0])))
        rows = {row[ID[kind]]: row for row in listed}
        if len(rows) != len(listed):
            self._differs(f"{day} {kind}: a row comes twice")
        for line in differences(expected, rows):
            self._differs(f"{day} {kind}: {line}")
        query = f"/blackmoon/file/?business_date={day}&kind={kind}"
        [file] = self.book.partner.get(query)["results"]
        total = sum((Decimal(row[SUMMED[kind]]) for row in rows.values()), Decimal(0))
        if (file["status"], file["rows"], file["sum"]) != ("sent", len(rows), total):
            self._differs(f"{day} {kind}: shown as {file['status']} {file['rows']} {file['sum']}")

    def received(self, day: date, kind: str) -> list[str]:
        """The files of one kind that Blackmoon took on a date."""
        path = f"{METHODS[kind]}&business_date={day}"
        return [
            one["files"][kind]
            for one in self.book.there.received(path)
            if one["status"] == 200 and "success" in json.dumps(one["response"])
        ]

    def _reconciled(self, day: date) -> None:
        if not self.book.partner.get("/blackmoon/offer/?limit=1")["results"]:
            return
        [row] = self.book.partner.get(f"/blackmoon/reconciliation/?business_date={day}")["results"]
        if row["status"] != "matched" or row["platform_only"] or row["platform_missing"]:
            self._differs(f"{day} reconciliation: {row}")
        if alarms := [one for one in self.alarms() if not one.startswith(EXPECTED)]:
            self._differs(f"{day} alarms: {alarms}")

    def alarms(self) -> list[str]:
        """Every alarm's words."""
        return [f"{one['name']}: {one['detail']}" for one in self.book.all_of("/alarm/")]

    def _differs(self, line: str) -> None:
        self.state.differences.append(line)
        if self.strict:
            raise Differs(line)

    # --- at the end -------------------------------------------------------------------------------

    def again(self, day: date) -> None:
        """A day's files, asked for once more, are the same to the byte."""
        query = f"/blackmoon/file/?business_date={day}"
        for file in self.book.partner.get(query)["results"]:
            self.book.partner.post(f"/blackmoon/file/{file['id']}/resend/", {})
        self.book.partner.goes_to(self.day)
        for kind in METHODS:
            first, last = self.received(day, kind), self.received(self.day, kind)[-1]
            if first and first[0] != last:
                told = [_by_id(text, kind) for text in (first[0], last)]
                for line in differences(*told) or ["other bytes"]:
                    self._differs(f"{day} {kind}, made again on {self.day}: {line}")

    def altered(self) -> None:
        """One cession is altered at Blackmoon: it is found, shown, and a person is told."""
        there, partner = self.book.there, self.book.partner
        cessions = there.control("blackmoon-state", method="GET").json()["cessions"]
        one = next(each for each in cessions if each["type"] == "direct")
        other = {**one, "price": str(Decimal(str(one["price"])) + Decimal("0.01"))}
        there.says(drop_cessions=[one], platform_only=[other])
        tomorrow = self.day + timedelta(days=1)
        partner.goes_to(tomorrow)
        self.state.day = tomorrow.isoformat()
        self._kept()
        [row] = partner.get(f"/blackmoon/reconciliation/?business_date={tomorrow}")["results"]
        [only], [missing] = row["platform_only"], row["platform_missing"]
        assert row["status"] == "discrepant" and row["alarmed_at"] is not None
        assert only["loan"] == missing["loan"] == one["loanId"]
        assert only["price"] - missing["price"] == Decimal("0.01")
        assert row["correct_count"] == row["total_count"] - 2
        [alarm] = [text for text in self.alarms() if text.startswith("blackmoon_reconciliation")]
        assert str(one["loanId"]) in alarm and str(tomorrow) in alarm


class _Timed:
    """Seconds of wall time by name."""

    def __init__(self, into: dict[str, float], name: str) -> None:
        self.into, self.name = into, name

    def __enter__(self) -> None:
        self.began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.into[self.name] = time.monotonic() - self.began


def _by_id(text: str, kind: str) -> Rows:
    return {row[ID[kind]]: row for row in csv.DictReader(io.StringIO(text))}


def differences(expected: Rows, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What differs between two files, in words."""
    lines = [f"{name} is missing: {expected[name]}" for name in expected.keys() - found.keys()]
    lines += [f"{name} should not be there: {found[name]}" for name in found.keys() - expected]
    for name in expected.keys() & found.keys():
        for title in expected[name].keys() | found[name].keys():
            mine, theirs = expected[name].get(title), found[name].get(title)
            if mine != theirs and not (title in NUMBERS and _equal(mine, theirs)):
                lines.append(f"{name} {title}: {mine} by the lists, {theirs} in the file")
    return lines


def _equal(one: str | None, other: str | None) -> bool:
    return bool(one and other) and Decimal(one or 0) == Decimal(other or 0)
