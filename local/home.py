"""``.local/``: everything that the laptop stack keeps between runs, and how it is written."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOG_LIMIT_BYTES = 10_000_000


class Trouble(Exception):
    """Something that one clear line explains; the runner prints it and exits with 1."""


@dataclass(frozen=True, slots=True)
class Home:
    """The directory and the files in it (``BACKBONE_LOCAL_DIR`` moves it, for tests)."""

    directory: Path

    @classmethod
    def of_environment(cls) -> Home:
        return cls(Path(os.environ.get("BACKBONE_LOCAL_DIR") or ROOT / ".local").absolute())

    @property
    def run_file(self) -> Path:
        return self.directory / "run.json"

    @property
    def settings_file(self) -> Path:
        return self.directory / "settings.json"

    @property
    def key_file(self) -> Path:
        return self.directory / "api_key"

    @property
    def receipts_file(self) -> Path:
        return self.directory / "receipts.log"

    @property
    def aws_state(self) -> Path:
        return self.directory / "aws" / "state"

    @property
    def aws_objects(self) -> Path:
        return self.directory / "aws" / "s3"

    @property
    def gocardless_state(self) -> Path:
        return self.directory / "gocardless"

    @property
    def blackmoon_state(self) -> Path:
        return self.directory / "blackmoon"

    @property
    def scratch(self) -> Path:
        return self.directory / "aws" / "tmp"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    def make(self) -> None:
        """The directories, readable by their owner alone (an API key lies in them)."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in (self.aws_state, self.aws_objects, self.scratch, self.logs):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock(self) -> int:
        """Takes the directory for this process, or says who has it; the descriptor to keep.

        The embedded AWS inherits it, so that nobody starts while it still saves its state.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise Trouble(
                f"Backbone is already running (or still saving its state) in {self.directory}"
                f"{self._where()}; stop it first."
            ) from None
        return descriptor

    def _where(self) -> str:
        with suppress(Trouble):
            run = read_json(self.run_file)
            if run:
                return f", at {run.get('url')}, process {run.get('pid')}"
        return ""

    def check_state(self) -> None:
        """Every kept file can be read; :class:`Trouble` names the first that cannot.

        The emulator would start empty instead, and write that over what was there.
        """
        for path in sorted(self.aws_state.glob("*.json")):
            read_json(path)

    def api_key(self) -> str:
        """``BACKBONE_API_KEY``, or the key kept here, made at random on the first start."""
        given = os.environ.get("BACKBONE_API_KEY", "")
        if given:
            if len(given) > 200 or not given.isascii() or not given.isprintable() or " " in given:
                raise Trouble("BACKBONE_API_KEY takes up to 200 printable characters, no spaces.")
            return given
        if not self.key_file.exists():
            write_private(self.key_file, secrets.token_urlsafe(32) + "\n")
        key = self.key_file.read_text("ascii", errors="replace").strip()
        if len(key) < 16 or not key.isprintable():
            raise Trouble(f"{self.key_file} holds no key; `make reset` forgets all state.")
        return key


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in ``path``, none if there is no such file, :class:`Trouble` if broken."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise Trouble(
            f"{path} cannot be read ({type(error).__name__}); "
            "put it right, or forget all state with `make reset`."
        ) from None
    if not isinstance(value, dict):
        raise Trouble(f"{path} is not a JSON object; `make reset` forgets all state.")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replaces ``path`` at once: a reader sees the old or the new, never half."""
    write_private(path, json.dumps(value, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replaces ``path`` at once, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def open_log(home: Home, name: str) -> int:
    """A descriptor that appends to ``logs/<name>.log``; what grew too long is kept once more."""
    path = home.logs / f"{name}.log"
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
