"""``/partner/`` and ``/api_key/``: the caller's own settings and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from chalicelib import runtime
from chalicelib.domain.partners import ApiKey, Partner
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Instant, Text, TextRule
from chalicelib.models.unit import Stored
from chalicelib.usecases import partners
from chalicelib.usecases.context import Context, Source
from chalicelib.usecases.partners import NewKey

api = Resource("/partner", tag="Partner")
keys_api = Resource("/api_key", tag="Partner")

Currency = Annotated[
    str, TextRule(3, 3, "[A-Z]{3}", "Must be an ISO 4217 code of a currency with two decimals.")
]
CalendarCode = Annotated[
    str, TextRule(2, 6, "[A-Z]{2}(-[A-Z0-9]{1,3})?", "Must be an ISO 3166-2 code such as GB-ENG.")
]
Zone = Annotated[
    str, TextRule(1, 64, "[A-Za-z0-9_+/-]+", "Must be an IANA time zone such as Europe/London.")
]
Provider = Literal["manual", "gocardless_outbound"]


class PartnerIn(Body):
    """Settings of a partner."""

    name: Text
    currency: Currency
    calendar: CalendarCode
    timezone: Zone
    disbursement_provider: Provider


class PartnerOut(Out):
    """The partner whose key asks.  Its calendar says which days are business days."""

    id: str
    name: str
    currency: str
    calendar: str
    timezone: str
    disbursement_provider: Provider
    created_at: Instant
    updated_at: Instant


@api.get(answer=PartnerOut, summary="Read your own settings")
def read(ctx: Context) -> Stored[Partner]:
    """The partner whose key asks."""
    return partners.own(ctx)


@api.patch(
    "",
    body=PartnerIn,
    answer=PartnerOut,
    summary="Change your own settings",
    refuses=("invalid_status",),
)
def change(ctx: Context, body: PartnerIn) -> Stored[Partner]:
    """They hold at once here, and everywhere within a minute.  Loans fix the currency."""
    changed = partners.change(ctx, body.values())
    runtime.get().keyring.forget()
    return changed


class ApiKeyOut(Out):
    """A valid key, known by its first characters; ``last_used_at`` is true to about an hour."""

    id: str
    prefix: str
    last_used_at: Instant | None
    created_at: Instant
    updated_at: Instant


class NewApiKeyOut(ApiKeyOut):
    """A key that was just made; ``key`` is shown this once."""

    secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    key: str = ""


def new_key_out(_: Context, new: NewKey) -> Mapping[str, Any]:
    """A new key as it is shown once."""
    value = new.stored.value
    return {
        "id": value.id,
        "key": new.key,
        "prefix": value.prefix,
        "last_used_at": value.last_used_at,
        "created_at": new.stored.created_at,
        "updated_at": new.stored.updated_at,
    }


@keys_api.collection(answer=ApiKeyOut, summary="List your API keys")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[ApiKey]]:
    """The valid ones, newest first."""
    return partners.api_keys(ctx, query.criteria)


@keys_api.post(answer=NewApiKeyOut, view=new_key_out, summary="Make another API key")
def create(ctx: Context) -> NewKey:
    """Valid beside the others, so that keys can be changed without a pause."""
    return partners.make_key(ctx, runtime.get().clock())


@keys_api.delete("/{pk}", summary="Revoke an API key", refuses=("invalid_status",))
def revoke(ctx: Context, pk: str) -> None:
    """It is refused everywhere within a minute.  The last valid key cannot be revoked."""
    edge = runtime.get()
    partners.revoke_key(ctx, pk, edge.clock())
    edge.keyring.forget()
