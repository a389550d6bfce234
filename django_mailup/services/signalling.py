"""Signals about tokens: sent after the save, in the caller's thread. Other services import it."""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

from ..models import Token
from . import rows


def announce(signal: Signal, token: Token, **details: Any) -> None:
    """Send a signal about a token to every receiver; one that fails is logged, by Django, and stops nothing."""
    arguments = {"request": None, "created": None, "error": None, **details}
    signal.send_robust(sender=Token, token=token, user=token.user, registration=token.registration, **arguments)


def announce_row(signal: Signal, pk: int, **details: Any) -> None:
    """Send a signal about a token as it is stored now. It is read only if somebody listens."""
    if signal.has_listeners(Token):
        token = Token.objects.using(rows.database()).select_related("registration", "user").filter(pk=pk).first()
        if token is not None:
            announce(signal, token, **details)
