"""A unit of work: the writes of one decision, collected, then committed as one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from chalicelib.domain.decision import Message
from chalicelib.models import codec, keys
from chalicelib.models.kinds import Kind, instant
from chalicelib.models.store_errors import AlreadyDone, StoreError, UniqueTaken

if TYPE_CHECKING:
    from chalicelib.metrics import Measure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A value as it was read or is about to be written.

    ``version`` counts its commits from 1.  ``expires`` is when it stops being there, in seconds
    since 1970, or ``None``.
    """

    value: T
    version: int
    created_at: datetime
    updated_at: datetime
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A committed message: to be sent to its queue and then reported as ``store.done``.

    ``at`` is the real instant of the commit, whatever a partner's clock says.
    """

    id: str
    queue: str
    body: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """One write or check of a transaction.

    ``expect`` is the version that must be there: 0 for nothing at all, ``None`` for whatever.
    ``refusal`` is what a failed condition means, if not a lost race.  ``ttl_seconds`` counts from
    the real time of the commit.
    """

    action: Literal["put", "delete", "check"]
    pk: str
    sk: str
    expect: int | None
    item: Mapping[str, Any] = field(default_factory=dict)
    ttl_seconds: int | None = None
    refusal: StoreError | None = None


@dataclass(slots=True)
class Unit:
    """Collects writes; nothing happens before ``store.commit(unit)``.

    ``now`` is the decision's aware instant (the partner's clock); it becomes ``created_at`` and
    ``updated_at``.  After the commit ``outbox`` holds the messages that went with it, and
    ``measures`` may be told.  A unit may name an item once; guarding an item that it also writes
    adds nothing.
    """

    now: datetime
    outbox: tuple[Outgoing, ...] = ()
    committed: bool = False
    operations: dict[tuple[str, str], Operation] = field(default_factory=dict)
    messages: list[tuple[str | None, Message]] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)

    def __post_init__(self) -> None:
        instant(self.now)

    def create(
        self, kind: Kind[T], partner: str, value: T, *, ttl_seconds: int | None = None
    ) -> Stored[T]:
        """Write a new item; :class:`Conflict` at the commit if its key is there already."""
        stored = Stored(value, 1, self.now, self.now)
        self._put(kind, partner, stored, 0, ttl_seconds)
        return stored

    def update(
        self, kind: Kind[T], partner: str, stored: Stored[T], value: T, *, touch: bool = True
    ) -> Stored[T]:
        """Write ``value`` over what was read; :class:`Conflict` if it has changed since.

        ``touch=False`` keeps ``updated_at``, for what no person did (a nightly accrual).
        """
        if kind.key_of(partner, value) != kind.key_of(partner, stored.value):
            raise ValueError(f"the new {kind.name} has another key than the one that was read")
        at = self.now if touch else stored.updated_at
        after = Stored(value, stored.version + 1, stored.created_at, at, stored.expires)
        self._put(kind, partner, after, stored.version, None)
        return after

    def delete(self, kind: Kind[T], partner: str, stored: Stored[T]) -> None:
        """Remove what was read; :class:`Conflict` if it has changed since."""
        self.add(Operation("delete", *kind.key_of(partner, stored.value), stored.version))

    def guard(self, kind: Kind[T], partner: str, stored: Stored[T]) -> None:
        """Commit only if this is still there, unchanged since it was read."""
        self.add(Operation("check", *kind.key_of(partner, stored.value), stored.version))

    def claim(self, partner: str, scope: str, value: str, owner: str) -> None:
        """Take ``value`` for ``owner`` in ``scope``; :class:`UniqueTaken` if it is taken."""
        item = self._plain(keys.CLAIM, {"owner": owner})
        refusal = UniqueTaken(scope, value)
        key = keys.claim_key(partner, scope, value)
        self.add(Operation("put", *key, 0, item, refusal=refusal))

    def release(self, partner: str, scope: str, value: str) -> None:
        """Give a claimed value back.  Guard or change its owner in the same unit."""
        self.add(Operation("delete", *keys.claim_key(partner, scope, value), None))

    def send(self, message: Message, id: str | None = None) -> None:
        """Put a message into the outbox; with an ``id`` of its own, the same message is one."""
        if message.queue not in keys.QUEUES:
            raise ValueError(f"no queue {message.queue!r} in models/keys.py")
        codec.dumps_json(message.body)
        self.messages.append((id, message))

    def remember(
        self,
        partner: str,
        key_hash: str,
        *,
        fingerprint: str,
        status: int,
        ref: str | None = None,
        body: str = "",
        ttl_seconds: int | None = None,
    ) -> None:
        """Keep the answer of a request under its idempotency key; :class:`AlreadyDone` if used.

        ``ref`` is the id of what was made, ``body`` the answer's text; ``ttl_seconds`` of real
        time, ``None`` for ever.
        """
        doc = {"fingerprint": fingerprint, "status": status}
        doc |= {"ref": ref} if ref else {}
        doc |= {"body": body} if body else {}
        item = self._plain(keys.REMEMBERED, doc)
        key = keys.remembered_key(partner, key_hash)
        self.add(Operation("put", *key, 0, item, ttl_seconds, AlreadyDone(key_hash)))

    def _put(
        self, kind: Kind[T], partner: str, stored: Stored[T], expect: int, ttl: int | None
    ) -> None:
        item = {
            "v": stored.version,
            "t": kind.name,
            "doc": codec.dumps(stored.value),
            "c": instant(stored.created_at),
            "u": instant(stored.updated_at),
            **kind.index_keys(partner, stored.value, stored.created_at),
        }
        if stored.expires is not None:
            item["ttl"] = stored.expires
        self.add(Operation("put", *kind.key_of(partner, stored.value), expect, item, ttl))

    def _plain(self, t: str, doc: Mapping[str, Any]) -> dict[str, Any]:
        return {"v": 1, "t": t, "doc": codec.dumps_json(doc), "c": instant(self.now)}

    def add(self, operation: Operation) -> None:
        """Add a write or a check; the methods above make them."""
        key = (operation.pk, operation.sk)
        other = self.operations.get(key)
        if other is not None:
            if "check" not in (other.action, operation.action) or other.expect != operation.expect:
                raise ValueError(f"a unit names the item {key[0]} {key[1]} twice")
            if operation.action == "check":
                return
        self.operations[key] = operation
