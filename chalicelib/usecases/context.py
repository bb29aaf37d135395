"""Who asks, when, and with what: handed to every use case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from chalicelib.domain.decision import Event
    from chalicelib.domain.partners import Partner
    from chalicelib.metrics import Measure
    from chalicelib.models.store import Store
    from chalicelib.models.unit import Unit

A = TypeVar("A")

#: A request's answer is remembered for two days: partners are promised at least one.
REMEMBERED_SECONDS = 2 * 86_400


@dataclass(slots=True)
class Idempotency:
    """The caller's key, hashed, and a fingerprint of the request that it stands for.

    ``status`` is what the first answer says.  ``own`` means that the use case keeps the key itself
    (for ever), so that :meth:`Context.commit` writes no record.  ``settled`` becomes true once the
    record is written.
    """

    key_hash: str
    fingerprint: str
    status: int = 201
    own: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Replayed(Generic[A]):
    """What a use case returns that found its first answer again (``Idempotent-Replayed``)."""

    value: A


@dataclass(frozen=True, slots=True)
class Listing(Generic[A]):
    """One page of a collection: ``count`` is the size of the whole, ``cursor`` leads on.

    ``examined`` is how much was read for it, where that is more than its results.  ``after(3)`` is
    the cursor that leads on from behind the third result, for sources that know it at no cost.
    """

    results: Sequence[A]
    count: int | None
    cursor: str | None = None
    examined: int = 0
    after: Callable[[int], str] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a source to read: ``limit`` results after ``offset``, on from ``cursor``.

    A cursor and an offset together skip from where the cursor leads.  ``count`` says whether the
    size of the whole is wanted, which a cursor carries along.
    """

    limit: int
    offset: int = 0
    cursor: str | None = None
    count: bool = False


@dataclass(frozen=True, slots=True)
class Source(Generic[A]):
    """A collection that has been chosen by its criteria and not been read yet.

    ``covers`` names the criteria (``status``, ``amount__gte``, ``ordering``) that it meets by
    itself, exactly; the edge sees to the others.  ``in_order`` says that it gives its results
    newest first, or as it was asked where it covers ``ordering``.  ``counts`` says that its
    listings have a ``count``; ``bound`` is how many results the edge may examine in one request.
    """

    read: Callable[[Window], Listing[A]]
    covers: frozenset[str] = frozenset()
    in_order: bool = True
    counts: bool = True
    bound: int = 5000


def _nothing_to_render(_: Any) -> str:
    return ""


def _left_in_the_outbox(_: Sequence[Any]) -> None:
    """The sweeper sends what nobody sends at once."""


def _unheard(what: str, error: Exception, **facts: str) -> None:
    """Nobody listens."""


def _unmeasured(_: list[Measure]) -> None:
    """Nobody measures."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _not_composed(_: Context, event: Event, __: Any) -> dict[str, Any]:
    raise RuntimeError(f"nothing says how the event {event.name} is shown")


@dataclass(frozen=True, slots=True)
class Context:
    """One request's (or one job's) view of the world.

    ``now`` is an aware UTC instant on the partner's clock, ``business_date`` the date it is there.
    ``render`` prints an answer as the caller would see it again, without secrets.  ``dispatch``
    sends committed outbox messages at once and never raises.  ``report`` logs an error that the use
    case survives: ``report(what, error, loan=…)``.  ``measure`` tells what has happened to
    those who watch, and never raises.  ``wall`` is real time, whatever the partner's clock says.
    ``event_data(ctx, event, subject)`` is what a webhook says of an event, as plain JSON data in
    the words of the API: how things are shown is the edge's knowledge.
    """

    partner: Partner
    now: datetime
    business_date: date
    store: Store
    new_id: Callable[[], str]
    request_id: str = ""
    idempotency: Idempotency | None = None
    render: Callable[[Any], str] = field(default=_nothing_to_render)
    dispatch: Callable[[Sequence[Any]], None] = field(default=_left_in_the_outbox)
    report: Callable[..., None] = field(default=_unheard)
    measure: Callable[[list[Measure]], None] = field(default=_unmeasured)
    wall: Callable[[], datetime] = field(default=_wall_clock)
    event_data: Callable[[Context, Event, Any], dict[str, Any]] = field(default=_not_composed)

    def unit(self) -> Unit:
        """An empty unit of work, stamped with this context's instant."""
        from chalicelib.models.unit import Unit

        return Unit(self.now)

    def commit(self, unit: Unit, answer: A) -> A:
        """Commit ``unit`` together with the caller's key, send its messages, and give ``answer``.

        What is shown to the caller is what this returns.  Raises as ``store.commit`` does; after an
        error nothing was written and nothing is sent.
        """
        key = self.idempotency
        if key is not None and not key.own:
            unit.remember(
                self.partner.id,
                key.key_hash,
                fingerprint=key.fingerprint,
                status=key.status,
                body=self.render(answer),
                ttl_seconds=REMEMBERED_SECONDS,
            )
        self.store.commit(unit)
        if key is not None:
            key.settled = True
        if unit.measures:
            self.measure(unit.measures)
        if unit.outbox:
            self.dispatch(unit.outbox)
        return answer
