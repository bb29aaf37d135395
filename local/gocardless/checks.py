"""Reading what a request sends: every field that is wrong is named, with where it stood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from local.gocardless.errors import ApiError, Json, bad_document, invalid
from local.gocardless.organisation import Organisation, Record
from local.simulating import fields

MOST_METADATA = 3
LONGEST_NAME = 50
LONGEST_VALUE = 500
MOST_PENCE = fields.MOST_WHOLE
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Fields(fields.Fields):
    """The members of one JSON object; ``done()`` raises everything that was found wrong.

    What is sent to an action has no ``pointer``: those errors come without ``request_pointer``, and
    the official client cannot print them.
    """

    def __init__(self, data: object, pointer: str | None) -> None:
        super().__init__(data, pointer)

    def no_object(self) -> ApiError:
        """What is raised when there is no object to read."""
        return bad_document("The body is not in the envelope that this endpoint takes")

    def flawed(self) -> ApiError:
        """What is raised for fields that are wrong."""
        return invalid(self.errors)

    def pence(self, name: str, required: bool = True) -> int:
        """A positive amount in pence."""
        return self.whole(name, required)

    def metadata(self, name: str = "metadata") -> dict[str, str]:
        """At most 3 pairs of short strings."""
        value = self.data.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(name, "must be an object")
            return {}
        if len(value) > MOST_METADATA:
            self.wrong(name, f"must have at most {MOST_METADATA} keys")
        for key, text in value.items():
            if len(key) > LONGEST_NAME:
                self.wrong(name, f"keys must be at most {LONGEST_NAME} characters long")
            if not isinstance(text, str):
                self.wrong(name, "values must be strings")
            elif len(text) > LONGEST_VALUE:
                self.wrong(name, f"values must be at most {LONGEST_VALUE} characters long")
        return dict(value)

    def link(self, org: Organisation, name: str, kind: str, required: bool = True) -> Record | None:
        """The record that ``links[name]`` leads to; a link that leads nowhere is a flaw."""
        links = self.data.get("links") or {}
        identity = links.get(name) if isinstance(links, dict) else None
        if identity is None:
            if required:
                self.wrong(f"links/{name}", "can't be blank")
            return None
        found = org.records[kind].get(identity) if isinstance(identity, str) else None
        if found is None:
            self.wrong(f"links/{name}", f"{name.replace('_', ' ')} not found")
        return found


def action_fields(data: Mapping[str, Any] | None) -> Fields:
    """What came with an action."""
    return Fields({} if data is None else dict(data), None)


def action_metadata(data: Mapping[str, Any] | None) -> Json:
    """An action's ``metadata``, which goes on the event."""
    sent = action_fields(data)
    found = sent.metadata()
    sent.done()
    return found
