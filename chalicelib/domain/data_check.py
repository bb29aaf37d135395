"""What the ledger says that a data set must hold, added up from its entries and not from the rows.

The rows come from accounts, which are caches of the journal, and pass through text, files and a
network; a file is sent only if it holds as much as was counted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from chalicelib.domain.datasets import Known
from chalicelib.domain.ledger import Transaction, fold
from chalicelib.domain.money import ZERO, exact, pence

SIGNS: Mapping[tuple[str, str], int] = {
    ("repayment", "applied"): 1,
    ("chargeback", "applied"): -1,
}
"""Type and status of what moves money, and which way; all else moved none."""


class Ledger:
    """Rows and sum of one data set, by the ledger."""

    def __init__(self, kind: str) -> None:
        self._loans = kind == "loans"
        self.rows, self.sum = 0, Decimal(0)

    @exact
    def add(self, loan: Known, repayments: Iterable[tuple[Transaction, date]]) -> None:
        """Count a loan that is in the data set, or its ``repayments`` that are.

        A loan's principal is the fold of its journal, where that was read.
        """
        if self._loans:
            journal = fold(loan.batches) if loan.batches else loan.account.balances
            self.rows += 1
            self.sum += pence(journal.principal)
            return
        for item, _ in repayments:
            self.rows += 1
            self.sum += item.amount * SIGNS.get((item.type, item.status), ZERO)
