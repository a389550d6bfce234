"""What a bad answer of MailUp means: status first, then body, closed by default. `oauth` and `transport` ask here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import requests

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
from .grants import Grant

DESCRIPTION_LIMIT: Final = 300
LONGEST_WAIT: Final = 3600.0

# RFC 6749 section 5.2. Codes that aren't here say nothing about the user's grant, so they never end a connection.
GRANT_REFUSALS: Final = frozenset({"invalid_grant"})
CLIENT_REFUSALS: Final = frozenset({"invalid_client", "unauthorized_client"})

# MailUp's own four-field errors carry no code of OAuth, only a sentence.
_SPEAKS_OF_CLIENT = re.compile(r"\bclient\b", re.IGNORECASE)
_SPEAKS_OF_GRANT = re.compile(r"\b(token|grant|authorization code|username|password)\b", re.IGNORECASE)
_SPEAKS_OF_TERMS = re.compile(r"terms of service|contract not signed", re.IGNORECASE)
_SPEAKS_OF_RATE = re.compile(r"too.many.requests", re.IGNORECASE)
_AUTHORIZATION_ERROR = "authorization error"

_BY_STATUS: Final[Mapping[int, type[APIError]]] = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound}


def token_answer(response: requests.Response, grant: Grant) -> dict[str, Any]:
    """Return the fields of a token endpoint's answer, among them a non-empty `access_token`.

    Raises:
        RateLimited, MailUpUnavailable: an outage (429, 408, 5xx): says nothing about the grant.
        ClientRejected: the client id or secret.
        MailUpError: `grant.refused`, when MailUp refuses this very grant.
        UnexpectedResponse: everything else.
    """
    _raise_for_outage(response)
    fields = _fields(response)
    if response.status_code == 200 and isinstance(fields.get("access_token"), str) and fields["access_token"].strip():
        return fields
    if response.status_code in (200, 400, 401, 403):
        error = fields.get("error")
        code = error if isinstance(error, str) else ""
        sentence = "" if code else _text(fields.get("ErrorDescription"))
        if code in CLIENT_REFUSALS or _SPEAKS_OF_CLIENT.search(sentence):
            raise ClientRejected
        if code in GRANT_REFUSALS or _SPEAKS_OF_GRANT.search(sentence):
            raise grant.refused
        if _SPEAKS_OF_TERMS.search(sentence):
            raise TermsNotAccepted
        if re.fullmatch(r"[a-z_]{1,40}", code):
            raise _unexpected(response, f"MailUp's token endpoint answered {response.status_code} {code}.")
    raise _unexpected(response, f"MailUp's token endpoint answered {response.status_code} in no documented form.")


def api_error(response: requests.Response) -> MailUpError:
    """Return the exception for a REST answer whose status is not 200."""
    try:
        _raise_for_outage(response)
    except MailUpUnavailable as outage:
        return outage
    fields = _fields(response)
    status, description = response.status_code, _text(fields.get("ErrorDescription"))
    if status == 403 and _SPEAKS_OF_TERMS.search(description):
        return TermsNotAccepted()
    if status == 403 and _SPEAKS_OF_RATE.search(description):  # how MailUp said 429 before March 2018
        return RateLimited(retry_after=_retry_after(response))
    if 400 <= status < 500:
        return _BY_STATUS.get(status, APIError)(
            status=status, error_code=_text(fields.get("ErrorCode"))[:20], description=description
        )
    return _unexpected(response, f"MailUp answered with status {status}.")


def refuses_access_token(response: requests.Response) -> bool:
    """Say whether a REST answer is about the access token: any 401, and a 400 whose text is an authorization error."""
    if response.status_code == 401:
        return True
    if response.status_code != 400:
        return False
    return _text(_fields(response).get("ErrorDescription")).casefold().startswith(_AUTHORIZATION_ERROR)


def _raise_for_outage(response: requests.Response) -> None:
    status = response.status_code
    if status == 429:
        raise RateLimited(retry_after=_retry_after(response))
    if status == 408 or status >= 500:
        raise MailUpUnavailable(f"MailUp answered with status {status}: try again later.", status=status)


def _retry_after(response: requests.Response) -> float:
    """Return the seconds of a Retry-After header; MailUp documents none, and asks for at least a second."""
    value = response.headers.get("Retry-After", "")
    return min(max(float(value), 1.0), LONGEST_WAIT) if re.fullmatch(r"\d{1,6}", value) else 1.0


def _fields(response: requests.Response) -> dict[str, Any]:
    """Return the object in a body. MailUp documents JSON and form-encoded errors; HTML, text and nothing give {}."""
    try:
        payload = response.json()
    except (ValueError, RecursionError):
        form = dict(parse_qsl(response.text)) if "=" in response.text and "<" not in response.text else {}
        return dict(form)
    return payload if isinstance(payload, dict) else {}


def _text(value: object) -> str:
    """Return a short printable form of a value in an error body."""
    if not isinstance(value, (str, int)):
        return ""
    return " ".join(str(value).split())[:DESCRIPTION_LIMIT]


def _unexpected(response: requests.Response, message: str) -> UnexpectedResponse:
    content_type = response.headers.get("Content-Type", "").partition(";")[0][:60]
    return UnexpectedResponse(message, status=response.status_code, content_type=content_type)
