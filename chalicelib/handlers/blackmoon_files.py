"""``/blackmoon/file/``: the daily files of loans and repayments, and sending one again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from chalicelib.handlers.routing import Resource
from chalicelib.handlers.schema import Out, PageQuery
from chalicelib.handlers.values import Instant, MoneyOut
from chalicelib.models.keys import DATA_FILE
from chalicelib.usecases import views
from chalicelib.usecases.context import Context, Source

if TYPE_CHECKING:
    from chalicelib.domain.data_files import DataFile
    from chalicelib.models.unit import Stored

api = Resource("/blackmoon/file", tag="Blackmoon")


class FileOut(Out):
    """One business date's file of loans or repayments.

    ``rows`` and ``sum`` are what it holds, compared with the ledger before it is sent: the sum of
    the loans' principal, or of what was repaid.  ``size`` is in bytes.  ``error_code`` is
    Blackmoon's, or ``not_what_the_ledger_says``, ``not_configured``, ``no_answer``.
    """

    id: str
    business_date: date
    kind: Literal["loans", "repayments"]
    status: Literal["writing", "checking", "sending", "retrying", "sent", "failed"]
    rows: int
    sum: MoneyOut
    size: int
    sent_at: Instant | None
    error_code: str | None
    tries: int
    created_at: Instant
    updated_at: Instant


@api.collection(answer=FileOut, summary="List daily files")
def listing(ctx: Context, query: PageQuery) -> Source[Stored[DataFile]]:
    """Two a business date, newest first."""
    return views.listing(ctx, DATA_FILE, query.criteria)


@api.get("/{pk}", answer=FileOut, summary="Read a daily file")
def read(ctx: Context, pk: str) -> Stored[DataFile]:
    """What became of one business date's loans or repayments."""
    return views.read(ctx, DATA_FILE, "file", pk)


@api.post(
    "/{pk}/resend",
    answer=FileOut,
    summary="Send a daily file again",
    refuses=("invalid_status",),
)
def resend(ctx: Context, pk: str) -> Stored[DataFile]:
    """Make it again as of its business date, and send it; not while it is on its way."""
    from chalicelib.usecases import daily_files

    return daily_files.again(ctx, pk)
