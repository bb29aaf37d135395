"""Lists of transactions: of some loans by their journals, or of the whole partner, newest first.

Of some loans: their journals are read backwards, batch by batch, and woven.  Of the partner: see
``usecases/weaving.py``.  Nights are made of runs as they are shown (``docs/adr/0006-lists.md``).
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.domain import journal
from chalicelib.domain.criteria import Criteria
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.domain.ledger import Batch, Transaction
from chalicelib.models import cursor
from chalicelib.models.keys import BATCH, TERMS
from chalicelib.usecases import history, weaving
from chalicelib.usecases.context import Listing, Source, Window
from chalicelib.usecases.journals import Loan, check, moment_of, partition, read
from chalicelib.usecases.loan_lists import with_accounts
from chalicelib.usecases.loans import load
from chalicelib.usecases.weaving import Key, night_key, written_key

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

MOST_LOANS = 50
COVERED = frozenset({"loan", "end_user", "product", "type"})
BATCHES_AHEAD = 12
Types = frozenset[str] | None


def listing(ctx: Context, criteria: Criteria, as_of: date | None = None) -> Source[Transaction]:
    """The partner's transactions that ``criteria`` may want; nights only if they are wanted.

    ``as_of`` an earlier day, those of one loan as they were known at its end.
    """
    if as_of is not None:
        past = _as_of(ctx, criteria, as_of)
        if past is not None:
            return past
    given = criteria.any_of("type")
    types = None if given is None else frozenset(given)
    ids = _loan_ids(ctx, criteria)
    if ids is None or len(ids) > MOST_LOANS:
        return weaving.source(ctx, criteria, types, None if ids is None else frozenset(ids))

    def read(window: Window) -> Listing[Transaction]:
        def once() -> Listing[Transaction]:
            found = with_accounts(ctx, ids, consistent=True).values()
            wanted = [loan for loan in found if agreed(loan, criteria)]
            return _Journals(ctx, wanted, types).read(window)

        return ctx.store.attempt(once)  # again where a commit came between account and journal

    return Source(read, COVERED)


def _as_of(ctx: Context, criteria: Criteria, day: date) -> Source[Transaction] | None:
    """One loan's transactions at the end of ``day``; ``None`` where that is how they are now."""
    named = set(criteria.any_of("loan") or ())
    if len(named) != 1:
        message = "Name one loan beside it: an earlier state is that of a single account."
        raise Invalid(Flaw("as_of", "not_allowed", message))
    [loan_id] = named

    def once() -> list[Transaction] | None:
        loan = load(ctx, loan_id)
        if history.past(ctx, loan, day) is None:
            return None
        batches = history.batches(ctx, loan, day) if agreed(loan, criteria) else []
        return [item for _, item in _sorted(ctx, loan, batches)]

    found = ctx.store.attempt(once)
    return None if found is None else _Known(ctx, loan_id, day, found).source()


@dataclass(frozen=True, slots=True)
class _Known:
    """A list that is there as a whole: a place in it is a number, since the past does not grow."""

    ctx: Context
    loan: str
    day: date
    items: Sequence[Transaction]

    def source(self) -> Source[Transaction]:
        return Source(self.read, COVERED - {"type"})

    def read(self, window: Window) -> Listing[Transaction]:
        bound = f"known\n{self.ctx.partner.id}\n{self.loan}\n{self.day}"
        start = window.offset
        if window.cursor:
            start += _number(cursor.read(window.cursor, bound).after)
        shown = self.items[start : start + window.limit]
        end, size = start + len(shown), len(self.items)

        def after(number: int) -> str:
            return cursor.write(cursor.Place(str(start + number), size), bound)

        onward = after(len(shown)) if shown and end < size else None
        return Listing(shown, size, onward, after=after)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise Invalid(Flaw("cursor", "invalid", "This cursor was not made by this list."))
    return int(text)


def agreed(loan: Loan, criteria: Criteria) -> bool:
    """Whether a loan is of the borrowers and products that are wanted."""
    terms = loan.terms.value
    borrowers, products = criteria.any_of("end_user"), criteria.any_of("product")
    return (borrowers is None or terms.end_user in borrowers) and (
        products is None or terms.product in products
    )


def _loan_ids(ctx: Context, criteria: Criteria) -> list[str] | None:
    """The loans that are named, or that named borrowers have, oldest first; ``None`` for all."""
    named = criteria.any_of("loan")
    if named is not None:
        return sorted(set(named))
    borrowers = criteria.any_of("end_user")
    if borrowers is None:
        return None
    page = ctx.store.page(
        TERMS,
        ctx.partner.id,
        "owner",
        group=[{"end_user": one} for one in borrowers],
        limit=MOST_LOANS + 1,
        newest_first=False,
    )
    if page.next_cursor is None:
        return [stored.value.id for stored in page.items]
    each = ctx.store.each(
        TERMS, ctx.partner.id, "owner", group=[{"end_user": one} for one in borrowers]
    )
    return [stored.value.id for stored in each]


def _keyed(ctx: Context, loan: Loan, batch: Batch) -> Iterator[tuple[Key, Transaction]]:
    """A batch's transactions, newest first, each with its place in a list."""
    for item in journal.entries(batch, moment_of(ctx)):
        night = item.type == journal.NIGHT
        yield night_key(loan, item) if night else written_key(batch, item), item


def _sorted(ctx: Context, loan: Loan, batches: Iterable[Batch]) -> list[tuple[Key, Transaction]]:
    """The transactions of batches that hold old days beside new ones, newest first."""
    every = (pair for batch in batches for pair in _keyed(ctx, loan, batch))
    return sorted(every, key=lambda pair: pair[0], reverse=True)


@dataclass(frozen=True, slots=True)
class _Spot:
    """The last transaction that was given, and by loan the batch to go on in (none: its newest)."""

    key: Key
    batches: dict[str, int]

    def text(self) -> str:
        return json.dumps([*self.key, self.batches])

    @classmethod
    def of(cls, text: str) -> _Spot:
        """The spot again; :class:`Invalid` for what is none."""
        try:
            at, batch, loan, entry, places = json.loads(text)
            key = (str(at), int(batch), str(loan), int(entry))
            return cls(key, {str(loan): int(number) for loan, number in places.items()})
        except (ValueError, TypeError, AttributeError):
            flaw = Flaw("cursor", "invalid", "This cursor was not made by this list.")
            raise Invalid(flaw) from None


Given = tuple[Key, Transaction, int | None]


@dataclass(frozen=True, slots=True)
class _Journals:
    """Some loans' journals, read backwards and woven by creation."""

    ctx: Context
    loans: Sequence[Loan]
    types: Types

    def read(self, window: Window) -> Listing[Transaction]:
        bound = self._bound()
        place = cursor.read(window.cursor, bound) if window.cursor else None
        spot = _Spot.of(place.after) if place else None
        count = place.count if place else None
        if count is None and window.count:
            count = self._size()
        until = window.offset + window.limit
        taken = list(islice(self._woven(spot, until + 1), until + 1))
        shown = taken[window.offset : until]
        onward = None
        if len(taken) > until and shown:
            onward = self._spot(spot, taken[:until]).text()
        text = None if onward is None else cursor.write(cursor.Place(onward, count), bound)
        return Listing([item for _, item, _ in shown], count, text, examined=len(taken))

    def _bound(self) -> str:
        types = "*" if self.types is None else ",".join(sorted(self.types))
        return f"journals\n{self.ctx.partner.id}\n{types}"

    def _size(self) -> int:
        """How many there are: reads the journals whole, once a list; cursors carry it on."""
        total = 0
        for loan in self.loans:
            tail = journal.unwritten(loan.terms.value, loan.account.value, moment_of(self.ctx))
            written = (stored.value for stored in read(self.ctx, loan))
            total += sum(journal.size(batch, self.types) for batch in (tail, *written))
        return total

    def _spot(self, before: _Spot | None, taken: Sequence[Given]) -> _Spot:
        places = dict(before.batches) if before else {}
        for _, item, seq in taken:
            if seq is not None:
                places[item.loan] = seq
        return _Spot(taken[-1][0], places)

    def _woven(self, spot: _Spot | None, wanted: int) -> Iterator[Given]:
        ahead = max(2, min(BATCHES_AHEAD, wanted // max(1, len(self.loans))))
        lanes = [self._of(loan, spot, ahead) for loan in self.loans]
        return heapq.merge(*lanes, key=lambda given: given[0], reverse=True)

    def _of(self, loan: Loan, spot: _Spot | None, ahead: int) -> Iterator[Given]:
        """One loan's transactions before the spot, newest first, with the batch they are in."""
        account = loan.account.value
        whole = account.revision or account.dated_back
        return (
            given
            for given in (self._retold(loan) if whole else self._told(loan, spot, ahead))
            if (spot is None or given[0] < spot.key)
            and (self.types is None or given[1].type in self.types)
        )

    def _told(self, loan: Loan, spot: _Spot | None, ahead: int) -> Iterator[Given]:
        """While the history was told once, later batches hold what is newer."""
        for batch, seq in self._batches(loan, spot, ahead):
            check(loan, [batch] if seq is not None else [])
            yield from ((key, item, seq) for key, item in _keyed(self.ctx, loan, batch))

    def _retold(self, loan: Loan) -> list[Given]:
        """Told anew (or dated back), new batches hold old days: all is read and sorted."""
        moment = moment_of(self.ctx)
        tail = journal.unwritten(loan.terms.value, loan.account.value, moment)
        every = [*(stored.value for stored in read(self.ctx, loan)), tail]
        return [(key, item, None) for key, item in _sorted(self.ctx, loan, every)]

    def _batches(
        self, loan: Loan, spot: _Spot | None, ahead: int
    ) -> Iterator[tuple[Batch, int | None]]:
        ctx, loan_id = self.ctx, loan.terms.value.id
        start = spot.batches.get(loan_id) if spot else None
        if start is None:
            yield journal.unwritten(loan.terms.value, loan.account.value, moment_of(ctx)), None
        after = None if start is None else BATCH.key(ctx.partner.id, loan_id, seq=start + 1)[1]
        pk = partition(ctx, loan_id)
        while True:
            group: dict[str, Any] = ctx.store.load_group(
                pk, "J#", newest_first=True, limit=ahead, after=after
            )
            for after, stored in group.items():  # noqa: B007 - the last one is where to go on
                yield stored.value, stored.value.seq
            if len(group) < ahead:
                return
