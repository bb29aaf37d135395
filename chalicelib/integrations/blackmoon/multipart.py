"""A form with files as it goes over the wire, one piece after the other: nothing is held whole."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of ``size`` bytes; ``open`` gives its pieces, each time from the beginning."""

    filename: str
    size: int
    open: Callable[[], Iterable[bytes]] = field(repr=False)
    content_type: str = CSV


class Multipart:
    """A ``multipart/form-data`` body of texts and one file."""

    def __init__(
        self,
        texts: Mapping[str, str],
        part: str,
        file: FilePart,
        boundary: str | None = None,
    ) -> None:
        self._boundary = boundary or secrets.token_hex(16)
        head = "".join(self._head(name) + text + "\r\n" for name, text in texts.items())
        head += self._head(part, file.filename, file.content_type)
        self._before = head.encode()
        self._after = f"\r\n--{self._boundary}--\r\n".encode()
        self._file = file

    @property
    def content_type(self) -> str:
        """The header that goes with it."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return len(self._before) + self._file.size + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        yield self._before
        left = self._file.size
        for piece in self._file.open():
            left -= len(piece)
            if left < 0:
                break
            yield piece
        if left:
            raise ValueError("the file is not as long as it was said to be")
        yield self._after

    def _head(self, name: str, filename: str | None = None, content_type: str = "") -> str:
        disposition = f'Content-Disposition: form-data; name="{_quoted(name)}"'
        if filename is not None:
            disposition += f'; filename="{_quoted(filename)}"\r\nContent-Type: {content_type}'
        return f"--{self._boundary}\r\n{disposition}\r\n\r\n"


def _quoted(name: str) -> str:
    """A name that cannot end its line or its quotes."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
