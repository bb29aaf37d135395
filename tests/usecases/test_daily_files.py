"""The daily files from the book to the simulator, over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain import disbursing
from chalicelib.domain.account import Account, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.data_windows import window
from chalicelib.domain.loans import Outcome
from chalicelib.integrations.blackmoon.results import ReverseRow
from chalicelib.jobs import blackmoon as jobs
from chalicelib.jobs import schedules
from chalicelib.models.keys import DATA_FILE
from chalicelib.usecases import (
    daily_files,
    data_walk,
    file_sending,
    loans,
    reversals,
    transactions,
)
from chalicelib.usecases.context import Context
from tests.scenarios.partner import Loan
from tests.usecases.bucket import MemoryBucket
from tests.usecases.selling import Shop, shop

LINE = {"type": "line_of_credit", "installments": None, "repayment_date_type": None}
METHODS = {"loans": "data.sendApplications", "repayments": "data.sendRepayments"}


@dataclass
class Files:
    """A partner that sells, its bucket, and what the simulator has received."""

    shop: Shop
    bucket: MemoryBucket

    def on(self, day: str, hour: int = 9) -> None:
        """The time is a morning's, here and there."""
        self.shop.market.now = datetime.combine(date.fromisoformat(day), time(hour), UTC)
        self.shop.there.control("clock", {"business_date": day, "renew": True})

    @property
    def ctx(self) -> Context:
        return self.shop.market.context_for(self.shop.market.partner)

    def send(self, day: str | None = None, twice: bool = False) -> None:
        """A day's files are begun, and the worker does what waits."""
        daily_files.begin(self.ctx, date.fromisoformat(day) if day else self.ctx.business_date)
        self.shop.works(twice)

    def received(self, kind: str) -> list[list[dict[str, str]]]:
        """The files that were sent, oldest first, as rows."""
        found = [
            one["files"][kind]
            for one in self.shop.there.received()
            if one["path"] == f"/{METHODS[kind]}"
        ]
        return [list(csv.DictReader(io.StringIO(text))) for text in found]

    def last(self, kind: str) -> dict[str, dict[str, str]]:
        """The rows of the last one, by loan or repayment."""
        rows = self.received(kind)[-1]
        name = "applicationId" if kind == "loans" else "repaymentId"
        assert len({row[name] for row in rows}) == len(rows), "each once"
        return {row[name]: row for row in rows}

    def shown(self, day: str, kind: str) -> Any:
        """The file as the partner sees it."""
        path = f"/blackmoon/file/?business_date={day}&kind={kind}"
        [found] = self.shop.person.get(path)["results"]
        return found

    def line(self, *amounts: str, sold: bool = True) -> Loan:
        """A line of credit with these disbursements."""
        product = self.shop.person.publishes(
            sell_to_blackmoon=sold, repayment_date_period=None, **LINE
        )
        loan = self.shop.person.opens_loan(product, amount="2000.00", installments=None)
        self.shop.works()
        for amount in amounts:
            loan.disburses(amount).confirmed()
            self.shop.works()
        return loan


def repays(loan: Loan, amount: str, **more: Any) -> None:
    """A repayment by hand, confirmed."""
    loan.transaction("repayment", amount, **more).ok(201)
    loan.confirmed()


def closed(loan: Loan) -> None:
    """Whatever is owed is repaid, and the loan is closed."""
    repays(loan, str(loan.partner.get(f"/loan/{loan.id}/payoff/")["total"]))
    loan.does("close", {"close_reason": "done", "close_substatus": "paid_in_full"}).ok(201)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    with shop(tmp_path) as made:
        bucket = MemoryBucket()
        made.market.objects = bucket  # type: ignore[assignment]
        found = Files(made, bucket)
        found.on("2026-03-02")
        yield found


def test_both_files_of_a_day(files: Files) -> None:
    sold = files.shop.opens()
    files.shop.works()
    sold.disburses("1500.00").confirmed()
    files.shop.works()
    line = files.line("500.00", "250.00", sold=False)
    never = files.shop.opens()
    files.shop.works()
    line.repays("100.00").confirmed()
    files.on("2026-03-03")
    files.send()
    rows = files.last("loans")
    assert set(rows) == {sold.id, line.id}, "what is not disbursed is not open"
    assert never.id not in rows
    assert rows[sold.id]["disbursements"] == "2026-03-02:1500.00"
    assert rows[sold.id]["everSold"] == "true" and rows[sold.id]["investorId"]
    assert rows[line.id]["disbursements"] == "2026-03-02:500.00;2026-03-02:250.00"
    assert rows[line.id]["disbursedAmount"] == "750.00" and rows[line.id]["everSold"] == "false"
    for loan in (sold, line):
        shown = files.shop.person.get(f"/loan/{loan.id}/?as_of=2026-03-02")
        row = rows[loan.id]
        assert row["balanceDate"] == "2026-03-02" and row["status"] == shown["status"]
        for column, name in {"principal": "principal", "interestAmount": "interest"}.items():
            assert Decimal(row[column]) == shown[name]
    [repaid] = files.received("repayments")[-1]
    assert repaid["applicationId"] == line.id and repaid["amount"] == "100.00"
    assert repaid["datetime"] == "2026-03-02T09:00:00+00:00"
    assert Decimal(repaid["principalAmount"]) == 100 and repaid["knownDate"] == "2026-03-02"

    loans, repayments = (files.shown("2026-03-03", kind) for kind in METHODS)
    assert (loans["status"], loans["rows"], str(loans["sum"])) == ("sent", 2, "2150.00")
    assert (repayments["status"], repayments["rows"], str(repayments["sum"])) == (
        "sent", 1, "100.00",
    )  # fmt: skip
    assert loans["tries"] == 1 and loans["error_code"] is None and loans["sent_at"]
    [stored] = [text for key, text in files.bucket.objects.items() if "loans" in key]
    assert loans["size"] == len(stored)
    assert files.shop.alarms() == []


def test_what_happens_on_the_day_is_in_tomorrows_file(files: Files) -> None:
    loan = files.line("500.00", sold=False)
    files.on("2026-03-03")
    loan.disburses("100.00").confirmed()
    loan.repays("50.00").confirmed()
    files.line("70.00", sold=False)
    files.send()
    assert files.last("loans")[loan.id]["disbursements"] == "2026-03-02:500.00"
    assert files.last("loans")[loan.id]["principal"] == "500.00"
    assert len(files.last("loans")) == 1 and files.received("repayments")[-1] == []
    files.on("2026-03-04")
    files.send()
    assert files.last("loans")[loan.id]["principal"] == str(loan.now["principal"])
    assert len(files.last("loans")) == 2
    [repaid] = files.received("repayments")[-1]
    assert repaid["amount"] == "50.00"


def test_closed_loans_stay_for_seven_days_and_on_the_first_for_thirty_two(files: Files) -> None:
    loan = files.line("500.00", sold=False)
    closed(loan)
    held = []
    for day in ("2026-03-03", "2026-03-09", "2026-03-10", "2026-04-01", "2026-04-02"):
        files.on(day)
        files.send()
        if loan.id in files.last("loans"):
            row = files.last("loans")[loan.id]
            assert (row["status"], row["closedDate"]) == ("closed", "2026-03-02")
            held.append(day)
            assert len(files.received("repayments")[-1]) == 1
        else:
            assert files.received("repayments")[-1] == []
    assert held == ["2026-03-03", "2026-03-09", "2026-04-01"]


def test_what_is_learnt_of_late_is_in_the_file_of_the_day_after(files: Files) -> None:
    loan = files.line("500.00", sold=False)
    files.on("2026-06-02")
    repays(loan, "100.00", effective_date="2026-03-04")
    files.on("2026-06-03")
    files.send()
    [row] = files.received("repayments")[-1]
    assert (row["datetime"], row["knownDate"]) == ("2026-03-04T00:00:00+00:00", "2026-06-02")
    files.on("2026-06-10")
    files.send()
    assert files.received("repayments")[-1] == []


def test_a_repayment_that_is_reverted_comes_again_with_nothing(files: Files) -> None:
    loan = files.line("500.00", sold=False)
    loan.repays("100.00").confirmed()
    repayment = loan.last
    files.on("2026-03-12")
    files.send()
    assert files.received("repayments")[-1] == []
    files.shop.api.post(f"/transaction/{repayment}/revert/").ok(201)
    files.on("2026-03-13")
    files.send()
    row = files.last("repayments")[repayment]
    assert (row["amount"], row["status"], row["statedAmount"]) == ("0.00", "reverted", "100.00")
    assert row["knownDate"] == "2026-03-12"


def test_a_loan_ever_ceded_is_told_for_ever_with_all_its_repayments(files: Files) -> None:
    loan = files.line("500.00")
    assert files.shop.offer(loan)["status"] == "accepted"
    closed(loan)
    unsold = files.line("500.00", sold=False)
    closed(unsold)
    files.on("2026-07-15")
    files.send()
    assert set(files.last("loans")) == {loan.id}
    assert files.last("loans")[loan.id]["status"] == "closed"
    [row] = files.received("repayments")[-1]
    assert row["applicationId"] == loan.id


def test_messages_twice_and_days_twice_send_once(files: Files) -> None:
    files.line("500.00", sold=False)
    files.on("2026-03-03")
    files.send(twice=True)
    files.send(twice=True)
    assert len(files.received("loans")) == len(files.received("repayments")) == 1


def test_sent_again_it_says_what_it_said(files: Files) -> None:
    """As of its date, whatever has happened since."""
    loan = files.line("500.00", "100.00")
    other = files.line("300.00", sold=False)
    loan.repays("40.00").confirmed()
    files.on("2026-03-03")
    files.send()
    before = [files.received(kind)[-1] for kind in METHODS]
    shown = files.shown("2026-03-03", "loans")
    loan.repays("60.00").confirmed()
    files.on("2026-05-20")
    closed(other)
    loan.disburses("70.00").confirmed()
    files.shop.works()
    files.shop.api.post(f"/blackmoon/file/{shown['id']}/resend/").ok(201)
    files.shop.api.post(f"/blackmoon/file/{shown['id']}/resend/").refused("invalid_status")
    files.shop.works()
    assert files.received("loans")[-1] == before[0] and len(files.received("loans")) == 2
    daily_files.resend(files.ctx, date(2026, 3, 3))
    files.shop.works()
    assert [files.received(kind)[-1] for kind in METHODS] == before
    daily_files.resend(files.ctx, date(2026, 4, 1))
    files.shop.works()
    assert files.shown("2026-04-01", "repayments")["status"] == "sent", "one that never was"


def test_made_again_it_names_the_investor_that_was_known_then(files: Files) -> None:
    """A reversal that is heard of later changes no file of before, whatever day it is dated."""
    loan = files.line("500.00")
    assert files.shop.offer(loan)["status"] == "accepted"
    files.on("2026-03-04")
    files.send()
    before = files.last("loans")[loan.id]
    assert before["investorId"] and before["everSold"] == "true"
    files.on("2026-03-06")
    back = ReverseRow(loan.id, Decimal("500.00"), "UpperThreshold", date(2026, 3, 3))
    assert reversals.record(files.ctx, [back]) == ()
    daily_files.resend(files.ctx, date(2026, 3, 4))
    files.shop.works()
    assert files.last("loans")[loan.id] == before
    files.on("2026-03-07")
    files.send()
    after = files.last("loans")[loan.id]
    assert (after["investorId"], after["everSold"]) == ("", "true")


def comes_back(files: Files, loan: Loan) -> None:
    """The bank brings the loan's only disbursement back."""
    ctx = files.ctx
    original = transactions.read(ctx, loan.last)

    def command(terms: Terms, account: Account, moment: Moment) -> Outcome:
        return disbursing.return_disbursement(terms, account, moment, original, "bank")

    loans.carry_out(ctx, loans.load(ctx, loan.id), command)
    files.shop.works()


def replica(files: Files, kind: str) -> list[Any]:
    """The replica's rows of today."""
    walk = data_walk.Walk(files.ctx, window(files.ctx.business_date), kind, whole=True)
    return [row for page in walk.rows() for row in page]


def test_money_that_came_back_is_told_also_of_a_loan_that_is_cancelled(files: Files) -> None:
    """Cancelled before the file of the day is made, and by a partner whose loan was never sold."""
    loan = files.shop.person.opens_loan(files.shop.person.publishes(), amount="2000.00")
    loan.disburses("1500.00").confirmed()
    files.line("500.00", sold=False)
    files.on("2026-03-04")
    comes_back(files, loan)
    loan.does("cancel").ok(201)
    files.send()
    assert files.last("loans")[loan.id]["status"] == "active", "as it was the evening before"
    files.on("2026-03-05")
    files.send()
    assert loan.id not in files.last("loans")
    [row] = files.received("repayments")[-1]
    assert (row["loanId"], row["type"]) == (loan.id, "disbursement_return")
    [there] = [row for row in replica(files, "loans") if row["loan_id"] == loan.id]
    assert (there["status"], there["disbursed_amount"]) == ("cancelled", 1500)
    assert [row["loan_id"] for row in replica(files, "repayments")] == [loan.id]
    files.on("2026-03-12")
    files.send()
    assert files.received("repayments")[-1] == []


def test_a_reverted_disbursement_of_a_cancelled_loan_is_told_of_the_day_before(
    files: Files,
) -> None:
    loan = files.line("500.00", sold=False)
    files.on("2026-03-04")
    files.shop.api.post(f"/transaction/{loan.last}/revert/").ok(201)
    loan.does("cancel").ok(201)
    files.send()
    assert files.last("loans")[loan.id]["status"] == "active"
    files.on("2026-03-05")
    files.send()
    assert files.last("loans") == {} and replica(files, "loans") == []


def test_of_a_sold_loan_all_is_told_also_on_the_day_on_which_it_is_cancelled(files: Files) -> None:
    loan = files.line("500.00")
    assert files.shop.offer(loan)["status"] == "accepted"
    files.on("2026-03-04")
    comes_back(files, loan)
    for day in ("2026-04-15", "2026-04-16", "2026-04-17"):
        files.on(day)
        if day == "2026-04-16":
            loan.does("cancel").ok(201)
        files.send()
        assert set(files.last("loans")) == {loan.id}
        [row] = files.received("repayments")[-1]
        assert (row["loanId"], row["type"]) == (loan.id, "disbursement_return"), day
        assert len(replica(files, "loans")) == len(replica(files, "repayments")) == 1


# --- when it does not go smoothly -----------------------------------------------------------------


def filled(files: Files, many: int) -> None:
    """A book of some loans, each with a repayment, and the day after it."""
    product = files.shop.person.publishes(repayment_date_period=None, **LINE)
    for number in range(many):
        loan = files.shop.person.opens_loan(product, amount="2000.00", installments=None)
        loan.disburses("500.00").confirmed()
        loan.repays(str(10 + number)).confirmed()
    files.on("2026-03-03")


def test_a_file_that_is_too_large_goes_in_parts_and_none_of_them_twice(files: Files) -> None:
    filled(files, 5)
    files.shop.there.says(largest_file_bytes=900)
    files.shop.there.fails("data.sendApplications", "error", 1, code=10)
    files.send()
    loans, repayments = (files.shown("2026-03-03", kind) for kind in METHODS)
    assert loans["status"] == repayments["status"] == "sent" and loans["error_code"] is None
    sent = [one for one in files.shop.there.received() if one["path"] == f"/{METHODS['loans']}"]
    answered = [(one["response"], one["files"]["loans"]) for one in sent]
    taken = [text for answer, text in answered if "success" in str(answer)]
    ids = [row["applicationId"] for text in taken for row in csv.DictReader(io.StringIO(text))]
    assert len(taken) > 2 and len(ids) == len(set(ids)) == 5
    assert all(len(text) <= 900 for text in taken)
    assert loans["tries"] == len(sent) > len(taken)
    assert files.shop.alarms() == []


def test_a_part_that_fails_is_sent_again_alone(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(files, 5)
    files.shop.there.says(largest_file_bytes=1100)
    usual, set_up = file_sending.send, list[bool]()

    def watched(desk: Any, stored: Any) -> Any:
        after = usual(desk, stored)
        if not set_up and sum(part.sent for part in after.value.parts) == 1 < len(
            stored.value.parts
        ):
            set_up.append(True)
            files.shop.there.fails("data.sendApplications", "error", 1, code=8)
        return after

    monkeypatch.setattr(file_sending, "send", watched)
    files.send()
    assert files.shown("2026-03-03", "loans")["status"] == "sent"
    sent = [one for one in files.shop.there.received() if one["path"] == f"/{METHODS['loans']}"]
    failed = [one for one in sent if "Error while reading" in str(one["response"])]
    assert failed, "the fault was met"
    texts = [one["files"]["loans"] for one in sent if "success" in str(one["response"])]
    assert failed[0]["files"]["loans"] in texts and len(texts) == len(set(texts))
    ids = [row["applicationId"] for text in texts for row in csv.DictReader(io.StringIO(text))]
    assert len(ids) == len(set(ids)) == 5


def test_a_single_row_that_is_too_large_cannot_be_sent(files: Files) -> None:
    filled(files, 1)
    files.shop.there.says(largest_file_bytes=100)
    files.send()
    shown = files.shown("2026-03-03", "loans")
    assert (shown["status"], shown["error_code"]) == ("failed", "12")
    assert any(shown["id"] in alarm for alarm in files.shop.alarms())


#: An error that comes so often: the status in the end, its code, and how often it was asked.
CODES = [
    ("error", 10, 2, "sent", None, 3), ("error", 8, 1, "sent", None, 2),
    ("error", 10, 99, "failed", "10", 10), ("error", 7, 1, "failed", "7", 1),
    ("error", 150, 9, "failed", "150", 3), ("error", 130, 1, "failed", "130", 1),
    ("html502", None, 3, "sent", None, 2), ("drop_answer", None, 1, "sent", None, 1),
    ("timeout", None, 2, "sent", None, 2),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "code", "times", "status", "error", "tries"), CODES)
def test_answers_by_the_table(
    files: Files, kind: str, code: int | None, times: int, status: str, error: Any, tries: int
) -> None:
    filled(files, 1)
    files.shop.there.fails(METHODS["loans"], kind, times, **({"code": code} if code else {}))
    files.send()
    shown = files.shown("2026-03-03", "loans")
    assert (shown["status"], shown["error_code"], shown["tries"]) == (status, error, tries)
    assert files.shown("2026-03-03", "repayments")["status"] == "sent"
    assert len(files.shop.alarms()) == (status == "failed")


def test_a_file_that_is_not_what_the_ledger_says_is_not_sent(files: Files) -> None:
    filled(files, 2)
    usual = files.bucket.write

    def loses_a_row(key: str, pieces: Any, content_type: str) -> int:
        lines = b"".join(pieces).splitlines(keepends=True)
        return usual(key, lines[:-1] if "repayments" in key else lines, content_type)

    files.bucket.write = loses_a_row  # type: ignore[method-assign]
    files.send()
    shown = files.shown("2026-03-03", "repayments")
    assert (shown["status"], shown["error_code"], shown["tries"]) == (
        "failed", "not_what_the_ledger_says", 0,
    )  # fmt: skip
    assert files.received("repayments") == [] and len(files.received("loans")) == 1
    assert len(files.shop.alarms()) == 1
    files.bucket.write = usual  # type: ignore[method-assign]
    files.shop.api.post(f"/blackmoon/file/{shown['id']}/resend/").ok(201)
    files.shop.works()
    assert files.shown("2026-03-03", "repayments")["status"] == "sent"


def test_a_book_in_pieces_and_pages_is_the_same(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended and begun again at every piece, while a loan closes meanwhile."""
    filled(files, 3)
    sold = files.line("200.00")
    closed(sold)
    files.on("2026-03-20")
    files.send()
    whole = [files.received(kind)[-1] for kind in METHODS]
    monkeypatch.setattr(data_walk, "AT_ONCE", 2)
    monkeypatch.setattr(daily_files, "LOANS_A_PIECE", 2)
    usual, closing = (
        files.bucket.write,
        [row["loanId"] for row in whole[0] if row["status"] != "closed"],
    )

    def while_a_loan_closes(key: str, pieces: Any, content_type: str) -> int:
        if closing:
            closed(Loan(files.shop.person, closing.pop()))
        return usual(key, pieces, content_type)

    files.bucket.write = while_a_loan_closes  # type: ignore[method-assign]
    for kind in METHODS:
        shown = files.shown("2026-03-20", kind)
        files.shop.api.post(f"/blackmoon/file/{shown['id']}/resend/").ok(201)
    files.shop.works()
    assert [files.received(kind)[-1] for kind in METHODS] == whole
    assert len(files.received("loans")[-1]) == 4
    assert sum("loans-2." in key for key in files.bucket.objects) >= 2


@pytest.mark.parametrize("at", ["writing", "checking"])
def test_a_month_that_begins_meanwhile_is_no_end_of_it(
    files: Files, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The walk is over one month more then; what it has come to so far is begun anew."""
    monkeypatch.setattr(data_walk, "AT_ONCE", 1)
    monkeypatch.setattr(daily_files, "LOANS_A_PIECE", 1)
    filled(files, 3)
    files.on("2026-03-31")
    daily_files.begin(files.ctx, date(2026, 3, 31))
    steps = {"writing": daily_files._write, "checking": daily_files._check}
    usual, went_on = steps[at], list[bool]()

    def then_it_is_april(desk: Any, file: Any) -> Any:
        after = usual(desk, file)
        if not went_on and after.place:
            went_on.append(True)
            files.on("2026-04-01")
        return after

    monkeypatch.setattr(
        daily_files, f"_{'write' if at == 'writing' else 'check'}", then_it_is_april
    )
    while files.shop.market.waiting:  # a message's context is made as it comes
        message = files.shop.market.waiting.pop(0)
        for _ in range(2):
            jobs.ask(message.body)
    assert went_on
    for kind in METHODS:
        assert files.shown("2026-03-31", kind)["status"] == "sent"
    assert len(files.received("loans")) == 1 and len(files.last("loans")) == 3


@pytest.mark.parametrize("after", [0, 1])
def test_a_worker_that_dies_is_followed_by_another(files: Files, after: int) -> None:
    filled(files, 2)
    files.bucket.fail_after = after
    daily_files.begin(files.ctx, files.ctx.business_date)
    messages = [*files.shop.market.waiting]
    with pytest.raises(ConnectionError):
        files.shop.works()
    files.bucket.fail_after = None
    files.shop.market.waiting[:] = messages
    files.shop.works()
    assert [len(files.received(kind)) for kind in METHODS] == [1, 1]


def test_a_call_under_way_is_left_to_its_worker_until_it_is_certainly_over(files: Files) -> None:
    filled(files, 1)
    file_id = daily_files.id_of(files.ctx.partner.id, files.ctx.business_date, "loans")
    daily_files.begin(files.ctx, files.ctx.business_date)
    [first, *_] = files.shop.market.waiting
    usual, died = files.shop.market.transport.send, list[bool]()

    def dies(call: Any) -> Any:
        if not died:
            died.append(True)
            raise KeyboardInterrupt
        return usual(call)

    files.shop.market.transport.send = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        files.shop.works()
    with pytest.raises(daily_files.Busy):
        jobs.ask(first.body)
    files.shop.market.now += timedelta(seconds=26)
    jobs.ask(first.body)
    files.shop.works()
    stored = files.ctx.store.get(DATA_FILE, files.ctx.partner.id, file_id)
    assert stored is not None and stored.value.status == "sent" and stored.value.tries == 2


def test_who_sells_nothing_has_no_files(files: Files) -> None:
    before = daily_files.sells(files.ctx)
    files.shop.person.publishes()
    assert not before and not daily_files.sells(files.ctx)
    assert daily_files.on_closed(files.ctx, date(2026, 3, 2)) == []
    files.shop.person.publishes(sell_to_blackmoon=True)
    asked = daily_files.on_closed(files.ctx, date(2026, 3, 2))
    assert [one.queue for one in asked] == ["blackmoon", "replica", "replica"]
    [passing] = daily_files.on_closed(files.ctx, date(2026, 3, 2), rests=False)
    assert passing.body["do"] == "daily"


def test_a_stages_files_wait_and_are_swept(tmp_path: Path) -> None:
    with shop(tmp_path, sandbox=False) as made:
        made.market.objects = MemoryBucket()  # type: ignore[assignment]
        files = Files(made, made.market.objects)  # type: ignore[arg-type]
        filled(files, 1)
        made.there.fails(METHODS["loans"], "error", 2, code=10)
        files.send()
        assert files.shown("2026-03-03", "loans")["status"] == "retrying"
        assert files.shown("2026-03-03", "repayments")["status"] == "sent"
        made.market.now += timedelta(seconds=59)
        assert schedules.sweep_offers() == 0
        made.market.now += timedelta(seconds=1)
        assert schedules.sweep_offers() == 1
        made.works(twice=True)
        assert files.shown("2026-03-03", "loans")["tries"] == 2
        made.market.now += timedelta(minutes=2)
        schedules.sweep_offers()
        made.works()
        assert files.shown("2026-03-03", "loans")["status"] == "sent"
