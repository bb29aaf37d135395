"""Everything of one partner as JSON lines: a header, an item a line, and how many there were.

The table has no index of all that belongs to a partner, so that it is read whole, a page of 1 MB at
a time; memory does not grow with it.  Only the partner's own things come out, and none that could
be used to act as the partner.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.domain.partners import Partner
from chalicelib.models.keys import (
    API_KEY,
    BLACKMOON_ACCESS,
    CLAIM,
    MESSAGE,
    ORGANISATION,
    PARTNER,
    REMEMBERED,
    SIGNING_KEY,
    STAGED,
    WEBHOOK_SECRETS,
)
from tools.ops import tables
from tools.ops.where import Where

SECRET = frozenset(
    kind.name for kind in (API_KEY, BLACKMOON_ACCESS, ORGANISATION, SIGNING_KEY, WEBHOOK_SECRETS)
)
OWN_BUSINESS = frozenset({CLAIM, REMEMBERED, MESSAGE, STAGED.name})
"""What the platform keeps for itself and what goes by itself."""

FORMAT = "backbone-partner-1"


def write(where: Where, partner: Partner, out: Path) -> Counter[str]:
    """Write the export; how many items of each kind.  ``out`` appears only once it is whole."""
    counts: Counter[str] = Counter()
    part = out.with_name(f"{out.name}.part")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, gzip.open(file, "wt", encoding="utf-8") as lines:
            head = {"format": FORMAT, "partner": partner.id, "at": now, "stage": where.config.stage}
            lines.write(json.dumps(head) + "\n")
            for item in items(where, partner.id):
                counts[item["kind"]] += 1
                lines.write(json.dumps(item, ensure_ascii=False) + "\n")
            lines.write(json.dumps({"items": counts.total(), "by_kind": dict(counts)}) + "\n")
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return counts


def items(where: Where, partner_id: str) -> Iterator[dict[str, Any]]:
    """The partner's items, in no order."""
    table = tables.of(where.config)
    pk, _ = PARTNER.key(partner_id, partner_id)
    asked = {
        "FilterExpression": "begins_with(pk, :own) OR pk = :self",
        "ExpressionAttributeValues": {":own": {"S": f"{partner_id}#"}, ":self": {"S": pk}},
    }
    for raw in tables.scan(table, **asked):
        if raw["t"]["S"] not in SECRET | OWN_BUSINESS:
            yield _shown(raw)


def _shown(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "kind": raw["t"]["S"],
        "key": [raw["pk"]["S"], raw["sk"]["S"]],
        "version": int(raw["v"]["N"]),
        "created_at": raw.get("c", {}).get("S"),
        "updated_at": raw.get("u", {}).get("S"),
        "value": json.loads(raw["doc"]["S"]),
    }
