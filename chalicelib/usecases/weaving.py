"""A partner's transactions across all loans, newest first, in bounded memory.

Two lanes are woven.  *Written* transactions come from the journal batches, by an index of batches
by their newest transaction; a batch holds older ones too, which wait until no batch that is still
to be read can hold anything newer.  *Nights* are not stored one by one: day by day, backwards, the
loans that were there are asked for theirs.  See ``docs/adr/0006-lists.md``.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain import journal
from chalicelib.domain.criteria import Criteria
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.domain.ledger import Batch, Transaction, entry_of
from chalicelib.models import cursor
from chalicelib.models.keys import ACCOUNT, BATCH, STRANDS
from chalicelib.models.kinds import instant
from chalicelib.usecases.context import Listing, Source, Window
from chalicelib.usecases.journals import Loan, moment_of
from chalicelib.usecases.loan_lists import day_is_done, with_accounts
from chalicelib.usecases.nights import AT_ONCE, Book, Pause, Spent

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

COVERED = frozenset({"loan", "end_user", "product", "type"})
BOUND = 1000
MOST_STALE = 1000
Key = tuple[str, int, str, int]
"""Creation; number of the batch (0: a night); loan (a night's by its creation); entry (a night's
telling)."""
Wanted = Callable[[Loan], bool]


@dataclass(frozen=True, slots=True)
class Spot:
    """Behind which key to go on, and where each lane has to start reading for that."""

    key: Key | None = None
    written: str | None = None
    day: date | None = None
    nights: str | None = None

    def text(self) -> str:
        """As a cursor keeps it."""
        day = self.day.isoformat() if self.day else None
        return json.dumps([self.key, self.written, day, self.nights])

    @classmethod
    def of(cls, text: str) -> Spot:
        """The spot again; :class:`Invalid` for what is none."""
        try:
            key, written, day, nights = json.loads(text)
            known = None if key is None else (str(key[0]), int(key[1]), str(key[2]), int(key[3]))
            when = None if day is None else date.fromisoformat(day)
            if not isinstance(written, str | None) or not isinstance(nights, str | None):
                raise ValueError
            return cls(known, written, when, nights)
        except (ValueError, TypeError, IndexError):
            flaw = Flaw("cursor", "invalid", "This cursor was not made by this list.")
            raise Invalid(flaw) from None


def source(
    ctx: Context, criteria: Criteria, types: frozenset[str] | None, ids: frozenset[str] | None
) -> Source[Transaction]:
    """All transactions of some types (``None``: all) of the partner's loans (``None``: all)."""
    borrowers, products = criteria.any_of("end_user"), criteria.any_of("product")

    def wanted(loan: Loan) -> bool:
        terms = loan.terms.value
        return (
            (ids is None or terms.id in ids)
            and (borrowers is None or terms.end_user in borrowers)
            and (products is None or terms.product in products)
        )

    everyone = ids is None and borrowers is None and products is None
    book = Book(ctx)

    def read(window: Window) -> Listing[Transaction]:
        return _read(ctx, book, types, None if everyone else wanted, window)

    return Source(read, COVERED, counts=False, bound=BOUND)


def _read(
    ctx: Context,
    book: Book,
    types: frozenset[str] | None,
    wanted: Wanted | None,
    window: Window,
) -> Listing[Transaction]:
    bound = f"weaving\n{ctx.partner.id}"
    spot = Spot.of(cursor.read(window.cursor, bound).after) if window.cursor else Spot()
    spent = Spent()
    lanes: list[Written | Nights] = []
    if types is None or types - {journal.NIGHT}:
        lanes.append(Written(ctx, spent, spot, types, wanted))
    if types is None or journal.NIGHT in types:
        lanes.append(Nights(ctx, book, spent, spot, wanted))
    found: list[Transaction] = []
    skip, last, more = window.offset, spot.key, True
    try:
        while len(found) < window.limit:
            heads = [(head, lane) for lane in lanes if (head := lane.head()) is not None]
            if not heads:
                more = False
                break
            (last, item), lane = max(heads, key=lambda pair: pair[0][0])
            lane.take()
            if skip:
                skip -= 1
            else:
                found.append(item)
    except Pause:
        pass
    onward = _spot_after(last, lanes, spot).text() if more else None
    text = None if onward is None else cursor.write(cursor.Place(onward), bound)
    return Listing(found, None, text, examined=spent.looked)


def _spot_after(last: Key | None, lanes: list[Written | Nights], before: Spot) -> Spot:
    written, day, nights = before.written, before.day, before.nights
    for lane in lanes:
        if isinstance(lane, Written):
            written = lane.restart()
        else:
            day, nights = lane.restart()
    return Spot(last, written, day, nights)


class Written:
    """The lane of what batches hold, and of what the day brought and no job has written yet."""

    def __init__(
        self,
        ctx: Context,
        spent: Spent,
        spot: Spot,
        types: frozenset[str] | None,
        wanted: Wanted | None,
    ) -> None:
        self._ctx, self._spent, self._spot = ctx, spent, spot
        self._types, self._wanted = types, wanted
        self._pages: list[str | None] = [spot.written]
        self._waiting: list[tuple[_Down, int, Transaction]] = []
        self._ended = False
        self._watermark: tuple[Any, ...] | None = None
        for loan in _stale(ctx):
            if wanted is None or wanted(loan):
                batch = journal.unwritten(loan.terms.value, loan.account.value, moment_of(ctx))
                self._push(batch, -1)

    def head(self) -> tuple[Key, Transaction] | None:
        """The newest that was not taken; ``None`` at the end."""
        while not self._ended and not self._is_safe():
            self._read()
        if not self._waiting:
            return None
        down, _, item = self._waiting[0]
        return down.key, item

    def take(self) -> None:
        """Pass on to the next."""
        heapq.heappop(self._waiting)

    def restart(self) -> str | None:
        """The page that the oldest waiting one came from, or the one to be read next."""
        origins = [origin for _, origin, _ in self._waiting if origin >= 0]
        return self._pages[min([*origins, len(self._pages) - 1])]

    def _is_safe(self) -> bool:
        return bool(
            self._waiting
            and self._watermark is not None
            and self._waiting[0][0].key > self._watermark
        )

    def _read(self) -> None:
        self._spent.look(AT_ONCE)
        ctx, here = self._ctx, len(self._pages) - 1
        page = ctx.store.page(
            BATCH,
            ctx.partner.id,
            group=[{"strand": strand} for strand in range(STRANDS)],
            limit=AT_ONCE,
            cursor=self._pages[here],
        )
        for batch in self._chosen([stored.value for stored in page.items]):
            self._push(batch, here)
        if page.next_cursor is None:
            self._ended = True
        elif page.items:
            oldest = page.items[-1].value
            assert oldest.newest is not None
            self._watermark = (_text(oldest.newest), oldest.seq, oldest.loan)
        if page.next_cursor is not None:
            self._pages.append(page.next_cursor)

    def _chosen(self, found: list[Batch]) -> list[Batch]:
        if self._wanted is None:
            return found
        known = with_accounts(self._ctx, dict.fromkeys(batch.loan for batch in found))
        return [one for one in found if one.loan in known and self._wanted(known[one.loan])]

    def _push(self, batch: Batch, origin: int) -> None:
        for item in batch.transactions:
            key = written_key(batch, item)
            after = self._spot.key is not None and key >= self._spot.key
            if not after and (self._types is None or item.type in self._types):
                heapq.heappush(self._waiting, (_Down(key), origin, item))


@dataclass(frozen=True, slots=True)
class _Down:
    """A key in a heap that gives the newest first."""

    key: Key

    def __lt__(self, other: _Down) -> bool:
        return self.key > other.key


def _stale(ctx: Context) -> list[Loan]:
    """Loans that the job of the day has not reached yet; none once the day is done."""
    if day_is_done(ctx):
        return []
    page = ctx.store.page(
        ACCOUNT,
        ctx.partner.id,
        "due",
        group=[{"shard": shard} for shard in range(ctx.partner.shards)],
        until=ctx.business_date,
        newest_first=False,
        limit=MOST_STALE,
    )
    ids = [stored.value.id for stored in page.items]
    return list(with_accounts(ctx, ids).values())


class Nights:
    """The lane of nights: day by day backwards, within a day the newest loan first."""

    def __init__(
        self, ctx: Context, book: Book, spent: Spent, spot: Spot, wanted: Wanted | None
    ) -> None:
        self._book, self._spent, self._spot, self._wanted = book, spent, spot, wanted
        self._day = spot.day or ctx.business_date
        self._page = spot.nights
        self._next: str | None = spot.nights
        self._ready: list[tuple[Key, Transaction]] = []
        self._page_day = self._day
        self._first = book.first_day()
        self._ended = self._first is None

    def head(self) -> tuple[Key, Transaction] | None:
        """The newest night that was not taken; ``None`` at the end."""
        while not self._ready and not self._ended:
            self._read()
        return self._ready[-1] if self._ready else None

    def take(self) -> None:
        """Pass on to the next."""
        self._ready.pop()

    def restart(self) -> tuple[date, str | None]:
        """The day and the page of its loans to go on in."""
        if self._ready:
            return self._page_day, self._page
        return self._day, self._next

    def _read(self) -> None:
        assert self._first is not None
        if self._day <= self._first:
            self._ended = True
            return
        day, self._page, self._page_day = self._day, self._next, self._day
        loans, onward = self._book.on(day, self._page, self._spent)
        found: list[tuple[Key, Transaction]] = []
        for loan in loans:
            if self._wanted is None or self._wanted(loan):
                nights = self._book.nights(loan, day)
                found += [(night_key(loan, night), night) for night in nights]
        key = self._spot.key
        self._ready = [one for one in reversed(found) if key is None or one[0] < key]
        self._next = onward
        if onward is None:
            self._day = day - timedelta(days=1)


def written_key(batch: Batch, item: Transaction) -> Key:
    """The place of a transaction that a batch holds."""
    return _text(item.created_at), batch.seq, item.loan, item.seq


def night_key(loan: Loan, night: Transaction) -> Key:
    """The place of a night: older than all else that its day brought, the newest loan first, and
    of one loan the latest telling's first.
    """
    entry = entry_of(night.id)
    assert entry is not None
    return _text(night.created_at), 0, f"{_text(loan.created_at)}#{night.loan}", entry.revision


def _text(at: datetime) -> str:
    return instant(at)
