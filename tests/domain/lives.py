"""A loan's life in the pure domain: commands on days, with the journal kept in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from chalicelib.domain import (
    chargebacks,
    disbursing,
    journal,
    loans,
    rebuild,
    replay,
    retelling,
    views,
)
from chalicelib.domain.account import Account, DefaultFee, Terms
from chalicelib.domain.book import Moment
from chalicelib.domain.decision import causes_first
from chalicelib.domain.ledger import Balances, Batch, Closing, Transaction, fold

LOAN = "6f025741-3a92-4e28-8869-b362b51d6b5f"


def begins(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def moment(day: date) -> Moment:
    return Moment(begins(day) + timedelta(hours=9), day, begins)


def terms(**given: object) -> Terms:
    usual: dict[str, object] = {
        "id": LOAN,
        "application": "application",
        "end_user": "end-user",
        "product": "product",
        "kind": "term_loan",
        "amount": Decimal(12000),
        "rate": Decimal(12),
        "installments": 6,
        "repayment_date_period": 14,
    }
    return Terms(**{**usual, **given})  # type: ignore[arg-type]


class Life:
    """One loan.  ``goes_to`` moves the day; ``daily=False`` leaves the job out on the way."""

    def __init__(self, agreed: Terms, start: date) -> None:
        self.terms = agreed
        self.account = Account(id=agreed.id, end_user=agreed.end_user)
        self.day = start
        self.batches: list[Batch] = []
        self.replaced: list[tuple[int, Batch]] = []
        self.events: list[str] = []

    def _keep(self, outcome: loans.Outcome) -> loans.Outcome:
        self.account = outcome.account
        self.terms = outcome.terms or self.terms
        self.events += [event.name for event in causes_first(outcome.events)]
        for update in outcome.updates:
            self.batches = [
                replace(
                    batch,
                    transactions=tuple(
                        update if item.id == update.id else item for item in batch.transactions
                    ),
                )
                for batch in self.batches
            ]
        now = {batch.seq: batch for batch in outcome.rewritten}
        self.replaced += [(now[b.seq].revision, b) for b in self.batches if b.seq in now]
        self.batches = [now.get(batch.seq, batch) for batch in self.batches]
        assert len({b.seq for b in (*self.batches, *outcome.batches)}) == len(self.batches) + len(
            outcome.batches
        )
        self.batches += outcome.batches
        return outcome

    def tells(self, command: object, *given: object) -> loans.Outcome:
        return self._keep(command(self.terms, self.account, moment(self.day), *given))  # type: ignore[operator]

    def tells_nothing(self) -> Life:
        """The daily job alone."""
        self.tells(loans.brought_up)
        return self

    def goes_to(self, day: date, *, daily: bool = True) -> Life:
        while self.day < day:
            self.day = self.day + timedelta(days=1) if daily else day
            if daily:
                self.tells(loans.brought_up)
        return self

    def disburses(self, amount: str | Decimal, effective: date | None = None) -> Life:
        asked = self.tells(disbursing.disburse, Decimal(amount), loans.Asked())
        self.tells(disbursing.apply_disbursement, asked.transaction, effective)
        return self

    def repays(self, amount: str | Decimal, *, confirmed: bool = True) -> Transaction:
        asked = self.tells(loans.repay, Decimal(amount), loans.Asked())
        if confirmed:
            asked = self.tells(loans.apply_repayment, asked.transaction)
        assert asked.transaction is not None
        return asked.transaction

    def _whole(self) -> retelling.Loan:
        return retelling.Loan(self.terms, self.account, tuple(self.batches))

    def fails(self, item: Transaction) -> Life:
        self._keep(rebuild.fail_repayment(self._whole(), moment(self.day), item, "no money"))
        return self

    def with_mandate(self, usable: bool = True) -> Life:
        self.tells(loans.set_mandate, "mandate", usable)
        return self

    def confirms(self, item: Transaction, charged: date | None = None) -> Life:
        when = charged or max(self.now(item).effective_date, item.effective_date)
        self._keep(rebuild.confirm_collection(self._whole(), moment(self.day), item, when))
        return self

    def retries(self, item: Transaction) -> Life:
        self._keep(rebuild.retry(self._whole(), moment(self.day), item))
        return self

    def charges_back(self, item: Transaction) -> Transaction:
        done = self.tells(chargebacks.charge_back, self.now(item), "disputed").transaction
        assert done is not None
        return done

    def cancels_chargeback(self, item: Transaction) -> Life:
        done = rebuild.cancel_chargeback(self._whole(), moment(self.day), self.now(item))
        self._keep(done)
        return self

    def reverts(self, item: Transaction) -> Life:
        self._keep(rebuild.revert(self._whole(), moment(self.day), item))
        return self

    def repays_as_of(self, amount: str | Decimal, effective: date) -> Transaction:
        asked = loans.Asked()
        outcome = rebuild.repay_backdated(
            self._whole(), moment(self.day), Decimal(amount), effective, asked
        )
        self._keep(outcome)
        assert outcome.transaction is not None
        return outcome.transaction

    def fee(self, amount: str, kind: str = "flat") -> Life:
        fee = DefaultFee("Letter", kind, Decimal(amount), "manual")
        self.tells(loans.charge_fee, fee, loans.Asked(name="Letter"))
        return self

    # --- what it shows ---------------------------------------------------------------------------

    def view(self) -> views.LoanView:
        return views.loan_view(self.terms, self.account, moment(self.day))

    def schedule(self) -> list[views.ScheduleRow]:
        return views.schedule_view(self.terms, self.account, self.batches, moment(self.day))

    def transactions(self) -> list[Transaction]:
        return journal.transactions(self.terms, self.account, self.batches, moment(self.day))

    def folded(self) -> Balances:
        return fold(self.batches, self.account.run)

    def retold(self) -> Account:
        return replay.tell(
            self.terms,
            replay.facts(self.batches),
            moment(self.day),
            covered=self.account.covered,
            journal=self.batches,
        ).account

    def now(self, item: Transaction) -> Transaction:
        return next(one for one in self.transactions() if one.id == item.id)

    def automatic(self) -> list[Transaction]:
        """The repayments that the schedule made, oldest first."""
        return [one for one in reversed(self.of("repayment")) if one.origin == "schedule"]

    def closings(self) -> list[Closing]:
        return [one for batch in self.batches for one in batch.closings]

    def of(self, kind: str) -> list[Transaction]:
        return [item for item in self.transactions() if item.type == kind]
