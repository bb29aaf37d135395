"""Parameters and files of a request: from the query, a form, or a form with files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary="?([^";]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r';\s*name="([^"]*)"', re.IGNORECASE)
_FILE = re.compile(r';\s*filename="([^"]*)"', re.IGNORECASE)


class Upload(NamedTuple):
    """A file of a form; without a ``name`` none was chosen."""

    name: str
    content: bytes


@dataclass(slots=True)
class Form:
    """What was sent."""

    parameters: dict[str, str] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)


def read(query: Mapping[str, str], content_type: str, raw: bytes) -> Form:
    """All that a request holds; what cannot be read is not there."""
    form = Form(dict(query))
    if found := _BOUNDARY.match(content_type.strip()):
        _multipart(form, b"--" + found[1].encode("latin-1"), raw)
    elif raw:
        form.parameters |= dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    return form


def _multipart(form: Form, boundary: bytes, raw: bytes) -> None:
    pieces = (b"\r\n" + raw).split(b"\r\n" + boundary)
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return
        head, found, content = piece.partition(b"\r\n\r\n")
        if not found:
            continue
        text = head.decode("utf-8", "replace")
        name, file = _NAME.search(text), _FILE.search(text)
        if name is None:
            continue
        if file is None:
            form.parameters[name[1]] = content.decode("utf-8", "replace")
        else:
            form.files[name[1]] = Upload(file[1], content)
