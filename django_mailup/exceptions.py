"""Every error that django_mailup raises, arranged by what the caller should do next. Anything may import this.

    MailUpError
    ├─ NotConnected               send the user to authorize
    ├─ MultipleConnections        say which account is meant
    ├─ LoginRefused               the password grant: another user name or password
    ├─ ReauthorizationRequired    the grant is dead: send the user to authorize again
    │  └─ CodeRefused             the same, before there was a connection
    ├─ AuthorizationDenied        the user said no on MailUp's page
    ├─ StateMismatch              a stale or forged callback: start over
    ├─ AccountMismatch            another MailUp account than the one to be reconnected
    ├─ RegistrationUnavailable    no such client registration, or it is disabled: tell the administrator
    ├─ ClientRejected             MailUp refuses the client registration: tell the administrator
    ├─ TransactionOpen            ask before the transaction: nothing was sent
    ├─ TermsNotAccepted           a person must log in to MailUp's console and accept its terms
    ├─ DecryptionFailed           the row can't be read with the configured keys
    ├─ Misconfigured              the settings don't allow this call
    ├─ BadFile                    a CSV file can't be imported: the message says where and why
    ├─ UnsureChunk                part of an interrupted import may have been taken: say what to do with it
    ├─ ImportStopped              an import ended in the middle: .jobs and .sent say which part was taken
    ├─ MailUpUnavailable          network, timeout, 5xx: try again later
    │  └─ RateLimited             the same, and .retry_after says when
    ├─ APIError                   MailUp understood and refused: .status .code .description
    │  ├─ BadRequest              400
    │  ├─ Unauthorized            401 that a renewed token didn't cure
    │  ├─ Forbidden               403
    │  └─ NotFound                404
    └─ UnexpectedResponse         neither success nor a documented error: report it

The first line of a docstring is the default message. Messages, attributes and `repr` never hold a secret or a body.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any


class MailUpError(Exception):
    """Something went wrong between this site and MailUp.

    Attributes:
        status: the HTTP status of MailUp's answer; 0 when there was none.
        headers: the headers of that answer, without those that may hold a secret, such as Set-Cookie and Location.
    """

    code = "error"
    """Stable name, for logs, for `Token.last_error` and for the address of the page that explains it."""

    def __init__(self, message: str = "", *, status: int = 0, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message or (inspect.getdoc(type(self)) or "").partition("\n")[0])
        self.status = status
        self.headers: Mapping[str, str] = {} if headers is None else headers


class NotConnected(MailUpError):
    """There is no connection to MailUp yet: send the user to the authorize page."""

    code = "not_connected"


class MultipleConnections(MailUpError):
    """There are several MailUp accounts here: name one with account=."""

    code = "multiple_connections"


class LoginRefused(MailUpError):
    """MailUp refused the user name or the password."""

    code = "login_refused"


class ReauthorizationRequired(MailUpError):
    """MailUp has ended this connection: the user must authorize it again."""

    code = "reauthorization_required"


class CodeRefused(ReauthorizationRequired):
    """MailUp refused the authorization code: start again."""

    code = "code_refused"


class AuthorizationDenied(MailUpError):
    """The user did not give consent on MailUp's page."""

    code = "authorization_denied"


class StateMismatch(MailUpError):
    """This answer from MailUp belongs to no authorization that is waiting for one: start again."""

    code = "state_mismatch"


class AccountMismatch(MailUpError):
    """The user logged in to another MailUp account than the one to be reconnected."""

    code = "account_mismatch"


class RegistrationUnavailable(MailUpError):
    """There is no enabled MailUp client registration of this name."""

    code = "registration_unavailable"


class ClientRejected(MailUpError):
    """MailUp refuses the client id or secret: an administrator must correct the client registration."""

    code = "client_rejected"


class TransactionOpen(MailUpError):
    """A token can't be stored safely inside this transaction: ask before it, or mark the view non_atomic_requests."""

    code = "transaction_open"


class TermsNotAccepted(MailUpError):
    """This MailUp user must log in to MailUp's console and accept the terms of service."""

    code = "terms_not_accepted"


class DecryptionFailed(MailUpError):
    """The stored secret can't be read with the configured ENCRYPTION_KEYS or SECRET_KEY."""

    code = "decryption_failed"


class Misconfigured(MailUpError):
    """The MAILUP settings don't allow this call: run manage.py check."""

    code = "misconfigured"


class BadFile(MailUpError):
    """The CSV file can't be imported."""

    code = "bad_file"


class UnsureChunk(MailUpError):
    """MailUp may have taken a chunk of an earlier run: say whether to skip it or to send it again."""

    code = "unsure_chunk"


class ImportStopped(MailUpError):
    """An import ended before everything was sent.

    Attributes:
        jobs: the chunks that MailUp has taken, as `mailup.ImportJob`.
        sent: how many recipients are in them.
        may_have_arrived: whether the next chunk may have been taken, too.
    """

    code = "import_stopped"

    def __init__(self, message: str = "", *, jobs: Sequence[Any] = (), error: Exception | None = None) -> None:
        self.jobs = list(jobs)
        self.sent = sum(job.size for job in self.jobs)
        self.may_have_arrived = bool(getattr(error, "may_have_arrived", False))
        if error is not None and not message:
            unsure = "; the next chunk may have been taken, too" if self.may_have_arrived else ""
            message = f"The import stopped after {self.sent} recipients in {len(self.jobs)} chunks{unsure}: {error}"
        super().__init__(message)


class MailUpUnavailable(MailUpError):
    """MailUp can't be reached or gives no proper answer: try again later.

    Attributes:
        may_have_arrived: whether the request may have reached MailUp, although no proper answer came back.
        grant_may_be_spent: of a token call: whether MailUp may have used up the grant (the code, the refresh token).
    """

    code = "unavailable"
    grant_may_be_spent = False

    def __init__(
        self,
        message: str = "",
        *,
        may_have_arrived: bool = True,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, headers=headers)
        self.may_have_arrived = may_have_arrived


class RateLimited(MailUpUnavailable):
    """MailUp asks for fewer calls a second: try again shortly.

    Attributes:
        retry_after: seconds to wait before the next try.
    """

    code = "rate_limited"

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float = 1.0,
        status: int = 429,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, may_have_arrived=False, status=status, headers=headers)
        self.retry_after = retry_after


class APIError(MailUpError):
    """MailUp understood the request and refused it.

    Attributes:
        error_code: MailUp's own ErrorCode, a string that usually repeats the status.
        description: MailUp's own ErrorDescription, shortened.
    """

    code = "refused"

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        error_code: str = "",
        description: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        message = message or (f"MailUp refused with status {status}: {description}" if status else "")
        super().__init__(message, status=status, headers=headers)
        self.error_code = error_code
        self.description = description


class BadRequest(APIError):
    """MailUp found the request malformed."""

    code = "bad_request"


class Unauthorized(APIError):
    """MailUp refuses the access token, even one that was just renewed."""

    code = "unauthorized"


class Forbidden(APIError):
    """This MailUp user may not do that."""

    code = "forbidden"


class NotFound(APIError):
    """MailUp has no such thing, or this MailUp user may not see it."""

    code = "not_found"


class UnexpectedResponse(MailUpError):
    """MailUp answered something that is neither success nor a documented error.

    Attributes:
        content_type: what the answer called itself.
        grant_may_be_spent: of a token call: whether MailUp may have used up the grant (the code, the refresh token).
    """

    code = "unexpected_response"
    grant_may_be_spent = False

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, headers=headers)
        self.content_type = content_type
