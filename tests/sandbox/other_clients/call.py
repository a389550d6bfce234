"""What a call of another client is, how it is made over a socket, and whether the answer holds what is read."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any, NamedTuple
from urllib.parse import urlsplit

CONSOLE = "/API/v1.1/Rest/ConsoleService.svc/Console"
STATISTICS = "/API/v1.1/Rest/MailStatisticsService.svc"
PUBLIC = "/API/v1.1/Rest/PublicService.svc/Console"
TOKEN = "/Authorization/OAuth/Token"

PAIR = {"access_token": str, "refresh_token": str, "expires_in": 3600}
"""What all clients read from the answer of the token endpoint."""
REFUSED = {"ErrorCode": str, "ErrorDescription": str}
"""What clients read from MailUp's errors."""
EMPTY = object()
"""What a client reads from an empty body: that the call has succeeded."""


class Answer(NamedTuple):
    """An answer as it came over the socket."""

    status: int
    content_type: str
    body: bytes
    location: str


@dataclass
class World:
    """A sandbox on a socket, and an account of it.

    Attributes:
        base_url: where the sandbox listens.
        names: what `$name` stands for in a call: ids of the account's objects, tokens, credentials.
    """

    base_url: str
    names: Mapping[str, str]

    def send(self, verb: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Make a request with exactly this target and these headers, and return the answer."""
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        try:
            connection.putrequest(verb, target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            location = response.headers.get("Location", "")
            return Answer(response.status, response.headers.get_content_type(), response.read(), location)
        finally:
            connection.close()

    def read(self, path: str) -> Any:
        """Return what the Console service answers to GET, for the calls that send back what they have read."""
        found = self.send("GET", CONSOLE + self.fill(path), {"Authorization": self.fill("Bearer $access_token")})
        assert found.status == 200, found
        return json.loads(found.body)

    def fill(self, text: str) -> str:
        """Return a text with the names of this world filled in."""
        return Template(text).substitute(self.names)


Headers = Callable[[str, str | None], dict[str, str]]
"""A client's headers for a verb and a body."""


@dataclass(frozen=True)
class Call:
    """A call of another client.

    Attributes:
        name: the client's own name for it.
        verb: the HTTP method.
        target: path and query as they go over the wire, with `$name` for what World.names holds.
        body: the text that is sent, with `$name` too; or a function that makes it from what the client has read before.
        gives: what the client reads from the answer; see `holds`.
        status: the status of the answer.
        bug: what is wrong with the client's request, if anything is.
        headers: the headers, if they are not those of the client's other calls.
    """

    name: str
    verb: str
    target: str
    body: str | Callable[[World], str] | None = None
    gives: Any = EMPTY
    status: int = 200
    bug: str = ""
    headers: Headers | None = None


@dataclass(frozen=True)
class OtherClient:
    """Another client: its name, the headers of its calls, and the calls."""

    name: str
    headers: Headers
    calls: list[Call] = field(repr=False)


def replay(world: World, client: OtherClient, call: Call) -> Answer:
    """Make a client's call, and return the answer."""
    body = call.body(world) if callable(call.body) else call.body and world.fill(call.body)
    headers = (call.headers or client.headers)(call.verb, body)
    content = None if body is None else body.encode()
    if (content is not None or call.verb in ("POST", "PUT")) and "content-length" not in map(str.casefold, headers):
        headers["Content-Length"] = str(len(content or b""))
    filled = {name: world.fill(value) for name, value in headers.items()}
    return world.send(call.verb, world.fill(call.target), filled, content)


def holds(answer: Any, expected: Any) -> bool:
    """Return whether decoded JSON holds what a client reads.

    Args:
        expected: a type; an object of which each name must be there; an array of what must come first; or a value.
    """
    if isinstance(expected, type):
        return type(answer) is expected
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(
            name in answer and holds(answer[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(answer, list)
            and len(answer) >= len(expected)
            and all(map(holds, answer[: len(expected)], expected))
        )
    return type(answer) is type(expected) and bool(answer == expected)


def page(*items: Any, total: int | None = None, number: int = 0, size: int = 20) -> dict[str, Any]:
    """Return what a client reads from a page: these items first, and the rest of MailUp's envelope."""
    return {
        "IsPaginated": bool, "Items": list(items), "PageNumber": number, "PageSize": size, "Skipped": number * size,
        "TotalElementsCount": int if total is None else total,
    }  # fmt: skip


def basic(client_id: str, client_secret: str) -> str:
    """Return the header Authorization with client credentials (RFC 7617)."""
    return "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()
