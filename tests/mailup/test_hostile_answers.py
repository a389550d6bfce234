"""Whatever a server sends, a call raises an exception of ours. At the API and at the token endpoint."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_mailup.exceptions import APIError, MailUpUnavailable, UnexpectedResponse

from .both_endpoints import CHUNKED, ENDPOINTS, OK, call, chunked, error_of, running, sending

CHARSETS = [b"idna", b"punycode", b"unicode_escape", b"utf-7", b"zlib", b"\x00", b"\xff", b"../x", b"undefined"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\x00" * 100, b"\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n{}", b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 " + b"2" * 100_000, b"HTTP/1.1 -20 OK\r\n\r\n", b"SSH-2.0-OpenSSH\r\n",
        OK + b"X: y\r\n" * 200 + b"\r\n", OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", OK + b"\xff\xfe: \x00\r\n\r\n<",
        OK + b"no header\r\n\r\n<", OK + b"Content-Length: -5\r\n\r\n<", OK + b"Content-Length: x\r\n\r\n<",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345", OK + b"Content-Length: 50\r\n\r\n12345",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n<",
        CHUNKED + b"\r\nzz\r\n", CHUNKED + b"\r\n5\r\n12", CHUNKED + b"\r\n-5\r\n12345\r\n0\r\n\r\n",
        CHUNKED + b"\r\n" + b"1" * 100_000, CHUNKED + b"\r\n" + b"f" * 1000 + b"\r\n1",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(b"x", b""),
        *[OK + b"Content-Type: x/y; charset=" + charset + b"\r\n\r\n" + b"[\xff\\d" * 50 for charset in CHARSETS],
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n", b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\x00\r\n\r\n",
        b"HTTP/1.1 307 X\r\nLocation: //\xe4.example:99999/\r\n\r\n",
        OK + b"Set-Cookie: =\xff; expires=x; domain=\x00\r\n\r\n{",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + OK + b"\r\n<",
    ],
    ids=lambda sent: ascii(sent[-40:]),
)  # fmt: skip
def test_no_answer_raises_another_exception(endpoint: str, sent: bytes) -> None:
    assert isinstance(error_of(endpoint, sending(sent)), (MailUpUnavailable, UnexpectedResponse))


lines = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"Content-Encoding: gzip", b"Transfer-Encoding: chunked", b"Content-Length: 9", b"Content-Length: 0",
         b"Location: /", b"Content-Type: text/html; charset=utf-16", b"Connection: close", b"Retry-After: 0"]
    ),
)  # fmt: skip
statuses = st.sampled_from([b"200", b"204", b"302", b"304", b"400", b"401", b"403", b"503", b"101"])
whole = st.tuples(statuses, st.lists(lines, max_size=4), st.binary(max_size=60)).map(
    lambda parts: b"\r\n".join([b"HTTP/1.1 " + parts[0] + b" X", *parts[1], b"", parts[2]])
)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@settings(max_examples=60, deadline=None)
@given(sent=st.one_of(st.binary(max_size=200), whole))
def test_random_bytes_raise_no_other_exception(endpoint: str, sent: bytes) -> None:
    with running(sending(sent)) as server, suppress(MailUpUnavailable, UnexpectedResponse, APIError):
        call(endpoint, server.url)
