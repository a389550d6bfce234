"""Renew several claimed tokens at once: the requests overlap, and the outcomes share database transactions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Final

from django.db import InterfaceError, OperationalError, connections

from ..events import Event
from . import claims, stored_token
from .attempt import Outcome, Renewal
from .claims import Claim
from .stored_token import Clock

PAUSE: Final = 0.1
"""Seconds before an outcome that couldn't be written is tried again."""

Answered = list[tuple[Renewal, Outcome]]
Results = list[tuple[Claim, Outcome | None]]


def renew(claimed: Sequence[Claim], clock: Clock) -> Results:
    """Send the refresh tokens of these rows at once, and write each outcome as its answer comes.

    What can't be written at once (somebody has the row locked, or the database is down) is tried again until its claim
    ends, and delays no other outcome.

    Returns:
        (claim, outcome) pairs; the outcome is None if an unexpected exception occurred, which is logged. A row that
        was changed although it was claimed is left out.
    """
    under_way: list[Renewal] = []
    results: Results = []
    for claim in claimed:
        try:
            under_way.append(Renewal.begin(claim, clock))
        except Exception as error:
            results.append(_log_crash(claim, error))
    answered: Answered = []
    while under_way or answered:
        for renewal in _wait_for_ended(under_way, at_most=PAUSE if answered else None):
            under_way.remove(renewal)
            try:
                answered.append((renewal, renewal.outcome()))
            except Exception as error:
                results.append(_log_crash(renewal.claim, error))
        answered, written = _write(answered)
        results += written
    return results


def _wait_for_ended(under_way: Sequence[Renewal], *, at_most: float | None) -> list[Renewal]:
    """Wait until a request has ended, or `at_most` seconds; return the renewals whose request has ended."""
    calls = [renewal.call.ended for renewal in under_way if renewal.call is not None]
    if len(calls) == len(under_way):
        limits = [renewal.seconds_left() for renewal in under_way] + ([] if at_most is None else [at_most])
        if calls:
            wait(calls, min(limits), FIRST_COMPLETED)
        else:
            time.sleep(min(limits))
    return [renewal for renewal in under_way if not renewal.seconds_left()]


def _write(answered: Answered) -> tuple[Answered, Results]:
    """Write outcomes. Return those that must be tried again, and the results of the others."""
    if not answered:
        return [], []
    using = stored_token.database()
    obstacle: Exception = TimeoutError("the row was locked by somebody else for as long as the claim lasted")
    try:
        still_ours = claims.write_many([(renewal.claim, outcome.columns) for renewal, outcome in answered])
    except (OperationalError, InterfaceError) as error:
        if connections[using].in_atomic_block:
            raise
        connections[using].close()
        still_ours, obstacle = {}, error
    except Exception as error:
        if len(answered) == 1:
            return [], [_log_crash(answered[0][0].claim, error)]
        parts = [_write([each]) for each in answered]  # one of them can't be written; the others can
        return [each for again, _ in parts for each in again], [each for _, results in parts for each in results]
    again: Answered = []
    results: Results = []
    for renewal, outcome in answered:
        claim = renewal.claim
        if claim.token.key in still_ours:
            if still_ours[claim.token.key]:
                results.append(_confirm(renewal, outcome))
        elif time.monotonic() < claim.ends_at:
            again.append((renewal, outcome))
        else:
            results.append(_log_crash(claim, obstacle))
    return again, results


def _confirm(renewal: Renewal, outcome: Outcome) -> tuple[Claim, Outcome | None]:
    try:
        renewal.confirm(outcome)
    except Exception as error:  # about the registration; the pair is stored, and the other outcomes aren't yet
        return _log_crash(renewal.claim, error)
    return renewal.claim, outcome


def _log_crash(claim: Claim, cause: Exception) -> tuple[Claim, None]:
    Event.REFRESH_CRASHED.log(token=claim.token.key, cause=cause)
    return claim, None
