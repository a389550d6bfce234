"""When a pair is renewed ahead of time and what it is as columns: TokenSet to row. Other services import it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, Final, cast

from ..conf import mailup_settings
from ..crypto import Sealed
from ..fields import EncryptedTextField
from ..mailup.tokens import TokenSet
from ..models import Token

LONGEST_JITTER: Final = timedelta(seconds=60)
FIRST_BACKOFF: Final = timedelta(minutes=1)
LONGEST_BACKOFF: Final = timedelta(hours=1)


def columns(pair: TokenSet) -> dict[str, Any]:
    """Return what a new pair changes on a row, besides the generation and who got it when."""
    due = due_at(pair.received_at, pair.expires_at)
    return {
        "access_token": _sealed("access_token", pair.access_token),
        "refresh_token": _sealed("refresh_token", pair.refresh_token),
        "expires_at": pair.expires_at,
        # Later, never earlier: a job asks due_at whether there is still something to do.
        "refresh_at": due + random.random() * min(LONGEST_JITTER, (pair.expires_at - due) / 10),
        "status": Token.Status.ACTIVE,
        "failed_at": None,
        "failure_count": 0,
        "last_error": "",
        "claim_owner": "",
        "claimed_until": None,
        "interrupted": False,
    }


def _sealed(column: str, secret: str) -> Sealed:
    """Encrypt at once, so that no error report that prints local variables shows a secret among the columns."""
    return cast(EncryptedTextField, Token._meta.get_field(column)).seal(secret)


def due_at(received_at: datetime, expires_at: datetime) -> datetime:
    """Return when the periodic task may renew: a margin before expiry, but never in the first half of a life."""
    lifetime = max(expires_at - received_at, timedelta(0))
    return received_at + max(lifetime - mailup_settings.REFRESH_MARGIN, lifetime / 2)


def backoff(failures: int, *, fraction: float) -> timedelta:
    """Return how long the periodic task leaves a token alone after so many failures in a row.

    Args:
        failures: at least 1.
        fraction: between 0 and 1: how much of the jitter to take.
    """
    longest: timedelta = min(FIRST_BACKOFF * 2 ** min(failures - 1, 10), LONGEST_BACKOFF)
    return longest * (1 + fraction) / 2
