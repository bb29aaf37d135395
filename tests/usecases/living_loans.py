"""A loan that lives through the use cases, over a store in memory: commands, days, what is shown.

Nothing of HTTP and nothing around the rules: what a partner, a provider's worker and the daily job
do is done by the same functions as theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from chalicelib.domain import chargebacks, disbursing, rebuild
from chalicelib.domain import loans as domain
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.criteria import Condition, Criteria
from chalicelib.domain.errors import Invalid, NotFound, Refused
from chalicelib.domain.ledger import Transaction
from chalicelib.domain.partners import Partner
from chalicelib.domain.statements import Statement
from chalicelib.domain.views import ScheduleRow
from chalicelib.handlers.loans import loan_out
from chalicelib.handlers.problems import CODES
from chalicelib.models.keys import ACCOUNT, STATEMENT, TERMS
from chalicelib.models.store import Store
from chalicelib.models.unit import Unit
from chalicelib.usecases import days, journals, loans, transaction_lists, transactions
from chalicelib.usecases.context import Context, Idempotency, Window
from chalicelib.usecases.journals import Loan
from chalicelib.usecases.previews import Preview
from chalicelib.usecases.transactions import Request
from tests.support import REGION, memory_store

EVERYTHING = Window(1_000_000)
MORNING = timedelta(hours=9)
JOB = timedelta(minutes=5)
REFUSALS = (Refused, Invalid, NotFound)
Command = Callable[["Life"], Any]
Items = dict[tuple[str, str], str]


def new_store() -> Store:
    """A store on an empty table; nobody is waited for."""
    return memory_store(sleep=lambda _: None)


def drop(store: Store) -> None:
    """Forget the table: many lives fit into one process then."""
    client, name = _client(store)
    client.delete_table(TableName=name)


def _client(store: Store) -> tuple[Any, str]:
    table = store._record.table()
    return table.connection.client, table.table_name


class _Reading:
    """A reader that asks the table once between two commits: most of a life is looking at it.

    For one partner alone, whom nobody else writes for.
    """

    def __init__(self, reader: Any) -> None:
        self._reader, self._known = reader, dict[str, Any]()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def read(*given: Any, **named: Any) -> Any:
            what = f"{name} {given} {named}"
            if what not in self._known:
                self._known[what] = getattr(self._reader, name)(*given, **named)
            return self._known[what]

        return read

    def forget(self) -> None:
        """Something is being written."""
        self._known.clear()


class _OwnStore(Store):
    """A partner's view of the table, with such a reader."""

    def __init__(self, shared: Store) -> None:
        super().__init__(shared._record, sleep=lambda _: None)
        self._reading = _Reading(self._reader)
        self._reader = self._reading  # type: ignore[assignment]

    def commit(self, unit: Unit) -> None:
        self._reading.forget()
        super().commit(unit)


def items_of(store: Store, partner: str) -> Items:
    """All that the table holds of a partner, byte for byte."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.dynamodb.models import dynamodb_backends

    name = store._record.table().table_name
    table: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[name]
    return {
        (item.hash_key.value, item.range_key.value): repr(item.to_json())
        for item in table.all_items()
        if item.hash_key.value.startswith(partner)
    }


@dataclass(frozen=True)
class Seen:
    """What was shown on a day: the loan, its rows and its transactions, newest first."""

    loan: Mapping[str, Any]
    rows: Sequence[ScheduleRow] | None
    transactions: Sequence[Transaction]


@dataclass(frozen=True)
class Done:
    """What became of a command: a value, or the code of what refused it."""

    value: Any = None
    code: str | None = None
    changed: bool = False


class Life:
    """One loan of one partner.  ``job`` says whether the daily job runs."""

    def __init__(self, store: Store, partner: str, agreed: Terms, start: date) -> None:
        self.store, self.partner = _OwnStore(store), Partner(partner)
        self.id, self.day, self.minutes = agreed.id, start, 0
        self._numbers = count(1)
        unit = Unit(self.now)
        unit.create(TERMS, partner, agreed)
        unit.create(ACCOUNT, partner, Account(id=agreed.id, end_user=agreed.end_user))
        store.commit(unit)

    @property
    def now(self) -> datetime:
        """The instant of the next command."""
        return self.partner.begins(self.day) + MORNING + timedelta(minutes=self.minutes)

    def context(self, now: datetime | None = None) -> Context:
        """Of a request or of a job at this instant."""
        return Context(
            partner=self.partner,
            now=now or self.now,
            business_date=self.day,
            store=self.store,
            new_id=lambda: f"00000000-0000-4000-8000-{next(self._numbers):012d}",
            report=_raises,
        )

    # --- days ------------------------------------------------------------------------------------

    def passes(self, number: int, *, job: bool = True) -> None:
        """Days go by, each with its job or all of them without."""
        for _ in range(number):
            self.day, self.minutes = self.day + timedelta(days=1), 0
            if job:
                self.works()

    def works(self) -> None:
        """The daily job of the day, at its beginning."""
        ctx = self.context(self.partner.begins(self.day) + JOB)
        progress = days.do_shard(ctx, self.day, 0, None)
        assert not progress.failed

    # --- commands --------------------------------------------------------------------------------

    def does(self, command: Command) -> Done:
        """Whether it was done or refused; what was refused has left everything as it was."""
        before = self.items()
        self.minutes += 1
        try:
            value = command(self)
        except REFUSALS as no:
            code = getattr(no, "code", "not_found")
            assert code in CODES, f"{code} is no code of the API"
            assert self.items() == before, f"{code} has left something behind"
            return Done(code=code)
        return Done(value, changed=self.items() != before)

    def items(self) -> Items:
        """All that the table holds of the loan and its partner."""
        return items_of(self.store, self.partner.id)

    def load(self) -> Loan:
        """The loan as the store has it."""
        return loans.load(self.context(), self.id)

    def tells(self, command: Any) -> Transaction | None:
        """A command of a worker, or of the partner's for the loan."""
        ctx = self.context()
        return loans.carry_out(ctx, loans.load(ctx, self.id), command)[1].transaction

    def posts(self, request: Request, key: str) -> Any:
        """``POST /transaction/``."""
        ctx = self.context()
        own = Idempotency(key, f"fingerprint of {key}", own=True)
        return transactions.post(replace(ctx, idempotency=own), request)

    def previews(self, request: Request) -> Preview:
        """``POST /transaction/?preview=true``."""
        return transactions.preview(self.context(), request)

    def asks(self, **given: Any) -> Request:
        """A transaction as a partner asks for it."""
        return Request(loan=self.id, **given)

    def fails(self, item: Transaction) -> Transaction | None:
        """A provider says that it failed."""
        if item.type != "disbursement":
            return transactions.fail(self.context(), item.id, "refer to payer")
        return self.tells(
            lambda t, a, m: disbursing.fail_disbursement(t, a, m, item, "no such account")
        )

    def retries(self, item: Transaction) -> Transaction | None:
        """It goes to its provider again."""
        return self.tells(loans.Retelling(lambda whole, m: rebuild.retry(whole, m, item)))

    def charges_back(self, item: Transaction) -> Transaction | None:
        """A provider takes back what it had confirmed."""
        return self.tells(lambda t, a, m: chargebacks.charge_back(t, a, m, item, "disputed"))

    def cancels_chargeback(self, item: Transaction) -> Transaction | None:
        """A provider gives back what it took back."""
        return self.tells(
            loans.Retelling(lambda whole, m: rebuild.cancel_chargeback(whole, m, item))
        )

    def sets_mandate(self, mandate: str | None, usable: bool) -> Transaction | None:
        """The borrower's mandate has become usable, or is no more."""
        return self.tells(lambda t, a, m: domain.set_mandate(t, a, m, mandate, usable))

    # --- what is shown ---------------------------------------------------------------------------

    def sees(self, as_of: date | None = None) -> Seen:
        """``GET /loan/{id}/``, its schedule and its transactions, exact."""
        ctx = self.context()
        shown = loans.read(ctx, self.id, as_of)
        has_rows = shown.view.terms.has_rows
        rows = loans.schedule(ctx, self.id, as_of) if has_rows else None
        return Seen(loan_out(ctx, shown), rows, self.lists(as_of))

    def lists(self, as_of: date | None = None) -> list[Transaction]:
        """``GET /transaction/?loan=``: all of them, newest first."""
        ctx = self.context()
        criteria = Criteria((Condition("loan", "id", "in", (self.id,)),))
        source = transaction_lists.listing(ctx, criteria, as_of)
        found = source.read(replace(EVERYTHING, count=True))
        assert found.count == len(found.results)
        return list(found.results)

    def reads(self, an_id: str) -> Transaction:
        """``GET /transaction/{id}/``."""
        return transactions.read(self.context(), an_id)

    def statements(self) -> list[Statement]:
        """``GET /statement/?loan=``, the oldest first."""
        each = self.store.each(
            STATEMENT, self.partner.id, "owner", group={"loan": self.id}, newest_first=False
        )
        return [stored.value for stored in each]

    def journal(self) -> list[Any]:
        """The batches as they are now."""
        ctx = self.context()
        return [stored.value for stored in journals.read(ctx, self.load())]

    def outstanding(self) -> Decimal:
        """What may still be repaid."""
        shown = loans.read(self.context(), self.id).view.account
        return shown.balances.total - shown.overpayment


def _raises(what: str, error: Exception, **facts: str) -> None:
    raise AssertionError(f"{what}: {facts}") from error


def loan_view(shown: Any) -> Mapping[str, Any]:
    """The loan of a preview, as its resource shows it."""
    return loan_out(None, shown)  # type: ignore[arg-type]
