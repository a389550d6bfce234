"""Read a token's row from the database that it is written to, and decide whether it can be used as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import router

from ..exceptions import (
    ClientRejected,
    MailUpError,
    MailUpUnavailable,
    NotConnected,
    RateLimited,
    ReauthorizationRequired,
    Unauthorized,
)
from ..mailup.tokens import AccessToken
from ..models import Token

Clock = Callable[[], datetime]

ABOUT_TO_EXPIRE: Final = timedelta(seconds=30)
"""A call renews a token that expires sooner than this."""

FAIL_FAST: Final = timedelta(seconds=30)
"""For this long after a failed renewal, callers get its error instead of another try."""


@dataclass(frozen=True, slots=True)
class UsableToken:
    """An access token that may be used now."""

    access_token: AccessToken
    generation: int
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Return whether it is valid long enough for a call."""
        return self.expires_at - ABOUT_TO_EXPIRE > now


@dataclass(frozen=True, slots=True)
class Need:
    """Which token a caller needs. Callers with equal needs can share an outcome."""

    refused: int | None = None
    """A generation whose access token doesn't do: MailUp refuses it, or a person wants it replaced."""
    asked_for: bool = False
    """Whether a person asks for a renewal. Then neither a recent failure nor a recent 401 stands against it."""

    def is_after_401(self, token: Token, moment: datetime) -> bool:
        """Return whether it takes a renewal only because MailUp answered 401 to a token that hasn't expired."""
        fresh = token.expires_at - ABOUT_TO_EXPIRE > moment
        return token.generation == self.refused and fresh and not self.asked_for


def database() -> str:
    """Return the alias of the database that tokens are written to, and read from: a replica may lag behind."""
    return router.db_for_write(Token)


def read(key: UUID) -> Token | None:
    """Return a row with its registration and `claim_is_live`, in one query; None if this connection sees no such row.

    Rows are named by key, since primary keys repeat in each schema: another tenant's connection finds nothing.
    """
    return Token.objects.using(database()).with_claim().select_related("registration").filter(key=key).first()


def usable_as_is(
    token: Token | None,
    need: Need,
    moment: datetime,
    *,
    just_received: int | None = None,
) -> UsableToken | None:
    """Return the stored token if it can be used as it is, or None if it must be renewed first.

    Args:
        token: the row, or None if it is gone.
        need: which token the caller needs.
        moment: the current time.
        just_received: a generation that the caller has waited to see replaced; a newer one is used whatever the clock
            says.

    Raises:
        NotConnected: the row is gone.
        ReauthorizationRequired: MailUp has ended the connection.
        ClientRejected: MailUp refused the client registration, and the next probe isn't due.
        DecryptionFailed: the token can't be read with the configured keys.
        RateLimited: MailUp asked to wait, and `retry_after` says how much longer.
        Unauthorized: MailUp refuses this token, and the one before it, which was renewed after a 401 a moment ago.
        MailUpError: the error of a renewal that failed less than FAIL_FAST ago.
    """
    if token is None:
        raise NotConnected
    require_active(token)
    live = UsableToken(AccessToken(token.access_token.reveal()), token.generation, token.expires_at)
    newer = just_received is not None and token.generation > just_received
    if token.generation != need.refused and (newer or live.is_fresh(moment)):
        return live
    if is_blocked(token, moment):
        raise stored_error(token, moment)
    if renewed_after_401(token, moment) and need.is_after_401(token, moment):
        raise Unauthorized(reason="renewed")
    if not need.asked_for and token.failed_at is not None and timedelta(0) <= moment - token.failed_at < FAIL_FAST:
        raise stored_error(token, moment)
    retry_at = token.registration.retry_at
    if retry_at is not None and retry_at > moment:
        raise ClientRejected
    return None


def is_blocked(token: Token, moment: datetime) -> bool:
    """Return whether MailUp asked, by Retry-After, not to renew this token yet."""
    return token.refused_generation is None and token.blocked_until is not None and token.blocked_until > moment


def renewed_after_401(token: Token, moment: datetime) -> bool:
    """Return whether the pair was renewed after a 401 so recently that another 401 must not renew it again."""
    return token.refused_generation is not None and token.blocked_until is not None and token.blocked_until > moment


def stored_error(token: Token, moment: datetime) -> MailUpError:
    """Return the stored error of the last renewal, as the exception that it was.

    It speaks of the caller's own request, of which nothing was sent: `may_have_arrived` is false, and `retry_after` is
    what is left of the wait that MailUp asked for.
    """
    error = token.last_error or (MailUpUnavailable() if token.is_active else ReauthorizationRequired())
    if isinstance(error, MailUpUnavailable):
        error.may_have_arrived = False
    if isinstance(error, RateLimited) and token.blocked_until is not None:
        error.retry_after = max((token.blocked_until - moment).total_seconds(), 0.0)
    return error


def require_active(token: Token) -> None:
    """Raise ReauthorizationRequired if MailUp has ended the connection."""
    if not token.is_active:
        error = token.last_error
        raise error if isinstance(error, ReauthorizationRequired) else ReauthorizationRequired
