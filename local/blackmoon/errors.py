"""Blackmoon's error and warning codes, word for word, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

ERRORS: Mapping[int, str] = {
    1: "Validation failed",
    2: "Bad access token",
    3: "Bad refresh token",
    5: "Access token expired",
    6: "This is a sandbox-only method",
    7: "File not valid",
    8: "Error while reading file",
    9: "Offer not found",
    10: "Internal API error",
    11: "Access denied",
    12: "File was not uploaded, possibly too big",
    100: "Unable to decode applicationFields",
    101: "Unable to calculate fee",
    102: "A resolved offer already exists for this loan",
    103: "An offer already exists for this loan",
    110: "Cannot accept, bad offer status",
    120: "Cannot decline, bad offer status",
    130: "No loans file passed",
    140: "No repayments file passed",
    150: "Unable to calculate limits",
    160: "Unable to reconcile offer",
    170: "Unable to cancel offer, bad offer status",
}

WARNINGS: Mapping[int, str] = {
    100: "This offer has already been accepted",
    101: "This offer has already been declined",
}


class ApiError(Exception):
    """An answer that is an error; a request that ends so has changed nothing.

    ``detail`` follows the code's own words.
    """

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.message = f"{ERRORS[code]}: {detail}" if detail else ERRORS[code]
        super().__init__(self.message)

    def body(self, parameters: Mapping[str, str]) -> Json:
        """The JSON that leaves, with everything that was sent (tokens too, as documented)."""
        return {
            "error": {
                "errorMessage": self.message,
                "errorCode": self.code,
                "requestParameters": dict(parameters),
            }
        }


def warning(code: int) -> Json:
    """The ``warning`` beside a ``success``; its code is a text, as documented."""
    return {"warningMessage": WARNINGS[code], "warningCode": str(code)}
