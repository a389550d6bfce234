"""A minimal server in the place of MailUp, so fast that its own cost doesn't distort the figures.

`python -m benchmarks.server PORT LATENCY` listens on 127.0.0.1, and with a third argument, the file of a certificate
and its key, over TLS. Every call of the token endpoint gets a new pair after LATENCY seconds, and every API call the
same page of lists (or the same account) at once. Connections stay open. The sandbox is faithful to MailUp; this server
is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import ssl
import sys
from typing import cast

PAGE = json.dumps(
    {
        "IsPaginated": False,
        "Items": [{"Company": "", "Description": "", "Name": f"L{n}", "idList": n, "listGuid": ""} for n in range(20)],
        "PageNumber": 0, "PageSize": 500, "Skipped": 0, "TotalElementsCount": 20,
    }
).encode()  # fmt: skip
INFO = b'{"Company":"Acme","IsTrial":false,"UID":"4321","Username":"m12345","Version":"9.0.0"}'
LENGTH = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
COUNTERS = {"refreshes": 0, "api_calls": 0}


class Connection(asyncio.Protocol):
    """One HTTP connection, whose requests are answered in turn. Asyncio's streams would cost twice as much."""

    def __init__(self, latency: float, numbers: itertools.count[int]) -> None:
        self.latency, self.numbers = latency, numbers
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        if not found or len(rest) < size:
            return
        body, self.received = rest[:size], rest[size:]
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/Token"):
            COUNTERS["refreshes"] += b"grant_type=refresh_token" in body
            asyncio.get_running_loop().call_later(self.latency, self.answer, self.pair())
        elif path == b"/_sandbox/state":
            self.answer(json.dumps({"counters": COUNTERS}).encode())
        else:
            COUNTERS["api_calls"] += 1
            self.answer(INFO if path.endswith(b"/Info") else PAGE)

    def pair(self) -> bytes:
        number = next(self.numbers)
        return b'{"access_token":"A%0119d","expires_in":3600,"refresh_token":"R%0119d"}' % (number, number)

    def answer(self, content: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(content)
        self.transport.write(head + content)


async def main(port: int, latency: float, certificate: str = "") -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    numbers = itertools.count(1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(latency, numbers), "127.0.0.1", port, backlog=1024, ssl=context
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:]))
