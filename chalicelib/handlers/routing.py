"""How a resource declares its routes: one short declaration validates, documents and renders.

A :class:`Resource` holds :class:`Operation` rows; :func:`mount` puts them on the Chalice app, and
the OpenAPI document is made of the same rows.  See ``docs/contributors/adding-a-resource.md``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from chalice.app import Blueprint, Chalice

from chalicelib.handlers.filters import Parameter, parameters
from chalicelib.handlers.schema import Body, NoQuery, Nothing, Out, PageQuery, Query, partial

F = TypeVar("F", bound=Callable[..., Any])
Idempotent = Literal["none", "header", "own"]

PREFIX = "/api/v1"
#: Every path is registered for all of these: a wrong method is our own 405 in the cloud too.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
#: Variables that are ids. API Gateway allows one name per level: first ``pk``, then ``sub``.
UUID_VARIABLES = frozenset({"pk", "sub"})
_VARIABLE = re.compile(r"\{([a-z]+)\}")
_PATH = re.compile(r"(/([a-z0-9_.-]+|\{[a-z]+\}))*")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Also:
    """A further success: what it means, and the model of its answer."""

    meaning: str
    answer: type[Out]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path, with all that validates, documents and renders it.

    ``path`` is the whole template (``/api/v1/product/{pk}``), ``aliases`` further ones that do the
    same.  ``refuses`` are the codes of the table in ``problems.py`` that it may answer besides the
    usual ones.  ``public`` needs no API key.  ``view`` turns the handler's value into what
    ``answer`` reads: ``view(ctx, value)``.  ``also`` says what further statuses mean that a
    ``Reply`` may have (an :class:`Also` where it has another answer too), ``produces`` the content
    type of a ``Raw`` answer.
    ``related`` names the ids that a collection can be filtered by although its answer does not
    show them; its source covers them.  ``table`` names the list of a single answer that is given
    as CSV where that is asked for.  ``raw`` gives the handler the request's bytes and headers as
    they came (``Incoming``), for what is signed as a whole.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    tag: str
    summary: str
    body: type[Body] | None = None
    query: type[Query] = NoQuery
    answer: type[Out] | None = None
    status: int = 200
    refuses: tuple[str, ...] = ()
    public: bool = False
    collection: bool = False
    idempotency: Idempotent = "none"
    key_field: str | None = None
    view: Callable[[Any, Any], Any] | None = None
    aliases: tuple[str, ...] = ()
    takes: frozenset[str] = field(default_factory=frozenset)
    also: Mapping[int, str | Also] = field(default_factory=dict)
    produces: str | None = None
    related: tuple[str, ...] = ()
    table: str | None = None
    raw: bool = False

    def parameters(self) -> list[Parameter]:
        """A collection's filters, its order and its formats; ``query`` has the other parameters."""
        if not self.collection or self.answer is None:
            return []
        return list(parameters(self.answer, self.related))

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the path's variables, outermost first."""
        return tuple(_VARIABLE.findall(self.path))

    @property
    def name(self) -> str:
        """A name that no other operation has: ``get_product_pk_quote``."""
        return f"{self.method.lower()}_{view_name(self.path)}"


class Resource:
    """The routes below one path; its methods are the decorators that declare them.

    ``alias`` is a second path that serves the same; ``prefix`` is ``/api/v1``, or ``""`` for the
    few routes at the root.  ``public`` routes need no API key.
    """

    def __init__(
        self, path: str, *, tag: str, alias: str | None = None, prefix: str = PREFIX,
        public: bool = False,
    ) -> None:  # fmt: skip
        self.path = prefix + path
        self.alias = None if alias is None else prefix + alias
        self.tag = tag
        self.public = public
        self.operations: list[Operation] = []

    def get(self, path: str = "", **options: Any) -> Callable[[F], F]:
        """Declare a ``GET``; see :meth:`declare` for the options."""
        return self.declare("GET", path, **options)

    def post(self, path: str = "", **options: Any) -> Callable[[F], F]:
        """Declare a ``POST``: 201 and an optional ``Idempotency-Key`` unless told otherwise."""
        return self.declare("POST", path, **{"status": 201, "idempotency": "header", **options})

    def put(self, path: str, **options: Any) -> Callable[[F], F]:
        """Declare a ``PUT``: the whole body."""
        return self.declare("PUT", path, **options)

    def patch(self, path: str, *, body: type[Body], **options: Any) -> Callable[[F], F]:
        """Declare a ``PATCH``: ``body`` with nothing required; ``values()`` are those sent."""
        return self.declare("PATCH", path, body=partial(body), **options)

    def delete(self, path: str, **options: Any) -> Callable[[F], F]:
        """Declare a ``DELETE``: 204 without a body unless told otherwise."""
        return self.declare("DELETE", path, **{"status": 204, **options})

    def collection(
        self, path: str = "", *, query: type[PageQuery] = PageQuery, **options: Any
    ) -> Callable[[F], F]:
        """Declare a list: the handler takes a :class:`PageQuery` and returns a ``Source``.

        It may also return at once the ``Listing`` or the store's ``Page`` that the query's
        ``limit``, ``offset`` and ``cursor`` ask for, newest first.  Either way the list is
        filtered, ordered and given as CSV by the scalar fields of ``answer``, without further ado;
        ``related=("product",)`` adds filters that the source meets itself.
        The answer is ``{"count", "next", "previous", "results"}`` with ``answer`` for a result.
        """
        return self.declare("GET", path, query=query, collection=True, **options)

    def declare(
        self,
        method: str,
        path: str,
        *,
        summary: str = "",
        body: type[Body] | None = None,
        query: type[Query] = NoQuery,
        answer: type[Out] | None = None,
        view: Callable[[Any, Any], Any] | None = None,
        status: int = 200,
        refuses: Sequence[str] = (),
        idempotency: Idempotent = "none",
        key_field: str | None = None,
        collection: bool = False,
        also: Mapping[int, str | Also] | None = None,
        produces: str | None = None,
        related: Sequence[str] = (),
        table: str | None = None,
        raw: bool = False,
    ) -> Callable[[F], F]:
        """Declare ``method`` on ``path`` (below the resource's own).

        The decorated function names what it needs: ``ctx``, ``body``, ``query``, and the path's
        variables.  It returns what ``answer`` reads.  ``idempotency="own"``: the key is required,
        in ``key_field`` of the body or in the header, and the use case finds the first answer.
        """
        if path and not path.startswith("/"):
            raise ValueError(f"{method} {self.path}: {path!r} does not begin with a slash")

        def register(handler: F) -> F:
            operation = Operation(
                method=method,
                path=self.path + path,
                handler=handler,
                tag=self.tag,
                summary=summary or _first_line(handler),
                body=body or (Nothing if method in _WITH_BODY and not raw else None),
                query=query,
                answer=answer,
                status=status,
                refuses=tuple(refuses),
                public=self.public,
                collection=collection,
                idempotency=idempotency,
                key_field=key_field,
                view=view,
                aliases=() if self.alias is None else (self.alias + path,),
                takes=frozenset(inspect.signature(handler).parameters),
                also=also or {},
                produces=produces,
                related=tuple(related),
                table=table,
                raw=raw,
            )
            check(operation)
            self.operations.append(operation)
            return handler

        return register


def check(operation: Operation) -> None:
    """A declaration that cannot work is a :class:`ValueError` when it is declared."""
    where = f"{operation.method} {operation.path}"
    if not operation.path or not _PATH.fullmatch(operation.path):
        raise ValueError(f"{where}: not a path template")
    known = {"ctx", "body", "query", *operation.variables}
    if operation.public:
        known.discard("ctx")
    if operation.raw:
        known.add("raw")
    if operation.takes - known:
        raise ValueError(f"{where}: cannot give {sorted(operation.takes - known)}")
    if set(operation.variables) - operation.takes:
        raise ValueError(f"{where}: the handler ignores {operation.variables}")
    if operation.collection and not issubclass(operation.query, PageQuery):
        raise ValueError(f"{where}: a collection takes a PageQuery")
    if operation.collection and operation.answer is None:
        raise ValueError(f"{where}: a collection has an answer")
    if operation.table is not None and (operation.collection or operation.public):
        raise ValueError(f"{where}: only a partner's single answer has a table")
    if operation.table is not None and "format" not in operation.query.model_fields:
        raise ValueError(f"{where}: a table is asked for by a format")
    if operation.idempotency != "none" and operation.method != "POST":
        raise ValueError(f"{where}: only a POST has an idempotency key")


def operations(resources: Iterable[Resource]) -> list[Operation]:
    """Every declared row, in the order of declaration, aliases not counted."""
    return [operation for resource in resources for operation in resource.operations]


Dispatch = Callable[[dict[str, Operation], dict[str, str]], Any]


def allowed(methods: Iterable[str]) -> str:
    """The ``Allow`` header of a path that has these methods."""
    return ", ".join(method for method in METHODS if method in methods)


def mount(app: Chalice, resources: Iterable[Resource], dispatch: Dispatch) -> dict[str, str]:
    """Register every path of ``resources`` on ``app``, for every method; path -> ``Allow``.

    ``dispatch(operations by method, path values)`` answers the app's current request.
    """
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations(resources):
        for path in (operation.path, *operation.aliases):
            methods = by_path.setdefault(path, {})
            if operation.method in methods:
                raise ValueError(f"{operation.method} {path} is declared twice")
            methods[operation.method] = operation
    _one_name_per_level(by_path)
    blueprint = Blueprint(__name__)
    for path, methods in by_path.items():
        _register(blueprint, path, methods, dispatch)
    app.register_blueprint(blueprint)
    return {path: allowed(methods) for path, methods in by_path.items()}


def _register(
    blueprint: Blueprint, path: str, methods: dict[str, Operation], dispatch: Dispatch
) -> None:
    def view(**path_values: str) -> Any:
        return dispatch(methods, path_values)

    view.__name__ = view_name(path)
    blueprint.route(path, methods=list(METHODS), content_types=[], name=view.__name__)(view)


def view_name(path: str) -> str:
    """``/api/v1/product/{pk}/quote`` -> ``product_pk_quote``."""
    below = path.removeprefix(PREFIX) or path
    return re.sub(r"[^a-z0-9]+", "_", below).strip("_")


def _one_name_per_level(paths: Iterable[str]) -> None:
    names: dict[str, str] = {}
    for path in paths:
        so_far = ""
        for part in path.split("/"):
            if part.startswith("{"):
                other = names.setdefault(so_far, part)
                if other != part:
                    raise ValueError(f"{path}: the variable after {so_far} is already {other}")
            so_far += part + "/"


def _first_line(handler: Callable[..., Any]) -> str:
    return (inspect.getdoc(handler) or "").split("\n", 1)[0].rstrip(".")
