"""The two forms in which `state` travels, and what is known about which of them a registration needs.

query   the redirect URI is exact (RFC 9700 section 2.1), and MailUp sends `state` back in the query
path    the redirect URI ends with the state, since MailUp may send nothing back; the query has it as well

`ClientRegistration.echoes_state` is settled only by a callback whose code MailUp has exchanged, since anybody can make
a browser call the callback. It chooses nothing but the form that is tried first.
"""

from __future__ import annotations

from typing import Final

from django.db import router

from ..conf import app_settings
from ..models import AuthorizationRequest, ClientRegistration
from .answer import Answer

QUERY: Final = "query"
PATH: Final = "path"


def form_for(registration: ClientRegistration) -> str:
    """Return the form of a new authorization request: QUERY or PATH."""
    if app_settings.STATE_IN == "auto":
        return PATH if registration.echoes_state is False else QUERY
    return app_settings.STATE_IN


def form_of(answer: Answer) -> str:
    """Return the form of the authorization request that an answer belongs to."""
    return PATH if answer.state_in_path else QUERY


def redirect_uri(pending: AuthorizationRequest, state: str) -> str:
    """Return the redirect URI of an authorization request, which the token call must repeat."""
    return pending.redirect_uri if pending.state_in == QUERY else f"{pending.redirect_uri.rstrip('/')}/{state}/"


def learn(registration: ClientRegistration, answer: Answer) -> None:
    """Store what an answer whose code MailUp has exchanged shows: whether MailUp sends `state` back.

    A state that came back beside the path replaces only the opposite: the query form must show that it works by itself.
    """
    echoes = bool(answer.state_in_query)
    settles = form_of(answer) == QUERY or not echoes or registration.echoes_state is False
    if settles and registration.echoes_state is not echoes:
        rows = ClientRegistration.objects.using(router.db_for_write(ClientRegistration))
        rows.filter(key=registration.key).update(echoes_state=echoes)
