"""A book of any size that is nowhere: items are made as they are read, as DynamoDB would give them.

The store on top of it is the application's own, so are the codec and all that reads it.  Of ten
loans one was repaid within the last week, and of fifty one on the very day of the file, so that it
has to be told again as it was the day before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.domain import disbursing, loans
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.ledger import Batch
from chalicelib.domain.loans import Asked, Outcome
from chalicelib.domain.partners import Partner
from chalicelib.models import codec
from chalicelib.models.keys import ACCOUNT, BATCH, TERMS
from chalicelib.models.kinds import instant
from chalicelib.models.reader import Key, Raw
from chalicelib.models.store import Store
from chalicelib.models.store_errors import Conflict
from chalicelib.models.unit import Unit

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 1, tzinfo=UTC)
OPENED = datetime(2025, 1, 6, 9, tzinfo=UTC)
PARTNER = Partner("7d3f0f0e-53a1-4c53-9c5e-8f5a9d1f2b11")
PATTERN = "ffffffff-ffff-4fff-8fff-ffffffffffff"
DISBURSED = TODAY - timedelta(days=20)
REPAID = TODAY - timedelta(days=3)
AMOUNT = Decimal(100)


def loan_id(number: int) -> str:
    """The id of loan ``number``; its first four groups lead to its partition."""
    return f"{number:08x}-{0x1000 + number % 0xEFFF:04x}-4fff-8fff-{number:012x}"


def number_of(key: str) -> int:
    """Which loan a key is about."""
    return int(key.partition("#L#")[2][:8], 16)


def _moment(day: date) -> Moment:
    return Moment(PARTNER.begins(day) + timedelta(hours=9), day, PARTNER.begins)


@dataclass
class Life:
    """What a loan of one sort has in the table."""

    terms: Terms
    account: Account
    batches: list[Batch]
    touched: date

    def then(self, outcome: Outcome, day: date) -> Life:
        """After one more commit."""
        known = {one.seq: one for one in self.batches}
        items = {item.id: item for item in outcome.updates}
        for batch in [*known.values(), *outcome.batches]:
            changed = tuple(items.get(item.id, item) for item in batch.transactions)
            known[batch.seq] = replace(batch, transactions=changed)
        return Life(outcome.terms or self.terms, outcome.account, list(known.values()), day)


def lives() -> dict[str, Life]:
    """A quiet loan, one repaid lately, one repaid today."""
    terms = Terms(
        PATTERN, PATTERN, PATTERN, PATTERN, "term_loan", Decimal(1200), Decimal(12),
        installments=12, repayment_date_period=28, automatic_collection=False,
    )  # fmt: skip
    life = Life(terms, Account(PATTERN, PATTERN), [], DISBURSED)
    when = _moment(DISBURSED)
    asked = disbursing.disburse(terms, life.account, when, Decimal(1200), Asked())
    life = life.then(asked, DISBURSED)
    assert asked.transaction is not None
    quiet = life.then(
        disbursing.apply_disbursement(terms, life.account, when, asked.transaction), DISBURSED
    )
    return {"quiet": quiet, "repaid": _repaid(quiet, REPAID), "today": _repaid(quiet, TODAY)}


def _repaid(life: Life, day: date) -> Life:
    when = _moment(day)
    asked = loans.repay(life.terms, life.account, when, AMOUNT, Asked())
    life = life.then(asked, day)
    assert asked.transaction is not None
    return life.then(loans.apply_repayment(life.terms, life.account, when, asked.transaction), day)


class Book:
    """As ``models/reader.py`` reads a partner's table with ``many`` loans; commits are kept."""

    def __init__(self, many: int) -> None:
        self.many = many
        self.kept: dict[Key, dict[str, Any]] = {}
        self._texts = {name: _texts(life) for name, life in lives().items()}

    def sort(self, number: int) -> str:
        """Which life loan ``number`` has led."""
        if number % 50 == 7:
            return "today"
        return "repaid" if number % 10 == 3 else "quiet"

    def get(self, key: Key, *, consistent: bool) -> Raw | None:
        """One item."""
        return self.kept.get(key) or self._made(key)

    def get_many(self, wanted: Sequence[Key], *, consistent: bool) -> dict[Key, Raw]:
        """Those that are there."""
        found = {key: self.get(key, consistent=consistent) for key in wanted}
        return {key: raw for key, raw in found.items() if raw is not None}

    def group(self, pk: str, sk_prefix: str, **_: Any) -> list[Raw]:
        """A loan's journal, or its terms and account."""
        names = [sk for sk in self._texts[self.sort(number_of(pk))] if sk.startswith(sk_prefix)]
        return [raw for name in names if (raw := self._made((pk, name))) is not None]

    def rows(
        self, index: str, partition: str, *, forward: bool, limit: int,
        after: str | None = None, until: Any = None,
    ) -> list[Raw]:  # fmt: skip
        """Open loans, oldest first; there is nothing in other partitions."""
        if not partition.endswith("#BOOK#open"):
            return []
        first = int(after.partition("#")[2][:8], 16) + 1 if after else 0
        numbers = range(first, min(first + limit, self.many))
        return [self._row(partition, number) for number in numbers]

    def _row(self, partition: str, number: int) -> Raw:
        pk, sk = ACCOUNT.key(PARTNER.id, loan_id(number))
        place = f"{instant(OPENED + timedelta(seconds=number))}#{loan_id(number)}"
        return {"pk": {"S": pk}, "sk": {"S": sk}, "lp": {"S": partition}, "ls": {"S": place}}

    def _made(self, key: Key) -> Raw | None:
        pk, sk = key
        if "#L#" not in pk:
            return None
        number = number_of(pk)
        known = self._texts[self.sort(number)].get(sk)
        if known is None:
            return None
        kind, doc, touched = known
        own = loan_id(number)
        doc = doc.replace(PATTERN, own).replace(PATTERN[:24], own[:24])
        raw = {
            "pk": {"S": pk}, "sk": {"S": sk}, "t": {"S": kind}, "doc": {"S": doc}, "v": {"N": "4"},
            "c": {"S": instant(OPENED + timedelta(seconds=number))}, "u": {"S": touched},
        }  # fmt: skip
        if kind == ACCOUNT.name:
            raw["lp"] = {"S": f"{PARTNER.id}#BOOK#open"}
        return raw


def _texts(life: Life) -> dict[str, tuple[str, str, str]]:
    touched = instant(_moment(life.touched).now)
    found = {
        "A#STATE": (ACCOUNT.name, codec.dumps(life.account), touched),
        "A#TERMS": (TERMS.name, codec.dumps(life.terms), touched),
    }
    for batch in life.batches:
        found[f"J#{batch.seq:08d}"] = (BATCH.name, codec.dumps(batch), touched)
    return found


class BookStore(Store):
    """The application's store over a book; what is committed stays in memory."""

    def __init__(self, book: Book) -> None:
        self._reader = book  # type: ignore[assignment]

    def commit(self, unit: Unit) -> None:
        """Write conditionally, as DynamoDB would."""
        book: Any = self._reader
        for one in unit.operations.values():
            there = book.kept.get((one.pk, one.sk))
            if one.expect is not None and one.expect != (int(there["v"]["N"]) if there else 0):
                raise Conflict
        for one in unit.operations.values():
            raw = {
                name: {"N" if name in ("v", "ttl") else "S": str(value)}
                for name, value in one.item.items()
            }
            book.kept[one.pk, one.sk] = {"pk": {"S": one.pk}, "sk": {"S": one.sk}, **raw}
        unit.committed = True
