"""``/data_point/``: values of input sources for one application."""

from __future__ import annotations

from chalicelib.domain.inputs import DataPoint
from chalicelib.handlers.input_sources import Scalar
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Instant, Uuid
from chalicelib.models.unit import Stored
from chalicelib.usecases import inputs
from chalicelib.usecases.context import Context, Source

api = Resource("/data_point", tag="Risk")


class DataPointIn(Body):
    """A value of the input source's type, for one application that is incomplete."""

    input_source: Uuid
    application: Uuid
    value: Scalar


class DataPointChange(Body):
    """Another value; source and application stay, and may be left out."""

    input_source: Uuid | None = None
    application: Uuid | None = None
    value: Scalar


class DataPointOut(Out):
    id: str
    input_source: str
    application: str
    value: Scalar
    created_at: Instant
    updated_at: Instant


@api.collection(answer=DataPointOut, summary="List data points")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[DataPoint]]:
    return inputs.points(ctx, query.criteria)


@api.post(
    body=DataPointIn,
    answer=DataPointOut,
    refuses=("conflict", "invalid_status"),
    summary="Create a data point",
)
def create(ctx: Context, body: DataPointIn) -> Stored[DataPoint]:
    return inputs.create_point(ctx, body.values())


@api.get("/{pk}", answer=DataPointOut, summary="Read a data point")
def read(ctx: Context, pk: str) -> Stored[DataPoint]:
    return inputs.point(ctx, pk)


@api.put(
    "/{pk}",
    body=DataPointChange,
    answer=DataPointOut,
    refuses=("invalid_status",),
    summary="Replace a data point",
)
@api.patch(
    "/{pk}",
    body=DataPointChange,
    answer=DataPointOut,
    refuses=("invalid_status",),
    summary="Change a data point",
)
def change(ctx: Context, pk: str, body: DataPointChange) -> Stored[DataPoint]:
    return inputs.change_point(ctx, pk, body.values())
