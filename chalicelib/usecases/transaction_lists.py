"""Lists of transactions: of some loans by their journals, or of the whole partner, newest first.

Of some loans: their journals are read backwards, batch by batch, and woven.  Of the partner: see
``usecases/weaving.py``.  Nights are made of runs as they are shown (``docs/adr/0006-lists.md``).
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.domain import journal
from chalicelib.domain.criteria import Criteria
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.domain.ledger import Batch, Transaction
from chalicelib.models import cursor
from chalicelib.models.keys import BATCH, TERMS
from chalicelib.usecases import weaving
from chalicelib.usecases.context import Listing, Source, Window
from chalicelib.usecases.loan_lists import with_accounts
from chalicelib.usecases.loans import Loan, batches, moment_of, partition
from chalicelib.usecases.weaving import Key, night_key, written_key

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context

MOST_LOANS = 50
COVERED = frozenset({"loan", "end_user", "product", "type"})
BATCHES_AHEAD = 12
Types = frozenset[str] | None


def listing(ctx: Context, criteria: Criteria) -> Source[Transaction]:
    """The partner's transactions that ``criteria`` may want; nights only if they are wanted."""
    given = criteria.any_of("type")
    types = None if given is None else frozenset(given)
    ids = _loan_ids(ctx, criteria)
    if ids is None or len(ids) > MOST_LOANS:
        return weaving.source(ctx, criteria, types, None if ids is None else frozenset(ids))
    found = with_accounts(ctx, ids, consistent=True).values()
    wanted = [loan for loan in found if agreed(loan, criteria)]
    return Source(_Journals(ctx, wanted, types).read, COVERED)


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
            written = (stored.value for stored in batches(self.ctx, loan))
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
        for batch, seq in self._batches(loan, spot, ahead):
            for item in journal.entries(batch, moment_of(self.ctx)):
                night = item.type == journal.NIGHT
                key = night_key(loan, item) if night else written_key(batch, item)
                before = spot is None or key < spot.key
                if before and (self.types is None or item.type in self.types):
                    yield key, item, seq

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
