"""What all resources have in common: reading, listing page by page, CSV, and requests that make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from backbone_client.problems import NotUnderstood
from backbone_client.session import PREFIX, Session, failure
from backbone_client.wire import Record

T = TypeVar("T")
R = TypeVar("R", bound=Record)
#: An exact number for a request; never a float.
Number = Decimal | str | int
#: A day for a request: a date, or ``YYYY-MM-DD``.
Day = date | str
Value = str | int | Decimal | bool | date | datetime
#: A filter's value, or several of which any matches.
Filter = Value | Iterable[Value] | None
LARGEST_PAGE = 200


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a collection; ``count`` results match in all.  ``next`` is ``None`` on the last."""

    results: tuple[T, ...]
    count: int
    next: str | None
    previous: str | None


class Resource:
    """Requests below one path."""

    path = ""

    def __init__(self, session: Session, path: str = "") -> None:
        self._session = session
        self._path = PREFIX + (path or self.path)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.base_url}{self._path}>"

    def _get(self, kind: type[R], below: str = "", query: Mapping[str, Any] | None = None) -> R:
        return self._asked(kind, "GET", below, query=query)

    def _post(
        self,
        kind: type[R],
        below: str = "",
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> R:
        return self._asked(kind, "POST", below, body or {}, key=key)

    def _put(self, kind: type[R], below: str, body: Mapping[str, Any]) -> R:
        return self._asked(kind, "PUT", below, body)

    def _patch(self, kind: type[R], below: str, body: Mapping[str, Any]) -> R:
        return self._asked(kind, "PATCH", below, body)

    def _csv(self, below: str, query: Mapping[str, Any]) -> str:
        """What is there as CSV; a large one is fetched from where the API says, without the key."""
        path, asked = self._path + below, {"format": "csv", **query}
        answer = self._session.send("GET", path, query=asked, headers={"Accept": "text/csv"})
        if answer.status == 303 and "location" in answer.headers:
            return self._session.download(answer.headers["location"])
        if not answer.good:
            raise failure(f"GET {path}", answer)
        return answer.text

    def _delete(self, below: str) -> None:
        self._session.ask("DELETE", self._path + below)

    def _asked(
        self,
        kind: type[R],
        method: str,
        below: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> R:
        path = self._path + below
        data = self._session.ask(method, path, body, query=query, idempotency_key=key)
        return self._session.record(kind, f"{method} {path}", data)


class Listed(Resource, Generic[R]):
    """A collection.

    Filters are the resource's fields: one value, or several of which any matches, and for numbers,
    dates and instants also ``amount__gte=``, ``__lte``, ``__gt``, ``__lt``, for strings
    ``name__contains=``.  ``ordering="-amount"`` asks for another order than newest first.
    """

    _kind: type[R]

    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        ordering: str | None = None,
        **filters: Filter,
    ) -> Page[R]:
        """One page: ``limit`` results (20 if not said, at most 200) after ``offset``."""
        return self._page({"limit": limit, "offset": offset, "ordering": ordering, **filters})

    def iterate(
        self, *, page_size: int = LARGEST_PAGE, ordering: str | None = None, **filters: Filter
    ) -> Iterator[R]:
        """Every result, read page by page as it is needed."""
        query: dict[str, Any] = {"limit": page_size, "ordering": ordering, **filters}
        while True:
            page = self._page(query)
            yield from page.results
            if page.next is None:
                return
            # Only the parameters of ``next`` are taken: the key goes to no other host or path.
            following: dict[str, Any] = dict(parse_qsl(urlsplit(page.next).query))
            if following == query:
                raise NotUnderstood(f"GET {self._path}", 200, detail="a page leads to itself")
            query = following

    def csv(self, *, ordering: str | None = None, **filters: Filter) -> str:
        """The whole filtered collection as CSV with a header row.

        A large one is fetched from where the API says, without the key.
        """
        return self._csv("", {"ordering": ordering, **filters})

    def _page(self, query: Mapping[str, Any]) -> Page[R]:
        what = f"GET {self._path}"
        data = self._session.ask("GET", self._path, query=query)
        raw = self._session.record(_RawPage, what, data)
        results = tuple(self._session.record(self._kind, what, each) for each in raw.results)
        return Page(results, raw.count, raw.next, raw.previous)


class Readable(Listed[R]):
    """A collection whose things can be read one by one."""

    def read(self, id: str) -> R:
        """One of them; :class:`NotFound` if there is none."""
        return self._get(self._kind, f"{one(id)}/")


@dataclass(frozen=True, kw_only=True)
class _RawPage(Record):
    count: int
    next: str | None
    previous: str | None
    results: tuple[Any, ...]


def one(id: str) -> str:
    """An id as a path's part; :class:`ValueError` for what would lead elsewhere."""
    if not id or not all(char.isascii() and (char.isalnum() or char == "-") for char in id):
        raise ValueError("id: must be the id of a resource")
    return id
