"""The tokens that MailUp gives for a grant, as frozen values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ..exceptions import UnexpectedResponse

# MailUp's tokens were valid for 900 s until 2018, and are for 3600 s since. For an answer without a lifetime the
# shorter one is assumed: too short a lifetime causes an early renewal, too long a lifetime a refused call.
ASSUMED_LIFETIME: Final = timedelta(seconds=900)
MAX_LIFETIME: Final = timedelta(days=3650)
TOKEN_LIMIT: Final = 8192
"""The longest token that is accepted, in characters. Web servers refuse longer headers."""
_VISIBLE: Final = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token. Its `repr` hides it, so that error reports with local variables don't show it."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenSet:
    """An access token and a refresh token (RFC 6749 section 5.1). `received_at` and `expires_at` are aware."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    received_at: datetime
    expires_at: datetime

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any], *, received_at: datetime, refresh_token: str = "") -> TokenSet:
        """Return the TokenSet of a token endpoint's successful answer.

        Args:
            answer: the fields of the answer: `access_token`, and optionally `expires_in` (seconds, as number or text)
                and `refresh_token`.
            received_at: when the answer came, an aware datetime.
            refresh_token: the refresh token that was used. It stays if MailUp sends no new one (RFC 6749 section 6).

        Raises:
            UnexpectedResponse: a new token has a character that no token may have, or is longer than TOKEN_LIMIT.
        """
        renewed = answer.get("refresh_token")
        pair = cls(
            access_token=answer["access_token"],
            refresh_token=renewed if isinstance(renewed, str) and renewed else refresh_token,
            received_at=received_at,
            expires_at=received_at + lifetime(answer.get("expires_in")),
        )
        # Without a refresh token the connection lasts as long as the access token.
        if not is_token(pair.access_token) or not (pair.refresh_token == "" or is_token(pair.refresh_token)):
            raise UnexpectedResponse(reason="bad_token", status=200)
        return pair


def is_token(text: str) -> bool:
    """Return whether a text can be an access token or a refresh token (RFC 6749 appendices A.12 and A.17)."""
    return len(text) <= TOKEN_LIMIT and _VISIBLE.fullmatch(text) is not None


def lifetime(expires_in: object) -> timedelta:
    """Return the lifetime of an access token, between 0 and MAX_LIFETIME.

    Args:
        expires_in: seconds, as number or text. For anything else the result is ASSUMED_LIFETIME.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float, str)):
        return ASSUMED_LIFETIME
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return ASSUMED_LIFETIME
    if math.isnan(seconds):
        return ASSUMED_LIFETIME
    return timedelta(seconds=min(max(seconds, 0.0), MAX_LIFETIME.total_seconds()))
