"""First names that decide what happens, at once, to a customer's mandates and payments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.gocardless import mandates, payments, payouts
from local.gocardless.organisation import Organisation, Record

MANDATES: Mapping[str, Sequence[str]] = {
    "Successful": ("submitted", "active"),
    "Penniless": ("submitted", "active"),
    "Fickle": ("submitted", "active"),
    "Late": ("submitted", "active"),
    "Invalid": ("submitted", "failed"),
    "Expired": ("submitted", "active", "expired"),
}
PAYMENTS: Mapping[str, Sequence[str]] = {
    "Successful": ("submitted", "confirmed", "paid_out"),
    "Penniless": ("submitted", "failed"),
    "Fickle": ("submitted", "confirmed", "paid_out", "charged_back"),
    "Late": ("submitted", "confirmed", "failed"),
}


def _name(org: Organisation, mandate: Record) -> str:
    return str(org.get("customers", mandate.links["customer"]).doc["given_name"] or "")


def on_mandate(org: Organisation, mandate: Record) -> None:
    """A mandate was made, or sent to the banks once more."""
    if mandate.status == "pending_submission":
        for action in MANDATES.get(_name(org, mandate), ()):
            again = action == "active" and mandate.hidden.get("reinstating")
            mandate = mandates.change(org, mandate, "reinstated" if again else action)


def on_payment(org: Organisation, payment: Record) -> None:
    """A payment was made, or asked for once more."""
    mandate = org.get("mandates", payment.links["mandate"])
    if mandate.status == "active" and payment.status == "pending_submission":
        for action in PAYMENTS.get(_name(org, mandate), ()):
            if action == "paid_out":
                payouts.pay(org, [payment])
                payment = org.get("payments", payment.id)
            else:
                payment = payments.change(org, payment, action)
