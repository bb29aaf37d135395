"""Zips that are the same to the byte whenever their content is the same."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

#: A zip cannot be older, and nobody needs to know when it was made.
DATE = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644
LEVEL = 9


def write(path: Path, directory: Path, prefix: str = "") -> None:
    """Zip all files below ``directory``, in the order of their names, below ``prefix``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = sorted(
        file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file()
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as zipped:
        for name in names:
            entry = zipfile.ZipInfo(prefix + name, DATE)
            entry.external_attr = MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            zipped.writestr(entry, (directory / name).read_bytes(), compresslevel=LEVEL)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
