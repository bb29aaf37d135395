"""What a commit means to those who watch the business, and what the nights' checks find.

Measures are put into the unit and told once it is committed: what was not written did not happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib import metrics
from chalicelib.domain import lag, self_check
from chalicelib.domain.deliveries import DELIVERED, Webhook
from chalicelib.domain.ledger import Batch, Transaction
from chalicelib.metrics import Measure, measure
from chalicelib.models.keys import ACCOUNT, CLOCK_STATE, TALLY
from chalicelib.models.store_errors import StoreError
from chalicelib.models.tally import Tally
from chalicelib.usecases import journals

if TYPE_CHECKING:
    from chalicelib.domain.account import Account
    from chalicelib.domain.loans import Outcome
    from chalicelib.domain.partners import Partner
    from chalicelib.models.store import Store
    from chalicelib.usecases.context import Context

MANUAL = "manual"
IN_BOOK = ("inactive", "active", "late", "arrears", "default")
"""Statuses whose loans are counted; closed and cancelled ones only ever grow more."""


class LedgerMismatch(Exception):
    """A stored account is not what its journal tells; says what differs, not by how much."""


# --- what was committed ---------------------------------------------------------------------------


def of_loan(
    currency: str, before: Account, outcome: Outcome, journal: Sequence[Batch] = ()
) -> Iterator[Measure]:
    """What a decision on a loan that was ``before`` brings about.

    ``journal`` are the batches that it was decided on, where it rewrites any.
    """
    after = outcome.account
    if after.status != before.status:
        yield measure(metrics.STATUS_MOVES, before=before.status, after=after.status)
    for item in _moved(outcome, journal):
        yield from _of_transaction(currency, item)


def _moved(outcome: Outcome, journal: Sequence[Batch]) -> Iterator[Transaction]:
    """Transactions that have come to what they are now by this decision."""
    was = {item.id: item.status for batch in journal for item in batch.transactions}
    yield from outcome.made()
    yield from outcome.updates
    for batch in outcome.rewritten:
        yield from (item for item in batch.transactions if item.status != was.get(item.id))


def _of_transaction(currency: str, item: Transaction) -> Iterator[Measure]:
    provider = item.provider or MANUAL
    match item.type, item.status:
        case "disbursement", "applied":
            yield measure(metrics.LOANS_DISBURSED, provider=provider)
            yield measure(metrics.DISBURSED_AMOUNT, item.amount, currency=currency)
        case "repayment", "applied":
            yield measure(metrics.REPAYMENTS_COLLECTED, provider=provider)
            yield measure(metrics.COLLECTED_AMOUNT, item.amount, currency=currency)
        case "repayment", "failed":
            yield measure(metrics.REPAYMENTS_FAILED, provider=provider)
        case "chargeback", "applied":
            yield measure(metrics.CHARGEBACKS)


def of_attempt(row: Webhook) -> Iterator[Measure]:
    """How the last attempt at delivering a webhook went."""
    yield measure(metrics.WEBHOOK_ATTEMPTS)
    last = row.deliveries[-1]
    if row.status != DELIVERED:
        yield measure(metrics.WEBHOOK_FAILURES)
    elif row.recorded_at is not None:
        waited = (last.attempted_at - row.recorded_at).total_seconds()
        yield measure(metrics.WEBHOOK_DELAY, max(0.0, waited))


# --- days -----------------------------------------------------------------------------------------


def behind(ctx: Context) -> timedelta:
    """How far the partner's closing of days is behind (see ``domain/lag.py``)."""
    stored = ctx.store.get(CLOCK_STATE, ctx.partner.id, ctx.partner.id)
    return lag.NOTHING if stored is None else lag.behind(ctx.partner, stored.value, ctx.wall())


def count_book(ctx: Context) -> None:
    """Keep how many loans the partner has of each status, as a day that closes leaves them."""
    ids = {status: f"book.{status}" for status in IN_BOOK}
    kept = ctx.store.get_many(TALLY, ctx.partner.id, ids.values())
    unit = ctx.unit()
    for status, name in ids.items():
        number = ctx.store.count(ACCOUNT, ctx.partner.id, "status", group={"status": status})
        before = kept.get(name)
        if before is None:
            unit.create(TALLY, ctx.partner.id, Tally(name, ctx.now, number))
        elif before.value.count != number:
            unit.update(TALLY, ctx.partner.id, before, Tally(name, ctx.now, number))
    ctx.store.commit(unit)


def book_of(store: Store, partner: Partner) -> dict[str, int]:
    """The same as it was kept last."""
    ids = {f"book.{status}": status for status in IN_BOOK}
    found = store.get_many(TALLY, partner.id, ids, consistent=False)
    return {ids[name]: stored.value.count for name, stored in found.items()}


# --- the ledger -----------------------------------------------------------------------------------


def check_ledger(ctx: Context, loan_id: str) -> bool:
    """Compare a loan's account with its journal; whether they could be read together.

    A difference is measured and reported with the loan's id, for a person to look at; nothing is
    changed.
    """
    try:
        loan = journals.account_of(ctx, loan_id)
        if loan is None:
            return False
        batches = [stored.value for stored in journals.read(ctx, loan)]
    except StoreError:
        return False  # others are at it; another night will do
    terms, account = loan.terms.value, loan.account.value
    differ = self_check.differences(terms, account, batches, journals.moment_of(ctx))
    found = measure(metrics.LEDGER_MISMATCH, int(bool(differ)))
    ctx.measure([measure(metrics.LEDGER_CHECKS), found])
    if differ:
        flaw = LedgerMismatch(", ".join(differ))
        ctx.report("an account is not what its journal tells", flaw, loan=loan_id)
    return True
