"""Issue OAuth's `state` (RFC 6749 section 10.12) for one authorization, and redeem it once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, Final

from django.db import models, router
from django.utils import timezone

from ..events import Event
from ..exceptions import StateMismatch
from ..frames import forgets_locals
from ..models import AuthorizationRequest
from ..renewal.stored_token import Clock
from .state_form import QUERY

MOST_PENDING: Final = 20
"""How many authorizations of one user may wait for MailUp's answer at once."""

CLEARED_AT_ONCE: Final = 1000


@forgets_locals
def issue(pending: AuthorizationRequest, *, session: str) -> str:
    """Save an authorization request under a new random state, bound to a session, and return the state.

    If its user then has more than MOST_PENDING, the oldest are deleted.
    """
    state = secrets.token_urlsafe(32)
    pending.state_hash, pending.session_hash = _hash(state), _hash(session)
    pending.save(force_insert=True)
    newest_first = _stored().filter(user_id=pending.user_id).order_by("-pk")
    for too_old in newest_first.select_related("registration")[MOST_PENDING:]:
        if _delete(too_old):
            Event.AUTHORIZATION_DROPPED.log(user=str(too_old.user_id), registration=too_old.registration.slug)
    return state


@forgets_locals
def find(state: str) -> AuthorizationRequest | None:
    """Return the authorization request of a state, whoever it belongs to; None if there is none. It stays valid."""
    return _stored().select_related("registration").filter(state_hash=_hash(state)).first() if state else None


def redeem(
    pending: AuthorizationRequest | None, *, state_in: str, session: str, user_pk: Any, now: datetime
) -> AuthorizationRequest:
    """Delete the authorization request that `find` returned, and return it: of any number of callers one gets it.

    A request of another user or session, or of the other form, is left for its own answer.

    Args:
        pending: the request; None raises.
        state_in: the form of the answer: where its state was.
        session, user_pk: of the caller.
        now: the current time, aware.

    Raises:
        StateMismatch: the state is forged, used, expired, or of another session or user; `reason` says which.
    """
    if pending is None:
        raise StateMismatch(reason="unknown")  # forged, used, dropped, or expired and cleared
    if pending.user_id != user_pk:
        raise StateMismatch(reason="other_user")
    if pending.session_hash != _hash(session):
        raise StateMismatch(reason="other_session")
    if pending.state_in != state_in:
        raise StateMismatch(reason="other_form")
    if pending.expires_at <= now:
        raise StateMismatch(reason="expired")
    if not _delete(pending):
        raise StateMismatch(reason="used")
    return pending


def take_for_hop(*, session: str, user_pk: Any, now: datetime) -> AuthorizationRequest:
    """Mark as hopped the newest request that an answer without `state` may belong to, and return it. It stays valid.

    Raises:
        StateMismatch: this session and user have no request in the query form that hasn't hopped yet, or have some of
            several registrations, so that nothing says which is meant; `reason` says which.
    """
    waiting = _stored().filter(session_hash=_hash(session), user_id=user_pk, expires_at__gt=now)
    candidates = list(waiting.filter(state_in=QUERY, hopped=False).select_related("registration").order_by("-pk"))
    if len({each.registration_id for each in candidates}) > 1:
        raise StateMismatch(reason="several_registrations")
    for newest in candidates:  # another callback may take one at the same time
        if _row(newest).filter(hopped=False).update(hopped=True):
            return newest
    raise StateMismatch(reason="no_state")


def clear_expired_requests(*, clock: Clock = timezone.now) -> int:
    """Delete authorization requests that can't be redeemed any more, CLEARED_AT_ONCE at most. Return how many it were.

    They are named by primary key, since MariaDB locks the rows of a range in another order than a single row's indexes,
    so that this and `redeem` could wait for each other for ever.
    """
    expired = list(_stored().filter(expires_at__lte=clock()).values_list("pk", flat=True)[:CLEARED_AT_ONCE])
    return _stored().filter(pk__in=expired).delete()[0] if expired else 0


def _stored() -> models.QuerySet[AuthorizationRequest]:
    return AuthorizationRequest.objects.using(router.db_for_write(AuthorizationRequest))


def _row(pending: AuthorizationRequest) -> models.QuerySet[AuthorizationRequest]:
    """Return the row of a request. The primary key comes first, for the order in which MariaDB locks."""
    return _stored().filter(pk=pending.pk, key=pending.key)


def _delete(pending: AuthorizationRequest) -> bool:
    """Delete a request, and return whether it was there."""
    return _row(pending).delete()[0] == 1


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
