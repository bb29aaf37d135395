"""Every key and index of the one table.

To store a new kind of thing, add a row to the table at the end (what a row can say:
``models/kinds.py``); nothing else needs to know of it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.ledger import loan_prefix
from chalicelib.models.kinds import ONLY, Kind, key_part

ANYONE = ""
"""The partner to name for kinds whose keys do not hold one (partners, API keys)."""

# --- what is not a kind -------------------------------------------------------------------------


def claim_key(partner: str, scope: str, value: str) -> tuple[str, str]:
    """The item that keeps ``value`` unique in ``scope`` (``"input_source.name"``)."""
    raw = value.encode("utf-8", "surrogatepass")
    short = f"={value}" if len(raw) <= 512 and value.isprintable() else None
    what = short or f"~{hashlib.sha256(raw).hexdigest()}"
    return f"{key_part('partner', partner)}#U#{key_part('scope', scope)}#{what}", ONLY


def remembered_key(partner: str, key_hash: str) -> tuple[str, str]:
    """The idempotency record of a caller's key, which comes hashed."""
    return f"{key_part('partner', partner)}#I#{key_part('key', key_hash)}", ONLY


OUTBOX_SHARDS = 16
"""Partitions of ``by_due`` that pending messages are spread over."""


def message_key(message_id: str) -> tuple[str, str]:
    """The outbox item of a message."""
    return f"OUT#{key_part('id', message_id)}", ONLY


def outbox_partition(shard: int) -> str:
    """The ``by_due`` partition of a shard, 0 to :data:`OUTBOX_SHARDS` - 1."""
    return f"OUT#{shard}"


def outbox_shard(message_id: str) -> int:
    """The shard of a message: always the same for the same id."""
    return zlib.crc32(message_id.encode()) % OUTBOX_SHARDS


CLAIM, REMEMBERED, MESSAGE = "claim", "remembered", "message"
"""What ``t`` says of items that are not a kind."""


# --- logical queues: where a message may go -----------------------------------------------------

DAYS = "days"
CLOCK = "clock"
GOCARDLESS = "gocardless"
BLACKMOON = "blackmoon"
PROVIDER_EVENTS = "provider_events"
REPLICA = "replica"
WEBHOOKS = "webhooks"
WEBHOOKS_SLOW = "webhooks-slow"

QUEUES: Mapping[str, str] = {
    DAYS: "one partner's shard of loans to bring up to one business date",
    CLOCK: "one sandbox partner's clock to move",
    GOCARDLESS: "something to ask GoCardless for",
    BLACKMOON: "something to ask Blackmoon for, and what offers have to hear",
    PROVIDER_EVENTS: "events of a provider to act on, and what follows from them",
    REPLICA: "a part of a partner's replica to write",
    WEBHOOKS: "a partner's webhook endpoints that have something waiting",
    WEBHOOKS_SLOW: "the same for endpoints that are slow to answer",
}
"""Logical queue: what its messages ask for.  Its real name is ``Config.queue_name(logical)``."""


# --- the table ----------------------------------------------------------------------------------

_DOMAIN = "chalicelib.domain"

PARTNER: Kind[Any] = Kind(
    "partner", f"{_DOMAIN}.partners:Partner", pk="PARTNER#{id}", list="PARTNERS"
)
"""Found by ``get(PARTNER, id, id)``; all of them: ``page(PARTNER, ANYONE)``."""

API_KEY: Kind[Any] = Kind(
    "api_key",
    f"{_DOMAIN}.partners:ApiKey",
    pk="KEY#{hash}",
    list="{partner}#KEY",
    id_of="hash",
)
"""Found by its hash alone, ``get(API_KEY, ANYONE, hash)``: whose it is, its value says."""

PRODUCT: Kind[Any] = Kind(
    "product",
    f"{_DOMAIN}.products:Product",
    pk="{partner}#PRODUCT#{id}",
    list="{partner}#PRODUCT",
)
END_USER: Kind[Any] = Kind(
    "end_user",
    f"{_DOMAIN}.end_users:EndUser",
    pk="{partner}#END_USER#{id}",
    list="{partner}#END_USER",
    kept=True,
)
INPUT_SOURCE: Kind[Any] = Kind(
    "input_source",
    f"{_DOMAIN}.risk:InputSource",
    pk="{partner}#INPUT_SOURCE#{id}",
    list="{partner}#INPUT_SOURCE",
)
SCORECARD: Kind[Any] = Kind(
    "scorecard",
    f"{_DOMAIN}.risk:Scorecard",
    pk="{partner}#SCORECARD#{id}",
    list="{partner}#SCORECARD",
)
RISK_ENGINE: Kind[Any] = Kind(
    "risk_engine",
    f"{_DOMAIN}.risk:RiskEngine",
    pk="{partner}#RISK_ENGINE#{id}",
    list="{partner}#RISK_ENGINE",
)
SELECTOR: Kind[Any] = Kind(
    "selector",
    f"{_DOMAIN}.risk:Selector",
    pk="{partner}#SELECTOR#{id}",
    list="{partner}#SELECTOR",
)
DATA_POINT: Kind[Any] = Kind(
    "data_point",
    f"{_DOMAIN}.risk:DataPoint",
    pk="{partner}#DATA_POINT#{id}",
    list="{partner}#DATA_POINT",
    owner="{partner}#DATA_POINT#APPLICATION#{application}",
)
APPLICATION: Kind[Any] = Kind(
    "application",
    f"{_DOMAIN}.applications:Application",
    pk="{partner}#APPLICATION#{id}",
    list="{partner}#APPLICATION",
    kept=True,
    status="{partner}#APPLICATION#{status}",
    owner="{partner}#APPLICATION#END_USER#{end_user}",
)
DECISION: Kind[Any] = Kind(
    "decision",
    f"{_DOMAIN}.risk:RiskDecision",
    pk="{partner}#DECISION#{id}",
    list="{partner}#DECISION",
    kept=True,
    owner="{partner}#DECISION#APPLICATION#{application}",
)


STRANDS = 8
"""Partitions that a partner's journal batches are spread over; a list of all weaves them."""


def _loan(an_id: str) -> Mapping[str, object]:
    """A loan's id and its transactions' ids lead to one partition by their common beginning."""
    prefix = loan_prefix(an_id)
    return {"prefix": prefix, "strand": zlib.crc32(prefix.encode()) % STRANDS}


TERMS: Kind[Any] = Kind(
    "terms",
    f"{_DOMAIN}.account:Terms",
    pk="{partner}#L#{prefix}",
    sk="A#TERMS",
    list="{partner}#LOAN",
    kept=True,
    owner="{partner}#LOAN#END_USER#{end_user}",
    parts=_loan,
)
ACCOUNT: Kind[Any] = Kind(
    "account",
    f"{_DOMAIN}.account:Account",
    pk="{partner}#L#{prefix}",
    sk="A#STATE",
    list="{partner}#BOOK#{book}",
    status="{partner}#LOAN#{status}",
    due="{partner}#WAKE#{shard}",
    due_at="{wake}",
    parts=_loan,
)
BATCH: Kind[Any] = Kind(
    "batch",
    f"{_DOMAIN}.ledger:Batch",
    pk="{partner}#L#{prefix}",
    sk="J#{seq:08d}",
    list="{partner}#J#{strand}",
    list_at="{newest}#{seq:08d}",
    id_of="loan",
    parts=_loan,
)
FORMER: Kind[Any] = Kind(
    "former",
    "chalicelib.models.journals:Former",
    pk="{partner}#L#{prefix}",
    sk="H#{seq:08d}#{until:04d}",
    id_of="loan",
    parts=_loan,
)
"""A batch as it was before a later telling of the history, in no index."""

STAGED: Kind[Any] = Kind(
    "staged",
    "chalicelib.models.journals:Staged",
    pk="{partner}#L#{prefix}",
    sk="S#{token}#{seq:08d}",
    id_of="loan",
    parts=_loan,
)
"""A batch of a telling that one transaction cannot hold, on its way into the journal."""

TALLY: Kind[Any] = Kind("tally", "chalicelib.models.tally:Tally", pk="{partner}#TALLY#{id}")
CLOCK_STATE: Kind[Any] = Kind("clock", f"{_DOMAIN}.partners:Clock", pk="PARTNER#{id}", sk="CLOCK")


def _plain(name: str, path: str, **more: Any) -> Kind[Any]:
    """A kind of a partner's own things: each alone under its id, listed newest first."""
    noun = name.upper()
    return Kind(
        name,
        f"{_DOMAIN}.{path}",
        pk=f"{{partner}}#{noun}#{{id}}",
        list=f"{{partner}}#{noun}",
        **more,
    )


ADDRESS: Kind[Any] = Kind(
    "address",
    f"{_DOMAIN}.addresses:Address",
    pk="{partner}#ADDRESS#{id}",
    owner="{partner}#ADDRESS#END_USER#{end_user}",
)
ASSIGNMENT: Kind[Any] = Kind(
    "assignment",
    f"{_DOMAIN}.assignments:Assignment",
    pk="{partner}#ASSIGNMENT#{id}",
    owner="{partner}#ASSIGNMENT#COMPANY#{company}",
)
MANDATE = _plain("mandate", "mandates:Mandate", owner="{partner}#MANDATE#END_USER#{end_user}")
PAYMENT: Kind[Any] = Kind("payment", f"{_DOMAIN}.payments:Payment", pk="{partner}#PAYMENT#{id}")
"""What the payments provider makes of a repayment, by the transaction's id, in no index."""

STATEMENT = _plain("statement", "statements:Statement", owner="{partner}#STATEMENT#LOAN#{loan}")
WEBHOOK_ENDPOINT = _plain("webhook_endpoint", "webhooks:Endpoint")
WEBHOOK_SECRETS: Kind[Any] = Kind(
    "webhook_secrets",
    f"{_DOMAIN}.webhooks:Secrets",
    pk="{partner}#WEBHOOK_ENDPOINT#{id}",
    sk="SECRETS",
)
"""Beside the endpoint, in no index: nothing that shows endpoints reads them."""

SUBSCRIPTIONS: Kind[Any] = Kind(
    "subscriptions", f"{_DOMAIN}.webhooks:Subscriptions", pk="{partner}#SUBSCRIPTIONS#{id}"
)
"""Who listens, in one item by the partner's id: what recording an event reads."""

LANE: Kind[Any] = Kind(
    "lane",
    f"{_DOMAIN}.deliveries:Lane",
    pk="{partner}#WEBHOOK_ENDPOINT#{id}",
    sk="LANE",
    due="LANES#{shard}",
    due_at="{wakes}",
)
"""Beside the endpoint and its secrets, so that one query reads all that a delivery needs.

What wakes of all partners: ``page(LANE, ANYONE, "due", group={"shard": …})``.
"""

WEBHOOK = _plain(
    "webhook",
    "deliveries:Webhook",
    status="{partner}#WEBHOOK#AWAITED#{awaited}",
    due="{partner}#WEBHOOK#ENDPOINT#{webhook_endpoint}",
    due_at="{due}#{order:04d}",
)
OFFER = _plain(
    "offer",
    "blackmoon:Offer",
    status="{partner}#OFFER#{status}",
    due="OFFERS",
    due_at="{swept}",
)
"""What is due of all partners: ``page(OFFER, ANYONE, "due", until=…)``."""

CESSION = _plain(
    "cession",
    "blackmoon:Cession",
    owner="{partner}#CESSION#LOAN#{loan}",
    status="{partner}#CESSION#BUYER#{buyer}",
)
"""``status`` has purchases alone: one a loan and investor."""

OWNERSHIP = _plain("ownership", "ownership:Ownership", kept=True)
"""Every loan that was ever ceded, by its id: who has held it."""

DATA_FILE = _plain("data_file", "data_files:DataFile", due="DATA_FILES", due_at="{swept}")
"""What is to be tried again of all partners: ``page(DATA_FILE, ANYONE, "due", until=…)``."""

COLLATERAL: Kind[Any] = Kind(
    "collateral",
    f"{_DOMAIN}.blackmoon:Collateral",
    pk="{partner}#COLLATERAL#{id}",
    list="{partner}#COLLATERAL#{generation}",
)
"""A markup's rows are a list of their own; which one is shown, the markup says."""

MARKUP: Kind[Any] = Kind("markup", f"{_DOMAIN}.collateral:Markup", pk="{partner}#MARKUP#{id}")
RECONCILIATION = _plain(
    "reconciliation",
    "blackmoon:Reconciliation",
    status="{partner}#RECONCILIATION#{status}",
)
SELLING_HOURS: Kind[Any] = Kind(
    "selling_hours", f"{_DOMAIN}.hours:Hours", pk="{partner}#SELLING_HOURS#{id}"
)
"""A sandbox partner's hours of the day under way."""

PROVIDER_EVENT = _plain(
    "provider_event",
    "alarms:ProviderEvent",
    status="{partner}#PROVIDER_EVENT#{waiting}",  # only those that wait
)
INBOUND: Kind[Any] = Kind("inbound", f"{_DOMAIN}.alarms:Inbound", pk="{partner}#INBOUND#{id}")
"""Webhooks as they came, for the worker that acts on them and a month of looking back."""

POLLED: Kind[Any] = Kind("polled", f"{_DOMAIN}.alarms:Polled", pk="{partner}#POLLED")
ORGANISATION: Kind[Any] = Kind(
    "organisation",
    f"{_DOMAIN}.organisations:Organisation",
    pk="{partner}#ORGANISATION",
    list="ORGANISATIONS",
)
"""Sandbox partners' accounts at the simulator (a stage's real ones: its secret)."""

SIGNING_KEY: Kind[Any] = Kind(
    "signing_key", f"{_DOMAIN}.organisations:SandboxKey", pk="{partner}#SIGNING_KEY"
)
"""Sandbox partners' keys for signed requests (a stage's real ones: its secret)."""

BLACKMOON_ACCESS: Kind[Any] = Kind(
    "blackmoon_access", f"{_DOMAIN}.blackmoon_tokens:Access", pk="{partner}#BLACKMOON_ACCESS"
)
"""Who renews a partner's tokens at Blackmoon, and a sandbox partner's organisation with them."""

ALARM = _plain("alarm", "alarms:Alarm")
AUDIT = _plain("audit", "audit:Entry", kept=True)
"""What operators did to a partner's things."""


KINDS: Mapping[str, Kind[Any]] = {
    kind.name: kind for kind in tuple(globals().values()) if isinstance(kind, Kind)
}
"""Every kind by its name, which is what ``t`` says of an item."""
