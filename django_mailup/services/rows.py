"""A token's row, read from the database it is written to, and what can be used of it as it is. Services import it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import router

from .. import exceptions
from ..exceptions import ClientRejected, MailUpError, MailUpUnavailable, NotConnected, ReauthorizationRequired
from ..mailup.tokens import AccessToken
from ..models import Token

Clock = Callable[[], datetime]

ABOUT_TO_EXPIRE: Final = timedelta(seconds=30)
"""A call renews a token that has less than this to live."""

FAIL_FAST: Final = timedelta(seconds=30)
"""For so long after a failure, callers get that failure instead of another try."""

_KINDS: Final[dict[str, type[MailUpError]]] = {
    kind.code: kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, MailUpError)
}


@dataclass(frozen=True, slots=True)
class Live:
    """An access token that may be used now."""

    access_token: AccessToken
    generation: int
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Say whether it lives long enough for a call."""
        return self.expires_at - ABOUT_TO_EXPIRE > now


def database() -> str:
    """Return the database that tokens are written to, and so read from: a replica may lag behind the newest pair."""
    return router.db_for_write(Token)


def read(pk: int) -> Token | None:
    """Return a row with its registration, and `claim_is_live`; None when it is gone. One query."""
    return Token.objects.using(database()).with_claim().select_related("registration").filter(pk=pk).first()


def usable(
    token: Token | None, refused: int | None, moment: datetime, *, at_once: bool, just_received: int | None = None
) -> Live | None:
    """Return what can be used of a row as it is; None when it must be renewed first.

    Args:
        token: the row, or None when it is gone.
        refused: a generation whose access token MailUp refuses.
        moment: now.
        at_once: don't hold a failure of the last half minute against it.
        just_received: the generation that was waited for to pass; a newer one is used whatever a clock says.

    Raises:
        NotConnected, ReauthorizationRequired, ClientRejected, DecryptionFailed: why it can't be used nor renewed.
        MailUpError: the failure of the last half minute.
    """
    if token is None:
        raise NotConnected
    require_active(token)
    live = Live(AccessToken(token.access_token.reveal()), token.generation, token.expires_at)
    newer = just_received is not None and token.generation > just_received
    if token.generation != refused and (newer or live.is_fresh(moment)):
        return live
    if not at_once and token.failed_at is not None and timedelta(0) <= moment - token.failed_at < FAIL_FAST:
        raise recorded(token)
    retry_at = token.registration.retry_at
    if retry_at is not None and retry_at > moment:
        raise ClientRejected
    return None


def recorded(token: Token) -> MailUpError:
    """Return the failure that a row tells of, as the exception that it was."""
    code, _, sentence = token.last_error.partition(": ")
    if not token.is_active:
        return ReauthorizationRequired(sentence)
    return _KINDS.get(code, MailUpUnavailable)(sentence)


def require_active(token: Token) -> None:
    """Raise the ReauthorizationRequired that a dead row tells of."""
    if not token.is_active:
        raise recorded(token)
