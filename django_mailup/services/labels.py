"""Labelling a connection with the account it turned out to be, and merging it with an older row of that account."""

from __future__ import annotations

from django.db import router, transaction
from django.db.models import F

from ..mailup.resources.account import AccountInfo
from ..models import ClientRegistration, Token


def label(pk: int, info: AccountInfo) -> Token:
    """Write an account's identity on a row; if its owner has a row of that account already, give the newer pair to it.

    The older key survives, so that what refers to it stays right.

    Returns:
        The row that holds the pair now.

    Raises:
        Token.DoesNotExist: the row is gone.
    """
    using = router.db_for_write(Token)
    token = Token.objects.using(using).select_related("registration", "user").get(pk=pk)
    with transaction.atomic(using=using):
        # One labelling at a time for a registration: a unique constraint doesn't see that two site rows, whose user
        # is null, are one account. An UPDATE locks on every database; on SQLite only as the first in its block.
        ClientRegistration.objects.using(using).filter(pk=token.registration_id).update(updated_at=F("updated_at"))
        token.refresh_from_db(using=using)
        older = twin(token, info.uid)
        if older is None:
            _identify(token, info)
            return token
        columns = {name: getattr(token, name) for name in Token.MANAGED} | {
            # A purpose is the column's, so ciphertext may move between rows of it.
            "generation": F("generation") + 1,
            "connected_at": token.connected_at,
        }
        # A renewal under way would find no row and lose its pair: then another call labels this row.
        if not Token.objects.using(using).filter(pk=token.pk, claim_owner="").delete()[0]:
            return token
        Token.objects.using(using).filter(pk=older.pk).update(**columns)
        older.refresh_from_db(using=using)
        _identify(older, info)
        return older


def twin(token: Token, account_uid: str) -> Token | None:
    """Return the other row of the same owner, registration and account, if there is one."""
    using = router.db_for_write(Token)
    rows = Token.objects.using(using).filter(registration_id=token.registration_id, account_uid=account_uid)
    rows = rows.filter(user_id=token.user_id) if token.user_id is not None else rows.filter(user__isnull=True)
    return rows.exclude(pk=token.pk).first()


def _identify(token: Token, info: AccountInfo) -> None:
    token.account_uid = info.uid or None
    token.account_username = info.username[:150]
    token.company = info.company[:255]
    token.save(update_fields=["account_uid", "account_username", "company"])
