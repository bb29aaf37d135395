"""What every disbursement provider can be asked for, and what it answers (partner API,
"Disbursements").

An adapter is one module beside this one; ``tests/integrations/disbursements/test_contract.py`` asks
all of them the same questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

State = Literal["accepted", "awaiting_approval", "executing", "paid", "failed", "returned"]

STATES: tuple[State, ...] = (
    "accepted",
    "awaiting_approval",
    "executing",
    "paid",
    "failed",
    "returned",
)
"""``returned`` is money that was paid and has come back; ``failed`` never arrived."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid: a name and a bank account, for nobody's eyes but the provider's.

    ``sort_code`` has six digits, ``account_number`` six to ten.  ``company`` says that the name is
    not a person's.
    """

    name: str = field(repr=False)
    account_number: str = field(repr=False)
    sort_code: str = field(repr=False)
    company: bool = False


@dataclass(frozen=True, slots=True)
class Disbursed:
    """A payment as its provider has it; ``cause`` says why one failed or came back."""

    ref: str
    state: State
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a provider's message says of one payment: look at ``ref``, then believe what is there.

    ``event_id`` is the same when the same thing is told again.
    """

    event_id: str
    ref: str
    action: str


class Forged(ValueError):
    """A message that is not the provider's."""


class DisbursementProvider(Protocol):
    """One partner's account at a provider of payments out.

    Every method may raise ``ProviderTrouble`` (``integrations/gocardless/errors.py``), whose
    ``remedy`` says what to do.  Nothing is kept between calls.
    """

    name: str

    def submit(self, key: str, payee: Payee, amount: Decimal, reference: str) -> Disbursed:
        """Pay ``amount`` (pounds, whole pence) to ``payee``; the same payment for the same key.

        ``reference`` is what the payee reads on the account's statement, as far as banks take it.
        """

    def fetch(self, ref: str) -> Disbursed:
        """The payment as it is now."""

    def cancel(self, ref: str) -> Disbursed:
        """Stop a payment whose money has not moved; any other is given as it is."""

    def parse_event(self, raw: bytes, headers: Mapping[str, str]) -> Sequence[Reported]:
        """What a message says of payments, none for other matters.

        Raises :class:`Forged` for a wrong signature, :class:`ValueError` for what cannot be read.
        """
