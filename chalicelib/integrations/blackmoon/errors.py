"""What goes wrong with Blackmoon, without a word of what was sent.

Error bodies echo the request, tokens included: of a body only the code is taken, and the message
after everything that was sent has been struck out of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from chalicelib.domain import blackmoon_answers as answers
from chalicelib.domain.blackmoon_answers import Kind, Remedy
from chalicelib.integrations.blackmoon import reading
from chalicelib.integrations.transport import HIDDEN, NoAnswer

SERVER, THROTTLED, TOO_LARGE = range(500, 600), 429, 413
LONGEST_MESSAGE = 200
SHORTEST_HIDDEN = 3
"""Texts below this length are in any sentence; they tell nothing of what was sent."""


class BlackmoonTrouble(Exception):
    """A call that came to nothing.

    ``remedy`` is the table's word, ``code`` Blackmoon's own, ``reason`` what it means.  ``lost``
    says that the work may have been done all the same.
    """

    def __init__(
        self,
        method: str,
        remedy: Remedy,
        reason: str,
        *,
        code: str | None = None,
        status: int | None = None,
        lost: bool = False,
    ) -> None:
        told = f"error {code}: {reason}" if code is not None else reason
        super().__init__(f"blackmoon: {method}: {told}")
        self.method = method
        self.remedy = remedy
        self.reason = reason
        self.code = code
        self.status = status
        self.lost = lost


def of_silence(method: str, silence: NoAnswer) -> BlackmoonTrouble:
    """Nobody answered."""
    return _by(method, "transport", answers.NO_ANSWER, why=silence.why, lost=silence.sent)


def of_error(method: str, error: Any, sent: Iterable[str], status: int) -> BlackmoonTrouble:
    """Blackmoon's own word, ``{"errorCode", "errorMessage", "requestParameters"}``."""
    told = error if isinstance(error, Mapping) else {}
    code = reading.code(told.get("errorCode"))
    why = struck_out(told.get("errorMessage"), sent)
    rule = answers.rule_of("error", code, method)
    means = f"{rule.means} ({why})" if why else rule.means
    return BlackmoonTrouble(method, rule.remedy, means, code=code or "unknown", status=status)


def of_status(method: str, status: int) -> BlackmoonTrouble:
    """An answer that is not Blackmoon's: a proxy's, a gateway's, or one that cannot be read."""
    if status == THROTTLED:
        return _by(method, "transport", answers.THROTTLED, status=status)
    if status == TOO_LARGE:
        return _by(method, "transport", answers.TOO_LARGE, status=status)
    if status in SERVER or status < 300:
        return _by(method, "transport", answers.MALFORMED, status=status, lost=True)
    return _by(method, "transport", answers.REFUSED, status=status)


def struck_out(message: Any, sent: Iterable[str]) -> str:
    """A short text without anything that was sent, however it was written down there."""
    if not isinstance(message, str):
        return ""
    text = message
    for one in sorted(set(sent), key=len, reverse=True):
        if len(one) < SHORTEST_HIDDEN:
            continue
        for spelling in (one, quote_plus(one), quote(one), json.dumps(one)[1:-1]):
            text = re.sub(re.escape(spelling), HIDDEN, text, flags=re.IGNORECASE)
    return "".join(ch for ch in text if ch.isprintable())[:LONGEST_MESSAGE]


def _by(
    method: str,
    kind: Kind,
    code: str,
    *,
    why: str | None = None,
    status: int | None = None,
    lost: bool = False,
) -> BlackmoonTrouble:
    rule = answers.rule_of(kind, code, method)
    detail = why or (f"status {status}" if status else "")
    reason = f"{rule.means} ({detail})" if detail else rule.means
    return BlackmoonTrouble(method, rule.remedy, reason, status=status, lost=lost)
