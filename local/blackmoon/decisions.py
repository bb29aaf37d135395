"""Whether investors take part, and on which terms: a calculation on everything that is sent.

Meaningless, as in Blackmoon's sandbox, and always the same for the same fields: change any value,
and the answer is another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from local.blackmoon import wire

PENNY = Decimal("0.01")
INVESTORS = (24, 25, 26)


@dataclass(frozen=True, slots=True)
class Decision:
    """``origination_fee`` and ``bid`` in money, ``servicing_fee`` a fraction."""

    participates: bool
    origination_fee: Decimal
    servicing_fee: Decimal
    bid: Decimal
    investor: int


def decide(
    fields: Mapping[str, Any], amount: Decimal, forced: bool | None, share: Decimal | None
) -> Decision:
    """Three of four loans are wanted, and one of eight of those in part only.

    ``forced`` says yes or no for the calculation (then for the whole amount), ``share`` says how
    much of the amount is bid.
    """
    text = wire.written({name: fields[name] for name in sorted(fields)})
    digest = hashlib.sha256(text.encode()).digest()
    portion = Decimal(50 + digest[2] % 50) / 100 if digest[1] % 8 == 0 else Decimal(1)
    if forced is not None:
        portion = Decimal(1)
    if share is not None:
        portion = share
    percent = Decimal(50 + int.from_bytes(digest[4:8]) % 251) / 10_000
    return Decision(
        participates=digest[0] % 4 != 0 if forced is None else forced,
        origination_fee=(amount * percent).quantize(PENNY, ROUND_HALF_UP),
        servicing_fee=Decimal(100 + int.from_bytes(digest[8:12]) % 1901) / 10_000,
        bid=(amount * portion).quantize(PENNY, ROUND_HALF_UP) if portion != 1 else amount,
        investor=INVESTORS[digest[3] % len(INVESTORS)],
    )
