"""The requests themselves: what a webhook looks like on the wire, and whom it may be sent to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain import networks, webhooks
from chalicelib.domain.deliveries import Attempt, Webhook
from chalicelib.domain.errors import Invalid

if TYPE_CHECKING:
    from chalicelib.domain.decision import Message
    from chalicelib.domain.webhooks import Endpoint
    from chalicelib.integrations.courier import Answer
    from chalicelib.usecases.context import Context

SLOW_SHARE = 0.2
"""An answer that takes this share of the time it may take makes its lane a slow one."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What delivering needs of the outside.

    ``post(url, addresses, headers, body)`` makes one request; ``send(messages, delay_seconds)``
    sends past the outbox and says whether SQS took them all; ``chance`` is from 0 to 1;
    ``loopback`` says that this stage is a sandbox.
    """

    post: Callable[[str, Sequence[str], Mapping[str, str], bytes], Answer]
    resolve: Callable[[str], Sequence[str]]
    send: Callable[[Sequence[Message], int], bool]
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    answer_seconds: float = 15.0
    loopback: bool = False


def send(
    ctx: Context,
    carrier: Carrier,
    rows: Sequence[Webhook],
    endpoint: Endpoint,
    secrets: Sequence[str],
) -> tuple[list[Attempt], bool]:
    """One attempt at each row, at the same time; whether any of it was slow.

    The host is looked up once for all of them, and every address of it judged anew.
    """
    if not rows:
        return [], False
    begun = carrier.monotonic()
    try:
        where = networks.target(endpoint.url)
        addresses = carrier.resolve(where.host)
        networks.check(where, addresses, loopback=carrier.loopback and ctx.partner.sandbox)
    except Invalid as refusal:
        said = f"Not sent. {refusal.flaws[0].message}"
        made = [Attempt(ctx.wall(), error=said) for _ in rows]
        return made, _slow(carrier, begun)

    def one(row: Webhook) -> Attempt:
        at = ctx.wall()
        body = body_of(row)
        answer = carrier.post(endpoint.url, addresses, headers_of(row, secrets, at, body), body)
        return Attempt(at, answer.status, answer.error, answer.late)

    if len(rows) == 1:
        made = [one(rows[0])]
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(len(rows), thread_name_prefix="webhook") as pool:
            made = list(pool.map(one, rows))
    return made, _slow(carrier, begun)


def _slow(carrier: Carrier, begun: float) -> bool:
    return carrier.monotonic() - begun > carrier.answer_seconds * SLOW_SHARE


def body_of(row: Webhook) -> bytes:
    """The message as it is sent: the same at every attempt, numbers exact."""
    import simplejson

    message = {"id": row.id, "event": row.event, "timestamp": row.timestamp, "data": row.data}
    text = simplejson.dumps(message, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def headers_of(row: Webhook, secrets: Sequence[str], at: datetime, body: bytes) -> dict[str, str]:
    """The headers of an attempt at the wall-clock instant ``at``."""
    seconds = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "Backbone-Webhooks/1",
        "webhook-id": row.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": webhooks.signatures(secrets, row.id, seconds, body),
    }
