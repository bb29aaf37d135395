"""The daily CSV files: read whole, checked row by row, taken only if every row is right."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

from local.blackmoon import cessions, rules
from local.blackmoon.errors import ApiError
from local.blackmoon.forms import Upload
from local.blackmoon.organisation import Organisation
from local.blackmoon.rules import Rule

MOST_FLAWS = 5
MOST_REMEMBERED = 10_000
ZERO = Decimal(0)

#: By part: the columns that must be there, and the one whose values are unique.
LOANS = (("applicationId",), "applicationId")
REPAYMENTS = (tuple(rules.REPAYMENT), "repaymentId")


def take_loans(org: Organisation, files: Mapping[str, Upload]) -> None:
    """``data.sendApplications``: the loans as the day begins."""
    table = _Table(org, files.get("loans"), 130, *LOANS)
    rules_of = {name: rules.of(name) for name in table.columns}
    sold = cessions.by_loan(org)
    count = 0
    for row in table.rows(rules_of):
        count += 1
        if known := sold.get(row["applicationId"]):
            cessions.reported(org, known, row)
    _took(org, "loans", count, None)


def take_repayments(org: Organisation, files: Mapping[str, Upload]) -> None:
    """``data.sendRepayments``: the repayments that became known."""
    table = _Table(org, files.get("repayments"), 140, *REPAYMENTS)
    count, total = 0, ZERO
    for row in table.rows(rules.REPAYMENT):
        count += 1
        total += Decimal(row["amount"])
    _took(org, "repayments", count, total)


def _took(org: Organisation, part: str, rows: int, total: Decimal | None) -> None:
    doc = {"part": part, "business_date": org.today.isoformat(), "rows": rows, "at": org.now()}
    org.add("files", doc | ({} if total is None else {"amount": str(total)}))


class _Table:
    """One file; refused as a whole with what is wrong in its first rows."""

    def __init__(
        self,
        org: Organisation,
        file: Upload | None,
        missing: int,
        required: Sequence[str],
        unique: str,
    ) -> None:
        self.required, self.unique = required, unique
        self._lines = csv.reader(io.StringIO(_text(org, file, missing), newline=""), strict=True)
        self.columns = self._next() or []
        self._check_header()

    def _next(self) -> list[str] | None:
        try:
            return next(self._lines, None)
        except csv.Error as error:
            raise ApiError(8, f"line {self._lines.line_num}: {error}") from None

    def _check_header(self) -> None:
        names = self.columns
        lost = [name for name in self.required if name not in names]
        if lost:
            raise ApiError(7, f"the header has no {', '.join(lost)}")
        if len(set(names)) < len(names) or not all(names):
            raise ApiError(7, "the header names a column twice, or one has no name")

    def rows(self, rules_of: Mapping[str, Rule]) -> Iterator[Mapping[str, str]]:
        """Every row; at the end the file is refused if any of them was wrong."""
        wrong: list[str] = []
        known: set[str] = set()
        # the same values come again and again
        rules_of = {
            name: rule if name == self.unique else lru_cache(MOST_REMEMBERED)(rule)
            for name, rule in rules_of.items()
        }
        while len(wrong) < MOST_FLAWS and (cells := self._next()) is not None:
            line = self._lines.line_num
            if len(cells) != len(self.columns):
                wrong.append(f"line {line} has {len(cells)} cells, not {len(self.columns)}")
                continue
            row = dict(zip(self.columns, cells, strict=True))
            flaws = [f"line {line}: {flaw}" for flaw in self._flaws(row, rules_of)]
            if row[self.unique] in known:
                flaws.append(f"line {line}: {self.unique} {row[self.unique]} comes twice")
            known.add(row[self.unique])
            wrong += flaws
            if not wrong:
                yield row
        if wrong:
            raise ApiError(7, "; ".join(wrong[:MOST_FLAWS]))

    def _flaws(self, row: Mapping[str, str], rules_of: Mapping[str, Rule]) -> Iterator[str]:
        for name, rule in rules_of.items():
            text = row[name]
            if not text:
                if name in self.required:
                    yield f"{name} is empty"
            elif flaw := rule(text):
                yield f"{name} {flaw}"


def _text(org: Organisation, file: Upload | None, missing: int) -> str:
    if file is None:
        raise ApiError(missing)
    if not file.name or len(file.content) > org.head.largest_file_bytes:
        raise ApiError(12)
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError(8, f"byte {error.start} is no UTF-8") from None
    if "\0" in text:
        raise ApiError(8, "it holds zero bytes")
    return text
