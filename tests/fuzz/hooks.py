"""What schemathesis asks us: living ids for what it makes up, and what a schema cannot say.

A file of JSON (``BACKBONE_FUZZ_WORLD``) says which things live.  Values that are wrong on purpose
stay as they are.
"""

from __future__ import annotations

import json
import os
import re
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

WORLD: dict[str, Any] = json.loads(Path(os.environ["BACKBONE_FUZZ_WORLD"]).read_text("utf-8"))
#: Of so many made-up ids one stays.
STRANGERS = 6
#: The clock goes on by 0 to 2 days with each move, so that a run does not live through years.
MOST_DAYS = 3
INVALID_SIGNATURE = 498
NOBODY = "11111111-2222-4333-8444-555555555555"
_NUMBERS = count()

#: Flaws that no schema of single values can express: other fields, the state, the date, uniqueness,
#: the grammar of statements, names that must resolve.
BEYOND_A_SCHEMA = frozenset(
    [
        "contradiction",
        "credentials",
        "duplicate",
        "fragment",
        "immutable",
        "invalid_statement",
        "keys_differ",
        "not_allowed",
        "not_alone",
        "not_an_individual",
        "not_https",
        "not_public",
        "not_unique",
        "not_yet_valid",
        "out_of_range",
        "read_only",
        "required",
        "under_age",
        "unknown",
        "unresolvable",
        "weights_sum",
        "wrong_type",
    ]
)
#: Said once in words, and not at each of hundreds of texts.
SAID_IN_WORDS = frozenset({"control_character", "too_many_decimals", "unknown_country"})
#: Below the product's maxima, which a loan may come from; together less than the instalments; a
#: cursor is one that a list gave; a percentage is at most 100; a
#: host is a name or an address; what is too much in all.
OF_FIELDS = frozenset(
    [
        ("amount", "too_large"),
        ("cursor", "invalid"),
        ("custom_fields", "too_long"),
        ("default_fees.amount", "too_large"),
        ("default_grace_instalments", "too_large"),
        ("default_interest_rate", "too_large"),
        ("default_loan_amount", "too_large"),
        ("grace_instalments", "too_large"),
        ("installments", "too_large"),
        ("principal_repayment_grace", "too_large"),
        ("rate", "too_large"),
        ("rules", "too_large"),
        ("rules", "too_many"),
        ("url", "wrong_form"),
    ]
)
#: A query is text: a number there has no exponent, which a generated one may have.
NUMBERS = frozenset({"not_a_number", "not_an_integer"})
#: The bounds of a number that is sent as a string are those of the number beside it.
BOUNDS = frozenset({"too_large", "too_small"})


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Living things in the place of made-up ones."""
    if _positive(case, ParameterLocation.PATH) and case.meta.phase.name.value != "stateful":
        _give_path(case)
    if _positive(case, ParameterLocation.BODY) and isinstance(case.body, dict):
        if case.operation.path == "/api/v1/sandbox/clock/":
            case.body = {"business_date": _soon()}
        else:
            case.body = _given(case.body)
    revoking = case.method == "DELETE" and case.operation.path == "/api/v1/api_key/{id}/"
    if revoking and (case.path_parameters or {}).get("id") == WORLD["own_key"]:
        case.path_parameters["id"] = NOBODY


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep every failure but a 400 for what the document cannot say, and a 498: nobody can sign."""
    if failure.code in ("ST201", "ST202") and response.status_code == INVALID_SIGNATURE:
        return False  # a refusal, whatever was sent
    if failure.code != "ST202" or response.status_code != 400:
        return True
    return not all(_beyond(flaw, case) for flaw in response.json()["errors"])


def _beyond(flaw: dict[str, str], case: Any) -> bool:
    field, code = flaw["field"], flaw["code"]
    plain = re.sub(r"\[\d+\]", "", field)
    if code in BEYOND_A_SCHEMA | SAID_IN_WORDS or (plain, code) in OF_FIELDS:
        return True
    if code == "malformed":
        return "more than 40 digits" in flaw["message"]
    if code in NUMBERS:
        sent = str((case.query or {}).get(field, ""))
        return "e" in sent.lower() or code == "not_an_integer"
    return code in BOUNDS and isinstance(_sent(case.body, field), str)


def _sent(body: Any, field: str) -> Any:
    """What was sent for ``rules[1].weight``."""
    for part in re.findall(r"\w+", field):
        try:
            body = body[int(part) if part.isdigit() else part]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def _positive(case: Any, where: ParameterLocation) -> bool:
    meta = case.meta
    if meta is None:
        return False
    component = meta.components.get(where)
    return component is not None and component.mode == GenerationMode.POSITIVE


def _stranger() -> bool:
    return next(_NUMBERS) % STRANGERS == 0


def _give_path(case: Any) -> None:
    """A whole living path: nested things go with their owners."""
    paths = WORLD["paths"].get(case.operation.path) or _by_resource(case.operation.path)
    if paths and not _stranger():
        case.path_parameters = dict(paths[next(_NUMBERS) % len(paths)])


def _by_resource(path: str) -> list[dict[str, str]]:
    parts = path.removeprefix("/api/v1/").split("/")
    ids = WORLD["ids"].get(parts[0], []) if path.count("{") == 1 else []
    return [{"id": each} for each in ids]


def _given(value: Any, name: str = "") -> Any:
    """The same with living ids in the fields that hold ids."""
    if isinstance(value, dict):
        return {key: _given(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_given(each, name) for each in value]
    known = WORLD["fields"].get(name)
    if known and isinstance(value, str) and not _stranger():
        return known[next(_NUMBERS) % len(known)]
    return value


class _Clock:
    today = date.fromisoformat(WORLD["today"])


def _soon() -> str:
    _Clock.today += timedelta(days=next(_NUMBERS) % MOST_DAYS)
    return _Clock.today.isoformat()
