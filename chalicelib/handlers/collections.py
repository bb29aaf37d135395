"""How a collection is answered: as a page of JSON with its links, or whole as CSV.

The rows of a single answer, a report, are given as CSV the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from chalice.app import Request

from chalicelib.handlers import encoding, lists, requests, schema, tables
from chalicelib.handlers.routing import Operation

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.usecases.context import Context

JSON = "application/json"
#: ``at-least`` where the count is only what has been found so far.
COUNT_HEADER = "X-Count"
_PAGING = frozenset({"limit", "offset", "cursor"})
Answered = tuple[int, dict[str, str], str]


def answer(
    edge: Runtime,
    ctx: Context,
    request: Request,
    operation: Operation,
    query: schema.PageQuery,
    arguments: Mapping[str, Any],
    show: Callable[[Any], Mapping[str, Any]],
) -> Answered:
    """A page of a collection, or all of it as CSV: status, headers and body.

    ``arguments`` are those of the handler, ``show`` renders one result.
    """
    own = query.model_dump(exclude={"limit", "offset", "cursor"})
    own |= {name: arguments[name] for name in operation.variables}

    def call(asked: schema.PageQuery) -> Any:
        given = {"query": schema.from_cursor(asked)} if "query" in operation.takes else {}
        return operation.handler(**{**arguments, **given})

    asked = lists.Asked(
        call,
        show,
        query,
        encoding.canonical([ctx.partner.id, operation.path, own]),
    )
    if tables.wanted(query.format, request.headers.get("accept")):
        assert operation.answer is not None
        return _table(edge, ctx, operation, operation.answer, asked.rows(), ctx.business_date)
    found = asked.page()
    text = encoding.encode(_page(edge, request, query, found))
    headers = {"Content-Type": JSON} | ({} if found.exact else {COUNT_HEADER: "at-least"})
    return operation.status, headers, text


def _page(
    edge: Runtime, request: Request, query: schema.PageQuery, found: lists.Found
) -> dict[str, Any]:
    """A collection's answer; ``next`` carries the cursor, so that its cost does not grow."""
    base = requests.url(request, edge.config.public_base_url)
    sent: dict[str, Any] = {
        name: value for name, value in (request.query_params or {}).items() if name not in _PAGING
    } | {"limit": query.limit}
    following = {**sent, "offset": found.offset, "cursor": found.cursor} if found.more else None
    before = max(0, query.offset - query.limit)
    previous = {**sent, "offset": before} if query.offset else None
    return {
        "count": found.count,
        "next": _link(base, following),
        "previous": _link(base, previous),
        "results": found.rows,
    }


def wants_table(operation: Operation, query: schema.Query, request: Request) -> bool:
    """Whether the rows of a single answer are asked for, as CSV."""
    if operation.table is None:
        return False
    return tables.wanted(getattr(query, "format", None), request.headers.get("accept"))


def table(edge: Runtime, ctx: Context, operation: Operation, shown: Mapping[str, Any]) -> Answered:
    """The rows of a single answer as CSV; ``shown`` is the whole of it."""
    assert operation.answer is not None and operation.table is not None
    day = shown.get("date", ctx.business_date)
    row = tables.row_of(operation.answer, operation.table)
    return _table(edge, ctx, operation, row, shown[operation.table], day)


def _table(
    edge: Runtime,
    ctx: Context,
    operation: Operation,
    row: type[schema.Out],
    rows: Iterable[Mapping[str, Any]],
    day: date,
) -> Answered:
    """All the rows as CSV: in the answer, or behind a link if it is too large."""
    name = tables.file_name(operation.path, day)
    pieces = tables.lines(row, rows)
    held: list[str] = []
    weight = 0
    for piece in pieces:
        held.append(piece)
        weight += tables.weight_in_answer(piece)
        if weight > edge.config.csv_limit_bytes:
            whole = (text.encode() for text in chain(held, pieces))
            link = edge.objects.put(ctx.partner.id, whole, tables.CONTENT_TYPE, name)
            return 303, {"Location": link, "Cache-Control": "no-store"}, ""
    told = {"Content-Disposition": f'attachment; filename="{name}"'}
    return operation.status, {"Content-Type": tables.CONTENT_TYPE, **told}, "".join(held)


def _link(base: str, query: Mapping[str, Any] | None) -> str | None:
    if query is None:
        return None
    return f"{base}?{urlencode({name: v for name, v in query.items() if v is not None})}"
