"""Issue OAuth's `state` (RFC 6749 section 10.12) for one authorization, and redeem it once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.db import router
from django.utils import timezone

from ..exceptions import StateMismatch
from ..models import AuthorizationRequest
from ..renewal.stored_token import Clock


def issue(pending: AuthorizationRequest, *, session: str) -> str:
    """Save an authorization request under a new random state, bound to a session, and return the state."""
    state = secrets.token_urlsafe(32)
    pending.state_hash, pending.session_hash = _hash(state), _hash(session)
    pending.save(force_insert=True)
    return state


def redeem(state: str, *, session: str, user_pk: Any, now: datetime) -> AuthorizationRequest:
    """Return the authorization request of a state, and delete it: of any number of callers exactly one gets it.

    A request of another user or session is left for its owner.

    Raises:
        StateMismatch: the state is forged, used, expired, or of another session or user.
    """
    stored = AuthorizationRequest.objects.using(router.db_for_write(AuthorizationRequest))
    pending = (
        stored.select_related("registration")
        .filter(state_hash=_hash(state), session_hash=_hash(session), user_id=user_pk, expires_at__gt=now)
        .first()
    )
    if pending is None or stored.filter(pk=pending.pk).delete()[0] != 1:
        raise StateMismatch
    return pending


def clear_expired_requests(*, clock: Clock = timezone.now) -> int:
    """Delete the authorization requests that can't be redeemed any more, and return how many there were."""
    return AuthorizationRequest.objects.filter(expires_at__lte=clock()).delete()[0]


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
