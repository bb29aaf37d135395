"""``/input_source/``: what the statements of risk rules may read."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic.json_schema import JsonSchemaValue

from chalicelib.domain.inputs import InputSource
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Instant, LongText, Rule, TextRule, flaw
from chalicelib.models.unit import Stored
from chalicelib.usecases import inputs
from chalicelib.usecases.context import Context, Listing

MAX_TEXT = 2000
#: A text without control characters, but for tabs and line ends.
STORABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f]*$"


class ScalarRule(Rule):
    """A boolean, a number, a text or null: which of them, the input source's type says."""

    def read(self, value: Any) -> Any:
        if value is not None and not isinstance(value, (bool, int, Decimal, str)):
            raise flaw("not_a_value", "Must be a boolean, a number or a string.")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise flaw("too_long", f"At most {MAX_TEXT} characters.")
        return value

    def schema(self) -> JsonSchemaValue:
        return {
            "type": ["boolean", "number", "string", "null"],
            "maxLength": MAX_TEXT,
            "pattern": STORABLE,
        }


Scalar = Annotated[Any, ScalarRule()]
SourceType = Literal["boolean", "integer", "float", "string"]

api = Resource("/input_source", tag="Risk")


class InputSourceIn(Body):
    """A named, typed input; ``default`` stands in where an application has no data point."""

    read_only: ClassVar[frozenset[str]] = frozenset({"preconfigured"})

    name: Annotated[str, TextRule(1, 100, "[A-Za-z_][A-Za-z0-9_]*", "Must be an identifier.")]
    type: SourceType
    default: Scalar = None
    description: LongText = ""


class InputSourceOut(Out):
    id: str
    name: str
    type: SourceType
    default: Scalar
    description: str
    preconfigured: bool
    created_at: Instant
    updated_at: Instant


@api.collection(answer=InputSourceOut, summary="List input sources")
def listing(ctx: Context, query: PageQuery) -> Listing[Stored[InputSource]]:
    return inputs.sources(ctx, query.limit, query.offset, query.cursor)


@api.post(
    body=InputSourceIn,
    answer=InputSourceOut,
    refuses=("conflict",),
    summary="Create an input source",
)
def create(ctx: Context, body: InputSourceIn) -> Stored[InputSource]:
    return inputs.create_source(ctx, body.values())


@api.get("/{pk}", answer=InputSourceOut, summary="Read an input source")
def read(ctx: Context, pk: str) -> Stored[InputSource]:
    return inputs.source(ctx, pk)


@api.put(
    "/{pk}",
    body=InputSourceIn,
    answer=InputSourceOut,
    refuses=("conflict", "invalid_status"),
    summary="Replace an input source",
)
@api.patch(
    "/{pk}",
    body=InputSourceIn,
    answer=InputSourceOut,
    refuses=("conflict", "invalid_status"),
    summary="Change an input source",
)
def change(ctx: Context, pk: str, body: InputSourceIn) -> Stored[InputSource]:
    return inputs.change_source(ctx, pk, body.values())
