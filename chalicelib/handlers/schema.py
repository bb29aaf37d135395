"""The bases of request and answer models, and how a bad request becomes a list of flaws.

A body is closed: an unknown field is refused, a read-only one (that the resource itself returns) is
dropped.  Models look at single values; rules between fields belong to the domain, which sees the
whole state after a ``PATCH`` as after a ``PUT``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    ValidationError,
    create_model,
    model_validator,
)

from chalicelib.domain.criteria import Criteria
from chalicelib.domain.errors import Flaw, Invalid
from chalicelib.handlers.encoding import shown_name
from chalicelib.handlers.values import Flag, TextRule, Whole
from chalicelib.models.unit import Stored

M = TypeVar("M", bound=BaseModel)

#: What a resource of any kind returns and a client may therefore send back.
ALWAYS_READ_ONLY = frozenset({"id", "created_at", "updated_at"})

#: Nothing of these may be repeated in an error.
SENSITIVE = frozenset({"birth_date", "bank_account_number", "sort_code", "key", "secret"})

DEFAULT_LIMIT = 20
MAX_LIMIT = 200

#: pydantic's own error types -> (our code, our message); ours pass as they are.
_ERRORS: Mapping[str, tuple[str, str]] = {
    "missing": ("required", "This field is required."),
    "extra_forbidden": ("unknown_field", "There is no such field."),
    "string_type": ("not_a_string", "Must be a string."),
    "list_type": ("not_a_list", "Must be a list."),
    "dict_type": ("not_an_object", "Must be an object."),
    "model_type": ("not_an_object", "Must be an object."),
    "model_attributes_type": ("not_an_object", "Must be an object."),
    "too_long": ("too_long", "Too many entries."),
    "too_short": ("too_short", "Too few entries."),
}
_OUR_CODES = frozenset(
    [
        "required",
        "unknown_field",
        "too_large",
        "too_many_decimals",
        "too_small",
        "not_an_integer",
        "not_a_string",
        "control_character",
        "too_short",
        "too_long",
        "wrong_form",
        "not_a_date",
        "not_a_uuid",
        "not_a_boolean",
        "not_an_object",
        "not_a_number",
        "not_a_list",
    ]
)


class Body(BaseModel):
    """A request's JSON object.

    ``read_only`` names the fields that the resource returns and a client cannot set (besides
    ``id``, ``created_at``, ``updated_at``); subclasses add theirs to those of their bases.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, hide_input_in_errors=True
    )

    read_only: ClassVar[frozenset[str]] = ALWAYS_READ_ONLY
    partial: ClassVar[bool] = False

    def values(self) -> dict[str, Any]:
        """Field name -> value: every field, or for a ``PATCH`` only those that were sent.

        Nested models stay models.
        """
        names = type(self).model_fields
        return {
            name: getattr(self, name)
            for name in names
            if not self.partial or name in self.model_fields_set
        }

    @model_validator(mode="before")
    @classmethod
    def _drop_read_only(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        dropped = read_only_of(cls) - set(cls.model_fields)
        return {name: value for name, value in data.items() if name not in dropped}


class Nothing(Body):
    """The body of an action that takes none: absent, or ``{}``."""


class Query(BaseModel):
    """A request's query parameters, each given at most once; an unknown one is refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, hide_input_in_errors=True
    )


class NoQuery(Query):
    """No parameters."""


class PreviewQuery(Query):
    """With ``preview`` it is only told what would change: nothing is made, and no key is used."""

    preview: Flag = False


class PageQuery(Query):
    """Which part of a collection: ``limit`` results after ``offset``, or on from a ``cursor``.

    Filters and order come with it as ``criteria``; they follow from the collection's answer.  A
    collection with further parameters makes a subclass with them as fields.
    """

    limit: Annotated[int, Whole(1, MAX_LIMIT)] = DEFAULT_LIMIT
    offset: Annotated[int, Whole(0, 10**9)] = 0
    cursor: Annotated[str, TextRule(1, 2000, r"[A-Za-z0-9._~=-]+")] | None = None
    _criteria: Criteria = PrivateAttr(default_factory=Criteria)
    _format: str | None = PrivateAttr(default=None)

    @property
    def criteria(self) -> Criteria:
        """The filters and the order that were asked for."""
        return self._criteria

    @property
    def format(self) -> str | None:
        """``csv``, ``json``, or what the headers say."""
        return self._format

    def asking(self, criteria: Criteria, format: str | None) -> PageQuery:
        """The same page of what ``criteria`` leave, in their order."""
        asked = self.model_copy()
        asked._criteria, asked._format = criteria, format
        return asked


def from_cursor(query: Query) -> Query:
    """The query for a handler: a cursor knows its place, and ``offset`` beside it says it again."""
    if isinstance(query, PageQuery) and query.cursor is not None:
        return query.model_copy(update={"offset": 0})
    return query


class _Flat:
    """A stored value with its times: what the store knows beside what the domain knows."""

    def __init__(self, stored: Stored[Any]) -> None:
        self._stored = stored

    def __getattr__(self, name: str) -> Any:
        if name in ("created_at", "updated_at"):
            return getattr(self._stored, name)
        return getattr(self._stored.value, name)


class Out(BaseModel):
    """An answer, read from a domain object's attributes, a mapping, or built by hand.

    A ``Stored`` value gives its own attributes and the store's ``created_at``, ``updated_at``.

    ``secrets`` names fields that are shown once: a replayed answer comes without them.
    """

    model_config = ConfigDict(from_attributes=True, defer_build=True, hide_input_in_errors=True)

    secrets: ClassVar[frozenset[str]] = frozenset()


def read(model: type[M], data: Mapping[str, Any]) -> M:
    """``data`` as ``model``, or :class:`Invalid` with every flaw at once."""
    ready(model)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid(*flaws(error)) from None


def show(model: type[Out], value: Any, *, without_secrets: bool = False) -> dict[str, Any]:
    """``value`` as ``model`` prints it: plain data, for :func:`encoding.encode`."""
    ready(model)
    if isinstance(value, Stored):
        value = _Flat(value)
    shown = value if isinstance(value, model) else model.model_validate(value)
    return shown.model_dump(exclude=set(model.secrets) if without_secrets else None)


def flaws(error: ValidationError) -> list[Flaw]:
    """Every bad field of a validation error, without the values that were sent."""
    return [
        _flaw(entry["loc"], entry["type"], entry["msg"])
        for entry in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def field_path(parts: Iterable[str | int]) -> str:
    """``("rules", 1, "weight")`` -> ``rules[1].weight``."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += ("." if path else "") + shown_name(part)
    return path


@cache
def partial(model: type[Body]) -> type[Body]:
    """``model`` for a ``PATCH``: no field is required, and ``values()`` gives those sent."""
    fields: dict[str, Any] = {}
    for name, declared in model.model_fields.items():
        if declared.is_required():
            optional = copy(declared)
            optional.default = None
            fields[name] = (declared.annotation, optional)
    made = create_model(f"{model.__name__}Patch", __base__=model, **fields)
    made.partial = True
    return made


_BUILDING = threading.Lock()


def ready(model: type[BaseModel]) -> None:
    """Build ``model``'s validators now (they are left for the first use), one thread at a time."""
    if not model.__pydantic_complete__:
        with _BUILDING:
            model.model_rebuild()


def given(model: BaseModel) -> Mapping[str, Any]:
    """What was sent, after reading: the same for ``1000`` and ``"1000.00"``."""
    return model.model_dump(exclude_unset=True)


@cache
def read_only_of(model: type[Body]) -> frozenset[str]:
    """What a client may send back to ``model`` although it cannot set it."""
    return ALWAYS_READ_ONLY.union(
        *(vars(base).get("read_only", ()) for base in model.__mro__ if issubclass(base, Body))
    )


def _flaw(location: Sequence[str | int], kind: str, message: str) -> Flaw:
    code, said = _ERRORS.get(kind, (kind, message))
    if kind in ("too_short", "too_long") and not message.startswith("List "):
        said = message  # a text's own rule uses the same codes
    if kind == "literal_error":
        code, said = "unknown_choice", message.replace("Input should be", "Must be", 1) + "."
    if any(part in SENSITIVE for part in location) and code not in _OUR_CODES:
        code, said = "invalid", "Is not valid."
    return Flaw(field_path(location), code, said)
