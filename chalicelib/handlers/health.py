"""``GET /healthz``: alive, and which version. Needs no key and touches nothing."""

from __future__ import annotations

from chalicelib import runtime
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out

api = Resource("/healthz", tag="Operations", prefix="", public=True)


class HealthOut(Out):
    """What a load balancer wants to know."""

    status: str
    version: str


@api.get(answer=HealthOut, summary="Whether the service answers")
def health() -> dict[str, str]:
    """Whether the service answers."""
    return {"status": "ok", "version": runtime.get().config.version}
