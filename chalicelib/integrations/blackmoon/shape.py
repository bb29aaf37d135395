"""How requests to Blackmoon look: what its documentation leaves to each originator, as data.

Every request is a form ``POST`` to ``{api_url}/{method}``: parameters, tokens above all, are in the
body and never in a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

DEFAULT_FIELDS: Mapping[str, str] = {
    "amount": "loanAmount",
    "currency": "currency",
    "rate": "interestRate",
    "installments": "installments",
    "product_type": "productType",
    "country": "country",
}
"""Our field → Blackmoon's, for loans that an originator has not agreed on otherwise."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Names of parameters, file parts and application fields.

    ``application_fields`` maps our names to theirs; what it does not name is not sent.
    """

    organization_id: str = "organizationId"
    access_token: str = "accessToken"
    refresh_token: str = "refreshToken"
    application_fields_param: str = "applicationFields"
    application_id: str = "applicationId"
    offer_id: str = "offerId"
    cessions: str = "cessionTransactions"
    loans_part: str = "loans"
    repayments_part: str = "repayments"
    application_fields: Mapping[str, str] = field(default_factory=lambda: DEFAULT_FIELDS)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Shape:
        """The shape that a configuration describes; what it does not say is the default.

        Raises :class:`ValueError` for a name that is none and for a value of another kind.
        """
        known = {one.name for one in fields(cls)}
        for name, value in given.items():
            wanted = Mapping if name == "application_fields" else str
            if name not in known or not isinstance(value, wanted) or not value:
                raise ValueError(f"blackmoon: {name} cannot be configured so")
        made = dict(given)
        mapped = made.get("application_fields")
        if mapped is not None:
            made["application_fields"] = {str(ours): str(theirs) for ours, theirs in mapped.items()}
        return cls(**made)

    def application(self, loan_id: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """The application fields of a loan: its id, and of ``known`` what the map names."""
        mapped = {
            theirs: known[ours]
            for ours, theirs in self.application_fields.items()
            if known.get(ours) is not None
        }
        return {self.application_id: loan_id, **mapped}
