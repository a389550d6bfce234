"""Strategies of hypothesis for hostile requests to our URLs: bytes, as they would be on the wire."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import strategies as st

from django_mailup.failures import FAILURES
from django_mailup.models import Token

from .people import Browser, World
from .redirects import LEAVES_THE_SITE
from .routes import FIELDS, PARAMETER, RECIPES

METHODS: Final = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 300)
NUMBERS: Final = ("-1", "0", "9" * 19, "9" * 40, "9" * 5000, "1e999", "NaN", "٣", "0x10", "1_0", " 1 ", "1.0")
TEXTS: Final = (
    "", " ", "\0", "a\0b",
    "\r\nSet-Cookie: sessionid=stolen", "\u202e\u2066", "𝕊́" * 50, "%00", "%zz", "%25", "'", "' OR 1=1 --",
    "{{ 7|add:7 }}", "{% debug %}", "<script>alert(1)</script>", "../../../etc/passwd", "a" * 70_000, "on", "true",
    "[]", "None", "django_mailup", "__all__", "pk__in", "user__password__startswith",
)  # fmt: skip
BYTES: Final = (b"\xed\xa0\x80", b"\xc0\xaf", b"\xff\xfe", b"\xf4\x90\x80\x80", b"abc\xe9", bytes(range(1, 256)))
"""A lone surrogate, an overlong slash, what is no UTF-8, beyond Unicode, Latin-1, and everything."""
CHARSETS: Final = (
    "utf-8", "UTF8", "latin-1", "utf-7", "utf-16", "utf-32", "idna", "punycode", "rot13", "zip", "hex", "base64", "bz2",
    "undefined", "unicode_escape", "raw_unicode_escape", "cp037", "no-such-charset", "", '"', "utf-8;charset=zip", "\0",
)  # fmt: skip
ODD_COOKIES: Final = (
    b"sessionid=", b"sessionid=short", b'sessionid="\\000\\000\\000\\000\\000\\000\\000\\000\\000"',
    b"sessionid=" + b"x" * 4000, b'sessionid="\\355\\240\\200aaaaaaaa"', b"messages=x",
    b'messages="[[\\"__json_message\\"]]"', b"csrftoken=\xff", b"=", b";;;",
    b"a" * 9000, b"django_language=../../x", b"csrftoken=short", b"sessionid=a; sessionid=b",
)  # fmt: skip
HOSTS: Final = (
    b"evil.example", b"testserver:99999", b"testserver@evil.example", b"testserver/evil", b"[::1", b"localhost:x", b"",
    b"testserver.", b"TESTSERVER", b"127.0.0.1\t", "tést".encode(), b"testserver, evil.example",
)  # fmt: skip
LANGUAGES: Final = (b"it", b"en;q=2", b"*", b"x" * 6000, b"zz-ZZ", b"../../it", b"it\xff", b"," * 3000, b"de;q=1e9")
ODD_HEADERS: Final = (
    "Origin", "Referer", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "If-Modified-Since",
    "X-CSRFToken", "Transfer-Encoding",
)  # fmt: skip
CSRF: Final = "c" * 32
"""A CSRF token: whoever sends it as cookie and as header passes Django's check, as any browser with a session can."""


T = TypeVar("T")


@dataclass(frozen=True)
class HostileRequest:
    """A request as it is written on a socket: the path is percent-encoded or not, as the attacker likes."""

    method: str
    path: bytes
    query: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes

    def on_the_wire(self) -> bytes:
        """Return the request as HTTP/1.1."""
        target = self.path + (b"?" + self.query if self.query else b"")
        lines = [self.method.encode() + b" " + target + b" HTTP/1.1"]
        lines += [name.encode() + b": " + value for name, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


def one_in(number: int) -> st.SearchStrategy[bool]:
    """Return a choice that is True about once in so many times. Hypothesis prefers the ends of a range: not these."""
    return st.integers(0, number - 1).map(lambda drawn: drawn == number // 2)


def hostile_bytes() -> st.SearchStrategy[bytes]:
    """Return values that nobody expects."""
    return st.one_of(
        st.sampled_from([text.encode() for text in (*NUMBERS, *TEXTS, *LEAVES_THE_SITE)] + list(BYTES)),
        st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=12),
    )


def plausible(world: World, name: str) -> list[str]:
    """Return values of a parameter that mean something to the site; those of other people are among them."""
    tokens, registrations = world.token_pks, world.registration_pks
    states = [dict(answer.parameters).get("state", "") for answer in world.answers]
    known = {
        "reconnect": world.token_keys, "key": world.token_keys, "_selected_action": tokens,
        "object_id": [*tokens, *registrations],
        "registration": ["default", "unknown", *registrations], "for_site": ["on", "False"], "state": states,
        "error": ["access_denied", "server_error", "invalid_scope", "unknown"], "reason": list(FAILURES),
        "action": ["refresh_now", "test_connection", "disconnect", "delete_selected"], "code": ["forged"],
        "next": ["/there/", "/"], "status": list(Token.Status.values), "slug": ["default", "other"], "enabled": ["on"],
        "post": ["yes"], "new_secret": ["another"], "reloaded": ["1"], "csrfmiddlewaretoken": [CSRF, "x"],
        "o": ["1", "-2", "1.2.3"], "_to_field": ["id", "user", "key"],
        "_changelist_filters": ["q=1", "user__password=x"],
    }  # fmt: skip
    return known.get(name) or ["1", "x"]


def _pick(draw: st.DrawFn, values: list[T]) -> T:
    """Draw one of some values. How many there are changes with the site's rows: hypothesis must not notice."""
    return values[draw(st.integers(0, 999)) % len(values)]


@st.composite
def _value(draw: st.DrawFn, world: World, name: str) -> bytes:
    if draw(one_in(5)):
        return draw(hostile_bytes())
    return _pick(draw, plausible(world, name)).encode()


@st.composite
def _pairs(draw: st.DrawFn, world: World, route: str) -> list[tuple[bytes, bytes]]:
    """Parameters of a route, some of them twice, some that it hasn't."""
    names = draw(st.sampled_from(RECIPES.get(route, ((),))))
    pairs = []
    for name in (*names, *draw(st.lists(st.sampled_from(FIELDS[route]), max_size=2))):
        key = draw(hostile_bytes()) if draw(one_in(12)) else name.encode()
        pairs.append((key, draw(_value(world, name))))
    return pairs


@st.composite
def _path(draw: st.DrawFn, world: World, route: str) -> bytes:
    path = b"/"
    end = 0
    for found in PARAMETER.finditer(route):
        path += route[end : found.start()].encode()
        path += quote_from_bytes(draw(_value(world, found[1]))).encode()
        end = found.end()
    path += route[end:].encode()
    if draw(one_in(12)):
        path += draw(st.sampled_from([b"%00", b"%ed%a0%80", b"//", b"/../", b"%2e%2e/", b";x=1"]))
    return path


def _multipart(pairs: list[tuple[bytes, bytes]], extra: bytes, boundary: bytes) -> bytes:
    parts = [
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="' + name.replace(b'"', b"") + b'"' + extra
        + b"\r\n\r\n" + value + b"\r\n"
        for name, value in pairs
    ]  # fmt: skip
    return b"".join(parts) + b"--" + boundary + b"--\r\n"


@st.composite
def _body(draw: st.DrawFn, world: World, route: str) -> tuple[bytes, bytes]:
    """A body and its Content-Type."""
    pairs = draw(_pairs(world, route))
    charset = draw(st.sampled_from(CHARSETS)).encode() if draw(one_in(6)) else b""
    suffix = b"; charset=" + charset if charset else b""
    kind = draw(st.sampled_from(["form", "form", "form", "multipart", "json", "other"]))
    if kind == "form":
        return urlencode(pairs).encode(), b"application/x-www-form-urlencoded" + suffix
    if kind == "multipart":
        extra = draw(
            st.sampled_from(
                [b"", b'; filename="a.csv"', b"\r\nContent-Transfer-Encoding: base64", b"; filename*=zip''%ff",
                 b"\r\nContent-Type: text/plain; charset=zip", b"\r\nContent-Type: text/plain" + suffix]
            )
        )  # fmt: skip
        boundary = draw(st.sampled_from([b"edge", b"x" * 300, b"", b"\xff", b"b c"]))
        return _multipart(pairs, extra, boundary), b"multipart/form-data; boundary=" + boundary + suffix
    if kind == "json":
        return draw(st.sampled_from([b"{}", b"[" * 5000, b'{"next": "//evil.example"}'])), b"application/json" + suffix
    return draw(st.binary(max_size=60)), draw(hostile_bytes()).replace(b"\r", b"").replace(b"\n", b"")


@st.composite
def _headers(draw: st.DrawFn, browser: Browser, length: int) -> tuple[tuple[str, bytes], ...]:
    cookies = [f"sessionid={browser.cookie}".encode()] if browser.cookie else []
    headers = [("Host", b"testserver"), ("Content-Length", str(length).encode())]
    if not draw(one_in(5)):
        headers.append(("X-CSRFToken", CSRF.encode()))
        cookies.append(f"csrftoken={CSRF}".encode())
    if draw(one_in(15)):
        headers[0] = ("Host", draw(st.sampled_from(HOSTS)))
    if draw(one_in(15)):
        headers[1] = ("Content-Length", draw(st.sampled_from([b"-1", b"0", b"7", b"x", b"9" * 30, b""])))
    if draw(one_in(10)):
        cookies.insert(draw(st.integers(0, len(cookies))), draw(st.sampled_from(ODD_COOKIES)))
    if draw(one_in(15)):
        headers.append(("Accept-Language", draw(st.sampled_from(LANGUAGES))))
    if draw(one_in(10)):
        name = draw(st.sampled_from(ODD_HEADERS))
        value = draw(st.sampled_from([b"null", b"https://evil.example", b"DELETE", b"\xff", b"chunked", b"x" * 5000]))
        headers.append((name, value))
    if cookies:
        headers.append(("Cookie", b"; ".join(cookies)))
    return tuple(headers)


@st.composite
def hostile_requests(draw: st.DrawFn, world: World, route: str, browser: Browser) -> HostileRequest:
    """Draw a hostile request that a browser sends to a route of ours."""
    path, query = draw(_path(world, route)), urlencode(draw(_pairs(world, route))).encode()
    if route.startswith("mailup/callback/") and not draw(one_in(3)):
        # What MailUp answered to somebody, whole: to the right browser or, mostly, to another one.
        answer = _pick(draw, world.answers)
        path, query = answer.path.encode(), urlencode(answer.parameters).encode() + b"&" * bool(query) + query
    if draw(one_in(20)):
        query += draw(st.sampled_from([b"&&&=", b"%", b"\xff\xfe", b"&" + b"a=b&" * 2000, b"&x=%ed%a0%80", b"&\0=1"]))
    body, content_type = draw(_body(world, route))
    method = draw(st.sampled_from(METHODS)) if draw(one_in(5)) else draw(st.sampled_from(["GET", "POST", "POST"]))
    request = HostileRequest(method, path, query, draw(_headers(browser, len(body))), body)
    if method not in ("GET", "HEAD") or draw(one_in(10)):
        request = replace(request, headers=(*request.headers, ("Content-Type", content_type)))
    return request
