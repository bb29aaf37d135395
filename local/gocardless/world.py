"""All organisations: found by partner, token or flow, changed one request at a time, and kept."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from local.gocardless import customers
from local.gocardless.errors import Json
from local.gocardless.organisation import PART_PREFIXES, Head, Organisation
from local.gocardless.store import Store

#: Crockford's base 32: no letter that looks like a digit.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ID_LENGTH = 12
LONG_IDS = {"OUT": 26}


def new_id(prefix: str) -> str:
    """A random id as GoCardless's look."""
    length = LONG_IDS.get(prefix, ID_LENGTH)
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(length))


class World:
    """Every organisation, each behind a lock of its own."""

    def __init__(self, store: Store, webhook_url: str | None, today: Callable[[], date]) -> None:
        self.store = store
        self.webhook_url = webhook_url
        self.today = today
        self._lock = threading.Lock()
        self._partners: dict[str, Organisation] = {}
        self._tokens: dict[str, str] = {}
        self._locks: dict[str, threading.RLock] = {}
        for org in store.load(new_id):
            self._know(org)

    def _know(self, org: Organisation) -> None:
        partner = org.head.partner
        self._locks[partner] = threading.RLock()
        self._tokens[org.head.access_token] = partner
        self._partners[partner] = org

    def all(self) -> list[Organisation]:
        """Every organisation."""
        with self._lock:
            return list(self._partners.values())

    def of_partner(self, partner: str) -> Organisation | None:
        """A partner's organisation."""
        return self._partners.get(partner)

    def of_token(self, token: str) -> Organisation | None:
        """The organisation whose token this is."""
        partner = self._tokens.get(token)
        return self._partners[partner] if partner is not None else None

    def of_flow(self, identity: str) -> Organisation | None:
        """The organisation of a billing request flow; its id is the customer's only key."""
        return next((o for o in self.all() if identity in o.records["billing_request_flows"]), None)

    @contextmanager
    def looking(self, org: Organisation) -> Iterator[Organisation]:
        """Nobody changes the organisation meanwhile."""
        with self._locks[org.head.partner]:
            yield org

    @contextmanager
    def changing(self, org: Organisation) -> Iterator[Organisation]:
        """What is changed inside is kept when the block ends; an error leaves all as it was."""
        with self._locks[org.head.partner]:
            with org.changing():
                yield org
            records, keys = org.changed()
            self.store.save(org, records, keys)

    def open(self, partner: str, settings: Json) -> tuple[Organisation, bool]:
        """The partner's organisation, made now unless there is one; whether it was made."""
        with self._lock:
            found = self._partners.get(partner)
            made = found is None
            org = found or self._make(partner, settings.get("business_date"))
        given = {name: value for name, value in settings.items() if name != "business_date"}
        if given:
            with self.changing(org):
                org.head = replace(org.head, **given)
        return org, made

    def _make(self, partner: str, day: date | None) -> Organisation:
        head = Head(
            partner=partner,
            id=new_id(PART_PREFIXES["organisation"]),
            creditor="",
            access_token=f"sandbox_{secrets.token_urlsafe(30)}",
            webhook_secret=secrets.token_urlsafe(30),
            webhook_url=self.webhook_url,
            business_date=day or self.today(),
        )
        org = Organisation(head, new_id)
        with org.changing():
            made = customers.creditor(org)
            org.head = replace(org.head, creditor=made.id)
        self.store.save(org, *org.changed())
        self._know(org)
        return org
