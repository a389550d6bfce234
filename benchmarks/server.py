"""A MailUp that does next to nothing: it counts, waits and answers, so that its own cost doesn't stand in the figures.

`python -m benchmarks.server PORT LATENCY`. It keeps connections open, gives every refresh a new pair, and answers every
API call with the same page of lists. The sandbox is the faithful one; this is the fast one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys

PAGE = json.dumps(
    {
        "IsPaginated": False,
        "Items": [{"Company": "", "Description": "", "Name": f"L{n}", "idList": n, "listGuid": ""} for n in range(20)],
        "PageNumber": 0, "PageSize": 20, "Skipped": 0, "TotalElementsCount": 20,
    }
).encode()  # fmt: skip
INFO = b'{"Company":"Acme","IsTrial":false,"UID":"4321","Username":"m12345","Version":"9.0.0"}'
COUNTERS = {"refreshes": 0, "api_calls": 0}


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency: float, numbers: itertools.count[int]
) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = await reader.readexactly(length) if length else b""
            path = head.split(b" ", 2)[1]
            if path == b"/_sandbox/state":
                answer = json.dumps({"counters": COUNTERS}).encode()
            elif path.endswith(b"/Token"):
                await asyncio.sleep(latency)
                COUNTERS["refreshes"] += b"grant_type=refresh_token" in body
                number = next(numbers)
                pair = {"access_token": f"A{number:0>119}", "expires_in": 3600, "refresh_token": f"R{number:0>119}"}
                answer = json.dumps(pair).encode()
            else:
                COUNTERS["api_calls"] += 1
                answer = INFO if path.endswith(b"/Info") else PAGE
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(answer), answer)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port: int, latency: float) -> None:
    numbers = itertools.count(1)
    server = await asyncio.start_server(lambda r, w: serve(r, w, latency, numbers), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
