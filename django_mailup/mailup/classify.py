"""Which exception an answer of MailUp means. Status comes before body; what isn't listed is an UnexpectedResponse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, TypedDict
from urllib.parse import parse_qsl

from requests.structures import CaseInsensitiveDict

from ..exceptions import (
    APIError,
    BadRequest,
    ClientRejected,
    Forbidden,
    MailUpError,
    MailUpUnavailable,
    NotFound,
    RateLimited,
    TermsNotAccepted,
    Unauthorized,
    UnexpectedResponse,
)
from ..secret import Secret
from ..text import clean, without
from . import decoding, parsing
from .grants import Grant

DESCRIPTION_LIMIT: Final = 300
"""The longest description in an exception, in characters."""
READ_LIMIT: Final = 4096
"""So much of a description is read."""
MAX_FIELDS: Final = 100
"""How many fields a form-encoded answer may have. MailUp's have five at most."""
MAX_RETRY_AFTER: Final = 3600.0

# Error codes of RFC 6749 section 5.2. No other code says anything about the user's grant or ends a connection.
_TOKEN_ERRORS: Final = frozenset(
    {
        "invalid_request",
        "unsupported_grant_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""The other codes of RFC 6749, which may be repeated. Another text could be a secret that MailUp sends back."""
GRANT_REFUSALS: Final = frozenset({"invalid_grant"})
CLIENT_REFUSALS: Final = frozenset({"invalid_client", "unauthorized_client"})

# MailUp's own errors have no code of OAuth, only a sentence.
_MENTIONS_CLIENT = re.compile(r"\bclient\b", re.IGNORECASE)
_MENTIONS_GRANT = re.compile(r"\b(token|grant|authorization code|username|password)\b", re.IGNORECASE)
_MENTIONS_TERMS = re.compile(r"terms of service|contract not signed", re.IGNORECASE)
_MENTIONS_RATE = re.compile(r"too.many.requests", re.IGNORECASE)
_AUTHORIZATION_ERROR = "authorization error"

# Set-Cookie, WWW-Authenticate, Proxy-Authorization ..., and headers with URLs, which may hold a code or a token.
_MAY_HOLD_A_SECRET = re.compile(
    r"auth|cookie|token|secret|session|key|location|^link$|^refresh$|^proxy-", re.IGNORECASE
)

_CHARSETS: Final = frozenset(
    {"utf-8", "utf8", "utf-8-sig", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "iso-8859-15"}
    | {"windows-1252", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
)

_BY_STATUS: Final[Mapping[int, type[APIError]]] = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound}


class _AnswerDetails(TypedDict):
    """The arguments about an answer that every exception takes."""

    status: int
    headers: Mapping[str, str]


class HTTPResponse(Protocol):
    """An answer whose body has been read. `requests.Response` is one, and so are other libraries' classes."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def encoding(self) -> str | None: ...
    @property
    def content(self) -> bytes: ...


def decode_text(response: HTTPResponse) -> str:
    """Return the text of a body, decoded as the answer's headers say, by default as UTF-8, UTF-16 or UTF-32."""
    encoding = response.encoding or json.detect_encoding(response.content)
    # Python has codecs that need a very long time, or that raise an exception for some bytes.
    known = encoding.lower().replace("_", "-") in _CHARSETS
    return response.content.decode(encoding if known else "utf-8", "replace")


def safe_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers of an answer without those that may hold a secret, as a case-insensitive mapping."""
    return CaseInsensitiveDict({name: value for name, value in headers.items() if not _MAY_HOLD_A_SECRET.search(name)})


def parse_token_answer(response: HTTPResponse, grant: Grant) -> dict[str, Any]:
    """Return the fields of a token endpoint's answer, among them a non-empty `access_token`.

    Raises:
        RateLimited: status 429.
        MailUpUnavailable: status 408 or 5xx. It says nothing about the grant.
        ClientRejected: MailUp refuses the client id or secret.
        MailUpError: MailUp refuses the grant; the class is `grant.refused`.
        TermsNotAccepted: the MailUp user has not accepted the terms of service.
        UnexpectedResponse: any other answer.
    """
    _raise_for_outage(response)
    fields = _fields(response)
    if response.status_code == 200 and isinstance(fields.get("access_token"), str) and fields["access_token"].strip():
        return fields
    if response.status_code in (200, 400, 401, 403):
        error = fields.get("error")
        code = error if isinstance(error, str) else ""
        sentence = "" if code else _description(fields)
        if code in CLIENT_REFUSALS or _MENTIONS_CLIENT.search(sentence):
            raise ClientRejected(**_details(response))
        if code in GRANT_REFUSALS or _MENTIONS_GRANT.search(sentence):
            raise grant.refused(**_details(response))
        if _MENTIONS_TERMS.search(sentence):
            raise TermsNotAccepted(**_details(response))
        if code in _TOKEN_ERRORS:
            raise unexpected(response.status_code, response.headers, reason="token_error", cause=code)
    raise unexpected(response.status_code, response.headers, reason="token_form")


def api_error(response: HTTPResponse, *, secrets: Iterable[Secret]) -> MailUpError:
    """Return the exception for a REST answer whose status is not 200. MailUp's words in it hold no secret.

    Args:
        response: the answer.
        secrets: the access tokens or the client secret that the call has sent.
    """
    try:
        _raise_for_outage(response)
    except MailUpUnavailable as outage:
        return outage
    fields = _fields(response)
    status, description = response.status_code, _description(fields)
    if status == 403 and _MENTIONS_TERMS.search(description):
        return TermsNotAccepted(**_details(response))
    if status == 403 and _MENTIONS_RATE.search(description):  # how MailUp said 429 before March 2018
        return RateLimited(retry_after=_retry_after(response), **_details(response))
    if 400 <= status < 500:
        return _BY_STATUS.get(status, APIError)(
            error_code=_without(_text(parsing.pick(fields, "ErrorCode")), secrets)[:20],
            description=_without(description, secrets)[:DESCRIPTION_LIMIT],
            **_details(response),
        )
    return unexpected(status, response.headers, reason="status")


def refuses_access_token(response: HTTPResponse) -> bool:
    """Return whether the status is 401, or 400 with the text of an authorization error: the access token is refused."""
    if response.status_code == 401:
        return True
    if response.status_code != 400:
        return False
    return _description(_fields(response)).casefold().startswith(_AUTHORIZATION_ERROR)


def _raise_for_outage(response: HTTPResponse) -> None:
    if response.status_code == 429:
        raise RateLimited(retry_after=_retry_after(response), **_details(response))
    if is_outage(response.status_code):
        raise MailUpUnavailable(reason="status", **_details(response))


def is_outage(status: int) -> bool:
    """Return whether a status means MailUpUnavailable or RateLimited, whatever the body."""
    return status in (408, 429) or status >= 500


def _retry_after(response: HTTPResponse) -> float:
    """Return the seconds of the header Retry-After, from 1 to 3600. Return 1 without one: MailUp documents none."""
    value = response.headers.get("Retry-After", "")
    return min(max(float(value), 1.0), MAX_RETRY_AFTER) if re.fullmatch(r"\d{1,6}", value) else 1.0


def _fields(response: HTTPResponse) -> dict[str, Any]:
    """Return the object in a JSON or form-encoded body, the two that MailUp documents; {} for any other body."""
    source = decode_text(response)
    try:
        payload = decoding.decode(source)
    except ValueError:
        return _form(source)
    return payload if isinstance(payload, dict) else {}


def _form(source: str) -> dict[str, Any]:
    """Return the fields of a form-encoded body; {} if it is none."""
    if "=" not in source or "<" in source:
        return {}
    try:
        return dict(parse_qsl(source, max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}


def _description(fields: Mapping[str, Any]) -> str:
    """Return the sentence in which MailUp says what is wrong; empty if there is none.

    The names of MailUp's own errors are read in any letter case, as all of MailUp's names are. Those of OAuth are
    exact (RFC 6749 section 5.2).
    """
    return _text(parsing.pick(fields, "ErrorDescription"))


def _text(value: object) -> str:
    """Return the text of a value in an error body, on one line, cut where it is too long to look for a token in it."""
    if not isinstance(value, (str, int)):
        return ""
    return clean(str(value), READ_LIMIT)


def _without(text: str, secrets: Iterable[Secret]) -> str:
    for secret in secrets:
        text = without(text, secret.value)
    return text


def unexpected(status: int, headers: Mapping[str, str], *, reason: str, cause: str = "") -> UnexpectedResponse:
    """Return the exception for an answer that is neither a success nor a documented error."""
    content_type = headers.get("Content-Type", "").partition(";")[0][:60]
    return UnexpectedResponse(
        reason=reason, cause=cause, status=status, content_type=content_type, headers=safe_headers(headers)
    )


def _details(response: HTTPResponse) -> _AnswerDetails:
    return {"status": response.status_code, "headers": safe_headers(response.headers)}
