"""How much memory and time the daily files of a large book take, from the ledger to Blackmoon.

``python -m bench files [--loans=20000,50000,100000,200000]`` runs, for each size and in a process
of its own, what the application does in a morning: it walks over the book, writes both files into
an embedded S3 (piece by piece, in parts where they are large), counts the ledger again, reads back
what is stored, and sends it through the client to a server on loopback, which counts rows.  The
book's items are made as they are read (``bench/_books.py``); all after that is the application's.
It fails if a process has ever had 512 MB, if a loan takes half as much work again (seconds of the
process, whatever else the machine does) in the largest book as in the smallest, or if a row is
missing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3

from local.home import ROOT
from tests.ministack import CREDENTIALS, REGION, ministack

SIZES = (20_000, 50_000, 100_000, 200_000)
MOST_MB = 512.0
MOST_TIMES = 1.5
BUCKET = "bench-files"
CHUNK = 65_536


@dataclass
class Received:
    """What the server has taken: rows and bytes, by method, without keeping any of it."""

    url: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def take(self, method: str, lines: int, size: int) -> None:
        """One upload: its lines, less those of the form and the header."""
        self.rows[method] = self.rows.get(method, 0) + lines - 1
        self.bytes[method] = self.bytes.get(method, 0) + size


@contextmanager
def receiver() -> Iterator[Received]:
    """A server that takes every file and counts the rows that end in a bare line feed."""
    world = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            left = size = int(self.headers["content-length"])
            lines, last = 0, b""
            while left:
                chunk = self.rfile.read(min(left, CHUNK))
                left -= len(chunk)
                lines += chunk.count(b"\n") - (last + chunk).count(b"\r\n")
                last = chunk[-1:]
            world.take(self.path.removeprefix("/"), lines, size)
            answer = b'{"success": []}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    world.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()


def measure(sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One process for each size; what each said, with the rows that arrived."""
    found = []
    with tempfile.TemporaryDirectory() as scratch, ministack(Path(scratch)) as endpoint:
        boto3.client(
            "s3", endpoint_url=endpoint, region_name=REGION,
            aws_access_key_id="local", aws_secret_access_key="local",
        ).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )  # fmt: skip
        for many in sizes:
            with receiver() as world:
                done = subprocess.run(
                    [sys.executable, "-m", "bench._files_child",
                     str(many), endpoint, world.url, BUCKET],
                    cwd=ROOT, env={**os.environ, **CREDENTIALS}, check=False,
                    capture_output=True, text=True,
                )  # fmt: skip
            if done.returncode:
                raise RuntimeError(done.stderr[-2000:])
            told = json.loads(done.stdout.splitlines()[-1])
            told["received"] = world.rows
            found.append(told)
            print(shown(told), flush=True)
    return found


def shown(told: dict[str, Any]) -> str:
    """A line for each data set."""
    return "\n".join(
        f"{told['loans']:>7} loans  {kind:10} {one['rows']:>7} rows  {one['bytes'] / 1e6:6.1f} MB"
        f"  {one['seconds']:6.1f} s ({one['cpu_seconds']:.1f} s of work)"
        f"  peak {one['peak_mb']:5.0f} MB"
        f"  ({told['before_mb']:.0f} MB before)"
        for kind, one in told["files"].items()
    )


def per_loan(told: dict[str, Any]) -> float:
    """Seconds of work that both files take for a thousand loans."""
    return float(sum(one["cpu_seconds"] for one in told["files"].values())) / told["loans"] * 1000


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if a promise was not kept."""
    given = dict(argument.lstrip("-").split("=") for argument in arguments)
    sizes = [int(one) for one in given["loans"].split(",")] if "loans" in given else SIZES
    found = measure(sizes)
    most = max(one["peak_mb"] for told in found for one in told["files"].values())
    times = per_loan(found[-1]) / per_loan(found[0])
    whole = all(complete(told) for told in found)
    print(json.dumps({"peak_mb": most, "slower_by": round(times, 2), "complete": whole}))
    return 0 if most < MOST_MB and times < MOST_TIMES and whole else 1


def complete(told: dict[str, Any]) -> bool:
    """Whether every row was written and arrived."""
    wanted = {"loans": told["loans"], "repayments": told["loans"] // 10}
    methods = {"loans": "data.sendApplications", "repayments": "data.sendRepayments"}
    return all(
        told["files"][kind]["rows"] == rows == told["received"].get(methods[kind])
        for kind, rows in wanted.items()
    )
