"""``/providers/``: where providers report to us.  No API key: what they send is signed."""

from __future__ import annotations

from chalicelib import runtime
from chalicelib.handlers.problems import Rejected
from chalicelib.handlers.requests import Incoming
from chalicelib.handlers.routing import Resource

api = Resource("/providers", tag="Providers", prefix="", public=True)

SIGNATURE = "webhook-signature"


@api.post(
    "/gocardless/webhook",
    raw=True,
    status=204,
    idempotency="none",
    summary="Take in GoCardless's events",
    refuses=("invalid_signature",),
)
def gocardless(raw: Incoming) -> None:
    """GoCardless sends this, nobody else: up to 250 events, signed in `Webhook-Signature`.

    They are kept and answered, then acted on. An event that comes again changes nothing.
    """
    from chalicelib.usecases import provider_events  # the provider's events: nobody else needs them

    edge = runtime.get()
    organisation = edge.organisations.signer(raw.body, raw.headers.get(SIGNATURE))
    if organisation is None:
        raise Rejected("invalid_signature", "The signature is not of this body by anybody known.")
    provider_events.take_in(edge.context_of(organisation.id), raw.body)
