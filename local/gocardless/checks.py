"""Reading what a request sends: every field that is wrong is named, with where it stood."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from local.gocardless.errors import Json, bad_document, invalid
from local.gocardless.organisation import Organisation, Record

MOST_METADATA = 3
LONGEST_NAME = 50
LONGEST_VALUE = 500
LONGEST_TEXT = 255
MOST_PENCE = 10**12
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Fields:
    """The members of one JSON object; ``done()`` raises everything that was found wrong.

    ``pointer`` is where the object stands in the request.  What is sent to an action has none:
    those errors come without ``request_pointer``, and the official client cannot print them.
    """

    def __init__(self, data: object, pointer: str | None) -> None:
        if not isinstance(data, dict):
            raise bad_document("The body is not in the envelope that this endpoint takes")
        self.data: Json = data
        self.pointer = pointer
        self.errors: list[Json] = []

    def wrong(self, name: str, message: str) -> None:
        """Notes one flaw."""
        error = {"field": name.rpartition("/")[2], "message": message}
        if self.pointer is not None:
            error["request_pointer"] = f"{self.pointer}/{name}"
        self.errors.append(error)

    def done(self) -> None:
        """Raises what was wrong, if anything was."""
        if self.errors:
            raise invalid(self.errors)

    def inner(self, name: str) -> Fields:
        """A nested object's fields (none there: an empty one), with the same list of flaws."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, dict):
            self.wrong(name, "must be an object")
        pointer = None if self.pointer is None else f"{self.pointer}/{name}"
        nested = Fields(value if isinstance(value, dict) else {}, pointer)
        nested.errors = self.errors
        return nested

    def has(self, name: str) -> bool:
        """Whether the member is there and says something."""
        return self.data.get(name) not in (None, "")

    def text(
        self,
        name: str,
        required: bool = False,
        most: int = LONGEST_TEXT,
        pattern: str | None = None,
        words: str = "is invalid",
    ) -> str | None:
        """A text, None if there is none."""
        if not self.has(name):
            if required:
                self.wrong(name, "can't be blank")
            return None
        value = self.data[name]
        if not isinstance(value, str):
            self.wrong(name, "must be a string")
        elif len(value) > most:
            self.wrong(name, f"is too long (maximum is {most} characters)")
        elif pattern is not None and not re.fullmatch(pattern, value):
            self.wrong(name, words)
        else:
            return value
        return None

    def choice(self, name: str, options: Collection[str], otherwise: str | None = None) -> str:
        """One of some words."""
        value = self.data.get(name)
        if value is None and otherwise is not None:
            return otherwise
        if not isinstance(value, str) or value not in options:
            self.wrong(name, f"must be one of {', '.join(sorted(options))}")
            return ""
        return value

    def pence(self, name: str, required: bool = True) -> int:
        """A positive whole number (the official client may send it as text)."""
        value = self.data.get(name)
        if value is None:
            if required:
                self.wrong(name, "can't be blank")
            return 0
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "must be a number")
        elif not 0 < value < MOST_PENCE:
            self.wrong(name, "must be greater than 0")
        else:
            return value
        return 0

    def day(self, name: str) -> date | None:
        """A date, None if there is none."""
        if not self.has(name):
            return None
        try:
            return date.fromisoformat(str(self.data[name]))
        except ValueError:
            self.wrong(name, "must be a date in the format YYYY-MM-DD")
            return None

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """Yes or no."""
        value = self.data.get(name, otherwise)
        if not isinstance(value, bool):
            self.wrong(name, "must be true or false")
            return otherwise
        return value

    def url(self, name: str) -> str | None:
        """An http(s) address, None if there is none."""
        value = self.text(name, most=2000)
        if value is not None:
            try:
                parts = urlsplit(value)
                fine = parts.scheme in ("http", "https") and bool(parts.hostname)
            except ValueError:
                fine = False
            if not fine or any(ord(letter) <= 32 or ord(letter) == 127 for letter in value):
                self.wrong(name, "is not a valid URL")
                return None
        return value

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
    fields = action_fields(data)
    found = fields.metadata()
    fields.done()
    return found
