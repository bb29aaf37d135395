"""The queue ``replica``'s consumer: parts of a partner's replica to write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib import runtime
from chalicelib.usecases import replica

if TYPE_CHECKING:
    from chalicelib.integrations.objects import Objects


class _Shelf:
    """The replica's bucket, made when it is first used and kept as long as the container."""

    @cached_property
    def objects(self) -> Objects:
        from chalicelib.integrations.objects import Objects

        config = runtime.get().config
        return Objects(config, config.replica_bucket)


_shelf = _Shelf()


def write(body: Mapping[str, Any]) -> None:
    """One part of one data set; nothing on a stage without a replica."""
    edge = runtime.get()
    if edge.config.replica_bucket is None:
        return
    ctx = edge.context_of(body["partner"])
    what = (body["kind"], int(body["part"]), body["place"])
    replica.write(ctx, _shelf.objects, date.fromisoformat(body["day"]), *what)
