"""Paid out by the partner itself: nothing is sent, and only ``apply`` says that money has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from chalicelib.integrations.disbursements.interface import Disbursed, Forged, Payee, Reported

MANUAL = "manual"


class Manual:
    """Takes everything on and never says more of it; a payment's ref is the key it was asked by."""

    name = MANUAL

    def submit(self, key: str, payee: Payee, amount: Decimal, reference: str) -> Disbursed:
        """Somebody will see to it."""
        return self.fetch(key)

    def fetch(self, ref: str) -> Disbursed:
        """As it was asked for."""
        return Disbursed(ref, "accepted")

    def cancel(self, ref: str) -> Disbursed:
        """There is nobody to be stopped."""
        return self.fetch(ref)

    def parse_event(self, raw: bytes, headers: Mapping[str, str]) -> Sequence[Reported]:
        """Nobody sends any."""
        raise Forged("nobody reports on payments made by hand")
