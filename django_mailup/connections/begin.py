"""Begin an authorization: save what it is for, and say where the browser has to go."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import router
from django.utils import timezone

from ..conf import app_settings
from ..events import Event
from ..exceptions import MailUpError, RegistrationUnavailable, StateMismatch, TransactionOpen
from ..frames import forgets_locals
from ..models import DEFAULT_REGISTRATION, AuthorizationRequest, Token
from ..registrations import oauth, store
from ..renewal import own_connection
from ..renewal.stored_token import Clock
from . import state, state_form


def begin(
    *,
    user: Any,
    session: str,
    callback_url: str,
    registration: str = DEFAULT_REGISTRATION,
    next_url: str = "",
    reconnect: Token | None = None,
    for_site: bool = False,
    clock: Clock = timezone.now,
) -> str:
    """Start an authorization, and return the URL of MailUp's page to send the browser to (RFC 6749 section 4.1.1).

    Args:
        user: who pressed *Connect*. The caller checks the permission to connect the site; `complete` does so again.
        session: a secret of this browser session; `complete` must be called with the same one.
        callback_url: absolute URL of the callback view.
        registration: slug of the client registration.
        next_url: where to go afterwards. The caller checks that it is safe.
        reconnect: the connection to authorize again; then its registration and owner count.
        for_site: whether the connection is to be the site's own.
        clock: returns the current time, aware.

    Raises:
        NotConnected: the connection to authorize again is gone, or another tenant's.
        RegistrationUnavailable: there is no enabled registration of this slug.
        TransactionOpen: called inside a transaction.
        Misconfigured: MailUp's base URL is plain http.
        DecryptionFailed: the client secret can't be read with the configured keys.
    """
    _refuse_transaction()
    if reconnect is not None:
        found, for_site = store.find_for(reconnect), reconnect.user_id is None
    else:
        found = store.find(registration)
    pending = AuthorizationRequest(
        user=user,
        registration=found,
        for_site=for_site,
        token_key=reconnect.key if reconnect is not None else None,
        redirect_uri=callback_url,
        state_in=state_form.form_for(found),
        next_url=next_url,
    )
    return _start(pending, session=session, clock=clock)


def begin_again(*, user: Any, session: str, clock: Clock = timezone.now) -> str:
    """Start a pending authorization again with `state` in the path, and return the URL of MailUp's page.

    This is for a callback with a code but without `state`. The code is not exchanged, since it may be anybody's. The
    newest request of this session that went out with `state` in the query is sent again, once; it stays valid itself.

    Args:
        user, session: the same as for `begin`.
        clock: returns the current time, aware.

    Raises:
        StateMismatch: no request is left that could be meant, or those that are left have several registrations, or
            STATE_IN doesn't allow another form.
        RegistrationUnavailable: the registration was disabled meanwhile.
        TransactionOpen, Misconfigured, DecryptionFailed: as `begin`.
    """
    first = None
    try:
        _refuse_transaction()
        if app_settings.STATE_IN != "auto":
            raise StateMismatch(reason="no_state")
        first = state.take_for_hop(session=session, user_pk=user.pk, now=clock())
        if not first.registration.enabled:
            raise RegistrationUnavailable
        pending = AuthorizationRequest(
            user=user,
            registration=first.registration,
            for_site=first.for_site,
            token_key=first.token_key,
            redirect_uri=first.redirect_uri,
            state_in=state_form.PATH,
            hopped=True,
            next_url=first.next_url,
        )
        url = _start(pending, session=session, clock=clock)
    except MailUpError as error:
        slug = first.registration.slug if first is not None else ""
        Event.CALLBACK_REJECTED.log(error=error.code, reason=error.reason, user=str(user.pk), registration=slug)
        raise
    Event.AUTHORIZATION_RESTARTED.log(user=str(user.pk), registration=first.registration.slug)
    return url


@forgets_locals
def _start(pending: AuthorizationRequest, *, session: str, clock: Clock) -> str:
    """Save an authorization request, and return the URL of MailUp's page for it. Clear requests that have expired."""
    client = oauth.oauth_client(pending.registration, clock=clock)
    state.clear_expired_requests(clock=clock)
    verifier = secrets.token_urlsafe(64) if app_settings.PKCE else ""
    pending.code_verifier = verifier
    pending.expires_at = clock() + app_settings.STATE_LIFETIME
    issued = state.issue(pending, session=session)
    return client.authorization_url(
        redirect_uri=state_form.redirect_uri(pending, issued),
        state=issued,
        scope=app_settings.SCOPE,
        code_verifier=verifier,
    )


def _refuse_transaction() -> None:
    if own_connection.inside_transaction(router.db_for_write(AuthorizationRequest)):
        raise TransactionOpen
