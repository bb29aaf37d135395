"""One declared row as OpenAPI describes it: parameters, body, answers, errors, links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.handlers import problems, tables
from chalicelib.handlers.filters import Parameter
from chalicelib.handlers.openapi import examples
from chalicelib.handlers.openapi.refs import uuid_of
from chalicelib.handlers.openapi.schemas import Json, Schemas, prose, without_null
from chalicelib.handlers.routing import PREFIX, UUID_VARIABLES, Also, Operation

JSON = "application/json"
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ALWAYS = ("validation_error", "throttled", "internal_error", "unavailable")


def documented_path(operation: Operation, path: str | None = None) -> str:
    """The path as partners read it: with its closing slash, its variables named by their place."""
    path = operation.path if path is None else path
    for variable, name in shown_variables(operation).items():
        path = path.replace(f"{{{variable}}}", f"{{{name}}}")
    return path + "/" if path.startswith(PREFIX) else path


def shown_variables(operation: Operation) -> dict[str, str]:
    """``pk`` -> ``id``; of two, the first is named by what it stands behind: ``end_user_id``."""
    variables = operation.variables
    parts = operation.path.split("/")
    names = {
        each: f"{parts[parts.index(f'{{{each}}}') - 1]}_id" if each in UUID_VARIABLES else each
        for each in variables[:-1]
    }
    return names | {each: "id" if each in UUID_VARIABLES else each for each in variables[-1:]}


def described(operation: Operation, schemas: Schemas, rows: Sequence[Operation]) -> Json:
    """The operation object of one row; ``rows`` are all of them, for links."""
    found: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    description = _description(operation)
    if description:
        found["description"] = description
    if operation.public:
        found["security"] = []
    parameters = [*_path(operation), *_query(operation, schemas), *_headers(operation)]
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        found["requestBody"] = _body(operation, schemas)
    elif operation.raw:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": {"type": "object"}}}}
    found["responses"] = _responses(operation, schemas, rows)
    return found


def codes(operation: Operation) -> list[str]:
    """Every problem code that the operation may answer, in the order of the table."""
    found = {*operation.refuses, *_ALWAYS}
    if not operation.public:
        found.add("not_authenticated")
    if operation.variables:
        found.add("not_found")
    if operation.body is not None:
        found |= {"payload_too_large", "unsupported_media_type"}
    if operation.raw:
        found.add("payload_too_large")
    if operation.method in _WRITES and not operation.raw:
        found.add("conflict")
    if operation.idempotency != "none":
        found.add("idempotency_key_reused")
    return [code for code in problems.CODES if code in found]


def _description(operation: Operation) -> str:
    said = prose(operation.handler.__doc__)
    parts = [] if said.rstrip(".") == operation.summary.rstrip(".") else [said]
    if operation.aliases:
        also = ", ".join(f"`{documented_path(operation, alias)}`" for alias in operation.aliases)
        parts.append(f"Also served at {also}.")
    return "\n\n".join(filter(None, parts))


def _path(operation: Operation) -> Iterable[Json]:
    for variable, name in shown_variables(operation).items():
        schema: Json = {"type": "string"}
        if variable in UUID_VARIABLES:
            schema = {"type": "string", "format": "uuid"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(operation: Operation, schemas: Schemas) -> Iterable[Json]:
    for name, value, required in schemas.properties(operation.query):
        schema = _as_text(without_null(value))
        found: Json = {"name": name, "in": "query", "schema": schema}
        description = schema.pop("description", None)
        if description:
            found["description"] = description
        if required:
            found["required"] = True
        yield found
    for parameter in operation.parameters():
        if parameter.name not in operation.query.model_fields:
            yield _filter(parameter)


def _filter(parameter: Parameter) -> Json:
    """A filter; several values are one text with commas between."""
    found: Json = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
    if parameter.many:
        found["schema"] = {"type": "array", "items": found["schema"], "minItems": 1}
        found |= {"style": "form", "explode": False}
    return found


def _as_text(schema: Json) -> Json:
    """A query holds texts only: a number needs no second spelling as a string."""
    options = schema.get("anyOf", [])
    numbers = [each for each in options if each.get("type") in ("number", "integer", "boolean")]
    if len(numbers) == 1:
        rest = {name: value for name, value in schema.items() if name != "anyOf"}
        return {**numbers[0], **rest}
    return dict(schema)


def _headers(operation: Operation) -> Iterable[Json]:
    if operation.idempotency != "none":
        name = "OwnIdempotencyKey" if operation.idempotency == "own" else "IdempotencyKey"
        yield {"$ref": f"#/components/parameters/{name}"}
    yield {"$ref": "#/components/parameters/RequestId"}


def _body(operation: Operation, schemas: Schemas) -> Json:
    assert operation.body is not None
    required = any(required for _, _, required in schemas.properties(operation.body))
    content: Json = {"schema": schemas.ref(operation.body)}
    shown = examples.shown(operation)
    if shown:
        content["examples"] = shown
    return {"required": required, "content": {JSON: content}}


def _responses(operation: Operation, schemas: Schemas, rows: Sequence[Operation]) -> Json:
    found: Json = {str(operation.status): _success(operation, schemas)}
    links = _links(operation, schemas, rows)
    if links:
        found[str(operation.status)]["links"] = links
    if operation.collection or operation.table:
        found["303"] = _elsewhere()
    for status, meaning in operation.also.items():
        other = meaning if isinstance(meaning, Also) else None
        shown = replace(operation, answer=other.answer) if other else operation
        said = other.meaning if other else meaning
        found[str(status)] = {**_success(shown, schemas), "description": said}
    by_status: dict[int, list[str]] = {}
    for code in codes(operation):
        by_status.setdefault(problems.CODES[code][0], []).append(code)
    for status, listed in sorted(by_status.items()):
        found[str(status)] = _problem(status, listed)
    return found


def _success(operation: Operation, schemas: Schemas) -> Json:
    headers: Json = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if operation.idempotency != "none":
        headers["Idempotent-Replayed"] = {"$ref": "#/components/headers/Idempotent-Replayed"}
    found: Json = {"description": "Done.", "headers": headers}
    if operation.produces is not None:
        kind = operation.produces.partition(";")[0]
        schema = {"type": "object"} if kind.endswith("json") else {"type": "string"}
        return {**found, "content": {kind: {"schema": schema}}}
    if operation.answer is None:
        return found
    schema = schemas.ref(operation.answer)
    if operation.collection:
        headers |= {"X-Count": {"$ref": "#/components/headers/X-Count"}}
        headers |= {"Content-Disposition": {"$ref": "#/components/headers/Content-Disposition"}}
        found["description"] = "One page, or the whole filtered result as CSV."
        return {**found, "content": {JSON: {"schema": page(schema)}, **_csv()}}
    if operation.table is not None:
        headers |= {"Content-Disposition": {"$ref": "#/components/headers/Content-Disposition"}}
        found["description"] = f"Done; as CSV `{operation.table}` alone."
        return {**found, "content": {JSON: {"schema": schema}, **_csv()}}
    return {**found, "content": {JSON: {"schema": schema}}}


def _csv() -> Json:
    return {tables.CONTENT_TYPE.partition(";")[0]: {"schema": {"type": "string"}}}


def _elsewhere() -> Json:
    """A large table is somewhere else for a while."""
    headers = {
        name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", "Location")
    }
    return {
        "description": "The CSV is too large for an answer: fetch it there.",
        "headers": headers,
    }


def page(result: Json) -> Json:
    """A collection's answer."""
    link = {"type": ["string", "null"], "format": "uri"}
    return {
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": "integer", "minimum": 0, "description": "How many there are in all."},
            "next": {**link, "description": "The following page; follow it as it is."},
            "previous": {**link, "description": "The page before."},
            "results": {"type": "array", "items": result},
        },
    }


def _problem(status: int, listed: Sequence[str]) -> Json:
    usual = USUAL.get(listed[0]) if len(listed) == 1 else None
    if usual is not None:
        return {"$ref": f"#/components/responses/{usual}"}
    return problem_response(status, listed)


#: Problems that stand alone under their status have one response for all operations.
USUAL: Mapping[str, str] = {
    "validation_error": "ValidationError",
    "not_authenticated": "NotAuthenticated",
    "not_found": "NotFound",
    "payload_too_large": "PayloadTooLarge",
    "unsupported_media_type": "UnsupportedMediaType",
    "throttled": "Throttled",
    "internal_error": "InternalError",
    "unavailable": "Unavailable",
}


def problem_response(status: int, listed: Sequence[str]) -> Json:
    """A problem document that has one of the codes."""
    headers: Json = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    if problems.RETRY_CODES & {*listed}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    titles = ", ".join(f"`{code}`" for code in listed)
    code = {"enum": [*listed]} if len(listed) > 1 else {"const": listed[0]}
    return {
        "description": f"{problems.CODES[listed[0]][1]}." if len(listed) == 1 else f"{titles}.",
        "headers": headers,
        "content": {
            problems.CONTENT_TYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Problem"},
                        {"properties": {"status": {"const": status}, "code": code}},
                    ]
                },
                "examples": {each: {"value": _problem_example(each)} for each in listed},
            }
        },
    }


def _problem_example(code: str) -> Any:
    detail = _DETAILS.get(code, problems.CODES[code][1] + ": what happened, with the figures.")
    found = problems.Problem(code, detail).document(uuid_of("request"))
    if code == "validation_error":
        message = "Must be more than 0."
        found["detail"] = f"amount: {message}"
        found["errors"] = [{"field": "amount", "code": "too_small", "message": message}]
    return found


_DETAILS: Mapping[str, str] = {
    "internal_error": problems.internal_error().detail,
    "not_authenticated": "The request has no valid API key.",
    "not_found": "There is no such loan.",
    "payload_too_large": problems.FRAMEWORK_CODES[413][1],
    "unsupported_media_type": problems.FRAMEWORK_CODES[415][1],
    "throttled": problems.FRAMEWORK_CODES[429][1],
    "unavailable": problems.FRAMEWORK_CODES[503][1],
}


def _links(operation: Operation, schemas: Schemas, rows: Sequence[Operation]) -> Json:
    """From what an answer shows to what can be done with it: the same id, below the same path."""
    if operation.answer is None or operation.variables or operation.public:
        return {}
    if not operation.collection and operation.method != "POST":
        return {}
    if not any(name == "id" for name, _, _ in schemas.properties(operation.answer)):
        return {}
    where = "$response.body#/results/0/id" if operation.collection else "$response.body#/id"
    found: Json = {}
    for row in rows:
        first = f"{operation.path}/{{pk}}"
        if row.path == first or (row.path.startswith(first + "/") and len(row.variables) == 1):
            name = shown_variables(row)["pk"]
            found[row.name] = {"operationId": row.name, "parameters": {name: where}}
    return found
