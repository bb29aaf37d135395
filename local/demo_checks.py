"""What must hold at the end of the demo: pure functions from a record to checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from local.demo_record import (
    DAY,
    EXACT,
    NOTHING,
    PARTS,
    Check,
    Life,
    Record,
    Split,
    pence,
    total,
)

#: These take from a balance; ``rounding`` has its own sign, everything else adds.
LOWERING = frozenset({"repayment", "allocation", "write_off"})


def checks(record: Record) -> list[Check]:
    """Every check, the loan that was paid on time first."""
    return [*_of_twin(record), *_of_late(record), *_of_both(record)]


def _of_twin(record: Record) -> Iterator[Check]:
    quote, twin = record.quote, record.twin
    planned = [row.amount for row in quote.rows]
    yield Check("On time: amounts collected, against the quote's rows",
                _amounts(planned), _amounts(twin.collected))  # fmt: skip
    yield Check("On time: interest charged, against the quote's total",
                str(quote.interest), str(pence(twin.interest)))  # fmt: skip
    yield Check("On time: all that was collected, against the quote's total",
                str(quote.total), str(total(twin.collected)))  # fmt: skip
    yield Check("On time: paid on",
                _dates(row.due for row in quote.rows),
                _dates(row.paid_on for row in twin.rows))  # fmt: skip
    yield Check("On time: statuses",
                _course([("inactive", quote.start), ("active", quote.start),
                         ("closed", quote.rows[-1].due)]),
                _course((move.status, move.on) for move in twin.moves))  # fmt: skip


def _of_late(record: Record) -> Iterator[Check]:
    quote, late = record.quote, record.late
    due, paid = quote.rows[record.missed - 1].due, late.rows[record.missed - 1].paid_on
    course = [("inactive", quote.start), ("active", quote.start), ("late", due + DAY),
              ("arrears", due + DAY * (record.tolerance + 1)), ("active", paid),
              ("closed", quote.rows[-1].due)]  # fmt: skip
    yield Check("Missed: statuses", _course(course),
                _course((move.status, move.on) for move in late.moves))  # fmt: skip
    yield Check("Missed: interest charged, against the quote's plus what lateness cost",
                str(pence(EXACT.add(record.twin.interest, cost_of_lateness(record)))),
                str(pence(late.interest)))  # fmt: skip
    yield Check("Missed: fees charged", str(record.fee), str(pence(late.fees)))
    owed = EXACT.add(EXACT.add(quote.amount, late.interest), late.fees)
    yield Check("Missed: all that was collected, against principal, interest and fees",
                str(pence(owed)), str(total(late.collected)))  # fmt: skip


def cost_of_lateness(record: Record) -> Decimal:
    """Interest on the principal of the missed row for the nights that it was late; exact.

    The principal is what the loan paid on time repaid on that row's due date; interest is
    actual days over 365.
    """
    row = record.late.rows[record.missed - 1]
    due = record.quote.rows[record.missed - 1].due
    repaid = total(
        entry.exact.principal
        for entry in record.twin.applied
        if entry.kind == "repayment" and entry.on == due
    )
    yearly = EXACT.multiply(repaid, EXACT.divide(record.quote.rate, Decimal(100)))
    return EXACT.divide(EXACT.multiply(yearly, Decimal(row.days_late)), Decimal(365))


def _of_both(record: Record) -> Iterator[Check]:
    for life in record.lives:
        last = life.sights[-1]
        yield Check(f"{life.title}: at the end", "closed, paid_in_full, 0.00",
                    f"{last.status}, {life.close_substatus}, {last.balance.total}")  # fmt: skip
        yield Check(f"{life.title}: balances that are not the sum of their transactions",
                    "none", "; ".join(wrong_sums(life)) or "none")  # fmt: skip
        yield Check(f"{life.title}: balances read on the way that its transactions contradict",
                    "none", "; ".join(wrong_sights(life)) or "none")  # fmt: skip


def wrong_sums(life: Life) -> Iterator[str]:
    """Where the balances after a transaction are not the sum of the splits up to it."""
    balance = NOTHING
    for entry in life.applied:
        sign = Decimal(-1) if entry.kind in LOWERING else Decimal(1)
        balance = Split(*(
            EXACT.fma(getattr(entry.exact, part), sign, getattr(balance, part)) for part in PARTS
        ))  # fmt: skip
        summed = Split(*(pence(getattr(balance, part)) for part in PARTS))
        if summed != entry.after:
            yield f"{entry.on} {entry.kind}: {_text(entry.after)}, not {_text(summed)}"


def wrong_sights(life: Life) -> Iterator[str]:
    """Where the last reading of a day is not what that day's transactions left."""
    seen = {sight.on: sight.balance for sight in life.sights}
    left = dict(life.balances())
    for on, balance in seen.items():
        expected = left.get(on, NOTHING)
        if balance != expected:
            yield f"{on}: {_text(balance)}, not {_text(expected)}"


def _text(balance: Split) -> str:
    return "/".join(str(getattr(balance, part)) for part in PARTS)


def _amounts(amounts: Iterable[Decimal]) -> str:
    return ", ".join(str(amount) for amount in amounts)


def _dates(days: Iterable[date | None]) -> str:
    return ", ".join(str(day) for day in days)


def _course(moves: Iterable[tuple[str, date | None]]) -> str:
    return ", ".join(f"{status} {day}" for status, day in moves)


def extra(record: Record) -> tuple[Decimal, Decimal]:
    """What the missed payment cost: more interest than quoted (pence), and fees."""
    return pence(record.late.interest) - record.quote.interest, pence(record.late.fees)
