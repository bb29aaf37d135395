"""All organisations: found by partner, token or flow, changed one request at a time, and kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from local.gocardless import customers
from local.gocardless.organisation import PART_PREFIXES, Head, Organisation
from local.gocardless.store import Store
from local.simulating.world import Organisations

#: Crockford's base 32: no letter that looks like a digit.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH = 12
LONG_IDS = {"OUT": 26}


def new_id(prefix: str) -> str:
    """A random id as GoCardless's look."""
    length = LONG_IDS.get(prefix, ID_LENGTH)
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(length))


class World(Organisations[Organisation]):
    """Every organisation; ``webhook_url`` is where a new one's webhooks go."""

    def __init__(self, store: Store, webhook_url: str | None, today: Callable[[], date]) -> None:
        self.webhook_url = webhook_url
        self._tokens: dict[str, str] = {}
        super().__init__(store, store.load(new_id), today)

    def know(self, org: Organisation) -> None:
        """It is there from now on."""
        super().know(org)
        self._tokens[org.head.access_token] = org.head.partner

    def of_token(self, token: str) -> Organisation | None:
        """The organisation whose token this is."""
        partner = self._tokens.get(token)
        return self._partners[partner] if partner is not None else None

    def of_flow(self, identity: str) -> Organisation | None:
        """The organisation of a billing request flow; its id is the customer's only key."""
        return next((o for o in self.all() if identity in o.records["billing_request_flows"]), None)

    def make(self, partner: str, day: date) -> Organisation:
        """A new organisation with its creditor."""
        head = Head(
            partner=partner,
            id=new_id(PART_PREFIXES["organisation"]),
            creditor="",
            access_token=f"sandbox_{secrets.token_urlsafe(30)}",
            webhook_secret=secrets.token_urlsafe(30),
            webhook_url=self.webhook_url,
            business_date=day,
        )
        org = Organisation(head, new_id)
        with org.changing():
            made = customers.creditor(org)
            org.head = replace(org.head, creditor=made.id)
        return org
