"""How requests to Blackmoon look: what its documentation leaves to each originator, as data.

Every request is a form ``POST`` to ``{api_url}/{method}``: parameters, tokens above all, are in the
body and never in a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from chalicelib.domain.datasets import COLUMNS, LOANS, REPAYMENTS, Column

DEFAULT_FIELDS: Mapping[str, str] = {
    "amount": "loanAmount",
    "currency": "currency",
    "rate": "interestRate",
    "installments": "installments",
    "product_type": "productType",
    "country": "country",
}
"""Our field → Blackmoon's, for loans that an originator has not agreed on otherwise."""

MAPS: Mapping[str, str] = {
    "application_fields": "",
    "loan_fields": "loans",
    "repayment_fields": "repayments",
}
"""The shape's maps: of which data set each names columns, if of one."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "loans": ("loan_id",),
    "repayments": ("repayment_id", "loan_id", "at", "amount"),
}
"""The columns that stand in every file, under the names that the documentation gives them."""

LOAN_FIELDS: Mapping[str, str] = {one.name: one.title for one in LOANS}
REPAYMENT_FIELDS: Mapping[str, str] = {
    one.name: one.title for one in REPAYMENTS if one.name not in ("repayment_id", "at", "amount")
}
"""Our column → Blackmoon's in the daily files, beside those that they must have."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Names of parameters, file parts, application fields and the files' columns.

    The three maps go from our names to theirs; what they do not name is not sent.
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
    loan_fields: Mapping[str, str] = field(default_factory=lambda: LOAN_FIELDS)
    repayment_fields: Mapping[str, str] = field(default_factory=lambda: REPAYMENT_FIELDS)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Shape:
        """The shape that a configuration describes; what it does not say is the default.

        Raises :class:`ValueError` for a name that is none and for a value of another kind.
        """
        known = {one.name for one in fields(cls)}
        for name, value in given.items():
            wanted = Mapping if name in MAPS else str
            if name not in known or not isinstance(value, wanted) or not value:
                raise ValueError(f"blackmoon: {name} cannot be configured so")
        made = dict(given)
        for name in MAPS.keys() & made.keys():
            made[name] = {str(ours): str(theirs) for ours, theirs in made[name].items()}
            kind = MAPS[name]
            if kind and not made[name].keys() <= {one.name for one in COLUMNS[kind]}:
                raise ValueError(f"blackmoon: {name} names a column that there is not")
        shape = cls(**made)
        for kind in COLUMNS:
            titles = [one.title for one in shape.columns(kind)]
            if len(set(titles)) < len(titles):
                raise ValueError(f"blackmoon: the file of {kind} names a column twice")
        return shape

    def columns(self, kind: str) -> list[Column]:
        """The columns of the daily file of ``kind``: those it must have, then the map's."""
        sorts = {one.name: one.sort for one in COLUMNS[kind]}
        must = {
            "loan_id": self.application_id,
            "repayment_id": "repaymentId",
            "at": "datetime",
            "amount": "amount",
        }
        found = [Column(name, must[name], sorts[name]) for name in REQUIRED[kind]]
        mapped = self.loan_fields if kind == "loans" else self.repayment_fields
        return found + [Column(name, title, sorts[name]) for name, title in mapped.items()]

    def application(self, loan_id: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """The application fields of a loan: its id, and of ``known`` what the map names."""
        mapped = {
            theirs: known[ours]
            for ours, theirs in self.application_fields.items()
            if known.get(ours) is not None
        }
        return {self.application_id: loan_id, **mapped}
