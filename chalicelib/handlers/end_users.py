"""``/end_user/``: the people and companies that borrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic.json_schema import JsonSchemaValue

from chalicelib.domain.countries import COUNTRIES
from chalicelib.domain.end_users import EndUser
from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Body, Out, PageQuery
from chalicelib.handlers.values import Day, Instant, Rule, TextRule, flaw
from chalicelib.usecases import end_users
from chalicelib.usecases.context import Context, Source

if TYPE_CHECKING:
    from chalicelib.models.unit import Stored

api = Resource("/end_user", tag="End users")

EndUserType = Literal[
    "individual", "limited_company", "sole_trader", "partnership_up_to_3", "partnership_4_or_more"
]


@dataclass(frozen=True)
class CountryRule(Rule):
    """An ISO 3166-1 alpha-2 code."""

    def read(self, value: Any) -> str:
        if isinstance(value, str) and value.strip() in COUNTRIES:
            return value.strip()
        raise flaw("unknown_country", "Must be an ISO 3166-1 alpha-2 code such as GB.")

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["GB"]}


Line = Annotated[str, TextRule(0, 255)]
Email = Annotated[
    str,
    TextRule(0, 254, r"([^@\s]+@[^@\s.]+(\.[^@\s.]+)+)?", "Must be an e-mail address, or empty."),
]
Phone = Annotated[
    str, TextRule(0, 32, r"(\+?[0-9 ().-]{5,})?", "Must be a telephone number, or empty.")
]
AccountNumber = Annotated[str, TextRule(1, 20, "[0-9]{6,10}", "Must have 6 to 10 digits.")]
SortCode = Annotated[
    str,
    TextRule(1, 20, "[0-9]([ -]*[0-9]){5}", "Must have 6 digits; hyphens and spaces may separate."),
]


class EndUserIn(Body):
    """An end user; which names are required depends on the type."""

    read_only: ClassVar[frozenset[str]] = frozenset({"sensitive", "regulated"})

    type: EndUserType = "individual"
    first_name: Line | None = None
    last_name: Line | None = None
    birth_date: Day | None = None
    address_line_1: Line | None = None
    address_line_2: Line | None = None
    address_line_3: Line | None = None
    city: Line | None = None
    postal_code: Annotated[str, TextRule(0, 20)] | None = None
    country: Annotated[str, CountryRule()] | None = None
    bank_account_number: AccountNumber | None = None
    sort_code: SortCode | None = None
    mobile_number: Phone | None = None
    email: Email | None = None
    company_name: Line | None = None
    company_number: Annotated[str, TextRule(0, 50)] | None = None


class EndUserOut(Out):
    """An end user; texts that were not given are empty."""

    id: str
    type: str
    first_name: str
    last_name: str
    birth_date: date | None
    address_line_1: str
    address_line_2: str
    address_line_3: str
    city: str
    postal_code: str
    country: str | None
    bank_account_number: str | None
    sort_code: str | None
    mobile_number: str
    email: str
    company_name: str
    company_number: str
    sensitive: bool
    regulated: bool
    created_at: Instant
    updated_at: Instant


def shown(_: Context, stored: Stored[EndUser]) -> Mapping[str, Any]:
    """An end user as its resource shows it."""
    end_user = stored.value
    return {
        **{each.name: getattr(end_user, each.name) for each in fields(EndUser)},
        "regulated": end_user.regulated,
        "created_at": stored.created_at,
        "updated_at": stored.updated_at,
    }


#: Texts that are kept empty where they were not given, or given as ``null``.
_TEXTS = frozenset(each.name for each in fields(EndUser) if each.default == "")


def _values(body: EndUserIn) -> dict[str, Any]:
    """What was sent, in the domain's own types."""
    return {
        name: "" if value is None and name in _TEXTS else value
        for name, value in body.values().items()
    }


@api.collection(answer=EndUserOut, view=shown)
def listing(ctx: Context, query: PageQuery) -> Source[Stored[EndUser]]:
    """List end users."""
    return end_users.listing(ctx, query.criteria)


@api.post(body=EndUserIn, answer=EndUserOut, view=shown)
def create(ctx: Context, body: EndUserIn) -> Stored[EndUser]:
    """Create an end user."""
    return end_users.create(ctx, _values(body))


@api.get("/{pk}", answer=EndUserOut, view=shown)
def read(ctx: Context, pk: str) -> Stored[EndUser]:
    """Read an end user."""
    return end_users.read(ctx, pk)


@api.put("/{pk}", body=EndUserIn, answer=EndUserOut, view=shown, refuses=("invalid_status",))
@api.patch("/{pk}", body=EndUserIn, answer=EndUserOut, view=shown, refuses=("invalid_status",))
def change(ctx: Context, pk: str, body: EndUserIn) -> Stored[EndUser]:
    """Change an end user."""
    return end_users.change(ctx, pk, _values(body))
