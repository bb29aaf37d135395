"""One run of the daily files, in a process of its own, whose memory is what is measured.

``python -m bench._files_child LOANS S3 BLACKMOON BUCKET`` prints one JSON line: for each data set
seconds (in all, and of this process's work) and peak memory (RSS, in MB), and what the process had
before.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench._books import NOW, PARTNER, TODAY, Book, BookStore
from chalicelib.config import Config
from chalicelib.domain.data_files import AT_REST
from chalicelib.integrations.blackmoon.client import Blackmoon, Credentials
from chalicelib.integrations.objects import Objects
from chalicelib.integrations.transport import Limits, Transport
from chalicelib.models.keys import DATA_FILE
from chalicelib.usecases import daily_files
from chalicelib.usecases.context import Context
from chalicelib.usecases.file_sending import Desk

STATUS = Path("/proc/self/status")


def peak() -> float:
    """The most memory that this program has had, in MB.

    Where the system tells it: what ``getrusage`` says includes the process that it was forked from.
    """
    if STATUS.exists():
        line = next(one for one in STATUS.read_text().splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def desk(many: int, s3: str, blackmoon: str, bucket: str) -> Desk:
    """The application's own parts, over the book, the bucket and the receiver."""
    config = Config("bench", "none", "bench", "eu-west-2", endpoint_url=s3, bucket=bucket)
    ctx = Context(
        partner=PARTNER,
        now=NOW,
        business_date=TODAY,
        store=BookStore(Book(many)),
        new_id=lambda: str(uuid4()),
        wall=lambda: datetime.now(UTC),
    )
    transport = Transport(Limits(read_seconds=60), sleep=time.sleep, uniform=max)
    client = Blackmoon(blackmoon, Credentials("bench", "not-a-real-token"), transport)
    return Desk(ctx, lambda work: work(client), Objects(config))


def sent(at: Desk, kind: str) -> dict[str, Any]:
    """One data set from the book to the receiver; each message's work until it is sent."""
    file_id = daily_files.id_of(PARTNER.id, TODAY, kind)
    began, busy = time.monotonic(), time.process_time()
    messages = 0
    while True:
        stored = at.ctx.store.get(DATA_FILE, PARTNER.id, file_id)
        assert stored is not None
        if stored.value.status in AT_REST:
            break
        daily_files.go_on(at, file_id, stored.value.run)
        messages += 1
    file = stored.value
    assert file.status == "sent", file.error_code
    return {
        "rows": file.rows,
        "bytes": file.size,
        "sum": str(file.sum),
        "pieces": len(file.pieces),
        "messages": messages,
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(time.process_time() - busy, 2),
        "peak_mb": round(peak(), 1),
    }


def main(arguments: list[str]) -> int:
    """Both data sets of a book of so many loans."""
    many, s3, blackmoon, bucket = int(arguments[0]), *arguments[1:4]
    at = desk(many, s3, blackmoon, bucket)
    told: dict[str, Any] = {"loans": many, "before_mb": round(peak(), 1)}
    daily_files.begin(at.ctx, TODAY)
    told["files"] = {kind: sent(at, kind) for kind in ("loans", "repayments")}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
