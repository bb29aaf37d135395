"""What Blackmoon's answers mean: one table from error and warning codes to what is to be done.

``retry``         nothing is known of the work, or it can pass: the same again, later
``few_retries``   the same, but after a few tries a person has to look
``split``         the file is too large: half of it at a time
``refresh``       new tokens, once, then the same again
``reread``        the tokens kept may be newer: read them once, then the same again, else an alarm
``compare``       perhaps it was done before: compare with what was intended
``person``        something is wrong between us and them; an alarm, nothing is lost by waiting
``permanent``     it will never go through as it stands; what asked for it failed, and an alarm
``success``       done, now or before
``refusal``       the contrary was done before
``notice``        done, but a person should look at the warning
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Remedy = Literal[
    "retry",
    "few_retries",
    "split",
    "refresh",
    "reread",
    "compare",
    "person",
    "permanent",
    "success",
    "refusal",
    "notice",
]
Kind = Literal["transport", "error", "warning"]

CREATE, ACCEPT, DECLINE, CANCEL = (
    "offers.create",
    "offers.accept",
    "offers.decline",
    "offers.cancel",
)

NO_ANSWER = "no_answer"
THROTTLED = "throttled"
TOO_LARGE = "too_large"
MALFORMED = "malformed_answer"
REFUSED = "refused_by_server"
"""What a transport can tell without a code of theirs."""

FEW = 3
"""Tries of what is tried "a few" times, the first one counted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: the first whose ``kind``, ``code`` and ``method`` fit (``None``: whatever) counts.

    ``means`` is the documentation's word for the code; it is what people read of it.
    """

    remedy: Remedy
    kind: Kind
    code: str | None
    means: str
    method: str | None = None


TABLE: tuple[Rule, ...] = (
    Rule("retry", "transport", NO_ANSWER, "no answer"),
    Rule("retry", "transport", THROTTLED, "too many requests"),
    Rule("retry", "transport", MALFORMED, "an answer that cannot be read"),
    Rule("split", "transport", TOO_LARGE, "the request is too large"),
    Rule("person", "transport", None, "refused before it reached the API"),
    Rule("permanent", "error", "1", "validation failed"),
    Rule("reread", "error", "2", "bad access token"),
    Rule("person", "error", "3", "bad refresh token"),
    Rule("refresh", "error", "5", "access token expired"),
    Rule("permanent", "error", "6", "a method of the sandbox only"),
    Rule("permanent", "error", "7", "file not valid"),
    Rule("retry", "error", "8", "error while reading the file"),
    Rule("permanent", "error", "9", "offer not found"),
    Rule("retry", "error", "10", "internal error at Blackmoon"),
    Rule("permanent", "error", "11", "access denied"),
    Rule("split", "error", "12", "file was not uploaded, possibly too big"),
    Rule("permanent", "error", "100", "application fields cannot be decoded"),
    Rule("few_retries", "error", "101", "the fee cannot be calculated"),
    Rule("compare", "error", "102", "a resolved offer exists for this loan"),
    Rule("compare", "error", "103", "an offer exists for this loan"),
    Rule("compare", "error", "110", "cannot accept, bad offer status"),
    Rule("compare", "error", "120", "cannot decline, bad offer status"),
    Rule("permanent", "error", "130", "no loans file passed"),
    Rule("permanent", "error", "140", "no repayments file passed"),
    Rule("few_retries", "error", "150", "limits cannot be calculated"),
    Rule("few_retries", "error", "160", "the offer cannot be reconciled"),
    Rule("compare", "error", "170", "cannot cancel, bad offer status"),
    Rule("permanent", "error", None, "an unknown error code"),
    Rule("success", "warning", "100", "has already been accepted", ACCEPT),
    Rule("refusal", "warning", "101", "has already been declined", ACCEPT),
    Rule("success", "warning", "101", "has already been declined", DECLINE),
    Rule("refusal", "warning", "100", "has already been accepted", DECLINE),
    Rule("notice", "warning", None, "an unexpected warning"),
)
"""Every code of the documentation, and a row for what it does not know."""


def rule_of(kind: Kind, code: str | None, method: str) -> Rule:
    """The table's row for a code (of ``kind``) in the answer to ``method``."""
    for rule in TABLE:
        if rule.kind != kind:
            continue
        if rule.code in (None, code) and rule.method in (None, method):
            return rule
    raise AssertionError("each kind ends with a row that fits everything")


def remedy_of_warning(code: str | None, method: str) -> Remedy:
    """What an answer of success comes to; without a warning it is one."""
    return "success" if code is None else rule_of("warning", code, method).remedy
