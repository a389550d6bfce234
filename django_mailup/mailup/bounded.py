"""Read the body of an answer into memory, up to a limit: the bytes received, and those that they inflate to."""

from __future__ import annotations

import zlib
from http.client import HTTPException
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from . import classify
from .guard import Guard

ACCEPT_ENCODING: Final = "gzip"
"""The header Accept-Encoding of every request. Any other encoding of an answer is refused."""

_PIECE: Final = 64 * 1024


class _Refused(Exception):
    """The body isn't read, or not to its end. The argument is the reason of an UnexpectedResponse."""


def read_body(response: requests.Response, *, limit: int, guard: Guard) -> None:
    """Read an answer's body, so that `response.content` is there. Don't let requests or urllib3 decode it.

    If the answer is an outage, a body that is refused is left out, since the status says everything.

    Args:
        response: an answer, of whose body nothing was read.
        limit: the largest number of bytes, before and after inflating.
        guard: the guard of the call.

    Raises:
        MailUpUnavailable: the connection broke, or the deadline passed.
        UnexpectedResponse: the body is too large, or is compressed in another way than by gzip once, or wrongly.
    """
    try:
        body = _body(response, limit, guard)
    except _Refused as refused:
        response.close()  # it closes the connection, too, since there is more to read
        if not classify.is_outage(response.status_code):
            raise classify.unexpected(response.status_code, response.headers, reason=str(refused)) from None
        body = b""
    except (HTTPError, HTTPException, OSError) as error:
        response.close()
        raise guard.unavailable(error) from None
    response._content = body
    response._content_consumed = True  # type: ignore[attr-defined]


def _body(response: requests.Response, limit: int, guard: Guard) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity", ""):
        raise _Refused("encoding")
    received = _received(response, limit, guard)
    return _inflated(received, limit) if received and encoding == "gzip" else received


def _received(response: requests.Response, limit: int, guard: Guard) -> bytes:
    """Return the bytes of the body as they were sent."""
    raw: Any = response.raw
    expected: int | None = getattr(raw, "length_remaining", None)
    if expected is not None and expected > limit:
        raise _Refused("too_large")
    pieces: list[bytes] = []
    size = 0
    while piece := raw.read(_PIECE, decode_content=False):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise _Refused("too_large")
        if size == expected:
            break
    if expected is not None and size < expected:  # urllib3 1.26 doesn't notice
        raise HTTPError("the body is shorter than its Content-Length")
    if expected is None and guard.is_over:  # also in chunks: http.client takes a size that was cut off for a whole one
        raise TimeoutError("the deadline may have cut this body off")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _inflated(received: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)  # 16: a gzip header and trailer
    try:
        body = inflater.decompress(received, limit + 1)
    except zlib.error:
        raise _Refused("encoding") from None
    if len(body) > limit:
        raise _Refused("too_large")
    if not inflater.eof or inflater.unused_data:  # cut off, or followed by something else
        raise _Refused("encoding")
    return body
