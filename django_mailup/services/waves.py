"""Renewing several claimed rows at once: the calls overlap, and the writes share transactions. `sweep` imports it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Final

from django.db import InterfaceError, OperationalError, connections

from ..events import Event
from . import claims, rows
from .claims import Claim
from .renewals import Outcome, Renewal
from .rows import Clock

PAUSE: Final = 0.1
"""Seconds before what couldn't be written is tried again."""

Landed = list[tuple[Renewal, Outcome]]
Results = list[tuple[Claim, Outcome | None]]


def renew(held: Sequence[Claim], clock: Clock) -> Results:
    """Send the refresh tokens of all these rows, and write what comes of each as it comes.

    Whatever can't be written at once (somebody has the row locked, the database is lost) is tried again until its claim
    ends, and holds up no other.

    Returns what came of each row, None where a fault of ours, which is logged, came between. A row that was changed
    under its claim is left out.
    """
    flying: list[Renewal] = []
    results: Results = []
    for claim in held:
        try:
            flying.append(Renewal(claim, clock))
        except Exception as error:
            results.append(_crashed(claim, error))
    landed: Landed = []
    while flying or landed:
        for renewal in _ended(flying, at_most=PAUSE if landed else None):
            flying.remove(renewal)
            try:
                landed.append((renewal, renewal.outcome()))
            except Exception as error:
                results.append(_crashed(renewal.claim, error))
        landed, written = _write(landed)
        results += written
    return results


def _ended(flying: Sequence[Renewal], *, at_most: float | None) -> list[Renewal]:
    """Wait until some call has ended, or for so many seconds; return those that have."""
    calls = [renewal.call.ended for renewal in flying if renewal.call is not None]
    if len(calls) == len(flying):
        patience = [renewal.seconds_left() for renewal in flying] + ([] if at_most is None else [at_most])
        if calls:
            wait(calls, min(patience), FIRST_COMPLETED)
        else:
            time.sleep(min(patience))
    return [renewal for renewal in flying if not renewal.seconds_left()]


def _write(landed: Landed) -> tuple[Landed, Results]:
    """Write outcomes. Returns those that must be tried again, and what came of the others."""
    if not landed:
        return [], []
    using = rows.database()
    obstacle: Exception = TimeoutError("somebody had the row locked for as long as the claim lasted")
    try:
        ours = claims.write_many([(renewal.claim, outcome.columns) for renewal, outcome in landed])
    except (OperationalError, InterfaceError) as error:
        if connections[using].in_atomic_block:
            raise
        connections[using].close()
        ours, obstacle = {}, error
    except Exception as error:
        if len(landed) == 1:
            return [], [_crashed(landed[0][0].claim, error)]
        parts = [_write([each]) for each in landed]  # whichever it is that can't be written, the others can
        return [each for again, _ in parts for each in again], [each for _, results in parts for each in results]
    again: Landed = []
    results: Results = []
    for renewal, outcome in landed:
        claim = renewal.claim
        if claim.token.pk in ours:
            if ours[claim.token.pk]:
                results.append(_written(renewal, outcome))
        elif time.monotonic() < claim.ends_at:
            again.append((renewal, outcome))
        else:
            results.append(_crashed(claim, obstacle))
    return again, results


def _written(renewal: Renewal, outcome: Outcome) -> tuple[Claim, Outcome | None]:
    try:
        renewal.written(outcome)
    except Exception as error:  # about the registration; the pair is stored, and others still wait for that
        return _crashed(renewal.claim, error)
    return renewal.claim, outcome


def _crashed(claim: Claim, cause: Exception) -> tuple[Claim, None]:
    Event.REFRESH_CRASHED.log(token=claim.token.pk, cause=cause)
    return claim, None
