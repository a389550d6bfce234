"""Send signals about a token, in the caller's thread and after the token was saved."""

from __future__ import annotations

from typing import TypedDict, Unpack
from uuid import UUID

from django.dispatch import Signal
from django.http import HttpRequest

from ..exceptions import MailUpError
from ..models import Token
from . import stored_token


class Details(TypedDict, total=False):
    """What a signal may say besides `sender` and `token`; `django_mailup.signals` says which signal says what."""

    request: HttpRequest | None
    created: bool
    error: MailUpError


def send(signal: Signal, token: Token, **details: Unpack[Details]) -> None:
    """Send a signal to every receiver. Django logs the exception of a receiver and goes on with the next one."""
    signal.send_robust(sender=Token, token=token, **details)


def send_stored(signal: Signal, key: UUID, *, error: MailUpError | None) -> None:
    """Send a signal about a token as it is stored now, with the error if there is one.

    The row is read only if the signal has receivers; nothing is sent if it is gone.
    """
    if not signal.has_listeners(Token):
        return
    rows = Token.objects.using(stored_token.database()).select_related("registration", "user")
    token = rows.filter(key=key).first()
    if token is None:
        return
    if error is None:
        send(signal, token)
    else:
        send(signal, token, error=error)
