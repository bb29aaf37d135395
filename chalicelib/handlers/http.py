"""The one way of a request through the house: authenticate, read, act, render.

:class:`Backbone` is the Chalice app.  It wraps the framework, so that what the framework answers by
itself is a problem document too, and every response has its ``X-Request-Id`` and its log line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chalice.app import Chalice, Request, Response

from chalicelib import runtime, watching
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.handlers import collections, encoding, problems, requests, routing, schema
from chalicelib.handlers.problems import Rejected, framework_problem
from chalicelib.handlers.routing import METHODS, Operation, Resource
from chalicelib.models.store_errors import AlreadyDone, UniqueTaken
from chalicelib.usecases.context import Context, Idempotency, Replayed

if TYPE_CHECKING:
    from chalicelib.domain.partners import Partner
    from chalicelib.runtime import Runtime

JSON = "application/json"
REPLAYED = {"Idempotent-Replayed": "true"}

#: What a gateway may leave out of its event.
_EVENT = {
    "headers": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "body": None,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A handler's answer with another status or further headers than its declaration says.

    ``answer`` is the model that prints it, if it is another one too.
    """

    value: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: type[schema.Out] | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A handler's answer that is no JSON of a model: a page, a document, a redirect."""

    body: str
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Visit:
    """What is known of the request under way, for its log line and its request id."""

    request_id: str
    method: str
    route: str
    started: float
    partner_id: str | None = None


Registers = Callable[[Callable[[Any], Any]], Any]

_VISIT: ContextVar[Visit] = ContextVar("visit")
_REQUEST: ContextVar[Request | None] = ContextVar("request", default=None)


def here() -> str:
    """The absolute URL of the request under way, with a closing slash."""
    request = _REQUEST.get()
    assert request is not None
    return requests.url(request, runtime.get().config.public_base_url)


class Backbone(Chalice):
    """The application; safe to call from several threads, as the local server does."""

    _allowed: Mapping[str, str] = MappingProxyType({})

    @property
    def current_request(self) -> Request | None:
        """The request of this thread."""
        return _REQUEST.get()

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        _REQUEST.set(request)

    def mount(self, resources: Iterable[Resource]) -> None:
        """Serve every route that ``resources`` declare."""
        self._allowed = routing.mount(self, resources, self._dispatch)

    def schedule(
        self, expression: Any, name: str | None = None, description: str = ""
    ) -> Registers:
        """As Chalice's own, for a function that tells how its runs go."""
        register = super().schedule(expression, name, description)
        return lambda work: register(watching.measured(name or work.__name__, work))

    def on_sqs_message(
        self,
        queue: str | None = None,
        batch_size: int = 1,
        name: str | None = None,
        *more: Any,
        **named: Any,
    ) -> Registers:
        """The same for a queue's function."""
        register = super().on_sqs_message(queue, batch_size, name, *more, **named)
        return lambda work: register(watching.measured(name or work.__name__, work))

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Answer one API Gateway event; never raises."""
        visit = _visit(event)
        logger = runtime.get().logger
        logger.thread_safe_clear_keys()
        logger.thread_safe_append_keys(request_id=visit.request_id)
        token = _VISIT.set(visit)
        try:
            answer = self._answer(event, context, visit)
        finally:
            _VISIT.reset(token)
            _REQUEST.set(None)
        seconds, status = time.perf_counter() - visit.started, answer["statusCode"]
        logger.info(
            "request",
            extra={
                "method": visit.method,
                "route": visit.route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "partner": visit.partner_id,
            },
        )
        route = visit.route if visit.route in self.routes else ""
        method = visit.method if visit.method in METHODS else ""
        watching.request(method, route, status, seconds, context)
        logger.thread_safe_clear_keys()
        return answer

    def _answer(self, event: Any, context: Any, visit: Visit) -> dict[str, Any]:
        if visit.route not in self.routes:
            return _framework_answer({"statusCode": 404}, visit)
        if visit.method and visit.method not in METHODS:
            allow = {"Allow": self._allowed.get(visit.route, "")}
            return _framework_answer({"statusCode": 405, "headers": allow}, visit)
        try:
            answer = super().__call__({**_EVENT, **event}, context)
        except Exception:
            runtime.get().logger.exception("the framework failed")
            answer = {"statusCode": 500}
        if "X-Request-Id" not in answer.get("headers", {}):
            return _framework_answer(answer, visit)
        return answer

    def _dispatch(self, methods: dict[str, Operation], values: dict[str, str]) -> Response:
        visit, request = _VISIT.get(), self.current_request
        assert request is not None
        try:
            status, headers, body = _serve(runtime.get(), visit, request, methods, values)
        except Exception as error:
            problem = problems.problem_of(error)
            if problem is None:
                runtime.get().logger.exception("unexpected")
                watching.failed(runtime.get(), error)
                problem = problems.internal_error()
            status, headers, body = problem.response(visit.request_id)
        headers["X-Request-Id"] = visit.request_id
        if request.method == "HEAD":
            body = ""
        return Response(body, dict(headers), status)


Answered = tuple[int, dict[str, str], str]


def _serve(
    edge: Runtime,
    visit: Visit,
    request: Request,
    methods: dict[str, Operation],
    values: dict[str, str],
) -> Answered:
    operation = methods.get(request.method)
    if operation is None:
        allowed = routing.allowed(methods)
        raise Rejected(
            "method_not_allowed",
            f"{request.method} is not allowed here; {allowed} is.",
            {"Allow": allowed},
        )
    partner = None
    if not operation.public:
        partner = edge.keyring.partner(request.headers.get("x-api-key"))
        if partner is None:
            raise Rejected("not_authenticated", "The request has no valid API key.")
        visit.partner_id = partner.id
    return _act(edge, visit, request, operation, values, partner)


def _act(
    edge: Runtime,
    visit: Visit,
    request: Request,
    operation: Operation,
    values: dict[str, str],
    partner: Partner | None,
) -> Answered:
    arguments: dict[str, Any] = dict(requests.path_values(operation, values))
    query, body = _read(operation, request)
    key = requests.idempotency(operation, request, arguments, query, body)
    known: dict[str, Any] = {"query": schema.from_cursor(query), "body": body}
    if operation.raw:
        known["raw"] = requests.incoming(request)
    ctx = None
    if partner is not None:
        ctx = known["ctx"] = _context(edge, visit, operation, partner, key)
        replayed = _replay(ctx, key)
        if replayed is not None:
            return replayed
    arguments |= {name: value for name, value in known.items() if name in operation.takes}
    if operation.collection:
        assert ctx is not None and isinstance(query, schema.PageQuery)
        return collections.answer(
            edge, ctx, request, operation, query, arguments, lambda one: _shown(ctx, operation, one)
        )
    value = _attempts(ctx, operation, arguments)
    if isinstance(value, _Found):
        return value.answered
    if ctx is not None and collections.wants_table(operation, query, request):
        return collections.table(edge, ctx, operation, _shown(ctx, operation, value))
    return _rendered(ctx, operation, value)


def _read(operation: Operation, request: Request) -> tuple[schema.Query, schema.Body | None]:
    """Query and body, with the flaws of both in one refusal."""
    found: list[Any] = []
    query: schema.Query = schema.NoQuery()
    body: schema.Body | None = None
    try:
        query = requests.query(operation, request)
    except Invalid as error:
        found.extend(error.flaws)
    if operation.body is not None:
        try:
            body = requests.body(operation, request)
        except Invalid as error:
            found.extend(error.flaws)
    if found:
        raise Invalid(*found)
    return query, body


def _context(
    edge: Runtime,
    visit: Visit,
    operation: Operation,
    partner: Partner,
    key: Idempotency | None,
) -> Context:
    now, business_date = edge.moment(partner)
    ctx = Context(
        partner=partner,
        now=now,
        business_date=business_date,
        store=edge.store,
        new_id=edge.new_id,
        request_id=visit.request_id,
        idempotency=key,
        dispatch=edge.dispatch,
        measure=edge.metrics.add_all,
        wall=edge.clock,
        event_data=edge.event_data,
    )
    if key is None:
        return ctx
    return replace(ctx, render=lambda value: _body(ctx, operation, value, without_secrets=True))


class _Found:
    """The first answer of the same key, found where a handler's value was expected."""

    def __init__(self, answered: Answered) -> None:
        self.answered = answered


def _attempts(ctx: Context | None, operation: Operation, arguments: dict[str, Any]) -> Any:
    """Run the handler; a lost race for a version is run again on fresh state."""
    if ctx is None:
        return operation.handler(**arguments)
    try:
        return ctx.store.attempt(lambda: _settled(ctx, operation.handler(**arguments)))
    except AlreadyDone:
        found = _replay(ctx, ctx.idempotency)
        if found is None:
            raise
        return _Found(found)
    except UniqueTaken as error:
        raise Refused("conflict", "This must be unique, and there is one already.") from error


def _settled(ctx: Context, value: Any) -> Any:
    """Remember the answer of an action that changed nothing, so that its key replays too."""
    key = ctx.idempotency
    if key is None or key.own or key.settled:
        return value
    return ctx.commit(ctx.unit(), value)


def _replay(ctx: Context, key: Idempotency | None) -> Answered | None:
    if key is None or key.own:
        return None
    first = ctx.store.recall(ctx.partner.id, key.key_hash)
    if first is None:
        return None
    if first.fingerprint != key.fingerprint:
        raise Refused("idempotency_key_reused", "This key was used for another request before.")
    return first.status, _headers(first.body, REPLAYED), first.body


def _rendered(ctx: Context | None, operation: Operation, value: Any) -> Answered:
    status, headers = operation.status, {}
    if isinstance(value, Raw):
        return value.status, {"Content-Type": value.content_type, **value.headers}, value.body
    if isinstance(value, Reply):
        status, headers = value.status or status, dict(value.headers)
        if value.answer is not None:
            operation = replace(operation, answer=value.answer, view=None)
        value = value.value
    if isinstance(value, Replayed):
        headers |= REPLAYED
        value = value.value
    text = _body(ctx, operation, value)
    return status, _headers(text, headers), text


def _headers(text: str, more: Mapping[str, str]) -> dict[str, str]:
    return {"Content-Type": JSON, **more} if text else dict(more)


def _body(
    ctx: Context | None, operation: Operation, value: Any, *, without_secrets: bool = False
) -> str:
    """An operation's value as JSON text; empty where it answers nothing."""
    if isinstance(value, Reply):
        value = value.value
    if operation.answer is None or value is None:
        return ""
    return encoding.encode(_shown(ctx, operation, value, without_secrets=without_secrets))


def _shown(
    ctx: Context | None, operation: Operation, value: Any, *, without_secrets: bool = False
) -> dict[str, Any]:
    assert operation.answer is not None
    if operation.view is not None:
        value = operation.view(ctx, value)
    return schema.show(operation.answer, value, without_secrets=without_secrets)


def _visit(event: Any) -> Visit:
    details = event if isinstance(event, dict) else {}
    where = details.get("requestContext") or {}
    headers = {str(name).lower(): value for name, value in (details.get("headers") or {}).items()}
    request_id = requests.sane_request_id(headers.get("x-request-id")) or str(uuid4())
    method, route = str(where.get("httpMethod", "")), str(where.get("resourcePath", ""))
    return Visit(request_id, method, route, time.perf_counter())


def _framework_answer(answer: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    headers = {**answer.get("headers", {}), **answer.get("multiValueHeaders", {})}
    status, own, body = framework_problem(
        answer["statusCode"], headers, answer.get("body"), visit.request_id
    )
    return {
        "statusCode": status,
        "headers": own,
        "multiValueHeaders": {},
        "body": "" if visit.method == "HEAD" else body,
    }
