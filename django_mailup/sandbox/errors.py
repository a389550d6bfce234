"""MailUp's errors: exceptions that the sandbox raises, and the responses that a client gets for them."""

from __future__ import annotations

import json

from werkzeug.wrappers import Response

from .dialect import spoken
from .options import Options


class OAuthError(Exception):
    """A refusal of the token endpoint (RFC 6749 section 5.2).

    Args:
        error: the error code, such as `invalid_grant`.
        description: a sentence for people.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class APIError(Exception):
    """A refusal of the REST API, with MailUp's status, description and name (by default the name of the status)."""

    def __init__(self, status: int, description: str, name: str | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.name = name or {400: "BadRequest", 403: "Forbidden", 404: "NotFound"}.get(status)


def error_response(status: int, description: str, name: str | None, options: Options) -> Response:
    """Return MailUp's error with its four fields, in the dialect of the options.

    As documented, `ErrorCode` is text, and `ErrorName` may be null.
    """
    body = {"ErrorCode": str(status), "ErrorDescription": description, "ErrorName": name, "ErrorStack": None}
    return Response(json.dumps(spoken(body, options)), status, mimetype="application/json")
