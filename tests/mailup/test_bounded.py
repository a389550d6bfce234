"""Answers of any size and encoding, at the API and at the token endpoint, over real sockets."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from django_mailup.exceptions import BadRequest, MailUpError, MailUpUnavailable, UnexpectedResponse
from django_mailup.mailup import Endpoints, MailUpClient, OAuthClient, Provisioning, Trial
from django_mailup.mailup import oauth as oauth_module
from django_mailup.mailup.transport import ANSWER_LIMIT
from django_mailup.sandbox import Sandbox

from .both_endpoints import BODY, CHUNKED, ENDPOINTS, call, chunked, error_of, running, sending
from .raw_server import answer
from .token_calls import PASSWORD, TOKEN

GZIP = b"Content-Encoding: gzip"


def endless(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Return a behaviour that sends a piece until the client closes the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return behave


def bomb(megabytes: int) -> bytes:
    """Return gzip of as many zeros. It takes a thousandth of the bytes."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    head = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (megabytes - 1) + packer.flush()


# ----------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "behaviour",
    [
        answer(200, BODY),
        answer(200, BODY, b"Content-Encoding: Identity"),
        answer(200, gzip.compress(BODY), GZIP),
        answer(200, gzip.compress(BODY), b"Content-Encoding:  GZip "),
        sending(CHUNKED + b"\r\n" + chunked(BODY[:9], BODY[9:], b"")),
        sending(CHUNKED + GZIP + b"\r\n\r\n" + chunked(*[bytes([each]) for each in gzip.compress(BODY)], b"")),
        sending(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
    ],
    ids=["length", "identity", "gzip", "odd case", "chunks", "gzip in chunks", "until closed"],
)
def test_an_answer_is_read(endpoint: str, behaviour: Callable[[socket.socket], None]) -> None:
    with running(behaviour) as server:
        assert call(endpoint, server.url) == "A1"
        assert [line for line in server.arrived[0].split(b"\r\n") if line.lower().startswith(b"accept-enc")] == [
            b"Accept-Encoding: gzip"
        ]


def test_an_answer_may_have_the_size_of_the_limit() -> None:
    body = BODY[:-1] + b" " * 1000 + b"}"
    for behaviour in (answer(200, body), answer(200, gzip.compress(body), GZIP)):
        with running(behaviour) as server:
            assert call("api", server.url, limit=len(body)) == "A1"
        assert error_of("api", behaviour, limit=len(body) - 1).reason == "too_large"


def test_a_connection_is_kept_after_an_answer_that_was_read() -> None:
    with running(answer(200, gzip.compress(BODY), GZIP)) as server:
        for _ in range(3):
            assert call("api", server.url) == "A1"
        assert len(server._connections) == 1


# ------------------------------------------------------------------------------------- what is not


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "headers",
    [
        [b"Content-Encoding: gzip, gzip"],
        [GZIP, GZIP],
        [b"Content-Encoding: " + b"gzip, " * 50 + b"gzip"],
        [b"Content-Encoding: deflate"],
        [b"Content-Encoding: br"],
        [b"Content-Encoding: zstd"],
        [b"Content-Encoding: identity, gzip"],
        [b"Content-Encoding: nothing\xff"],
    ],
    ids=["twice", "two headers", "51 times", "deflate", "br", "zstd", "two kinds", "unknown"],
)
def test_an_encoding_that_was_not_asked_for_is_refused(endpoint: str, headers: list[bytes]) -> None:
    body = gzip.compress(gzip.compress(BODY))
    error = error_of(endpoint, answer(200, body, *headers))

    assert type(error) is UnexpectedResponse
    assert (error.reason, error.status) == ("encoding", 200)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "body",
    [BODY, gzip.compress(BODY)[:-5], gzip.compress(BODY) * 2, gzip.compress(BODY) + b"x", zlib.compress(BODY), b"\x1f"],
    ids=["plain", "cut off", "twice", "more", "zlib", "one byte"],
)
def test_wrong_gzip_is_refused(endpoint: str, body: bytes) -> None:
    assert error_of(endpoint, answer(200, body, GZIP)).reason == "encoding"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "behaviour",
    [
        answer(200, bomb(1024), GZIP),
        sending(CHUNKED + GZIP + b"\r\n\r\n" + chunked(bomb(1024), b"")),
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 2**16),
        endless(CHUNKED + b"\r\n", chunked(b" " * 2**16)),
        endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b" " * 2**16),
    ],
    ids=["bomb", "bomb in chunks", "until closed", "endless chunks", "length"],
)
def test_what_is_too_large_takes_no_memory(endpoint: str, behaviour: Callable[[socket.socket], None]) -> None:
    error, peak = error_and_peak(endpoint, behaviour)

    assert type(error) is UnexpectedResponse
    assert (error.reason, error.status) == ("too_large", 200)
    assert peak < (100 if endpoint == "api" else 10)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_chunk_of_negative_size_takes_no_memory(endpoint: str) -> None:
    """`http.client` reads up to the end of the connection then."""
    error, peak = error_and_peak(endpoint, endless(CHUNKED + b"\r\n-1\r\n", b" " * 2**16))

    assert isinstance(error, MailUpUnavailable)
    assert peak < 10


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("piece", [b"[],", b"{},", b"a=1&"])
def test_many_small_values_take_no_memory(status: int, piece: bytes) -> None:
    """A few KB of gzip, 32 MB of text: as objects of Python they would take a GB."""
    values = piece * ((ANSWER_LIMIT - 10) // len(piece))
    body = values if piece == b"a=1&" else b"[" + values + b"1]"
    error, peak = error_and_peak("api", answer(status, gzip.compress(body), GZIP))

    assert isinstance(error, UnexpectedResponse if status == 200 else BadRequest)
    assert peak < 200


def error_and_peak(endpoint: str, behaviour: Callable[[socket.socket], None]) -> tuple[MailUpError, float]:
    """Return the error that an answer raises at an endpoint, and the most memory that was used meanwhile, in MB."""
    tracemalloc.start()
    try:
        error = error_of(endpoint, behaviour)
        return error, tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_length_over_the_limit_is_refused_at_once(endpoint: str) -> None:
    def announce(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        connection.recv(1)  # returns when the client closes the connection

    assert error_of(endpoint, announce).reason == "too_large"


def test_the_limit_of_the_token_endpoint() -> None:
    body = BODY[:-1] + b" " * (oauth_module.ANSWER_LIMIT - len(BODY)) + b"}"
    with running(answer(200, body)) as server:
        assert call("token", server.url) == "A1"
    error = error_of("token", answer(200, body + b" "))
    assert isinstance(error, UnexpectedResponse)
    assert error.grant_may_be_spent


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("status", "kind"), [(503, MailUpUnavailable), (429, MailUpUnavailable), (400, UnexpectedResponse)]
)
def test_the_status_comes_before_the_body(endpoint: str, status: int, kind: type[MailUpError]) -> None:
    for behaviour in (answer(status, bomb(64), GZIP), answer(status, BODY, b"Content-Encoding: br")):
        error = error_of(endpoint, behaviour)
        assert isinstance(error, kind)
        assert error.status == status


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000, b'{"access_token":' * 10_000, b'{"access_token":"A","a":' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"access_token":"A","expires_in":NaN}', b'{"access_token":"A","expires_in":-Infinity}', b"9" * 5000,
        b"\xff\xfe[",
    ],
    ids=["arrays", "objects", "closed", "nan", "infinity", "digits", "utf-16"],
)  # fmt: skip
def test_json_has_its_limits(endpoint: str, body: bytes) -> None:
    assert type(error_of(endpoint, answer(200, body))) is UnexpectedResponse


def test_the_public_service_has_the_same_limits() -> None:
    with running(answer(200, bomb(64), GZIP)) as server:
        provisioning = Provisioning("id", "secret", endpoints=Endpoints(server.url))
        with pytest.raises(UnexpectedResponse) as caught:
            provisioning.trial_status(trial=Trial(id="1", hash="h"))
        assert caught.value.reason == "too_large"
        assert b"\r\nAuthorization: Basic " in server.arrived[0]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_replaced_network_has_the_same_limits(
    endpoint: str, client: MailUpClient, oauth: OAuthClient, sandbox: Sandbox
) -> None:
    sandbox.fail_with("huge", path=TOKEN if endpoint == "token" else "/Console/")
    with pytest.raises(UnexpectedResponse) as caught:
        oauth.exchange(PASSWORD) if endpoint == "token" else client.request("POST", "/Console/Email/Send")
    assert caught.value.reason == "too_large"
