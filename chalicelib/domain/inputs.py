"""Input sources and data points: what the statements of risk rules read (partner API, "Risk").

A value is the application's data point, or for a pre-configured source the current detail, or the
source's default.  Values are ``Decimal``, ``str``, ``bool``, or ``None`` where a pre-configured
detail does not exist (a company has no age).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from chalicelib.domain.errors import Flaw, Invalid, Refused
from chalicelib.domain.expression import INPUT_NAME, MAX_TEXT, Value, fits

BOOLEAN, INTEGER, FLOAT, STRING = "boolean", "integer", "float", "string"
TYPES = (BOOLEAN, INTEGER, FLOAT, STRING)

PRECONFIGURED: Mapping[str, tuple[str, str]] = {
    "end_user_age": (INTEGER, "Age in whole years; None for a company."),
    "end_user_type": (STRING, "The end user's type."),
    "end_user_country": (STRING, "The end user's country, ISO 3166 alpha-2."),
    "end_user_regulated": (BOOLEAN, "Whether lending to the end user is regulated."),
    "end_user_open_loans": (INTEGER, "How many open loans the end user has."),
    "end_user_outstanding": (FLOAT, "What the end user owes on all open loans."),
    "end_user_worst_days_past_due": (INTEGER, "The most days any open loan is past due."),
    "application_amount": (FLOAT, "The amount applied for."),
    "application_installments": (INTEGER, "The number of instalments applied for."),
    "application_rate": (FLOAT, "The annual rate applied for, in percent."),
    "product_type": (STRING, "The product's type."),
}
"""Input sources that every partner has, with their type and description; read only."""

_NAMESPACE = bytes.fromhex("7d6a0a1f5c1e5b0e9a3b2f4c8e617d20")
_NUMERIC = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?(?:[eE][+-]?[0-9]{1,3})?")
_UNSTORABLE = re.compile("[\0-\b\v\f\x0e-\x1f\ud800-\udfff]")
"""Control characters (but tab and line end) and halves of characters."""
_PRECONFIGURED_TEXT_BYTES, _TEXT_BYTES = 64, 4 * MAX_TEXT
_NUMBER_BYTES = 70


@dataclass(frozen=True, slots=True)
class InputSource:
    """A named, typed input. ``default`` None means that there is no default.

    ``used`` once a scorecard reads it or a data point is of it, and then for ever.
    """

    id: str
    name: str
    type: str
    default: Value = None
    description: str = ""
    preconfigured: bool = False
    used: bool = False


@dataclass(frozen=True, slots=True)
class DataPoint:
    """The value of one input source for one application; ``input_source`` is the source's id."""

    id: str
    input_source: str
    application: str
    value: Value


# --- values of a type ----------------------------------------------------------------------------


def coerce(source_type: str, value: Any, field: str = "value") -> Value:
    """``value`` as one of the source's type, or :class:`Invalid` naming ``field``.

    Numbers may come as JSON numbers or as numeric strings, an integer must be whole; booleans are
    true and false alone; text is at most 255 characters, none of them a control character.
    """
    if source_type == BOOLEAN:
        if isinstance(value, bool):
            return value
        raise _wrong(field, "Must be true or false.")
    if source_type == STRING:
        return _text(value, field)
    number = _number(value, field)
    if source_type == INTEGER and number != number.to_integral_value():
        raise _wrong(field, "Must be a whole number.")
    return number


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(Flaw(field, "wrong_type", message))


def _number(value: Any, field: str) -> Decimal:
    if isinstance(value, str) and _NUMERIC.fullmatch(value):
        value = Decimal(value)
    value = plain(value)
    if not isinstance(value, Decimal):
        raise _wrong(field, "Must be a number.")
    if not fits(value):
        raise Invalid(Flaw(field, "out_of_range", "Must be below 10^40, with at most 40 digits."))
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise _wrong(field, "Must be a text.")
    if len(value) > MAX_TEXT:
        raise Invalid(Flaw(field, "too_long", f"Must have at most {MAX_TEXT} characters."))
    if _UNSTORABLE.search(value):
        raise Invalid(Flaw(field, "invalid", "Holds a character that cannot be stored."))
    return value


def largest(source: InputSource) -> int:
    """How many bytes a value of the source takes at most where a decision is kept."""
    if source.type != STRING:
        return _NUMBER_BYTES
    return _PRECONFIGURED_TEXT_BYTES if source.name in PRECONFIGURED else _TEXT_BYTES


# --- input sources -------------------------------------------------------------------------------


def preconfigured(partner_id: str) -> tuple[InputSource, ...]:
    """The partner's pre-configured sources; their ids follow from the partner's id and the name."""
    return tuple(
        InputSource(_derived_id(f"{partner_id}/{name}"), name, kind, None, description, True)
        for name, (kind, description) in PRECONFIGURED.items()
    )


def _derived_id(name: str) -> str:
    """A name-based UUID, version 5 (RFC 9562, 5.5)."""
    digest = bytearray(hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest())
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest[:16].hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def create_source(source: InputSource) -> InputSource:
    """A partner's own source, its default brought to its type.

    Raises :class:`Invalid`, or ``conflict`` for the name of a pre-configured one (that it is unique
    among the partner's own is the store's to say).
    """
    flaws: list[Flaw] = []
    if not INPUT_NAME.fullmatch(source.name):
        message = "Must be letters, digits and _, not begin with a digit, at most 100 characters."
        flaws.append(Flaw("name", "invalid", message))
    default = source.default
    if source.type not in TYPES:
        flaws.append(Flaw("type", "invalid", f"Must be one of {', '.join(TYPES)}."))
    elif default is not None:
        try:
            default = coerce(source.type, default, "default")
        except Invalid as wrong:
            flaws += wrong.flaws
    if flaws:
        raise Invalid(*flaws)
    if source.name in PRECONFIGURED:
        raise Refused(
            "conflict", f"{source.name} is a pre-configured input source.", {"name": source.name}
        )
    return replace(source, default=default, preconfigured=False)


def update_source(old: InputSource, new: InputSource, *, used: bool) -> InputSource:
    """``new`` in place of ``old``.

    ``used``: a scorecard reads it or a data point is of it; its name and type are then fixed.
    Raises :class:`Invalid`, ``invalid_status`` (pre-configured, or used), ``conflict``.
    """
    if old.preconfigured:
        raise Refused("invalid_status", f"{old.name} is pre-configured and cannot be changed.")
    checked = create_source(replace(new, id=old.id))
    if used and (checked.name, checked.type) != (old.name, old.type):
        raise Refused(
            "invalid_status",
            f"{old.name} is used: its name and type cannot be changed.",
            {"name": old.name, "type": old.type},
        )
    return checked


def find_source(sources: Iterable[InputSource], key: str) -> InputSource | None:
    """The source whose id, or else whose name, is ``key``."""
    known = tuple(sources)
    by_id = (source for source in known if source.id == key)
    by_name = (source for source in known if source.name == key)
    return next(by_id, None) or next(by_name, None)


# --- data points ---------------------------------------------------------------------------------


def create_point(
    point: DataPoint, source: InputSource | None, *, application_status: str
) -> DataPoint:
    """A data point with its value brought to the source's type (``source`` None: unknown).

    Raises :class:`Invalid`, or ``invalid_status`` unless the application is ``incomplete``.
    """
    if source is None:
        raise Invalid(Flaw("input_source", "unknown", "There is no such input source."))
    if source.preconfigured:
        message = f"{source.name} is pre-configured: its value is taken when it is needed."
        raise Invalid(Flaw("input_source", "read_only", message))
    value = coerce(source.type, point.value)
    if application_status != "incomplete":
        raise Refused(
            "invalid_status",
            f"Data points can be given while the application is incomplete; "
            f"it is {application_status}.",
            {"status": application_status},
        )
    return replace(point, input_source=source.id, value=value)


def update_point(
    old: DataPoint, new: DataPoint, source: InputSource | None, *, application_status: str
) -> DataPoint:
    """``new`` in place of ``old``: only the value may differ.  Raises as :func:`create_point`."""
    checked = create_point(replace(new, id=old.id), source, application_status=application_status)
    flaws = [
        Flaw(field, "immutable", "Cannot be changed.")
        for field in ("input_source", "application")
        if getattr(checked, field) != getattr(old, field)
    ]
    if flaws:
        raise Invalid(*flaws)
    return checked


def input_values(
    sources: Iterable[InputSource], points: Iterable[DataPoint], current: Mapping[str, Value]
) -> dict[str, Value]:
    """Every known input by name: current detail, else data point, else default.

    ``current`` holds the details of pre-configured sources at this moment (whole numbers may be
    ``int``); a detail that is there but is None counts as known.
    """
    given = {point.input_source: point.value for point in points}
    values: dict[str, Value] = {}
    for source in sources:
        if source.preconfigured and source.name in current:
            values[source.name] = plain(current[source.name])
        elif source.id in given:
            values[source.name] = given[source.id]
        elif source.default is not None:
            values[source.name] = source.default
    return values


def plain(value: Any) -> Any:
    """``value`` with a whole number as a ``Decimal``; everything else as it is."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
