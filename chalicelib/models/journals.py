"""What the table keeps beside a loan's journal when its history is told anew.

``Former`` is a batch as it was before a later telling changed it: the trail of old values.
``Staged`` is a batch that is to take its place in the journal, of a telling too long for one
transaction.  See ``docs/adr/0009-the-journal-told-anew.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.ledger import Batch


@dataclass(frozen=True, slots=True)
class Former:
    """Batch ``seq`` as it was until telling number ``until`` replaced it."""

    loan: str
    seq: int
    until: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Staged:
    """Batch ``seq`` as the telling that ``token`` names has it."""

    loan: str
    token: str
    seq: int
    batch: Batch
