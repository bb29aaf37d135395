"""What must hold of direct debits and webhooks: pure functions from a record to checks.

Two tellers are compared: Backbone (transactions, webhooks) and the payments provider (payments and
their events).  Neither knows what the other says here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from local.demo_debits import COLLECTED, RETRIED, Debit
from local.demo_record import (
    DAY,
    EXACT,
    PARTS,
    Check,
    Entry,
    Life,
    Record,
    Split,
    folded,
    rounded,
    total,
)


def of_debits(record: Record) -> Iterator[Check]:
    """What the provider says of its payments, against the loans' transactions."""
    for life in record.lives:
        if life.debits:
            yield from _of_life(life)
    yield from _retried(record)
    yield from _taken_back(record)
    yield _made(record)


def _of_life(life: Life) -> Iterator[Check]:
    ours = [entry for entry in life.repayments if entry.how]
    back = total(entry.amount for entry in life.taken_back)
    theirs = [debit for debit in life.debits if debit.status in COLLECTED]
    yield Check(f"{life.title}: sum of what the provider collected and kept, against the loan",
                str(EXACT.subtract(total(entry.amount for entry in ours), back)),
                str(total(debit.amount for debit in theirs)))  # fmt: skip
    yield Check(f"{life.title}: each payment at the provider, against its transaction",
                _pairs((entry.id, entry) for entry in ours),
                _pairs((debit.transaction, debit) for debit in life.debits))  # fmt: skip


def _pairs(found: Iterable[tuple[str, Entry | Debit]]) -> str:
    return ", ".join(
        f"{identity[-4:]} {one.amount} on {one.on if isinstance(one, Entry) else one.charged_on}"
        for identity, one in found
    )


def _retried(record: Record) -> Iterator[Check]:
    life = record.troubled
    debit = life.debit_of(record.quote.rows[record.failed - 1])
    what = "Troubled: the payment that failed"
    if debit is None:
        yield Check(what, "one payment", "none")
        return
    repayments = [entry for entry in life.repayments if entry.id == debit.transaction]
    counted = (len(repayments), debit.attempts, debit.count("failed"), debit.count("confirmed"))
    yield Check(f"{what}: transactions, attempts, failures, confirmations",
                "1, 2, 1, 1", ", ".join(map(str, counted)))  # fmt: skip
    first = debit.when("failed") or debit.charged_on
    yield Check(f"{what}: asked for again by the platform, for the third working day",
                f"{first}, 3",
                f"{debit.when(RETRIED)}, {_weekdays(first, debit.charged_on)}")  # fmt: skip
    said = [one.event for one in record.heard if one.subject == debit.transaction]
    yield Check(f"{what}: what the partner heard of it",
                "repayment_created, repayment_result, repayment_result",
                ", ".join(said))  # fmt: skip


def _taken_back(record: Record) -> Iterator[Check]:
    life, row = record.troubled, record.quote.rows[record.disputed - 1]
    debit = life.debit_of(row)
    original = next((e for e in life.repayments if debit and e.id == debit.transaction), None)
    back = life.taken_back
    what = "Troubled: the payment that was taken back"
    if debit is None or original is None or len(back) != 1:
        yield Check(what, "one payment, one transaction, one chargeback",
                    f"{debit}, {original}, {len(back)} chargebacks")  # fmt: skip
        return
    chargeback = back[0]
    yield Check(f"{what}: the chargeback's day and split, against the provider and the original",
                f"{debit.when('charged_back')} {_parts(original.split)}",
                f"{chargeback.on} {_parts(chargeback.split)}")  # fmt: skip
    yield Check(f"{what} stays as it was", "applied", original.status)
    owed = [sight.balance for sight in life.sights if sight.on <= chargeback.on]
    yield Check(f"{what}: owed that evening, as if it had never been paid",
                _parts(_unpaid(life, original, chargeback)), _parts(owed[-1]))  # fmt: skip


def _weekdays(first: date, last: date) -> int:
    """Mondays to Fridays after ``first`` up to ``last``; there are no holidays in the story."""
    days = (first + DAY * number for number in range(1, (last - first).days + 1))
    return sum(day.isoweekday() < 6 for day in days)


def _parts(split: Split) -> str:
    return "/".join(str(getattr(split, part)) for part in PARTS)


def _unpaid(life: Life, original: Entry, chargeback: Entry) -> Split:
    """What is owed on the day of the chargeback if neither it nor the repayment had ever been."""
    out = (original.id, chargeback.id)
    return rounded(folded(e for e in life.applied if e.on <= chargeback.on and e.id not in out))


def _made(record: Record) -> Check:
    """A payment taken back is not asked for again, and a row paid off early not at all."""
    rows, twin, troubled = (
        len(found) for found in (record.quote.rows, record.twin.debits, record.troubled.debits)
    )
    return Check("Payments made at the provider: one a row; none for the row that was paid off",
                 f"{rows} on time, {rows - 1} troubled",
                 f"{twin} on time, {troubled} troubled")  # fmt: skip


def of_webhooks(record: Record) -> Iterator[Check]:
    """What the partner's endpoint received, against the partner's log and the provider."""
    wrong = [f"{one.event}: {one.flaw}" for one in record.heard if one.flaw]
    yield Check("Webhooks: signatures that the reference implementation refuses",
                "none", "; ".join(wrong) or "none")  # fmt: skip
    known, came = set(record.delivered), {one.id for one in record.heard}
    yield Check("Webhooks: received, against those that the log says were delivered",
                f"{len(known)}, none missing, none unknown",
                f"{len(came)}, {len(known - came) or 'none'} missing, "
                f"{len(came - known) or 'none'} unknown")  # fmt: skip
    ours = {debit.transaction for life in record.lives for debit in life.debits}
    told = [one.subject for one in record.heard if one.event == "repayment_created"]
    twice = len(told) - len(set(told))
    yield Check("Webhooks: repayments announced, against the provider's payments",
                f"{len(ours)}, none twice",
                f"{len(set(told) & ours)}, {twice or 'none'} twice")  # fmt: skip
