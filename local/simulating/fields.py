"""Reading what a request sends: every field that is wrong is named, with where it stood."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from typing import Self
from urllib.parse import urlsplit

from local.simulating.records import Json

LONGEST_TEXT = 255
MOST_WHOLE = 10**12


class Flaws(Exception):
    """What was wrong, by field."""

    def __init__(self, message: str, errors: list[Json]) -> None:
        super().__init__(message)
        self.errors = errors


class Fields:
    """The members of one JSON object; ``done()`` raises everything that was found wrong.

    ``pointer`` is where the object stands in the request, where errors say so.
    """

    def __init__(self, data: object, pointer: str | None = None) -> None:
        if not isinstance(data, dict):
            raise self.no_object()
        self.data: Json = data
        self.pointer = pointer
        self.errors: list[Json] = []

    def no_object(self) -> Exception:
        """What is raised when there is no object to read."""
        return Flaws("The body must be a JSON object", [])

    def flawed(self) -> Exception:
        """What is raised for fields that are wrong."""
        return Flaws("Validation failed", self.errors)

    def wrong(self, name: str, message: str) -> None:
        """Notes one flaw."""
        error = {"field": name.rpartition("/")[2], "message": message}
        if self.pointer is not None:
            error["request_pointer"] = f"{self.pointer}/{name}"
        self.errors.append(error)

    def done(self) -> None:
        """Raises what was wrong, if anything was."""
        if self.errors:
            raise self.flawed()

    def inner(self, name: str) -> Self:
        """A nested object's fields (none there: an empty one), with the same list of flaws."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, dict):
            self.wrong(name, "must be an object")
        pointer = None if self.pointer is None else f"{self.pointer}/{name}"
        nested = type(self)(value if isinstance(value, dict) else {}, pointer)
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

    def whole(self, name: str, required: bool = True) -> int:
        """A positive whole number (a client may send it as text)."""
        value = self.data.get(name)
        if value is None:
            if required:
                self.wrong(name, "can't be blank")
            return 0
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "must be a number")
        elif not 0 < value < MOST_WHOLE:
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
