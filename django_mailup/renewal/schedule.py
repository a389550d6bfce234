"""When a pair is renewed ahead of time, how long to back off after failures, and a pair as columns of a row."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from ..conf import app_settings
from ..mailup.tokens import TokenSet
from ..models import Token
from ..vault.fields import EncryptedTextField
from ..vault.sealed import Sealed

LONGEST_JITTER: Final = timedelta(seconds=60)
FIRST_BACKOFF: Final = timedelta(minutes=1)
LONGEST_BACKOFF: Final = timedelta(hours=1)
AFTER_401: Final = timedelta(minutes=5)
"""For this long after a renewal that a 401 caused, another 401 causes none: it isn't the pair that MailUp refuses."""


def columns(pair: TokenSet, row: UUID) -> dict[str, Any]:
    """Return the columns that a new pair changes on a row, except its generation and when it was received.

    Args:
        pair: what MailUp has issued.
        row: key of the row, to which the encrypted pair is bound.
    """
    access_token = _sealed("access_token", pair.access_token, row)
    # Without a refresh token there is nothing to renew: the connection ends when the access token does.
    due = due_at(pair.received_at, pair.expires_at) if pair.refresh_token else pair.expires_at
    return {
        "access_token": access_token,
        "refresh_token": _sealed("refresh_token", pair.refresh_token, row),
        "encryption_key_id": access_token.key_id,
        "expires_at": pair.expires_at,
        # Later, never earlier: a job asks due_at whether there is still something to do.
        "refresh_at": due + random.random() * min(LONGEST_JITTER, (pair.expires_at - due) / 10),
        "status": Token.Status.ACTIVE,
        "failed_at": None,
        "failure_count": 0,
        "error_code": "",
        "error_details": {},
        "blocked_until": None,
        "refused_generation": None,
        "claim_owner": "",
        "claimed_until": None,
        "interrupted": False,
    }


def columns_after_401(refused: int, now: datetime) -> dict[str, Any]:
    """Return the columns that keep the next 401 from causing a renewal: which generation was refused, and until when.

    The periodic renewal, the next expiry and people don't wait for it.
    """
    return {"refused_generation": refused, "blocked_until": now + AFTER_401}


def _sealed(column: str, secret: str, row: UUID) -> Sealed:
    """Encrypt a secret at once, so that error reports that print local variables don't show it among the columns."""
    return cast(EncryptedTextField, Token._meta.get_field(column)).seal(secret, row)


def due_at(received_at: datetime, expires_at: datetime) -> datetime:
    """Return when the periodic task may renew a pair: REFRESH_MARGIN before expiry, but not in its first half."""
    lifetime = max(expires_at - received_at, timedelta(0))
    return received_at + max(lifetime - app_settings.REFRESH_MARGIN, lifetime / 2)


def backoff(failures: int, *, fraction: float) -> timedelta:
    """Return how long the periodic task waits after failures: doubled each time, from 1 minute up to 1 hour.

    Args:
        failures: how many in a row, at least 1.
        fraction: how much of the jitter to add, from 0 (half of the wait) to 1 (all of it).
    """
    longest: timedelta = min(FIRST_BACKOFF * 2 ** min(failures - 1, 10), LONGEST_BACKOFF)
    return longest * (1 + fraction) / 2
