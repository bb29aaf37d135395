"""What must hold at the end of the demo: pure functions from a record to checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from local.demo_checks_debits import of_debits, of_webhooks
from local.demo_record import (
    DAY,
    EXACT,
    NOTHING,
    PARTS,
    Check,
    Life,
    Record,
    Split,
    folded,
    pence,
    rounded,
    total,
)


def checks(record: Record) -> list[Check]:
    """Every check, the loan that was paid on time first."""
    return [
        *_of_twin(record),
        *_of_late(record),
        *_of_troubled(record),
        *_of_all(record),
        *of_debits(record),
        *of_webhooks(record),
    ]


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
    # What the bank collects on the last due date is certain a working day later.
    sure = twin.debits[-1].when("confirmed") if twin.debits else quote.rows[-1].due
    yield Check("On time: statuses",
                _course([("inactive", quote.start), ("active", quote.start), ("closed", sure)]),
                _course((move.status, move.on) for move in twin.moves))  # fmt: skip


def _of_late(record: Record) -> Iterator[Check]:
    quote, late = record.quote, record.late
    due, paid = quote.rows[record.missed - 1].due, late.rows[record.missed - 1].paid_on
    cost = cost_of_lateness(record, late, record.missed)
    course = [("inactive", quote.start), ("active", quote.start), ("late", due + DAY),
              ("arrears", due + DAY * (record.tolerance + 1)), ("active", paid),
              ("closed", quote.rows[-1].due)]  # fmt: skip
    yield Check("Missed: statuses", _course(course),
                _course((move.status, move.on) for move in late.moves))  # fmt: skip
    yield Check("Missed: interest charged, against the quote's plus what lateness cost",
                str(pence(EXACT.add(record.twin.interest, cost))),
                str(pence(late.interest)))  # fmt: skip
    yield Check("Missed: fees charged", str(record.fee), str(pence(late.fees)))
    owed = EXACT.add(EXACT.add(quote.amount, late.interest), late.fees)
    yield Check("Missed: all that was collected, against principal, interest and fees",
                str(pence(owed)), str(total(late.collected)))  # fmt: skip


def cost_of_lateness(record: Record, life: Life, number: int) -> Decimal:
    """Interest on the principal of a row for the nights that it was late in ``life``; exact."""
    return nights_of(record, number, life.rows[number - 1].days_late)


def nights_of(record: Record, number: int, nights: int) -> Decimal:
    """Interest on the principal of a row for some nights; exact.

    The principal is what the loan paid on time repaid on that row's due date; interest is
    actual days over 365.
    """
    due = record.quote.rows[number - 1].due
    repaid = total(
        entry.exact.principal
        for entry in record.twin.applied
        if entry.kind == "repayment" and entry.on == due
    )
    yearly = EXACT.multiply(repaid, EXACT.divide(record.quote.rate, Decimal(100)))
    return EXACT.divide(EXACT.multiply(yearly, Decimal(nights)), Decimal(365))


def _of_troubled(record: Record) -> Iterator[Check]:
    quote, life = record.quote, record.troubled
    failed, disputed = quote.rows[record.failed - 1], quote.rows[record.disputed - 1]
    retried = life.debit_of(failed)
    back = next((entry.on for entry in life.taken_back), None)
    course = [("inactive", quote.start), ("active", quote.start), ("late", failed.due + DAY),
              ("active", retried.when("confirmed") if retried else None), ("late", back),
              ("active", life.rows[record.disputed - 1].paid_on),
              ("closed", life.settled_on)]  # fmt: skip
    yield Check("Troubled: statuses", _course(course),
                _course((move.status, move.on) for move in life.moves))  # fmt: skip
    yield Check("Troubled: days past due when the bank took the money back, since the due date",
                str((back - disputed.due).days if back else None),
                str(next((s.past for s in life.sights if s.on == back and s.status == "late"),
                         None)))  # fmt: skip
    yield Check("Troubled: interest, against the loan paid on time, two late rows and the payoff",
                str(pence(expected_interest(record))), str(pence(life.interest)))  # fmt: skip
    owed = EXACT.add(EXACT.add(quote.amount, life.interest), life.fees)
    yield Check("Troubled: collected and not taken back, against principal, interest and fees",
                str(pence(owed)), str(life.kept))  # fmt: skip
    yield Check("Troubled: what settled the loan, against what it was said to cost",
                str(life.payoff), str(life.collected[-1] if life.collected else None))  # fmt: skip


def expected_interest(record: Record) -> Decimal:
    """What the troubled loan costs: as on time, dearer by late rows, cheaper by the payoff.

    What a bank takes back bears interest again from that day on: the nights between were paid for.
    """
    life, last = record.troubled, record.quote.rows[-1]
    again = life.rows[record.disputed - 1].paid_on
    gone = [(again - back.on).days for back in life.taken_back if again]
    dearer = [cost_of_lateness(record, life, record.failed),
              *(nights_of(record, record.disputed, nights) for nights in gone)]  # fmt: skip
    early = (last.due - life.settled_on).days if life.settled_on else 0
    cheaper = nights_of(record, last.number, early)
    return EXACT.subtract(total([record.twin.interest, *dearer]), cheaper)


def _of_all(record: Record) -> Iterator[Check]:
    for life in record.lives:
        last = life.sights[-1]
        yield Check(f"{life.title}: at the end", "closed, paid_in_full, 0.00",
                    f"{last.status}, {life.close_substatus}, {last.balance.total}")  # fmt: skip
        yield Check(f"{life.title}: balances that are not the sum of their transactions",
                    "none", "; ".join(wrong_sums(life)) or "none")  # fmt: skip
        yield Check(f"{life.title}: balances read on the way that are told otherwise now",
                    "none", "; ".join(wrong_sights(life)) or "none")  # fmt: skip


def wrong_sums(life: Life) -> Iterator[str]:
    """Where the balances after a transaction are not the sum of the splits up to it."""
    balance = NOTHING
    for entry in life.applied:
        balance = folded([entry], balance)
        summed = rounded(balance)
        if summed != entry.after:
            yield f"{entry.on} {entry.kind}: {_text(entry.after)}, not {_text(summed)}"


def wrong_sights(life: Life) -> Iterator[str]:
    """Where the last reading of a day is not what is now said to have been known that evening.

    A loan that nobody collects has no second thoughts: there the transactions must say the same.
    """
    seen = {sight.on: sight.balance for sight in life.sights}
    left = {} if life.debits else dict(life.balances())
    for on, balance in seen.items():
        for expected in filter(None, (life.known.get(on), left.get(on))):
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
