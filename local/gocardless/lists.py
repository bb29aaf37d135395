"""Lists: newest first, filtered, by cursors (GoCardless's API reference, "Cursor pagination")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from local.gocardless.errors import Json, usage
from local.gocardless.moves import SINGULAR
from local.gocardless.organisation import Organisation, Record

MOST = 500
USUAL = 50
BOUNDS: Mapping[str, Callable[[str, str], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


class Filters(NamedTuple):
    """By which fields, links and dates a list can be narrowed."""

    fields: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset({"created_at"})


def _filters(fields: str = "", links: str = "", dates: str = "") -> Filters:
    return Filters(
        frozenset(fields.split()),
        frozenset(links.split()),
        frozenset(f"created_at {dates}".split()),
    )


_EVENT_LINKS = (
    " ".join(SINGULAR.values()) + " billing_request_flow creditor customer customer_bank_account"
    " mandate_request_mandate new_mandate parent_event"
)

FILTERS: Mapping[str, Filters] = {
    "billing_requests": _filters("status", "customer"),
    "creditor_bank_accounts": _filters("enabled", "creditor"),
    "creditors": _filters(),
    "customer_bank_accounts": _filters("enabled", "customer"),
    "customers": _filters("email"),
    "events": _filters("action resource_type", _EVENT_LINKS),
    "mandates": _filters("reference scheme status", "creditor customer customer_bank_account"),
    "outbound_payments": _filters("reference status", "creditor recipient_bank_account"),
    "payments": _filters("currency reference status", "creditor customer mandate", "charge_date"),
    "payouts": _filters("currency payout_type reference status", "creditor creditor_bank_account"),
    "refunds": _filters("reference status", "mandate payment"),
    "webhooks": _filters("is_test successful"),
}


def page(
    org: Organisation,
    kind: str,
    query: Mapping[str, str],
    show: Callable[[Organisation, Record], Json],
) -> Json:
    """One page of a list, with its cursors."""
    rest = dict(query)
    limit = _limit(rest.pop("limit", None))
    after, before = rest.pop("after", None), rest.pop("before", None)
    rest.pop("include", None)
    if after and before:
        raise _bad("after and before cannot be used together")
    fits = _test(org, kind, rest)
    found = [r for r in reversed(org.records[kind].values()) if "removed" not in r.hidden]
    found = [record for record in found if fits(record)]
    older, newer = False, False
    if after:
        number = _cursor(org, kind, after, "after")
        rows = [record for record in found if record.number < number]
        newer = len(rows) < len(found)
        older, rows = len(rows) > limit, rows[:limit]
    elif before:
        number = _cursor(org, kind, before, "before")
        rows = [record for record in found if record.number > number]
        older = len(rows) < len(found)
        newer, rows = len(rows) > limit, rows[-limit:]
    else:
        older, rows = len(found) > limit, found[:limit]
    cursors = {
        "before": rows[0].id if rows and newer else None,
        "after": rows[-1].id if rows and older else None,
    }
    shown = [show(org, record) for record in rows]
    return {kind: shown, "meta": {"cursors": cursors, "limit": limit}}


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise _bad(f"limit must be a number from 1 to {MOST}")
    return int(text)


def _cursor(org: Organisation, kind: str, identity: str, name: str) -> int:
    found = org.records[kind].get(identity)
    if found is None:
        raise _bad(f"{name} is not a cursor of this list")
    return found.number


def _bad(message: str) -> Exception:
    return usage(400, "bad_request", message)


def _test(org: Organisation, kind: str, query: Mapping[str, str]) -> Callable[[Record], bool]:
    """Whether a record fits all the filters of the query."""
    known = FILTERS[kind]
    tests = [_one(org, kind, known, name, value) for name, value in query.items()]
    return lambda record: all(test(record) for test in tests)


def _one(
    org: Organisation, kind: str, known: Filters, name: str, value: str
) -> Callable[[Record], bool]:
    field, _, bound = name.partition("[")
    if field in known.dates and bound.rstrip("]") in BOUNDS:
        compare = BOUNDS[bound.rstrip("]")]
        instant = _same_spelling(value) if field == "created_at" else value
        return lambda record: compare(str(record.doc[field]), instant)
    wanted = set(value.split(","))
    if name in known.dates:
        return lambda record: record.doc[name] in wanted
    if name in known.fields:
        return lambda record: _text(record.doc.get(name)) in wanted
    if (kind, name) == ("payments", "customer"):
        return lambda record: _customer(org, record) in wanted
    if name in known.links:
        return lambda record: record.links.get(name) in wanted
    raise _bad(f"{name} is not a filter of this list")


def _same_spelling(instant: str) -> str:
    """An instant with milliseconds and ``Z``, so that texts compare as instants do."""
    text = instant.replace("+00:00", "Z")
    if len(text) == 10:
        text += "T00:00:00Z"
    head, _, rest = text.rstrip("Z").partition(".")
    return f"{head}.{(rest + '000')[:3]}Z"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _customer(org: Organisation, payment: Record) -> object:
    return org.get("mandates", payment.links["mandate"]).links["customer"]
