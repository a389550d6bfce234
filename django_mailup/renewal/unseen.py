"""Why a renewal's own connection doesn't see a row. The caller's connection knows: ask in the caller's thread.

the caller doesn't see it either          it is gone, or another tenant's: NotConnected
the caller's open transaction made it     no other connection sees it before the commit: TransactionOpen
the caller sees it nevertheless           PREPARE_CONNECTION doesn't prepare the own connection: Misconfigured
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connections
from django.db.models.expressions import RawSQL

from ..exceptions import MailUpError, Misconfigured, NotConnected, TransactionOpen
from ..models import Token
from . import own_connection, stored_token


def reason(keys: Iterable[UUID]) -> MailUpError:
    """Return the exception for rows that a renewal's own connection didn't see: what is Misconfigured comes first."""
    using = stored_token.database()
    seen = Token.objects.using(using).filter(key__in=list(keys))
    if not own_connection.inside_transaction(using):
        return Misconfigured(reason="unseen") if seen.exists() else NotConnected()
    if connections[using].vendor != "postgresql":  # only there a transaction's own rows can be told from others
        return TransactionOpen() if seen.exists() else NotConnected()
    # The age of a row's transaction, counted from the caller's: 0 if it is that one, less if it is a savepoint in it.
    # The text in the SQL is the table's name and nothing else.
    ages = list(seen.values_list(RawSQL(f'age("{Token._meta.db_table}".xmin)', ()), flat=True))  # noqa: S611 # nosec B611
    if any(age > 0 for age in ages):
        return Misconfigured(reason="unseen")
    return TransactionOpen() if ages else NotConnected()
