"""One renewal of a claimed row: the call, and what it changes on the row. The only module that sends refresh tokens."""

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
from . import registrations, schedule
from .claims import Claim, Columns
from .rows import Clock, Live


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a renewal ended: a live token, or an error."""

    live: Live | None = None
    error: MailUpError | None = None
    columns: Columns = field(default_factory=dict)
    """What it changes on the row."""
    signal: Signal | None = None
    """What tells of it, if it was this process that made it so."""


class Renewal:
    """The renewal of a claimed row. Making one sends the refresh token, unless there is a reason not to.

    Args:
        claim: on the row.
        clock: returns the present.
    """

    def __init__(self, claim: Claim, clock: Clock) -> None:
        self.claim, self._clock = claim, clock
        self.call: PendingCall[TokenSet] | None = None
        """None: nothing was sent."""
        self._obstacle: MailUpError | None = None
        try:
            self.call = self._begin()
        except MailUpError as error:
            self._obstacle = error

    def _begin(self) -> PendingCall[TokenSet]:
        token = self.claim.token
        registrations.may_try(token.registration, now=self._clock())
        grant = RefreshToken(token.refresh_token.reveal())
        left = self.claim.seconds_to_call()
        if left <= 0:
            raise MailUpUnavailable("This process was held up too long to renew the token.", may_have_arrived=False)
        return registrations.oauth_client(token.registration, clock=self._clock).begin(grant, deadline=left)

    def seconds_left(self) -> float:
        """Return how long `outcome` may have to wait; 0 when it needn't."""
        return 0.0 if self.call is None or self.call.ended.done() else self.call.seconds_left()

    def outcome(self) -> Outcome:
        """Wait for the end of the call, and return what came of it. It has still to be written."""
        try:
            if self.call is None:
                assert self._obstacle is not None
                raise self._obstacle
            return self._renewed(registrations.result(self.claim.token.registration, self.call, clock=self._clock))
        except MailUpError as error:
            return self._failed(error, self._clock())

    def _renewed(self, pair: TokenSet) -> Outcome:
        generation = self.claim.token.generation + 1
        return Outcome(
            live=Live(AccessToken(pair.access_token), generation, pair.expires_at),
            columns=schedule.columns(pair) | {"refreshed_at": pair.received_at, "generation": generation},
            signal=signals.token_refreshed,
        )

    def _failed(self, error: MailUpError, moment: datetime) -> Outcome:
        """Say why on the row, and give the claim back. Only MailUp's own refusal of the grant ends a connection."""
        token = self.claim.token
        columns: dict[str, Any] = {"claim_owner": "", "claimed_until": None}
        if isinstance(error, (ClientRejected, RegistrationUnavailable)):  # those stand on the registration
            return Outcome(error=error, columns=columns, signal=signals.token_refresh_failed)
        failures = token.failure_count + 1
        sentence = str(error)
        if isinstance(error, ReauthorizationRequired) and token.interrupted:
            sentence += " An earlier renewal was interrupted before its answer could be stored."
            error = type(error)(sentence)
        columns |= {"failed_at": moment, "failure_count": failures, "last_error": f"{error.code}: {sentence}"[:300]}
        if isinstance(error, ReauthorizationRequired):
            columns["status"] = Token.Status.REAUTHORIZATION_REQUIRED
            return Outcome(error=error, columns=columns, signal=signals.reauthorization_required)
        wait = schedule.backoff(failures, fraction=random.random())
        if isinstance(error, RateLimited):
            wait = max(wait, timedelta(seconds=error.retry_after))
        columns["refresh_at"] = moment + wait
        if isinstance(error, (MailUpUnavailable, UnexpectedResponse)) and error.grant_may_be_spent:
            columns["interrupted"] = True
        return Outcome(error=error, columns=columns, signal=signals.token_refresh_failed)

    def written(self, outcome: Outcome) -> None:
        """Log an outcome that has been written, and end the doubt about the registration if there was any."""
        token = self.claim.token
        if outcome.error is not None:
            failures = token.failure_count + 1
            Event.TOKEN_REFRESH_FAILED.log(token=token.pk, error=outcome.error.code, failures=failures)
            return
        registrations.accepted(token.registration)
        Event.TOKEN_REFRESHED.log(token=token.pk, generation=token.generation + 1)
