"""Every error that django_mailup raises, arranged by what the caller should do next. Anything may import this.

    MailUpError
    ├─ NotConnected               send the user to authorize
    ├─ MultipleConnections        say which account is meant
    ├─ LoginRefused               the password grant: another user name or password
    ├─ ReauthorizationRequired    the grant is dead: send the user to authorize again
    │  └─ CodeRefused             the same, before there was a connection
    ├─ AuthorizationDenied        the user said no on MailUp's page
    ├─ AuthorizationFailed        MailUp's page reported an error: start over, or tell the administrator
    ├─ PermissionMissing          the user may not connect the site itself
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

The message is made of the exception's data: of `reason` if the class has a sentence for it, else of the first line of
its docstring. Messages, attributes and `repr` never hold a secret or a body.

A renewal's error is stored as data, `code` and `details()`, and made again by `restore` when it is shown or raised.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, TypedDict, Unpack


class _About(TypedDict, total=False):
    """The arguments of every error: see MailUpError."""

    reason: str
    status: int
    headers: Mapping[str, str]


class MailUpError(Exception):
    """Something went wrong between this site and MailUp.

    Attributes:
        reason: which of the class's `SENTENCES` is its message; empty if none is.
        status: the HTTP status of MailUp's answer; 0 when there was none.
        headers: the headers of that answer, without those that may hold a secret, such as Set-Cookie and Location.
    """

    code: ClassVar[str] = "error"
    """Stable name, for logs, for `Token.error_code` and for the address of the page that explains it."""

    SENTENCES: ClassVar[Mapping[str, str]] = {}
    """Messages by reason. They may name details in braces."""

    DETAILS: ClassVar[tuple[str, ...]] = ("reason", "status")
    """Names of the constructor's arguments that `details` returns."""

    def __init__(self, message: str = "", **about: Unpack[_About]) -> None:
        self.reason = about.get("reason", "")
        self.status = about.get("status", 0)
        self.headers = about.get("headers", {})
        super().__init__(message or self._sentence())

    def _sentence(self) -> str:
        if self.reason in self.SENTENCES:
            return self.SENTENCES[self.reason].format(**{name: getattr(self, name) for name in self.DETAILS})
        return (inspect.getdoc(type(self)) or "").partition("\n")[0]

    def details(self) -> dict[str, Any]:
        """Return what `restore` needs to make this error again, as JSON. What is empty, zero or false is left out."""
        return {name: getattr(self, name) for name in self.DETAILS if getattr(self, name)}


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
    """MailUp has ended this connection: the user must authorize it again.

    Attributes:
        interrupted: whether an earlier renewal was interrupted before its answer could be stored. Then MailUp may
            refuse the old refresh token because it had been used already.
    """

    code = "reauthorization_required"
    SENTENCES = {
        "no_refresh_token": "MailUp gave no refresh token for this connection: the user must authorize it again."
    }
    DETAILS = (*MailUpError.DETAILS, "interrupted")

    def __init__(
        self,
        message: str = "",
        *,
        interrupted: bool = False,
        **about: Unpack[_About],
    ) -> None:
        self.interrupted = interrupted
        super().__init__(message, **about)

    def _sentence(self) -> str:
        sentence = super()._sentence()
        if self.interrupted:
            sentence += " An earlier renewal was interrupted before its answer could be stored."
        return sentence


class CodeRefused(ReauthorizationRequired):
    """MailUp refused the authorization code: start again."""

    code = "code_refused"


class AuthorizationDenied(MailUpError):
    """The user did not give consent on MailUp's page."""

    code = "authorization_denied"


class AuthorizationFailed(MailUpError):
    """MailUp's page reported an error, or sent no authorization code.

    Its `reason` is the error's name in RFC 6749 section 4.1.2.1, `other` or `no_code`.
    """

    code = "authorization_failed"


class PermissionMissing(MailUpError):
    """This user may not connect the site itself to MailUp."""

    code = "permission_missing"


class StateMismatch(MailUpError):
    """This answer from MailUp belongs to no authorization that is waiting for one: start again.

    Its `reason` says to logs what doesn't match, such as `expired` or `other_session`.
    """

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
    SENTENCES = {"empty": "The stored secret is missing: its column has been emptied."}


class Misconfigured(MailUpError):
    """The MAILUP settings don't allow this call: run manage.py check."""

    code = "misconfigured"
    SENTENCES = {
        "hook": "MAILUP['PREPARE_CONNECTION'] can't be imported: run manage.py check.",
        "hook_result": "MAILUP['PREPARE_CONNECTION'] must return a function that prepares the new connection.",
        "unseen": "A renewal's own database connection doesn't see the row that this connection sees: set"
        " MAILUP['PREPARE_CONNECTION'] to a function that prepares it.",
    }


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
        cause: name of the network error's class.
    """

    code = "unavailable"
    SENTENCES = {
        "status": "MailUp answered with status {status}: try again later.",
        "timeout": "MailUp did not answer in time: try again later.",
        "connection": "MailUp could not be reached ({cause}): try again later.",
        "delayed": "This process was held up too long to renew the token.",
        "busy": "Another renewal of this token takes too long: try again later.",
        "keys": "This site's encryption keys can't be had at the moment ({cause}): try again later.",
    }
    DETAILS = (*MailUpError.DETAILS, "cause", "grant_may_be_spent")

    def __init__(
        self,
        message: str = "",
        *,
        may_have_arrived: bool = True,
        grant_may_be_spent: bool = False,
        cause: str = "",
        **about: Unpack[_About],
    ) -> None:
        self.may_have_arrived = may_have_arrived
        self.grant_may_be_spent = grant_may_be_spent
        self.cause = cause
        super().__init__(message, **about)


class RateLimited(MailUpUnavailable):
    """MailUp asks for fewer calls a second: try again shortly.

    Attributes:
        retry_after: seconds to wait before the next try.
    """

    code = "rate_limited"
    SENTENCES = {"own_limit": "MailUp's limit of calls a second is used up: try again shortly."}
    DETAILS = MailUpError.DETAILS

    def __init__(self, message: str = "", *, retry_after: float = 1.0, **about: Unpack[_About]) -> None:
        self.retry_after = retry_after
        about.setdefault("status", 429)
        super().__init__(message, may_have_arrived=False, **about)


class APIError(MailUpError):
    """MailUp understood the request and refused it.

    Attributes:
        error_code: MailUp's own ErrorCode, a string that usually repeats the status.
        description: MailUp's own ErrorDescription, shortened.
    """

    code = "refused"

    def __init__(
        self, message: str = "", *, error_code: str = "", description: str = "", **about: Unpack[_About]
    ) -> None:
        status = about.get("status", 0)
        if status and about.get("reason", "") not in self.SENTENCES:
            message = message or f"MailUp refused with status {status}: {description}"
        super().__init__(message, **about)
        self.error_code = error_code
        self.description = description


class BadRequest(APIError):
    """MailUp found the request malformed."""

    code = "bad_request"


class Unauthorized(APIError):
    """MailUp refuses the access token, even one that was just renewed."""

    code = "unauthorized"
    SENTENCES = {
        "expired": "The access token has expired or was refused, and this call must not renew it.",
        "renewed": "MailUp refuses the access token, although it was renewed a moment ago.",
    }


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
        cause: what the token endpoint called its error, or the class of the exception that reading it raised.
    """

    code = "unexpected_response"
    SENTENCES = {
        "status": "MailUp answered with status {status}.",
        "not_json": "MailUp's answer is not JSON.",
        "token_error": "MailUp's token endpoint answered {status} {cause}.",
        "token_form": "MailUp's token endpoint answered {status} in no documented form.",
        "bad_token": "MailUp gave a token that can't be used.",
        "bad_account": "MailUp names this account in a form that can't be stored.",
        "token_unreadable": "MailUp's token answer could not be read ({cause}).",
        "redirect": "MailUp's token endpoint answered with a redirect.",
        "too_large": "MailUp's answer is larger than this site reads.",
        "encoding": "MailUp's answer is compressed in a way that this site doesn't read.",
    }
    DETAILS = (*MailUpError.DETAILS, "cause", "grant_may_be_spent")

    def __init__(
        self,
        message: str = "",
        *,
        content_type: str = "",
        cause: str = "",
        grant_may_be_spent: bool = False,
        **about: Unpack[_About],
    ) -> None:
        self.content_type = content_type
        self.cause = cause
        self.grant_may_be_spent = grant_may_be_spent
        super().__init__(message, **about)


def _subclasses(kind: type[MailUpError]) -> list[type[MailUpError]]:
    return [kind, *(each for direct in kind.__subclasses__() for each in _subclasses(direct))]


_BY_CODE: Final[Mapping[str, type[MailUpError]]] = {kind.code: kind for kind in _subclasses(MailUpError)}


def code_of(error: Exception) -> str:
    """Return the code of an error of ours, and the class's name of any other: what may be logged of it."""
    return error.code if isinstance(error, MailUpError) else type(error).__name__


def restore(code: str, details: Mapping[str, Any]) -> MailUpError:
    """Return the error that was stored as its code and details, with its message made anew.

    An unknown code, of another version of this package, gives a MailUpError with that code.
    """
    kind = _BY_CODE.get(code)
    if kind is None:
        error = MailUpError()
        error.code = code  # type: ignore[misc]
        return error
    return kind(**{name: value for name, value in details.items() if name in kind.DETAILS})
