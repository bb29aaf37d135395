"""Lists of loans: by borrower, by status, by next repayment date, or all, newest first.

A loan is two items: either index leads to one of them, and the other is read along.  What is shown
is the loan on the business date, so an index over what is stored is exact only while the day's
work is done; otherwise the list is read as a whole (``docs/adr/0006-lists.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.criteria import CREATED, ORDERING, Criteria
from chalicelib.domain.errors import NotFound
from chalicelib.models import tally
from chalicelib.models.keys import ACCOUNT, CLOCK_STATE, END_USER, TERMS
from chalicelib.usecases import journals
from chalicelib.usecases.context import Listing, Source, Window
from chalicelib.usecases.journals import Loan
from chalicelib.usecases.loans import Shown, show

if TYPE_CHECKING:
    from chalicelib.models.kinds import IndexName, Kind
    from chalicelib.usecases.context import Context

MOST_CANDIDATES = 5000
FALLEN = ("late", "arrears", "default")
DUE = "next_repayment_date"
Groups = list[Mapping[str, object]]


def listing(ctx: Context, criteria: Criteria) -> Source[Shown]:
    """The partner's loans, by the narrowest index for ``criteria``."""
    borrowers = criteria.any_of("end_user")
    if borrowers is not None:
        groups: Groups = [{"end_user": one} for one in borrowers]
        return _Lane(ctx, TERMS, "owner", groups).source(criteria, "end_user")
    due = _due_before(ctx, criteria)
    if due is not None:
        candidates = _Candidates.up_to(ctx, due)
        if candidates is not None:
            return Source(candidates.read, in_order=False, counts=False)
    statuses = criteria.any_of("status")
    if statuses is not None and day_is_done(ctx):
        groups = [{"status": one} for one in statuses]
        return _Lane(ctx, ACCOUNT, "status", groups).source(criteria, "status")
    return _Lane(ctx, TERMS, "list", [{}]).source(criteria)


def of_borrower(ctx: Context, end_user: str, criteria: Criteria) -> Source[Shown]:
    """The loans of one of the caller's borrowers, or :class:`NotFound`."""
    if ctx.store.get(END_USER, ctx.partner.id, end_user) is None:
        raise NotFound("end user")
    return _Lane(ctx, TERMS, "owner", [{"end_user": end_user}]).source(criteria)


def day_is_done(ctx: Context) -> bool:
    """Whether every loan has been brought up to the business date (but for what failed)."""
    clock = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id, consistent=False)
    closed = clock.value.closed if clock else None
    return closed is not None and closed >= ctx.business_date


def with_accounts(ctx: Context, ids: Iterable[str], *, consistent: bool = False) -> dict[str, Loan]:
    """The loans with these ids, in that order; read consistently, with their journals complete."""
    wanted = list(ids)
    terms = ctx.store.get_many(TERMS, ctx.partner.id, wanted, consistent=consistent)
    accounts = ctx.store.get_many(ACCOUNT, ctx.partner.id, wanted, consistent=consistent)
    found = {one: Loan(terms[one], accounts[one]) for one in terms if one in accounts}
    if not consistent:
        return found
    return {one: journals.settled(ctx, loan) for one, loan in found.items()}


@dataclass(frozen=True, slots=True)
class _Lane:
    """An index that is sorted by creation: it leads to the terms or the account of each loan."""

    ctx: Context
    kind: Kind[Any]
    index: IndexName
    groups: Groups

    def source(self, criteria: Criteria, *covers: str) -> Source[Shown]:
        """The loans of the index in the order of ``criteria``, if that is by creation."""
        by_creation = criteria.field == CREATED
        downwards = criteria.descending or not by_creation

        def read(window: Window) -> Listing[Shown]:
            return self._read(window, downwards)

        return Source(read, frozenset([*covers, *([ORDERING] if by_creation else [])]))

    def _read(self, window: Window, newest_first: bool) -> Listing[Shown]:
        ctx = self.ctx
        page = ctx.store.page(
            self.kind,
            ctx.partner.id,
            self.index,
            group=self.groups,
            limit=window.limit,
            offset=window.offset,
            cursor=window.cursor,
            newest_first=newest_first,
            count=self._size if window.count else False,
        )
        stored = {one.value.id: one for one in page.items}
        other: Kind[Any] = ACCOUNT if self.kind is TERMS else TERMS
        others = ctx.store.get_many(other, ctx.partner.id, stored, consistent=False)
        pairs = [(stored[one], others[one]) for one in stored if one in others]
        if self.kind is not TERMS:
            pairs = [(terms, account) for account, terms in pairs]
        results = [show(ctx, Loan(*pair)) for pair in pairs]
        after = page.cursor_after if len(results) == len(page.items) else None
        return Listing(results, page.count, page.next_cursor, after=after)

    def _size(self) -> int:
        if self.index == "list":
            return tally.size(self.ctx.store, self.kind, self.ctx.partner.id, self.ctx.now)
        return self.ctx.store.count(self.kind, self.ctx.partner.id, self.index, group=self.groups)


# --- by the next repayment date -------------------------------------------------------------------


def _due_before(ctx: Context, criteria: Criteria) -> date | None:
    """The last day on which the next repayment of what is wanted may be due."""
    days = criteria.any_of(DUE)
    if days is not None:
        latest: date = max(days)
        return latest
    last: date | None = criteria.bound(DUE, "lte", "lt")
    return last


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Every loan whose next repayment may be due by a day, in no order.

    A loan that owes nothing wakes on the day its next row falls due at the latest; one that owes
    something wakes tomorrow, or has the status to show for it already.  So those that wake by then
    and those of a fallen status are all that it can be, and no index of its own has to be written.
    """

    ctx: Context
    until: date
    shards: Groups
    fallen: Groups

    @classmethod
    def up_to(cls, ctx: Context, day: date) -> _Candidates | None:
        """Those of ``day``; ``None`` if there are too many to be worth it."""
        until = max(day, ctx.business_date + timedelta(days=1))
        shards: Groups = [{"shard": shard} for shard in range(ctx.partner.shards)]
        found = cls(ctx, until, shards, [{"status": one} for one in FALLEN])
        many = ctx.store.count(ACCOUNT, ctx.partner.id, "due", group=shards, until=until)
        many += ctx.store.count(ACCOUNT, ctx.partner.id, "status", group=found.fallen)
        return found if many <= MOST_CANDIDATES else None

    def read(self, window: Window) -> Listing[Shown]:
        """First those that wake, then those of a fallen status that do not wake any more by then.

        A cursor says which of the two it goes on in: ``w`` or ``f``.
        """
        ctx = self.ctx
        part, _, inner = (window.cursor or "w:").partition(":")
        place = inner or None
        if part == "w":
            page = ctx.store.page(
                ACCOUNT, ctx.partner.id, "due", group=self.shards, until=self.until,
                newest_first=False, limit=window.limit, cursor=place,
            )  # fmt: skip
            accounts = page.items
            onward = f"w:{page.next_cursor}" if page.next_cursor else "f:"
        else:
            page = ctx.store.page(
                ACCOUNT, ctx.partner.id, "status", group=self.fallen,
                limit=window.limit, cursor=place,
            )  # fmt: skip
            accounts = [one for one in page.items if not self._wakes(one.value.wake)]
            onward = f"f:{page.next_cursor}" if page.next_cursor else ""
        found = {one.value.id: one for one in accounts}
        terms = ctx.store.get_many(TERMS, ctx.partner.id, found, consistent=False)
        results = [show(ctx, Loan(terms[one], found[one])) for one in found if one in terms]
        return Listing(results, None, onward or None, examined=len(page.items))

    def _wakes(self, wake: date | None) -> bool:
        return wake is not None and wake <= self.until
