"""What each operation consumes: read and write units, runs of functions, messages, log.

``python -m bench units [--loans=12] [--write]`` takes a small book of term loans and one of lines
of credit through a month, and some loans through a collection at the GoCardless simulator, with the
application's own routes and workers over a table in this process.  Units follow from the items'
sizes by DynamoDB's rules (``bench/_meter.py``); they are the same on every machine.  Milliseconds
are this machine's own processor time, without the table's.  ``--write`` puts the table and the
costs that follow from it into ``docs/operators/costs.md``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import _costs
from bench._meter import NOBODY, Meter, Used, Uses

KEY = "not-a-real-key-of-the-benchmark"
ENDPOINT = "https://receiver.example.com/hook"
ADDRESS = "8.8.8.8"
HTTP = "api_handler"
BEFORE, AFTER = timedelta(days=12), timedelta(days=8)
"""Around a due date: announced, asked for, submitted; confirmed, paid out."""
ANNOUNCED = timedelta(days=6)
SCHEDULES = ("close_days", "sweep_outbox", "sweep_webhooks", "sweep_offers")
CREDIT = {
    "type": "revolving_credit",
    "name": "Card",
    "installments": None,
    "statement_day": 5,
    "repayment_date_period": 25,
    "repayment_holiday_scheduling": "on_day",
    "minimum_repayment_percentage": "5",
    "minimum_repayment_amount": "25",
}


@dataclass
class Row:
    """What one operation uses, on average, by function."""

    name: str
    uses: Uses

    @property
    def total(self) -> Used:
        """Of all functions."""
        found = Used()
        for used in self.uses.values():
            found = found.plus(used)
        return found


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Everything in this process is counted: the table, routes, messages, the log."""
    from chalicelib import watching
    from tests import support
    from tests.http_support import Api
    from tests.scenarios import world
    from tests.scenarios.world import Line

    ask, step, send = Api.request, Line.step, Line.send

    def store(**options: Any) -> Any:
        made = support.memory_store(on_capacity=lambda *_: None, **options)
        meter.watch(made._record.table().connection.client)
        return made

    def request(self: Api, *words: Any, **options: Any) -> Any:
        with meter.running(HTTP):
            return ask(self, *words, **options)

    def worked(self: Line) -> bool:
        if not self.waiting:
            return False
        function = self.waiting[0][0].replace("-", "_")
        with meter.running(function):
            return bool(watching.measured(function, lambda _: step(self))(None))

    def sent(self: Line, messages: Any, delay_seconds: int = 0) -> list[Any]:
        taken = send(self, messages, delay_seconds)
        meter.now.messages += len(taken)
        return taken

    with ExitStack() as stack:
        stack.enter_context(patch.object(world, "memory_store", store))
        for kind, name, other in (
            (Api, "request", request), (Line, "step", worked), (Line, "send", sent),
        ):  # fmt: skip
            stack.enter_context(patch.object(kind, name, other))
        stack.enter_context(redirect_stdout(meter))  # type: ignore[type-var]
        yield


class Book:
    """One live partner, whose days are begun as on a stage, and its loans."""

    def __init__(self, meter: Meter) -> None:
        from app import app
        from chalicelib import runtime
        from chalicelib.domain.partners import Partner as Tenant
        from chalicelib.models.unit import Unit
        from chalicelib.usecases import partners
        from tests.http_support import Api
        from tests.scenarios.partner import Partner
        from tests.scenarios.world import World

        self.meter, self.world, self.counts = meter, World(), dict[str, float]()
        self.world.hosts["receiver.example.com"] = (ADDRESS,)
        carrier = self.world.carrier
        self.world.carrier = lambda: replace(carrier(), post=_taken)  # type: ignore[method-assign]
        self.serving = runtime.use(self.world)
        self.serving.__enter__()
        self.partner_id, unit = self.world.new_id(), Unit(self.world.wall)
        holder = Tenant(self.partner_id)
        partners.add(unit, holder, KEY, self.world.new_id, self.world.wall)
        self.world.store.commit(unit)
        self.partner = Partner(Api(app, KEY))

    @contextmanager
    def counted(self, operation: str, times: float) -> Iterator[None]:
        """``times`` of an operation."""
        with self.meter.doing(operation):
            yield
            self.works()
        self.counts[operation] = self.counts.get(operation, 0) + times

    def works(self) -> None:
        """What waits is done."""
        while self.world.line.step():
            pass

    def night(self, operation: str | None) -> None:
        """The next day begins, and is done."""
        self.world.wall += timedelta(days=1)
        with self.meter.doing(operation):
            self.runs("close_days")
            self.works()
        if operation is not None:
            self.counts[operation] = self.counts.get(operation, 0) + 1

    def runs(self, schedule: str) -> None:
        """One run of a scheduled function."""
        from chalicelib import watching
        from chalicelib.jobs import schedules

        with self.meter.running(schedule):
            watching.measured(schedule, lambda _: getattr(schedules, schedule)())(None)

    def row(self, operation: str, name: str | None = None) -> Row:
        """What one of it uses."""
        times = 1 / self.counts[operation]
        found = self.meter.used[operation]
        uses = {function: Used().plus(used, times) for function, used in found.items()}
        return Row(name or operation, uses)

    def ends(self) -> None:
        """Another runtime may take its place."""
        self.serving.__exit__(None, None, None)


def _taken(*_: Any) -> Any:
    from chalicelib.integrations.courier import Answer

    return Answer(status=200)


def term_loans(meter: Meter, many: int) -> list[Row]:
    """A month of term loans, repaid by hand."""
    book = Book(meter)
    api = book.partner.http
    try:
        with meter.doing(None):
            product = book.partner.publishes(repayment_date_period=20)
            book.night(None)  # the first day of a partner
        book.night("a night without loans")
        loans = []
        with book.counted("opening a loan", many):
            for _ in range(many):
                loan = book.partner.opens_loan(product)
                loans.append(loan.disburses("12000.00").confirmed())
        rows = [book.row("opening a loan"), *_nights(book, loans)]
        with book.counted("a repayment by hand", many):
            for loan in loans:
                loan.repays("100.00").confirmed()
        rows.append(book.row("a repayment by hand"))
        for name, path in (
            ("reading a loan", f"/loan/{loans[0].id}/"),
            ("a page of loans", "/loan/?limit=20"),
            ("a page of transactions", f"/transaction/?loan={loans[0].id}&limit=20"),
        ):
            with book.counted(name, 4):
                for _ in range(4):
                    api.request("GET", path).ok(200)
            rows.append(book.row(name))
        rows.append(_webhooks(book, loans, book.row("a repayment by hand")))
        for name in SCHEDULES:
            with book.counted(f"a run of {name}", 1):
                book.runs(name)
            rows.append(book.row(f"a run of {name}"))
        return rows
    finally:
        book.ends()


def _nights(book: Book, loans: Sequence[Any]) -> list[Row]:
    """Quiet days of a partner, what a loan has to do with them, and a due date."""
    many = len(loans)
    for _ in range(5):
        book.night("a partner's quiet day")
    with book.meter.doing(None):
        due = date.fromisoformat(str(loans[0].now["next_repayment_date"]))
    while book.world.wall.date() < due - ANNOUNCED:
        book.night(None)
    nights = 0
    while book.world.wall.date() <= due:
        book.night("due days")
        nights += 1
    book.counts["due days"] = many
    quiet, empty = book.row("a partner's quiet day"), book.row("a night without loans")
    more = _less(quiet, empty, 1, "")
    night = {one: Used().plus(used, 1 / many) for one, used in more.uses.items()}
    return [
        quiet,
        Row("a loan's quiet night", night),
        _less(book.row("due days"), quiet, nights / many, "a due date, not collected"),
    ]


def _webhooks(book: Book, loans: Sequence[Any], repayment: Row) -> Row:
    """What a repayment with a subscriber uses more than one without, a webhook."""
    from chalicelib.models.keys import WEBHOOK

    with book.meter.doing(None):
        book.partner.post("/webhook_endpoint/", {"url": ENDPOINT, "events": ["*"]})
    with book.counted("repayments with webhooks", len(loans)):
        for loan in loans:
            loan.repays("100.00").confirmed()
    sent = book.world.store.count(WEBHOOK, book.partner_id)
    assert sent, "nothing was sent"
    with_them = book.row("repayments with webhooks")
    more = _less(with_them, repayment, 1, "")
    each = len(loans) / sent
    return Row("a webhook", {name: Used().plus(used, each) for name, used in more.uses.items()})


def lines_of_credit(meter: Meter, many: int) -> list[Row]:
    """Statements of lines of credit."""
    book = Book(meter)
    try:
        with meter.doing(None):
            product = book.partner.publishes(**CREDIT)
            while book.world.wall.day < 7:
                book.night(None)
            for _ in range(many):
                book.partner.opens_loan(product).disburses("900.00").confirmed()
            book.works()
            book.night(None)
        while book.world.wall.day != 4:
            book.night("a partner's quiet day")
        book.night("statement days")
        book.counts["statement days"] = many
        quiet = book.row("a partner's quiet day")
        return [_less(book.row("statement days"), quiet, 1 / many, "a statement")]
    finally:
        book.ends()


def collections(meter: Meter, many: int) -> list[Row]:
    """A due date, collected through GoCardless: asked for, submitted, confirmed, paid out."""
    from tests.scenarios.collecting import Collector
    from tests.scenarios.paying import paying

    name = "a due date, collected"

    class Metered(Collector):
        def _set_clock(self, day: Any) -> None:
            with meter.doing(None):
                super()._set_clock(day)

    with tempfile.TemporaryDirectory() as scratch, paying(Path(scratch)) as pays:
        ask = pays.control

        def control(*words: Any, **options: Any) -> Any:
            with meter.running(NOBODY):
                return ask(*words, **options)

        pays.control = control  # type: ignore[method-assign]
        with meter.doing(None):
            collector = Metered(pays, "2026-03-02")
            loans = collector.loans_of(many)
            due = date.fromisoformat(str(loans[0].now["next_repayment_date"]))
            collector.goes_to(due - BEFORE)
        with meter.doing(name), meter.running("days"):
            collector.goes_to(due + AFTER)
        with meter.doing(None):
            made = [one for loan in loans for one in loan.all_transactions()]
        paid = [one for one in made if (one["type"], one["status"]) == ("repayment", "applied")]
        assert len(paid) == many, "each loan was collected once"
    uses = {one: Used().plus(used, 1 / many) for one, used in meter.used[name].items()}
    uses["days"].runs = 0  # of one run for a thousand loans
    return [Row(name, uses)]


def _less(row: Row, other: Row, times: float, name: str) -> Row:
    """A row without what ``times`` the other one is of it."""
    uses = {
        function: used.plus(other.uses.get(function, Used()), -times)
        for function, used in row.uses.items()
    }
    return Row(name, {one: _not_negative(used) for one, used in uses.items()})


def _not_negative(used: Used) -> Used:
    return replace(used, seconds=max(0.0, used.seconds), log_bytes=max(0, used.log_bytes))


PARTS: tuple[Callable[[Meter, int], list[Row]], ...] = (term_loans, lines_of_credit, collections)


def measure(many: int) -> tuple[list[Row], int]:
    """All rows, and the bytes that the table has for a loan after a month."""
    rows: list[Row] = []
    stored = 0
    for part in PARTS:
        meter = Meter()
        with metered(meter):
            rows += part(meter, many)
        if part is term_loans:
            stored = meter.stored() // many
    return rows, stored


def main(options: list[str]) -> int:
    """The command line."""
    many = 12
    for option in options:
        name, _, value = option.partition("=")
        if name == "--loans" and value.isdigit() and int(value) > 1:
            many = int(value)
        elif option != "--write":
            print(f"--loans=12 or --write, not {option}", file=sys.stderr)
            return 1
    rows, stored = measure(many)
    text = _costs.text(rows, stored)
    print(text)
    if "--write" in options:
        _costs.write(text)
    return 0
