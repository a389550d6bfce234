"""The verdict: the one word for how a connection is, in SQL and in Python.

A connection has the first state that holds, in the order of `State`. In SQL a state is its own condition and the
negation of those before it, so that a filter by one state can use an index; `label` is for the rows of one page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _

from .conf import app_settings
from .exceptions import DecryptionFailed, MailUpUnavailable
from .vault import keyring

ACTIVE: Final = "active"
ENDED: Final = "reauthorization_required"


class State(models.TextChoices):
    """How a connection is. Of several states that hold, the first one is meant."""

    ENDED = "must_be_reconnected", _("must be reconnected")
    REGISTRATION_OFF = "registration_off", _("registration off")
    REGISTRATION_REFUSED = "registration_refused", _("registration refused")
    UNREADABLE = "unreadable", _("unreadable")
    FAILING = "failing", _("failing")
    LATE = "late", _("late")
    WELL = "well", _("well")


NEEDS_ATTENTION: Final = (State.ENDED, State.REGISTRATION_REFUSED, State.UNREADABLE, State.FAILING, State.LATE)
"""States that somebody has to do something about. A registration that is off was switched off by an administrator."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a verdict in SQL depends on beside the row itself.

    The registrations are few. Naming them keeps a condition to the columns of one table, for which databases find the
    indexes.

    Attributes:
        now: the current time, aware.
        off: primary keys of the registrations that are switched off.
        refused: of those that MailUp refuses.
    """

    now: datetime
    off: Sequence[int]
    refused: Sequence[int]


def condition(state: State, moment: Moment) -> Q:
    """Return the condition of the rows in this state."""
    own = _conditions(moment)
    before = [~own[earlier] for earlier in list(State)[: list(State).index(state)]]
    return Q(*([own[state]] if state in own else []), *before)


def label(moment: Moment) -> Case:
    """Return an expression for the state of a row, to annotate rows with. Don't filter by it: no index serves that."""
    return Case(
        *(When(own, then=Value(state.value)) for state, own in _conditions(moment).items()),
        default=Value(State.WELL.value),
        output_field=models.CharField(),
    )


def state_of(token: Any, *, now: datetime) -> State:
    """Return the state of a connection, from its columns and those of its registration.

    Args:
        token: a Token. (Its module imports this one.)
        now: the current time, aware.
    """
    if token.status == ENDED:
        return State.ENDED
    if not token.registration.enabled:
        return State.REGISTRATION_OFF
    if token.registration.failed_at is not None:
        return State.REGISTRATION_REFUSED
    if not can_open(token.encryption_key_id) or (token.failure_count and token.error_code == DecryptionFailed.code):
        return State.UNREADABLE
    if token.failure_count or (token.blocked_until is not None and token.blocked_until > now):
        return State.FAILING
    if token.expires_at < now or token.refresh_at < _untouched_since(now):
        return State.LATE
    return State.WELL


def can_open(key_id: str) -> bool:
    """Return whether a configured key has this id; True if the site's function can't give its keys now."""
    known = _key_ids()
    return known is None or key_id in known


def _conditions(moment: Moment) -> dict[State, Q]:
    """Return each state's own condition, without the negation of those before it. WELL has none."""
    return {
        State.ENDED: Q(status=ENDED),
        State.REGISTRATION_OFF: Q(registration__in=moment.off),
        State.REGISTRATION_REFUSED: Q(registration__in=moment.refused),
        State.UNREADABLE: _not_among(_key_ids()) | Q(failure_count__gt=0, error_code=DecryptionFailed.code),
        State.FAILING: Q(failure_count__gt=0) | Q(blocked_until__gt=moment.now),
        # The status is the first column of both indexes. Connections that have ended would come first in them.
        State.LATE: Q(status=ACTIVE, expires_at__lt=moment.now)
        | Q(status=ACTIVE, refresh_at__lt=_untouched_since(moment.now)),
    }


def _untouched_since(now: datetime) -> datetime:
    """Return the time before which no token should have become due: beat doesn't run, or workers don't keep up."""
    return now - 2 * app_settings.REFRESH_PERIOD


def _key_ids() -> list[str] | None:
    """Return the ids of the configured keys in their order, or None if they can't be had now."""
    try:
        return sorted({key.id for key in keyring.configured() or ()})
    except MailUpUnavailable:
        return None


def _not_among(key_ids: Iterable[str] | None) -> Q:
    """Return the condition of rows that none of these keys opens, as ranges, since an index serves those."""
    if key_ids is None:
        return Q(pk__in=())
    ids = list(key_ids)
    between = (Q(encryption_key_id__gt=low, encryption_key_id__lt=high) for low, high in pairwise(ids))
    outside = Q(encryption_key_id__lt=ids[0]) | Q(encryption_key_id__gt=ids[-1])
    for each in between:
        outside |= each
    return outside
