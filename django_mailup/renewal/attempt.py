"""One renewal of a claimed token: the request, and what its answer changes on the row.

No other module sends refresh tokens.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.dispatch import Signal

from .. import signals
from ..events import Event
from ..exceptions import (
    ClientRejected,
    MailUpError,
    MailUpUnavailable,
    RateLimited,
    ReauthorizationRequired,
    RegistrationUnavailable,
    UnexpectedResponse,
)
from ..mailup.deadline import PendingCall
from ..mailup.grants import RefreshToken
from ..mailup.tokens import AccessToken, TokenSet
from ..models import Token
from ..registrations import circuit_breaker, oauth
from . import schedule
from .claims import Claim, Columns
from .stored_token import Clock, UsableToken


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a renewal ended: with a usable token, or with an error."""

    token: UsableToken | None = None
    error: MailUpError | None = None
    columns: Columns = field(default_factory=dict)
    """What it changes on the row."""
    signal: Signal | None = None
    """The signal to send, if this process made the change."""


class Renewal:
    """The renewal of a claimed token. `begin` sends the refresh token; making an instance sends nothing.

    Args:
        claim: the claim on the row.
        clock: returns the current time, aware.
        call: the token request under way, or None if nothing was sent.
        obstacle: why nothing was sent.
        after_401: whether only MailUp's 401 to an access token that hasn't expired caused it.
    """

    def __init__(
        self,
        claim: Claim,
        clock: Clock,
        *,
        call: PendingCall[TokenSet] | None,
        obstacle: MailUpError | None,
        after_401: bool,
    ) -> None:
        self.claim, self.call = claim, call
        self._clock, self._obstacle, self._after_401 = clock, obstacle, after_401

    @classmethod
    def begin(cls, claim: Claim, clock: Clock, *, after_401: bool = False) -> Renewal:
        """Send the refresh token of a claimed row, unless something stands against it, and return at once."""
        try:
            return cls(claim, clock, call=_send(claim, clock), obstacle=None, after_401=after_401)
        except MailUpError as error:
            return cls(claim, clock, call=None, obstacle=error, after_401=after_401)

    def seconds_left(self) -> float:
        """Return the longest time, in seconds, that `outcome` may still block; 0 if it doesn't."""
        return 0.0 if self.call is None or self.call.ended.done() else self.call.seconds_left()

    def outcome(self) -> Outcome:
        """Wait for the answer, and return what it means. The caller writes the outcome's columns."""
        try:
            if self.call is None:
                assert self._obstacle is not None
                raise self._obstacle
            return self._succeeded(oauth.wait_for(self.claim.token.registration, self.call, clock=self._clock))
        except MailUpError as error:
            return self._failed(error, self._clock())

    def confirm(self, outcome: Outcome) -> None:
        """Log an outcome whose columns have been written. After a success, mark the registration as accepted."""
        token = self.claim.token
        if outcome.error is not None:
            failures = token.failure_count + 1
            Event.TOKEN_REFRESH_FAILED.log(token=token.key, error=outcome.error.code, failures=failures)
            return
        circuit_breaker.mark_accepted(token.registration)
        Event.TOKEN_REFRESHED.log(token=token.key, generation=token.generation + 1)

    def _succeeded(self, pair: TokenSet) -> Outcome:
        refused = self.claim.token.generation
        columns = schedule.columns(pair, self.claim.token.key) | {
            "refreshed_at": pair.received_at,
            "generation": refused + 1,
        }
        if self._after_401:
            columns |= schedule.columns_after_401(refused, pair.received_at)
        return Outcome(
            token=UsableToken(AccessToken(pair.access_token), refused + 1, pair.expires_at),
            columns=columns,
            signal=signals.token_refreshed,
        )

    def _failed(self, error: MailUpError, now: datetime) -> Outcome:
        """Return the outcome of a failure: the claim ends, and the row says why it failed.

        Only MailUp's own refusal of the grant ends a connection.
        """
        token = self.claim.token
        columns: dict[str, Any] = {"claim_owner": "", "claimed_until": None}
        if isinstance(error, (ClientRejected, RegistrationUnavailable)) or error.reason == "keys":
            # That is stored on the registration, or is the trouble of every row.
            return Outcome(error=error, columns=columns, signal=signals.token_refresh_failed)
        failures = token.failure_count + 1
        if isinstance(error, ReauthorizationRequired) and token.interrupted:
            error = ReauthorizationRequired(interrupted=True, status=error.status, headers=error.headers)
        columns |= {
            "failed_at": now,
            "failure_count": failures,
            "error_code": error.code,
            "error_details": error.details(),
        }
        blocked_until = _blocked_until(error, now)
        if blocked_until is not None or token.refused_generation is None:  # what a 401 has blocked stays so otherwise
            columns |= {"blocked_until": blocked_until, "refused_generation": None}
        if isinstance(error, ReauthorizationRequired):
            columns["status"] = Token.Status.REAUTHORIZATION_REQUIRED
            return Outcome(error=error, columns=columns, signal=signals.reauthorization_required)
        backed_off = now + schedule.backoff(failures, fraction=random.random())
        columns["refresh_at"] = max(backed_off, blocked_until or now)
        if isinstance(error, (MailUpUnavailable, UnexpectedResponse)) and error.grant_may_be_spent:
            columns["interrupted"] = True
        return Outcome(error=error, columns=columns, signal=signals.token_refresh_failed)


def _send(claim: Claim, clock: Clock) -> PendingCall[TokenSet]:
    token = claim.token
    if not token.refresh_token:
        raise ReauthorizationRequired(reason="no_refresh_token")
    circuit_breaker.admit(token.registration, now=clock())
    grant = RefreshToken(token.refresh_token.reveal())
    left = claim.seconds_to_call()
    if left <= 0:
        raise MailUpUnavailable(reason="delayed", may_have_arrived=False)
    return oauth.oauth_client(token.registration, clock=clock).begin(grant, deadline=left)


def _blocked_until(error: MailUpError, now: datetime) -> datetime | None:
    """Return until when MailUp asked to wait by Retry-After; None if it didn't ask."""
    if isinstance(error, RateLimited) and "Retry-After" in error.headers:
        return now + timedelta(seconds=error.retry_after)
    return None
