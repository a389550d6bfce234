"""Complete an authorization with MailUp's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from ..events import Event
from ..exceptions import (
    AuthorizationDenied,
    AuthorizationFailed,
    MailUpError,
    PermissionMissing,
    RegistrationUnavailable,
    StateMismatch,
)
from ..frames import forgets_locals
from ..mailup.grants import AuthorizationCode
from ..models import CONNECT_SITE, AuthorizationRequest, Token
from ..registrations import oauth
from ..renewal.stored_token import Clock
from . import authorization, state, state_form
from .answer import Answer

ERRORS: Final = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
"""The errors of RFC 6749 section 4.1.2.1 other than `access_denied`. Only these are named in logs."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A completed authorization: the connection, whether its row is new, and where the user wanted to go."""

    token: Token
    created: bool
    next_url: str


def complete(
    *, user: Any, session: str, answer: Answer, request: HttpRequest | None = None, clock: Clock = timezone.now
) -> Completed:
    """Complete an authorization: redeem the state, exchange the code, store the pair, ask whose account it is.

    Args:
        user, session: the same as for `begin`.
        answer: what MailUp's redirect holds. An error, or an answer without a code, spends nothing.
        request: passed on to the signal.
        clock: returns the current time, aware.

    Raises:
        TransactionOpen: called inside a transaction; nothing was spent.
        AuthorizationDenied: the user did not consent.
        AuthorizationFailed: MailUp reported another error, or sent no code.
        StateMismatch: the state is forged, used, expired, or of another session or user.
        PermissionMissing: the user may not connect the site any more.
        RegistrationUnavailable: the registration was disabled meanwhile.
        CodeRefused: MailUp refused the code.
        AccountMismatch: the user logged in to another account than the one to reconnect, which is unchanged.
        MailUpUnavailable: MailUp can't be reached; nothing was stored.
        ClientRejected: MailUp refuses the client registration; nothing was stored.
        UnexpectedResponse: MailUp answered in no documented form; nothing was stored.
        DecryptionFailed: the client secret can't be read with the configured keys.
    """
    pending = state.find(answer.state)
    try:
        return _complete(pending, user=user, session=session, answer=answer, request=request, clock=clock)
    except MailUpError as error:
        slug = pending.registration.slug if pending is not None else ""
        Event.CALLBACK_REJECTED.log(error=error.code, reason=error.reason, user=str(user.pk), registration=slug)
        raise


@forgets_locals
def _complete(
    pending: AuthorizationRequest | None,
    *,
    user: Any,
    session: str,
    answer: Answer,
    request: HttpRequest | None,
    clock: Clock,
) -> Completed:
    authorization.refuse_transaction()
    _refuse_unusable(answer)
    pending = state.redeem(pending, state_in=state_form.form_of(answer), session=session, user_pk=user.pk, now=clock())
    registration = pending.registration
    if pending.for_site and not user.has_perm(CONNECT_SITE):
        raise PermissionMissing
    if not registration.enabled:
        raise RegistrationUnavailable
    redirect_uri = state_form.redirect_uri(pending, answer.state)
    grant = AuthorizationCode(answer.code, redirect_uri, pending.code_verifier.reveal())
    pair = oauth.exchange(registration, grant, clock=clock)
    owner = None if pending.for_site else user
    token, created = authorization.store_pair(
        pair, registration, owner, intended=pending.token_key, request=request, clock=clock
    )
    state_form.learn(registration, answer)
    return Completed(token, created, pending.next_url)


def _refuse_unusable(answer: Answer) -> None:
    """Raise the error for an answer that has no code, or contradicts itself. No text of MailUp's is repeated."""
    if answer.error == "access_denied":
        raise AuthorizationDenied(reason=answer.error)
    if answer.error:
        raise AuthorizationFailed(reason=answer.error if answer.error in ERRORS else "other")
    if not answer.code:
        raise AuthorizationFailed(reason="no_code")
    if answer.repeated:
        raise StateMismatch(reason="repeated")
    if answer.state_in_path and answer.state_in_query and answer.state_in_path != answer.state_in_query:
        raise StateMismatch(reason="contradictory")
