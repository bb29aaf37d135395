"""Whether a webhook is GoCardless's: HMAC-SHA256 of the raw body in hex, compared in fixed time."""

from __future__ import annotations

import hashlib
import hmac


def signature(secret: str, body: bytes) -> str:
    """What ``Webhook-Signature`` says of ``body``."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(secret: str, body: bytes, given: str | None) -> bool:
    """Whether ``given`` is the signature of ``body``; a text of any characters may be given."""
    expected = signature(secret, body).encode()
    return hmac.compare_digest(expected, (given or "").encode("utf-8", "surrogatepass"))
