"""What a simulator holds, kept in one SQLite file; a killed process loses nothing it answered."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from local.home import Trouble
from local.simulating.records import Holding, Json, Place, Record

Org = TypeVar("Org", bound=Holding[Any])

SCHEMA = """
create table if not exists heads (partner text primary key, doc text not null) without rowid;
create table if not exists records (
    partner text not null, kind text not null, id text not null, number integer not null,
    doc text not null, hidden text not null, primary key (partner, kind, id)
) without rowid;
create table if not exists keys (
    partner text not null, kind text not null, key text not null, id text not null,
    primary key (partner, kind, key)
) without rowid;
"""


class Keep:
    """The file; every ``save`` is one transaction."""

    def __init__(self, directory: Path, file: str) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = directory / file
        self._lock = threading.Lock()
        try:
            self.path.touch(mode=0o600)
            self._file = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._file.execute("pragma journal_mode = wal")
            self._file.execute("pragma synchronous = normal")
            self._file.executescript(SCHEMA)
            self._file.execute("select count(*) from records").fetchone()
        except (sqlite3.DatabaseError, OSError) as error:
            raise Trouble(
                f"{self.path} cannot be read ({error}); `make reset` forgets all state."
            ) from None

    def revive(self, make: Callable[[Json], Org]) -> Iterator[Org]:
        """All organisations as they were; ``make`` gives an empty one from its head's JSON, whose
        ``business_date`` is a date already.
        """
        for (text,) in self._file.execute("select doc from heads").fetchall():
            doc = json.loads(text)
            doc["business_date"] = date.fromisoformat(doc["business_date"])
            org = make(doc)
            partner = org.head.partner
            for row in self._file.execute(
                "select kind, id, number, doc, hidden from records where partner = ?"
                " order by number",
                (partner,),
            ):
                kind, identity, number, shown, hidden = row
                org.load(Record(kind, identity, number, json.loads(shown), json.loads(hidden)))
            for kind, key, identity in self._file.execute(
                "select kind, key, id from keys where partner = ?", (partner,)
            ):
                org.keys[kind, key] = identity
            yield org

    def save(self, org: Holding[Any], records: Iterable[Record], keys: Iterable[Place]) -> None:
        """Keeps the organisation's state and those of its records and keys."""
        head = json.dumps(asdict(org.head), default=str)
        partner = org.head.partner
        rows = [
            (partner, r.kind, r.id, r.number, json.dumps(r.doc), json.dumps(r.hidden))
            for r in records
        ]
        with self._lock:
            self._file.execute("begin immediate")
            try:
                self._file.execute("insert or replace into heads values (?, ?)", (partner, head))
                self._file.executemany(
                    "insert or replace into records values (?, ?, ?, ?, ?, ?)", rows
                )
                self._file.executemany(
                    "insert into keys values (?, ?, ?, ?)",
                    [(partner, kind, key, org.keys[kind, key]) for kind, key in keys],
                )
            except BaseException:
                self._file.execute("rollback")
                raise
            self._file.execute("commit")

    def close(self) -> None:
        """Ends it cleanly."""
        with self._lock:
            self._file.close()
