"""``/transaction/``: operations on loan accounts, each made once and only once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from chalicelib.domain.ledger import Transaction
from chalicelib.domain.money import ten_places
from chalicelib.handlers.http import Reply
from chalicelib.handlers.loans import LoanOut, loan_out
from chalicelib.handlers.routing import Also, Resource
from chalicelib.handlers.schema import Body, Out, PageQuery, PreviewQuery
from chalicelib.handlers.values import Day, Flag, Instant, MoneyOut, PositiveMoney, TextRule, Uuid
from chalicelib.usecases import transaction_lists, transactions
from chalicelib.usecases.context import Context, Replayed, Source
from chalicelib.usecases.previews import Preview

api = Resource("/transaction", tag="Transactions")

READ_ONLY = frozenset(
    [
        "status",
        "principal",
        "interest",
        "fee",
        "origin",
        "provider",
        "provider_transaction_id",
        "processing_date",
        "applied_at",
        "failure_reason",
        "reverted_by",
        "balance_after",
        "overpayment",
        "exact",
    ]
)
REFUSALS = (
    "idempotency_key_reused",
    "credit_limit_exceeded",
    "exceeds_outstanding",
    "loan_not_open",
    "invalid_status",
    "statement_closed",
)


class TransactionIn(Body):
    """A disbursement, a repayment or a fee; its key makes sure that it is made once."""

    read_only = Body.read_only | READ_ONLY

    loan: Uuid
    type: Literal["disbursement", "repayment", "fee"]
    amount: PositiveMoney | None = None
    name: Annotated[str, TextRule(0, 200)] = ""
    fee_type: Literal["flat", "percent"] | None = None
    idempotency_key: Annotated[str, TextRule(1, 255)] | None = None
    reference: Annotated[str, TextRule(0, 200)] = ""
    effective_date: Day | None = None
    collect: Flag | None = None


class BalancesOut(Out):
    """Balances after a transaction."""

    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut


class ExactOut(Out):
    """A split to ten decimals."""

    principal: str
    interest: str
    fee: str


class TransactionOut(Out):
    """One transaction with its split."""

    id: str
    loan: str
    type: str
    status: str
    amount: MoneyOut
    principal: MoneyOut
    interest: MoneyOut
    fee: MoneyOut
    overpayment: MoneyOut
    exact: ExactOut
    name: str
    fee_type: str | None
    idempotency_key: str | None
    reference: str
    collect: bool | None
    origin: str
    provider: str | None
    provider_transaction_id: str | None
    processing_date: date
    effective_date: date
    applied_at: Instant | None
    failure_reason: str
    reverted_by: str | None
    balance_after: BalancesOut
    created_at: Instant
    updated_at: Instant


#: What an answer takes from a transaction as it stands.
SAME = tuple(
    name
    for name in TransactionOut.model_fields
    if name not in ("principal", "interest", "fee", "exact", "balance_after")
)


def transaction_out(_: Context, item: Transaction) -> Mapping[str, Any]:
    """A transaction as its resource shows it."""
    exact = {name: f"{ten_places(part):f}" for name, part in item.split._asdict().items()}
    return {
        **{name: getattr(item, name) for name in SAME},
        **item.split._asdict(),
        "exact": exact,
        "balance_after": item.after._asdict(),
    }


class TransactionsQuery(PageQuery):
    """With a single ``loan``: an earlier day, whose transactions are shown as they were then."""

    as_of: Day | None = None


@api.collection(
    query=TransactionsQuery,
    answer=TransactionOut,
    view=transaction_out,
    related=("end_user", "product"),
    summary="List transactions",
    refuses=("not_found",),
)
def listing(ctx: Context, query: TransactionsQuery) -> Source[Transaction]:
    """Newest first; each night's interest is one.  ``as_of`` an earlier day, those of one
    ``loan`` as they were known at its end.
    """
    return transaction_lists.listing(ctx, query.criteria, query.as_of)


class DifferenceOut(Out):
    """A transaction as it is and as it would be; null where there is none."""

    id: str
    before: TransactionOut | None
    after: TransactionOut | None


class PreviewOut(Out):
    """What would change: the loan, and each transaction that would differ, newest first."""

    before: LoanOut
    after: LoanOut
    transactions: list[DifferenceOut]


def preview_out(ctx: Context, preview: Preview) -> Reply:
    """A preview as it is answered."""
    rows = [
        {
            "id": one.id,
            "before": one.before and transaction_out(ctx, one.before),
            "after": one.after and transaction_out(ctx, one.after),
        }
        for one in preview.transactions
    ]
    shown = {
        "before": loan_out(ctx, preview.before),
        "after": loan_out(ctx, preview.after),
        "transactions": rows,
    }
    return Reply(shown, status=200, answer=PreviewOut)


PREVIEW = {200: Also("With `preview=true`: what would change. Nothing is written.", PreviewOut)}


@api.post(
    body=TransactionIn,
    query=PreviewQuery,
    answer=TransactionOut,
    view=transaction_out,
    summary="Make a transaction",
    refuses=REFUSALS,
    also=PREVIEW,
    idempotency="own",
    key_field="idempotency_key",
)
def create(
    ctx: Context, body: TransactionIn, query: PreviewQuery
) -> Transaction | Replayed[Transaction] | Reply:
    """Disburse, repay or charge a fee, once for each idempotency key.

    A repayment with a past ``effective_date`` counts from that day on: everything since is
    recalculated.  A repayment can be previewed.
    """
    request = transactions.Request(**body.values())
    if query.preview:
        return preview_out(ctx, transactions.preview(ctx, request))
    return transactions.post(ctx, request)


@api.get("/{pk}", answer=TransactionOut, view=transaction_out, summary="Read a transaction")
def read(ctx: Context, pk: str) -> Transaction:
    """One transaction, a single night's interest included."""
    return transactions.read(ctx, pk)


class ApplyIn(Body):
    """When it took effect, if not today."""

    effective_date: Day | None = None


@api.post(
    "/{pk}/apply",
    body=ApplyIn,
    answer=TransactionOut,
    view=transaction_out,
    summary="Confirm a pending transaction by hand",
    refuses=("invalid_status", "loan_not_open", "statement_closed"),
)
def apply(ctx: Context, pk: str, body: ApplyIn) -> Transaction:
    """For money that moved without a provider of ours.

    A repayment's past ``effective_date`` makes its money count from that day on: everything since
    is recalculated.
    """
    return transactions.apply(ctx, pk, body.effective_date)


@api.post(
    "/{pk}/revert",
    query=PreviewQuery,
    answer=TransactionOut,
    view=transaction_out,
    summary="Revert a transaction and every later one",
    refuses=("invalid_status", "loan_not_open", "statement_closed", "transaction_pending"),
    also=PREVIEW,
)
def revert(ctx: Context, pk: str, query: PreviewQuery) -> Transaction | Reply:
    """Take back an applied transaction, or a night's interest, with every later one of its loan.

    The balances are what they were before it; the reverted nights are never charged again.
    """
    if query.preview:
        return preview_out(ctx, transactions.preview_revert(ctx, pk))
    return transactions.revert(ctx, pk)


@api.post(
    "/{pk}/retry",
    answer=TransactionOut,
    view=transaction_out,
    summary="Send a failed transaction to its provider again",
    refuses=(
        "invalid_status",
        "loan_not_open",
        "mandate_not_usable",
        "credit_limit_exceeded",
        "exceeds_outstanding",
    ),
)
def retry(ctx: Context, pk: str) -> Transaction:
    """The same transaction, with a new attempt at the provider.

    A repayment made by hand counts at once, from today; an automatic one when it is confirmed.
    What no provider pays out or collects cannot be tried again: make another.
    """
    return transactions.retry(ctx, pk)
