"""Many partners' servers for webhooks in one process of their own: ``python -m bench._receivers``.

``/quick/…`` answers at once, ``/never/…`` does not, ``/late/…`` answers after the seconds that are
given as argument.  It prints its port, and at the end of its input, as JSON, when which webhook
arrived at which path (seconds since 1970).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

ARRIVALS: list[tuple[str, str, float]] = []


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late_seconds: float
) -> None:
    """One request; the connection ends with its answer."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        path = lines[0].split(" ")[1]
        ARRIVALS.append((path, headers["webhook-id"], time.time()))
        kind = path.split("/")[1]
        if kind == "never":
            await reader.read()  # until the sender gives up
            return
        if kind == "late":
            await asyncio.sleep(late_seconds)
        writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def main() -> None:
    late_seconds = float(sys.argv[1])
    server = await asyncio.start_server(
        lambda r, w: answer(r, w, late_seconds), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps(ARRIVALS), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
