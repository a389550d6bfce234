"""Send signals about a token, after it was saved and in the caller's thread."""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

from ..models import Token
from . import stored_token


def send(signal: Signal, token: Token, **details: Any) -> None:
    """Send a signal to every receiver. One that fails is logged, by Django, and stops nothing."""
    arguments = {"request": None, "created": None, "error": None, **details}
    signal.send_robust(sender=Token, token=token, user=token.user, registration=token.registration, **arguments)


def send_stored(signal: Signal, pk: int, **details: Any) -> None:
    """Send a signal about a token as it is stored now. The row is read only if the signal has receivers."""
    if signal.has_listeners(Token):
        token = (
            Token.objects.using(stored_token.database()).select_related("registration", "user").filter(pk=pk).first()
        )
        if token is not None:
            send(signal, token, **details)
