"""The OAuth client of a registration, and token calls in its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from .. import network
from ..conf import app_settings
from ..exceptions import ClientRejected
from ..mailup.deadline import PendingCall
from ..mailup.grants import Grant
from ..mailup.oauth import OAuthClient
from ..mailup.tokens import TokenSet
from ..models import ClientRegistration
from . import circuit_breaker


def oauth_client(registration: ClientRegistration, *, clock: Callable[[], datetime]) -> OAuthClient:
    """Return the OAuth client of a registration.

    Raises:
        DecryptionFailed: its secret can't be read with the configured keys.
    """
    return OAuthClient(
        registration.client_id,
        registration.client_secret.reveal(),
        endpoints=app_settings.endpoints(),
        authentication=app_settings.CLIENT_AUTHENTICATION,
        deadline=app_settings.TOKEN_DEADLINE,
        adapter=network.replacement(),
        clock=clock,
    )


def exchange(registration: ClientRegistration, grant: Grant, *, clock: Callable[[], datetime]) -> TokenSet:
    """Exchange a grant in the name of a registration. Raise what OAuthClient.exchange raises, and DecryptionFailed."""
    return wait_for(registration, oauth_client(registration, clock=clock).begin(grant), clock=clock)


def wait_for(
    registration: ClientRegistration, call: PendingCall[TokenSet], *, clock: Callable[[], datetime]
) -> TokenSet:
    """Wait for a token call made in the name of a registration, and return its result.

    If MailUp refuses the client, that is stored on the registration before ClientRejected is raised.
    """
    try:
        return call.result()
    except ClientRejected:
        circuit_breaker.mark_refused(registration, now=clock())
        raise
