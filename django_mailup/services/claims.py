"""Claims: which process may renew a row, and writing what came of it. `renewals`, `refresh` and `sweep` import it.

A claim is committed before MailUp is asked, and outlives the call. What came of it is written only while claim and
generation are as they were, so that a stale worker can't overwrite a newer pair.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Case, F, Q, Value, When

from ..conf import mailup_settings
from ..database_clock import DatabaseNow
from ..models import Token, TokenQuerySet
from . import rows

LOCK_WAIT: Final = 1
"""Seconds that a claim made beside the caller's own transaction waits for a row lock: it may be the caller's."""

_FIELDS: Final = {field.name: field for field in Token._meta.concrete_fields}

T = TypeVar("T")
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that nobody else renews for as long as `life` says."""

    token: Token
    """As it was when it was claimed."""
    owner: str
    taken_at: float
    """By time.monotonic()."""

    @property
    def ends_at(self) -> float:
        """When somebody else may take over, by time.monotonic()."""
        return self.taken_at + life()

    def seconds_to_call(self) -> float:
        """Return by when a token call must be over: in the second half of a claim's life nothing is on its way."""
        return self.taken_at + life() / 2 - time.monotonic()


def life() -> float:
    """Return how many seconds a claim lasts."""
    return 2 * mailup_settings.TOKEN_DEADLINE + 10


def take(token: Token, *, beside: bool) -> Claim | None:
    """Claim a row, if nobody has it and it is as it was read. One UPDATE, committed at once.

    Args:
        token: as it was read.
        beside: the caller has a transaction open, which may hold the row's lock: wait for it only a moment.

    Raises:
        OperationalError, InterfaceError: the lock wasn't to be had, or the connection broke.
    """
    using, owner, taken_at = rows.database(), str(uuid.uuid4()), time.monotonic()
    unclaimed = _free(using).filter(pk=token.pk, generation=token.generation)
    if beside:
        connection = connections[using]
        with transaction.atomic(using=using), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}s'")
            elif connection.vendor == "mysql":
                cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT}")
            taken = unclaimed.update(**_claimed_by(owner))
    else:
        taken = unclaimed.update(**_claimed_by(owner))
    if not taken:
        return None
    token.interrupted = token.interrupted or token.claim_owner != ""  # as the claim has just written
    return Claim(token, owner, taken_at)


def can_take_many() -> bool:
    """Say whether several rows can be claimed at once without waiting for a row lock, with others locked meanwhile."""
    features = connections[rows.database()].features
    return features.has_select_for_update_skip_locked or not features.has_select_for_update


def take_many(pks: Iterable[int]) -> list[Claim]:
    """Claim those of these rows that are free, active and locked by nobody, in one transaction, and read them.

    Where `can_take_many` says no, a row that is locked is waited for, so only one should be asked for. A lost database
    is tried again for as long as a claim lasts.
    """
    wanted = list(pks)
    return _while_lost(lambda: _take_many(wanted), until=time.monotonic() + life())


def _take_many(pks: list[int]) -> list[Claim]:
    using, owner, taken_at = rows.database(), str(uuid.uuid4()), time.monotonic()
    with transaction.atomic(using=using):
        free = _free(using).filter(pk__in=pks)
        # SQLite has no row locks; there a transaction must begin with a write, or it may not become a writer any more.
        if connections[using].features.has_select_for_update_skip_locked:
            free = free.filter(pk__in=_not_locked(free))
        free.update(**_claimed_by(owner))
        taken = Token.objects.using(using).filter(pk__in=pks, claim_owner=owner)
        return [Claim(token, owner, taken_at) for token in taken.select_related("registration")]


def give_back(claims: Sequence[Claim]) -> None:
    """End claims under which nothing was sent. One whose row somebody has locked runs out by itself."""
    if claims:
        ended = [(claim, {"claim_owner": "", "claimed_until": None}) for claim in claims]
        _while_lost(lambda: write_many(ended), until=claims[0].ends_at)


def write(claim: Claim, columns: Columns) -> bool:
    """Write what came of a claim, if claim and generation are still ours. A lost database is tried again to its end."""
    return _while_lost(lambda: _write(claim, columns), until=claim.ends_at)


def write_many(outcomes: Sequence[tuple[Claim, Columns]]) -> dict[int, bool]:
    """Write what came of claims, in one transaction.

    Returns, by primary key, whether claim and generation were still ours. A row that somebody else has locked isn't
    waited for, since other pairs would wait with it: it isn't in the answer, and must be tried again.
    """
    using = rows.database()
    pks = [claim.token.pk for claim, _ in outcomes]
    with transaction.atomic(using=using):
        ours, locked = set(pks), set[int]()
        if connections[using].features.has_select_for_update_skip_locked:
            held = Token.objects.using(using).filter(pk__in=pks, claim_owner__in={claim.owner for claim, _ in outcomes})
            ours = set(_not_locked(held))
            if len(ours) < len(outcomes):
                locked = set(held.values_list("pk", flat=True)) - ours
        return {
            claim.token.pk: claim.token.pk in ours and _write(claim, columns)
            for claim, columns in outcomes
            if claim.token.pk not in locked
        }


def _free(using: str) -> TokenQuerySet:
    unclaimed = Q(claim_owner="") | Q(claimed_until__lte=DatabaseNow())
    return Token.objects.using(using).filter(unclaimed, status=Token.Status.ACTIVE)


def _claimed_by(owner: str) -> dict[str, Any]:
    return {
        # Whoever had the claim and let it run out may have spent the refresh token.
        "interrupted": Case(When(~Q(claim_owner=""), then=Value(True)), default=F("interrupted")),
        "claim_owner": owner,
        "claimed_until": DatabaseNow(life()),
    }


def _not_locked(tokens: TokenQuerySet) -> list[int]:
    return list(tokens.select_for_update(skip_locked=True).values_list("pk", flat=True))


def _write(claim: Claim, columns: Columns) -> bool:
    """Carry out an UPDATE that is written here: a queryset takes twice as long to build the same one each time."""
    connection = connections[rows.database()]
    token = claim.token
    conditions: Columns = {"id": token.pk, "claim_owner": claim.owner, "generation": token.generation}
    changed, only = (
        [f"{connection.ops.quote_name(str(_FIELDS[name].column))} = %s" for name in names]
        for names in (columns, conditions)
    )
    table = connection.ops.quote_name(Token._meta.db_table)
    values = [
        _FIELDS[name].get_db_prep_save(value, connection) for name, value in (*columns.items(), *conditions.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {', '.join(changed)} WHERE {' AND '.join(only)}", values)  # noqa: S608
        return bool(cursor.rowcount == 1)


def _while_lost(attempt: Callable[[], T], *, until: float) -> T:
    """Try again, on a new connection, while the database is lost; from a moment by time.monotonic() on, raise."""
    using, pause = rows.database(), 0.1
    while True:
        try:
            return attempt()
        except (OperationalError, InterfaceError):
            if time.monotonic() + pause > until or connections[using].in_atomic_block:
                raise
            connections[using].close()
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
