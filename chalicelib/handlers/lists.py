"""Answering a collection: filters, order, pages and cursors over any source of results.

A source meets what its index can; the rest is met here, a batch at a time, so that memory does not
grow with the collection and a request does not examine more than the source's bound.  See
``docs/adr/0006-lists.md``.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from chalicelib.domain.criteria import ORDERING, READERS, Condition, Criteria, Key
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.models import cursor
from chalicelib.usecases.context import Listing, Source, Window

if TYPE_CHECKING:
    from chalicelib.handlers.schema import PageQuery
    from chalicelib.models.store import Page

Row = Mapping[str, Any]
BATCH = 100
MOST_SORTED = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """A page: ``cursor`` and ``offset`` lead to the next one if ``more``.

    ``exact`` is false where ``count`` is only what has been found so far.
    """

    rows: list[Row]
    count: int
    more: bool
    offset: int
    cursor: str | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a filtered list goes on: the source's own cursor, and the matches ``seen`` before it.

    ``left`` are matches of a client's offset that are still to be skipped.
    """

    inner: str | None = None
    seen: int = 0
    left: int = 0
    count: int | None = None
    exact: bool = False


class Asked:
    """One request for a collection.

    ``call(query)`` is the handler: a :class:`Source`, or at once a page of what the query says.
    ``show`` renders a result.  ``bound_to`` names the list: a cursor is good for that one alone.
    """

    def __init__(
        self,
        call: Callable[[PageQuery], Any],
        show: Callable[[Any], Row],
        query: PageQuery,
        bound_to: str,
    ) -> None:
        self.call, self.show, self.query = call, show, query
        self.criteria: Criteria = query.criteria
        self.bound_to = f"{bound_to}\n{self.criteria.text()}"

    def page(self) -> Found:
        """The page that the query asks for."""
        query = self.query
        if not self.criteria:
            value = self.call(query)
            if not isinstance(value, Source):
                return _plain(_listing(value), query, self.show)
            source = value
        else:
            source = self._source()
        pending = self._pending(source)
        if self._sorts(source):
            return self._sorted(source, pending)
        if pending or not source.counts:
            return self._scanned(source, pending)
        offset = 0 if query.cursor else query.offset
        window = Window(query.limit, offset, query.cursor, count=True)
        return _plain(source.read(window), query, self.show)

    def rows(self) -> Iterator[Row]:
        """Every result in its order, read a batch at a time as they are taken."""
        source = self._source()
        pending = self._pending(source)
        every = (row for row, _ in self._each(source, pending) if row is not None)
        if self._sorts(source):
            return iter(sorted(self._bounded(source, pending), key=self.criteria.key))
        return every

    # --- the source -------------------------------------------------------------------------------

    def _source(self) -> Source[Any]:
        """The handler's source; one that answers pages at once is made one that covers nothing."""
        first = self.query.model_copy(update={"limit": BATCH, "offset": 0, "cursor": None})
        value = self.call(first)
        if isinstance(value, Source):
            return value
        known = {Window(BATCH): _numbered(_listing(value), 0)}

        def read(window: Window) -> Listing[Any]:
            return known.pop(window, None) or self._at_once(window)

        return Source(read, counts=False)

    def _at_once(self, window: Window) -> Listing[Any]:
        """A handler's own page as a part of a source.

        Its cursors are the handler's with the number of results before them, because a handler may
        go on by offset where its cursor ends (``7:``).
        """
        number, _, inner = (window.cursor or "0:").partition(":")
        if not number.isdecimal():
            raise _forged()
        before = int(number) + window.offset
        asked = {
            "limit": window.limit,
            "offset": window.offset if inner else before,
            "cursor": inner or None,
        }
        return _numbered(_listing(self.call(self.query.model_copy(update=asked))), before)

    def _pending(self, source: Source[Any]) -> tuple[Condition, ...]:
        return self.criteria.without(source.covers)

    def _sorts(self, source: Source[Any]) -> bool:
        ordered = self.criteria.newest_first or ORDERING in source.covers
        return not (source.in_order and ordered)

    def _match(self, value: Any, pending: tuple[Condition, ...]) -> Row | None:
        row = self.show(value)
        return row if all(each.accepts(row) for each in pending) else None

    def _each(
        self, source: Source[Any], pending: tuple[Condition, ...]
    ) -> Iterator[tuple[Row | None, int]]:
        """Every result, ``None`` where it does not match, with how many were examined before."""
        inner: str | None = None
        examined = 0
        while True:
            listing = source.read(Window(BATCH, 0, inner))
            for value in listing.results:
                yield self._match(value, pending), examined
                examined += 1
            examined += max(0, listing.examined - len(listing.results))
            inner = listing.cursor
            if inner is None:
                return

    # --- in the order of the source ---------------------------------------------------------------

    def _scanned(self, source: Source[Any], pending: tuple[Condition, ...]) -> Found:
        """Results that match, in the source's order, on from the cursor.

        Without a count in the cursor it goes on behind the page, to count what matches.
        """
        start = self._place()
        scan = _Scan(start, self.query.limit)
        counting = start.count is None
        while not scan.ended and not (scan.full and not counting) and scan.examined < source.bound:
            window = Window(scan.batch(bool(pending), counting), 0, scan.inner)
            listing = source.read(window)
            for position, value in enumerate(listing.results, start=1):
                row = self._match(value, pending)
                if row is not None and scan.take(row):
                    scan.after = _cursor_at(source, listing, window, position)
                if scan.full and not counting:
                    break
            scan.examined += max(len(listing.results), listing.examined)
            scan.ended = listing.cursor is None and (counting or not scan.full)
            scan.inner = listing.cursor
        return self._found(start, scan)

    def _found(self, start: Place, scan: _Scan) -> Found:
        matched = start.seen + scan.matched
        exact = scan.ended or start.exact
        if start.exact and start.count is not None:
            count = start.count
        else:
            count = matched if scan.ended else max(start.count or 0, matched)
        shown = start.seen + scan.skipped + len(scan.rows)
        where = scan.after if scan.full else scan.inner
        offset = self.query.offset + len(scan.rows)
        if where is None or (exact and shown >= count):
            return Found(scan.rows, count, False, offset, None, exact)
        state = [where, shown, start.left - scan.skipped, exact]
        text = cursor.write(cursor.Place(json.dumps(state), count), self.bound_to)
        return Found(scan.rows, count, True, offset, text, exact)

    def _place(self) -> Place:
        if self.query.cursor is None:
            return Place(left=self.query.offset)
        found = cursor.read(self.query.cursor, self.bound_to)
        inner, seen, left, exact = _checked(found.after, (str, int, int, bool))
        return Place(inner, seen, left, found.count, exact)

    # --- in another order -------------------------------------------------------------------------

    def _bounded(self, source: Source[Any], pending: tuple[Condition, ...]) -> Iterator[Row]:
        for row, examined in self._each(source, pending):
            if examined >= MOST_SORTED:
                message = (
                    f"More than {MOST_SORTED} results would have to be sorted: narrow the list "
                    "by filters, or order it by created_at."
                )
                raise Invalid(Flaw(ORDERING, "too_many", message))
            if row is not None:
                yield row

    def _sorted(self, source: Source[Any], pending: tuple[Condition, ...]) -> Found:
        """The next results in the asked order: every page reads all that may match."""
        query, criteria = self.query, self.criteria
        after = self._after()
        offset = 0 if after else query.offset
        count = 0
        seen = 0

        def later() -> Iterator[tuple[Key, Row]]:
            nonlocal count, seen
            for row in self._bounded(source, pending):
                count += 1
                key = criteria.key(row)
                if after is None or after < key:
                    yield key, row
                else:
                    seen += 1

        best = heapq.nsmallest(offset + query.limit, later(), key=lambda pair: pair[0])[offset:]
        rows = [row for _, row in best]
        more = bool(rows) and seen + offset + len(rows) < count
        onward = self._key_text(best[-1][0], count) if more else None
        return Found(rows, count, more, query.offset + len(rows), onward)

    def _key_text(self, key: Key, count: int) -> str:
        value = key.value
        if isinstance(value, (date, datetime)):
            value = value.isoformat()
        text = None if value is None else str(value)
        return cursor.write(
            cursor.Place(json.dumps([text, key.created, key.id]), count), self.bound_to
        )

    def _after(self) -> Key | None:
        if self.query.cursor is None:
            return None
        found = cursor.read(self.query.cursor, self.bound_to)
        text, created, own_id = _checked(found.after, (str | None, str, str))
        try:
            value = None if text is None else READERS[self.criteria.type](text)
        except (ValueError, ArithmeticError):
            raise _forged() from None
        return Key(value, created, own_id, self.criteria.descending)


@dataclass(slots=True)
class _Scan:
    """The state of one scan; ``after`` is the place behind the page's last row."""

    start: Place
    limit: int
    rows: list[Row] = field(default_factory=list)
    matched: int = 0
    skipped: int = 0
    examined: int = 0
    after: str | None = None
    inner: str | None = None
    ended: bool = False

    def __post_init__(self) -> None:
        self.inner = self.start.inner

    @property
    def full(self) -> bool:
        """Whether the page has all its rows."""
        return len(self.rows) >= self.limit

    def batch(self, picky: bool, counting: bool) -> int:
        """How many to read next: what is missing, more where not everything matches."""
        missing = self.limit - len(self.rows) + self.start.left - self.skipped
        if self.full or (picky and counting):
            return BATCH
        return min(BATCH, max(BATCH // 5, 2 * missing) if picky else missing)

    def take(self, row: Row) -> bool:
        """A row that matches; whether it is the page's last."""
        self.matched += 1
        if self.skipped < self.start.left:
            self.skipped += 1
            return False
        if self.full:
            return False
        self.rows.append(row)
        return self.full


def _cursor_at(
    source: Source[Any], listing: Listing[Any], window: Window, position: int
) -> str | None:
    """The source's cursor behind a result: known, or found by reading up to there once more."""
    if position == len(listing.results):
        return listing.cursor
    if listing.after is not None:
        return listing.after(position)
    return source.read(Window(position, 0, window.cursor)).cursor


def _plain(listing: Listing[Any], query: PageQuery, show: Callable[[Any], Row]) -> Found:
    """A page as its source gives it: the source met everything."""
    if listing.count is None:
        raise TypeError("a collection does not say how many there are")
    after = query.offset + query.limit
    more = listing.cursor is not None or bool(listing.results and after < listing.count)
    rows = [show(result) for result in listing.results]
    return Found(rows, listing.count, more, after, listing.cursor)


def _listing(value: Listing[Any] | Page[Any]) -> Listing[Any]:
    if isinstance(value, Listing):
        return value
    return Listing(value.items, value.count, value.next_cursor, after=value.cursor_after)


def _numbered(listing: Listing[Any], before: int) -> Listing[Any]:
    """The listing with cursors that say how many results are before them."""
    end, inner, after = before + len(listing.results), listing.cursor, listing.after
    more = bool(listing.results) and listing.count is not None and end < listing.count
    return Listing(
        listing.results,
        None,
        f"{end}:{inner or ''}" if inner or more else None,
        after=(lambda number: f"{before + number}:{after(number)}") if after else None,
    )


def _checked(text: str, types: tuple[Any, ...]) -> list[Any]:
    """The parts of a cursor, or :class:`Invalid` if they are not what we wrote."""
    try:
        parts = json.loads(text)
    except ValueError:
        raise _forged() from None
    if not isinstance(parts, list) or len(parts) != len(types):
        raise _forged()
    if any(not isinstance(part, kind) for part, kind in zip(parts, types, strict=True)):
        raise _forged()
    return parts


def _forged() -> Invalid:
    return Invalid(Flaw("cursor", "invalid", "This cursor was not made by this list."))
