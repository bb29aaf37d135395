"""A small resource with every feature of the edge, over a store that is a dict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace
from typing import Annotated, Any, ClassVar, Literal
from uuid import uuid4

from aws_lambda_powertools import Logger

from chalicelib.domain.decision import Message
from chalicelib.domain.errors import Flaw, Invalid, NotFound, Refused
from chalicelib.handlers import health
from chalicelib.handlers.http import Backbone, Raw, Reply
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery, Query
from chalicelib.handlers.values import (
    Count,
    Day,
    Flag,
    Instant,
    JsonObject,
    Money,
    MoneyOut,
    MoneyText,
    PositiveMoney,
    Rate,
    RateOut,
    Text,
    TextRule,
    Uuid,
    Whole,
)
from chalicelib.models.store_errors import AlreadyDone, Conflict, Unavailable, UniqueTaken
from chalicelib.runtime import Runtime
from chalicelib.usecases.context import Context, Listing, Replayed
from chalicelib.usecases.keyring import key_hash

NOW = datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
TODAY = date(2024, 3, 1)
KEY = "test-key-of-the-first-partner"
OTHER_KEY = "test-key-of-the-second-partner"


@dataclass(frozen=True)
class Note:
    """What the toy keeps."""

    id: str
    name: str
    amount: Decimal
    rate: Decimal
    created_at: datetime = NOW
    rules: tuple[dict[str, Any], ...] = ()
    key: str = "shown-once"
    day: date = TODAY


class RuleIn(Body):
    weight: Money
    kind: Literal["flat", "percent"] = "flat"


class NoteIn(Body):
    read_only: ClassVar[frozenset[str]] = frozenset({"status"})

    name: Text
    amount: PositiveMoney
    rate: Rate = Decimal(5)
    installments: Annotated[int, Whole(1, 600)] | None = None
    rules: tuple[RuleIn, ...] = ()
    birth_date: Day | None = None
    sort_code: Annotated[str, TextRule(6, 6, "[0-9]{6}", "Six digits.")] | None = None
    owner: Uuid | None = None
    open: Flag = True
    custom: JsonObject | None = None


class NoteOut(Out):
    secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    id: str
    name: str
    amount: MoneyOut
    amount_text: MoneyText
    rate: RateOut
    key: str
    day: date
    created_at: Instant


class KeyedIn(Body):
    amount: Money
    idempotency_key: Text | None = None


class SumQuery(Query):
    amount: Money
    count: Count = 1
    start_date: Day | None = None


class SumOut(Out):
    total: MoneyOut
    start_date: date | None


class NoteQuery(PageQuery):
    name: Text | None = None


def _shown(_: Context, note: Note) -> dict[str, Any]:
    return {**vars(note), "amount_text": note.amount}


api = Resource("/note", tag="Notes", alias="/notes/note")


@api.post(body=NoteIn, answer=NoteOut, view=_shown)
def create(ctx: Context, body: NoteIn) -> Note:
    """Create a note."""
    values = body.values()
    store: Any = ctx.store
    store.attempts += 1
    if values["name"] == "crash":
        raise RuntimeError("the secret cause")
    if values["name"] == "down":
        raise Unavailable
    if values["name"] == "refuse":
        raise Refused("credit_limit_exceeded", "1500.00 of 1000.00.")
    if values["name"] == "taken":
        raise UniqueTaken("note.name", "taken")
    note = Note(ctx.new_id(), values["name"], values["amount"], values["rate"])
    unit = store.unit()
    unit.writes.append(note)
    unit.outbox.append(Message("events", {"note": note.id}))
    return ctx.commit(unit, note)


@api.collection(query=NoteQuery, answer=NoteOut, view=_shown)
def listing(ctx: Context, query: NoteQuery) -> Listing[Note]:
    """List notes."""
    store: Any = ctx.store
    notes = list(reversed(store.notes.values()))
    start = query.offset + int((query.cursor or "c0").removeprefix("c"))
    end = start + query.limit
    return Listing(notes[start:end], len(notes), f"c{end}" if end < len(notes) else None)


@api.get("/{pk}", answer=NoteOut, view=_shown)
def read(ctx: Context, pk: str) -> Note:
    """Read a note."""
    store: Any = ctx.store
    if pk not in store.notes:
        raise NotFound("note")
    return store.notes[pk]


@api.put("/{pk}", body=NoteIn, answer=NoteOut, view=_shown)
@api.patch("/{pk}", body=NoteIn, answer=NoteOut, view=_shown)
def change(ctx: Context, pk: str, body: NoteIn) -> Note:
    """Change a note."""
    store: Any = ctx.store
    store.changes.append(body.values())
    given = {n: v for n, v in body.values().items() if n in {"name", "amount", "rate"}}
    store.notes[pk] = replace(read(ctx, pk), **given)
    return store.notes[pk]


@api.delete("/{pk}")
def remove(ctx: Context, pk: str) -> None:
    """Delete a note."""
    store: Any = ctx.store
    del store.notes[pk]


@api.get("/{pk}/sum", query=SumQuery, answer=SumOut)
def total(pk: str, query: SumQuery) -> dict[str, Any]:
    """Add up."""
    return {"total": query.amount * query.count, "start_date": query.start_date}


@api.get("/{pk}/page/{sub}")
def page(pk: str, sub: str) -> Raw:
    """A page."""
    return Raw(f"<p>{pk} {sub}</p>", "text/html; charset=utf-8")


@api.post("/{pk}/close", status=200, answer=NoteOut, view=_shown)
def close(ctx: Context, pk: str) -> Reply:
    """An action that commits nothing."""
    store: Any = ctx.store
    store.attempts += 1
    return Reply(read(ctx, pk), status=202, headers={"Location": "/elsewhere"})


@api.post("/keyed", body=KeyedIn, answer=SumOut, idempotency="own", key_field="idempotency_key")
def keyed(ctx: Context, body: KeyedIn) -> Any:
    """Keeps its key itself."""
    store: Any = ctx.store
    key = ctx.idempotency
    assert key is not None
    first = store.own.get(key.key_hash)
    if first is not None and first != key.fingerprint:
        raise Refused("idempotency_key_reused", "Used before.")
    store.own[key.key_hash] = key.fingerprint
    answer = {"total": body.amount, "start_date": None}
    return answer if first is None else Replayed(answer)


@api.post("/flawed", status=200)
def flawed(ctx: Context) -> None:
    """The domain finds two flaws."""
    raise Invalid(Flaw("default_rate", "too_large", "Above the maximum."), Flaw("name", "x", "y"))


class FakeUnit:
    """Collects writes as the real one does."""

    def __init__(self) -> None:
        self.writes: list[Note] = []
        self.outbox: list[Message] = []
        self.record: tuple[str, SimpleNamespace] | None = None
        self.measures: list[Any] = []

    def remember(self, partner: str, key: str, **record: Any) -> None:
        self.record = (partner + key, SimpleNamespace(**record))


class FakeStore:
    """Notes, idempotency records, and races on demand."""

    def __init__(self) -> None:
        self.notes: dict[str, Note] = {}
        self.records: dict[str, SimpleNamespace] = {}
        self.own: dict[str, str] = {}
        self.changes: list[dict[str, Any]] = []
        self.attempts = 0
        self.lose_races = 0
        self.before_commit: Callable[[], None] = lambda: None
        self.tries = 10
        self.pauses = 0

    def unit(self) -> FakeUnit:
        return FakeUnit()

    def attempt(self, work: Callable[[], Any]) -> Any:
        for _ in range(self.tries):
            try:
                return work()
            except Conflict:
                self.pauses += 1
        raise Refused("conflict", "Nothing was done.")

    def recall(self, partner: str, key: str) -> SimpleNamespace | None:
        return self.records.get(partner + key)

    def commit(self, unit: FakeUnit) -> None:
        self.before_commit()
        if self.lose_races:
            self.lose_races -= 1
            raise Conflict
        if unit.record is not None:
            key, record = unit.record
            if key in self.records:
                raise AlreadyDone(key)
            self.records[key] = record
        for note in unit.writes:
            self.notes[note.id] = note


@dataclass
class Partner:
    id: str


@dataclass
class ToyRuntime(Runtime):
    """The real runtime over the fake store, with two partners and a standing clock."""

    asked: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(clock=lambda: NOW)
        self.output = StringIO()
        self.logger = Logger(service=f"toy-{uuid4()}", stream=self.output)
        self.store = FakeStore()  # type: ignore[assignment]
        self.config = SimpleNamespace(  # type: ignore[assignment]
            stage="test", version="1.2.3", public_base_url=None, log_level="INFO"
        )

    def identify(self, hashed: str) -> Any:
        self.asked.append(hashed)
        keys = {key_hash(KEY): Partner("p1"), key_hash(OTHER_KEY): Partner("p2")}
        return keys.get(hashed)

    def lines(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    def moment(self, partner: Any) -> tuple[datetime, date]:
        return NOW, TODAY

    def dispatch(self, messages: Any) -> None:
        self.sent.extend(messages)


def toy_app() -> Backbone:
    """A fresh application with the toy and the health check."""
    app = Backbone(app_name="toy", configure_logs=False)
    app.mount([api, health.api])
    return app
