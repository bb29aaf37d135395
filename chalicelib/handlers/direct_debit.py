"""``/direct-debit/``: the way of an end user to the provider's form.  No API key: whoever has the
unguessable token was given it.
"""

from __future__ import annotations

from chalicelib import runtime
from chalicelib.domain.errors import NotFound
from chalicelib.handlers.http import Raw, here
from chalicelib.handlers.problems import Rejected
from chalicelib.handlers.routing import PREFIX, Resource
from chalicelib.usecases import mandates

api = Resource("/direct-debit", tag="Mandates", prefix="", public=True)

RETRY_SECONDS = "2"
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def form_of(token: str) -> str:
    """The URL that leads to a form: at the root of this stage."""
    root = runtime.get().config.public_base_url or here().partition(PREFIX)[0]
    return f"{root}{api.path}/{token}/"


@api.get(
    "/{token}",
    status=302,
    produces="text/plain",
    summary="Go to the direct debit form",
    refuses=("not_found",),
)
def follow(token: str) -> Raw:
    """To the provider's form; once that is done, to where it led to.

    While the provider has not answered yet: `503` with `Retry-After`.
    """
    edge = runtime.get()
    found = mandates.of_token(edge.store, token)
    if found is None:
        raise NotFound("form")
    ctx = edge.context_of(found[0])
    where = edge.store.attempt(lambda: mandates.way(ctx, found[1]))
    if where is None:
        message = "The form is being prepared; try again in a moment."
        raise Rejected("unavailable", message, {"Retry-After": RETRY_SECONDS, **PRIVATE})
    return Raw("", "text/plain", 302, {"Location": where, **PRIVATE})
