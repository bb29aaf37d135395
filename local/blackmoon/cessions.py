"""Who has bought what: direct cessions and top-ups, what went back, and the comparison of both.

An accepted offer is a direct cession of what was bid, on the date of the acceptance.  What was
really paid out becomes known with the next file of loans (:func:`reported`): that is the price,
and what is paid out later is a top-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from local.blackmoon import wire
from local.blackmoon.errors import ApiError, Json
from local.blackmoon.organisation import Organisation
from local.simulating.records import Record

TYPES = ("direct", "topup")
REVERSE_TYPES = ("Overdue", "UpperThreshold", "LowerThreshold", "Cancelled")
ZERO = Decimal(0)


class Row(NamedTuple):
    """A cession in a form that can be compared."""

    investor: str
    loan: str
    type: str
    day: str
    price: Decimal
    origination_fee: Decimal
    servicing_fee: Decimal

    def told(self) -> Json:
        """As the API writes it."""
        return {
            "investorLegalEntityId": int(self.investor)
            if self.investor.isdecimal()
            else self.investor,
            "loanId": self.loan,
            "type": self.type,
            "day": self.day,
            "price": self.price,
            "originationFee": self.origination_fee,
            "servicingFee": self.servicing_fee,
        }


def row_of(doc: Mapping[str, Any]) -> Row:
    """The row that a JSON object describes; raises :class:`ValueError` saying what is wrong."""
    numbers = [wire.number(doc.get(name)) for name in ("price", "originationFee", "servicingFee")]
    price, origination, servicing = numbers
    investor = wire.identity(doc.get("investorLegalEntityId"))
    loan = wire.identity(doc.get("loanId"))
    if not investor or not loan:
        raise ValueError("investorLegalEntityId and loanId must be ids")
    if doc.get("type") not in TYPES:
        raise ValueError(f"type must be one of {', '.join(TYPES)}")
    if price is None or origination is None or servicing is None:
        raise ValueError("price, originationFee and servicingFee must be numbers")
    day = str(doc.get("day"))
    if date.fromisoformat(day).isoformat() != day:
        raise ValueError("day must be YYYY-MM-DD")
    return Row(investor, loan, doc["type"], day, price, origination, servicing)


# -- what becomes of accepted offers


def cede(org: Organisation, offer: Record) -> None:
    """The direct cession of an offer that was just accepted."""
    _add(org, offer, "direct", org.today, Decimal(offer.doc["bidAmount"]))


def _add(org: Organisation, offer: Record, kind: str, day: date, price: Decimal) -> Record:
    same = ("investorLegalEntityId", "loanId", "originationFee", "servicingFee")
    doc = {name: offer.doc[name] for name in same}
    doc |= {"type": kind, "day": day.isoformat(), "price": str(price)}
    return org.add("cessions", doc, offer=offer.id)


def of_loan(org: Organisation, loan: str) -> list[Record]:
    """A loan's cessions, oldest first."""
    return by_loan(org).get(loan, [])


def by_loan(org: Organisation) -> dict[str, list[Record]]:
    """Every loan's cessions, oldest first."""
    found: dict[str, list[Record]] = {}
    for one in _there(org):
        found.setdefault(one.doc["loanId"], []).append(one)
    return found


def _there(org: Organisation) -> list[Record]:
    return [one for one in org.all("cessions") if not one.hidden.get("gone")]


def give_back(
    org: Organisation, loan: str, kind: str, price: Decimal | None = None, day: str | None = None
) -> None:
    """A loan is the originator's again; one of the same kind is replaced."""
    if price is None:
        price = sum((Decimal(one.doc["price"]) for one in of_loan(org, loan)), ZERO)
    doc = {"loanId": loan, "price": str(price), "type": kind, "date": day or org.today.isoformat()}
    for known in org.all("reverses"):
        if (known.doc["loanId"], known.doc["type"]) == (loan, kind):
            org.change(known, {"gone": False}, **doc)
            return
    org.add("reverses", doc)


def reported(org: Organisation, known: Sequence[Record], row: Mapping[str, str]) -> None:
    """What the loans' file tells of a loan that was sold; ``known`` are its cessions.

    ``disbursements`` lists them all (``2026-01-05:500.00;2026-01-09:250.00``).  Without it
    ``disbursedAmount`` is their sum at the end of the day before: what is new of it is a top-up of
    that day.  With neither the price remains what was bid.
    """
    offer = org.records["offers"][org.keys["loan", row["applicationId"]]]
    if offer.status != "accepted":
        return
    if listed := row.get("disbursements", ""):
        _settle(org, offer, known, _listed(listed))
    elif total := wire.number(row.get("disbursedAmount") or None):
        _grow(org, offer, known, total)


def _listed(text: str) -> list[tuple[date, Decimal]]:
    parts = (one.partition(":") for one in text.split(";"))
    return [(date.fromisoformat(day), Decimal(amount)) for day, _, amount in parts]


def _settle(
    org: Organisation,
    offer: Record,
    known: Sequence[Record],
    paid: Sequence[tuple[date, Decimal]],
) -> None:
    for number, (day, price) in enumerate(paid):
        if number >= len(known):
            _add(org, offer, "topup", day, price)
            continue
        there = known[number]
        when = there.doc["day"] if there.doc["type"] == "direct" else day.isoformat()
        now = {"day": when, "price": str(price)}
        if not there.hidden.get("settled") or there.doc != there.doc | now:
            org.change(there, {"settled": True}, **now)
    for there in known[max(len(paid), 1) :]:
        org.change(there, {"gone": True})


def _grow(org: Organisation, offer: Record, known: Sequence[Record], total: Decimal) -> None:
    direct, *topups = known
    if not direct.hidden.get("settled"):
        org.change(direct, {"settled": True}, price=str(total))
        return
    paid = sum((Decimal(one.doc["price"]) for one in (direct, *topups)), ZERO)
    if total > paid:
        _add(org, offer, "topup", org.today - timedelta(days=1), total - paid)


# -- the comparison


def reconcile(org: Organisation, parameters: Mapping[str, str]) -> Json:
    """``portfolio.reconcileDirectCessionTransactions``, over all time."""
    theirs = _sent(parameters)
    directs = Counter(row.loan for row in theirs if row.type == "direct")
    if twice := [loan for loan, times in directs.items() if times > 1]:
        raise ApiError(160, f"loan {twice[0]} cannot be ceded twice")
    if not org.ready("portfolio.reconcileDirectCessionTransactions"):
        return {"ready": False}
    ours = Counter(_platform(org, theirs))
    correct = ours & Counter(theirs)
    only, missing = ours - correct, Counter(theirs) - correct
    which = "DirectCession" if only or missing else "Cession"  # the documentation has both
    return {
        "ready": True,
        f"total{which}TransactionsCount": correct.total() + only.total() + missing.total(),
        f"correct{which}TransactionsCount": correct.total(),
        "platformOnly": [row.told() for row in only.elements()],
        "platformMissing": [row.told() for row in missing.elements()],
    }


def _sent(parameters: Mapping[str, str]) -> list[Row]:
    try:
        rows = wire.parsed(parameters["cessionTransactions"])
    except (KeyError, ValueError):
        raise ApiError(1, "cessionTransactions must be JSON") from None
    if not isinstance(rows, list):
        raise ApiError(1, "cessionTransactions must be a list")
    found, wrong = [], []
    for number, row in enumerate(rows):
        try:
            found.append(row_of(row))
        except (ValueError, TypeError, KeyError, AttributeError) as flaw:
            wrong.append(f"cession {number}: {flaw}")
    if wrong:
        raise ApiError(1, "; ".join(wrong[:20]))
    return found


def _platform(org: Organisation, theirs: Sequence[Row]) -> list[Row]:
    """What Blackmoon has, as the control routes make it differ.

    What was paid out on the business date itself is told by the next file of loans: until then
    Blackmoon takes the originator's word for it.
    """
    known = [(row_of(one.doc), bool(one.hidden.get("settled"))) for one in _there(org)]
    drop = org.head.drop_cessions
    if drop is True:
        known = []
    elif isinstance(drop, int) and drop:
        known = known[:-drop]
    elif isinstance(drop, list | tuple):
        known = [one for one in known if not any(_meant(each, one[0]) for each in drop)]
    fresh = [row for row in theirs if row.day == org.today.isoformat()]
    said = {_unpriced(row): row for row in fresh if row.type == "direct"}
    rows = [row if settled else said.get(_unpriced(row), row) for row, settled in known]
    terms = {_unpriced(row)._replace(type="", day="") for row in rows}
    topups = Counter(
        row
        for row in fresh
        if row.type == "topup" and _unpriced(row)._replace(type="", day="") in terms
    )
    rows += (topups - Counter(rows)).elements()
    return rows + [row_of(one) for one in org.head.platform_only]


def _unpriced(row: Row) -> Row:
    return row._replace(price=ZERO)


def _meant(wanted: Any, row: Row) -> bool:
    """Whether a loan's id, or an object of members that all agree, means this cession."""
    if not isinstance(wanted, Mapping):
        return str(wanted) == row.loan
    told = row.told()
    return all(_same(told.get(name), value) for name, value in wanted.items())


def _same(known: Any, wanted: Any) -> bool:
    if isinstance(known, Decimal):
        return known == wire.number(str(wanted))
    return str(known) == str(wanted)


def reverses(org: Organisation) -> Json:
    """``portfolio.getReverseCessionTransactions``, over all time."""
    if not org.ready("portfolio.getReverseCessionTransactions"):
        return {"ready": False}
    found = [dict(one.doc) for one in org.all("reverses") if not one.hidden.get("gone")]
    return {"ready": True, "reverseCessionTransactions": found}
