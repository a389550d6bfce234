"""Claims: the right to renew a token, which one process has at a time; and writing a renewal's outcome.

A claim is committed before MailUp is asked, and lasts longer than the request may take. An outcome is written only
while claim and generation are unchanged, so that a slow process can't overwrite a newer pair.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Case, F, Q, Value, When

from ..conf import app_settings
from ..database_clock import DatabaseNow
from ..models import Token, TokenQuerySet
from . import stored_token
from .own_connection import Caller

LOCK_WAIT: Final = 1
"""Seconds to wait for a row lock while the caller has a transaction open, which may hold that very lock."""

_FIELDS: Final = {field.name: field for field in Token._meta.concrete_fields}

T = TypeVar("T")
Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to renew a row, for `lifetime()` seconds."""

    token: Token
    """The row as it was when it was claimed."""
    owner: str
    taken_at: float
    """When it was claimed, by time.monotonic()."""

    @property
    def ends_at(self) -> float:
        """When another process may claim the row, by time.monotonic()."""
        return self.taken_at + lifetime()

    def seconds_to_call(self) -> float:
        """Return the seconds left to start and finish a token request; negative once it is too late.

        A request may take at most half the claim's lifetime, so that none is under way when the claim ends.
        """
        return self.taken_at + lifetime() / 2 - time.monotonic()


def lifetime() -> float:
    """Return how long a claim lasts, in seconds."""
    return 2 * app_settings.TOKEN_DEADLINE + 10


def take(token: Token, *, caller: Caller) -> Claim | None:
    """Claim a row with one UPDATE, committed at once. Return None if it is claimed, or was changed since it was read.

    Args:
        token: the row as it was read.
        caller: if the caller has a transaction open, which may hold the row's lock, wait LOCK_WAIT seconds at most.

    Raises:
        OperationalError, InterfaceError: the lock couldn't be had, or the connection broke.
    """
    using, owner, taken_at = stored_token.database(), str(uuid4()), time.monotonic()
    unclaimed = _free(using).filter(key=token.key, generation=token.generation)
    if caller is Caller.IN_TRANSACTION:
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
    """Return whether rows that others have locked can be skipped, so that several can be claimed at once."""
    features = connections[stored_token.database()].features
    return features.has_select_for_update_skip_locked or not features.has_select_for_update


def take_many(keys: Iterable[UUID]) -> list[Claim]:
    """Claim those of these rows that are active, unclaimed and unlocked, in one transaction. Return their claims.

    If `can_take_many` is false, a locked row is waited for, so the caller should ask for one row only. If the database
    is down, this is tried again for as long as a claim lasts.
    """
    wanted = list(keys)
    return _retry_while_lost(lambda: _take_many(wanted), until=time.monotonic() + lifetime())


def _take_many(keys: list[UUID]) -> list[Claim]:
    using, owner, taken_at = stored_token.database(), str(uuid4()), time.monotonic()
    with transaction.atomic(using=using):
        free = _free(using).filter(key__in=keys)
        # SQLite has no row locks; there a transaction must begin with a write, or it may not become a writer any more.
        if connections[using].features.has_select_for_update_skip_locked:
            free = free.filter(key__in=_not_locked(free))
        free.update(**_claimed_by(owner))
        taken = Token.objects.using(using).filter(key__in=keys, claim_owner=owner)
        return [Claim(token, owner, taken_at) for token in taken.select_related("registration")]


def unseen(keys: Iterable[UUID]) -> set[UUID]:
    """Return those of these keys that no row has which this connection sees. Tried again as `take_many` is."""
    wanted, rows = set(keys), Token.objects.using(stored_token.database())
    return wanted - _retry_while_lost(
        lambda: set(rows.filter(key__in=wanted).values_list("key", flat=True)), until=time.monotonic() + lifetime()
    )


def release(claims: Sequence[Claim]) -> None:
    """End claims under which nothing was sent. If a row is locked, its claim runs out by itself."""
    if claims:
        ended = [(claim, {"claim_owner": "", "claimed_until": None}) for claim in claims]
        _retry_while_lost(lambda: write_many(ended), until=claims[0].ends_at)


def write(claim: Claim, columns: Columns) -> bool:
    """Write an outcome, and return whether claim and generation were still ours.

    If the database is down, this is tried again until the claim ends.
    """
    return _retry_while_lost(lambda: _write(claim, columns), until=claim.ends_at)


def write_many(outcomes: Sequence[tuple[Claim, Columns]]) -> dict[UUID, bool]:
    """Write the outcomes of several claims in one transaction.

    Returns:
        By key, whether claim and generation were still ours. A row that somebody else has locked is left out
        and must be tried again: waiting for it would delay the other pairs.
    """
    using = stored_token.database()
    keys = [claim.token.key for claim, _ in outcomes]
    with transaction.atomic(using=using):
        ours, locked = set(keys), set[UUID]()
        if connections[using].features.has_select_for_update_skip_locked:
            held = Token.objects.using(using).filter(
                key__in=keys, claim_owner__in={claim.owner for claim, _ in outcomes}
            )
            ours = set(_not_locked(held))
            if len(ours) < len(outcomes):
                locked = set(held.values_list("key", flat=True)) - ours
        return {
            claim.token.key: claim.token.key in ours and _write(claim, columns)
            for claim, columns in outcomes
            if claim.token.key not in locked
        }


def _free(using: str) -> TokenQuerySet:
    unclaimed = Q(claim_owner="") | Q(claimed_until__lte=DatabaseNow())
    return Token.objects.using(using).filter(unclaimed, status=Token.Status.ACTIVE)


def _claimed_by(owner: str) -> dict[str, Any]:
    return {
        # Whoever let a claim run out may have used the refresh token.
        "interrupted": Case(When(~Q(claim_owner=""), then=Value(True)), default=F("interrupted")),
        "claim_owner": owner,
        "claimed_until": DatabaseNow(lifetime()),
    }


def _not_locked(tokens: TokenQuerySet) -> list[UUID]:
    return list(tokens.select_for_update(skip_locked=True).values_list("key", flat=True))


def _write(claim: Claim, columns: Columns) -> bool:
    """Write by an UPDATE that is composed here: building the same one as a queryset takes twice as long."""
    connection = connections[stored_token.database()]
    token = claim.token
    conditions: Columns = {"key": token.key, "claim_owner": claim.owner, "generation": token.generation}
    changed, only = (
        [f"{connection.ops.quote_name(str(_FIELDS[name].column))} = %s" for name in names]
        for names in (columns, conditions)
    )
    table = connection.ops.quote_name(Token._meta.db_table)
    values = [
        _FIELDS[name].get_db_prep_save(value, connection) for name, value in (*columns.items(), *conditions.items())
    ]
    with connection.cursor() as cursor:
        # The names are the model's, quoted; each value is a parameter.
        cursor.execute(f"UPDATE {table} SET {', '.join(changed)} WHERE {' AND '.join(only)}", values)  # noqa: S608 # nosec B608
        return bool(cursor.rowcount == 1)


def _retry_while_lost(attempt: Callable[[], T], *, until: float) -> T:
    """Try again, on a new connection, while the database is down. Raise after `until`, by time.monotonic()."""
    using, pause = stored_token.database(), 0.1
    while True:
        try:
            return attempt()
        except (OperationalError, InterfaceError):
            if time.monotonic() + pause > until or connections[using].in_atomic_block:
                raise
            connections[using].close()
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
