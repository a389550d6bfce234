"""OAuth's `state` (RFC 6749 section 10.12): issue one, redeem it once. Only services import it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.db import router

from .exceptions import StateMismatch
from .models import AuthorizationRequest


def issue(request: AuthorizationRequest, *, session: str) -> str:
    """Save an authorization request under a new random state, bound to a session, and return the state."""
    state = secrets.token_urlsafe(32)
    request.state_hash, request.session_hash = _hash(state), _hash(session)
    request.save(force_insert=True)
    return state


def redeem(state: str, *, session: str, user_pk: Any, now: datetime) -> AuthorizationRequest:
    """Return the request that waits under a state, and delete it: of any number of callers exactly one gets it.

    A request of another user or session is left where it is, for its owner.

    Raises:
        StateMismatch: forged, repeated, expired, or somebody else's.
    """
    rows = AuthorizationRequest.objects.using(router.db_for_write(AuthorizationRequest))
    request = (
        rows.select_related("registration")
        .filter(state_hash=_hash(state), session_hash=_hash(session), user_id=user_pk, expires_at__gt=now)
        .first()
    )
    if request is None or rows.filter(pk=request.pk).delete()[0] != 1:
        raise StateMismatch
    return request


def clear_expired(*, now: datetime) -> int:
    """Delete the requests that nobody can redeem any more. Returns how many."""
    return AuthorizationRequest.objects.filter(expires_at__lte=now).delete()[0]


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
