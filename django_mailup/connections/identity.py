"""Store whose MailUp account a connection is, and merge it with an older connection of the same account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import router, transaction
from django.db.models import F

from ..events import Event
from ..exceptions import AccountMismatch, MailUpError
from ..mailup.resources.account import AccountInfo
from ..models import ClientRegistration, Token


def identify(token: Token, info: AccountInfo, *, intended: UUID | None) -> tuple[Token, bool]:
    """Store the identity of a new connection. Return the row that holds the pair now, and whether it is a new one.

    Args:
        token: the row that was just made.
        info: MailUp's answer to whose account it is.
        intended: key of the connection that was to be reconnected, if one was.

    Raises:
        AccountMismatch: it isn't the account of the intended connection, which is unchanged.
        Token.DoesNotExist: the row is gone.
    """
    meant = Token.objects.using(router.db_for_write(Token)).filter(key=intended).first() if intended else None
    if meant is not None and meant.account_uid not in (None, info.uid):
        if find_duplicate(token, info.uid) is None:
            token.delete()  # nobody asked for a connection to this account
        else:
            store_identity(token.pk, info)  # it has a row, whose pair MailUp may have ended with this login
        raise AccountMismatch(
            f"You logged in to MailUp as {info.username}, but the connection is that of {meant}."
            " Log out of MailUp and try again."
        )
    kept = store_identity(token.pk, info)
    return kept, kept.pk == token.pk


def store_identity(pk: int, info: AccountInfo) -> Token:
    """Store whose account a connection is. If its owner has another row of that account, move the newer pair there.

    The older row survives, so that whatever refers to its key stays right. If the pair can't be decrypted, nothing is
    changed: the account stays unknown until a call succeeds.

    Returns:
        The row that holds the pair now.

    Raises:
        Token.DoesNotExist: the row is gone.
    """
    using = router.db_for_write(Token)
    token = Token.objects.using(using).select_related("registration", "user").get(pk=pk)
    with transaction.atomic(using=using):
        # One at a time for a registration: a unique constraint doesn't notice that two rows of the site, whose user is
        # null, are one account. An UPDATE locks on every database; on SQLite only as the first statement of its block.
        ClientRegistration.objects.using(using).filter(pk=token.registration_id).update(updated_at=F("updated_at"))
        token.refresh_from_db(using=using)
        older = find_duplicate(token, info.uid)
        if older is None:
            _write_identity(token, info)
            return token
        try:
            pair = _encrypted_for(older, token)
        except MailUpError as error:
            Event.ACCOUNT_UNKNOWN.log(token=token.pk, error=error.code)
            return token
        columns = {name: getattr(token, name) for name in Token.MANAGED} | {
            **pair,
            "generation": F("generation") + 1,
            "connected_at": token.connected_at,
        }
        # If a renewal is under way, it would find no row and lose its pair: then the next call merges.
        if not Token.objects.using(using).filter(pk=token.pk, claim_owner="").delete()[0]:
            return token
        Token.objects.using(using).filter(pk=older.pk).update(**columns)
        older.refresh_from_db(using=using)
        _write_identity(older, info)
        return older


def find_duplicate(token: Token, account_uid: str) -> Token | None:
    """Return the other row of the same owner, registration and account, if there is one."""
    using = router.db_for_write(Token)
    tokens = Token.objects.using(using).filter(registration_id=token.registration_id, account_uid=account_uid)
    tokens = tokens.filter(user_id=token.user_id) if token.user_id is not None else tokens.filter(user__isnull=True)
    return tokens.exclude(pk=token.pk).first()


def _encrypted_for(row: Token, token: Token) -> dict[str, Any]:
    """Return the columns of a token's pair, encrypted for another row. Raise what `Sealed.reveal` raises."""
    refresh_token = token.refresh_token.for_row(row.key)
    return {
        "access_token": token.access_token.for_row(row.key),
        "refresh_token": refresh_token,
        "encryption_key_id": refresh_token.key_id,
    }


def _write_identity(token: Token, info: AccountInfo) -> None:
    token.account_uid = info.uid or None
    token.account_username = info.username[:150]
    token.company = info.company[:255]
    token.save(update_fields=["account_uid", "account_username", "company"])
