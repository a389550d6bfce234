"""Store whose MailUp account a connection is, and merge it with an older connection of the same account."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import router, transaction
from django.db.models import F

from ..events import Event
from ..exceptions import AccountMismatch, MailUpError, UnexpectedResponse
from ..mailup.resources.account import AccountInfo
from ..models import ClientRegistration, Token, TokenQuerySet
from ..text import clean, is_clean

_NEXT_GENERATION: Final = {"generation": F("generation") + 1}


def identify(token: Token, info: AccountInfo, *, intended: UUID | None) -> tuple[Token, bool]:
    """Store the identity of a new connection. Return the row that holds the pair now, and whether it is a new one.

    Args:
        token: the row that was just made.
        info: MailUp's answer to whose account it is.
        intended: key of the connection that was to be reconnected, if one was.

    Raises:
        AccountMismatch: it isn't the account of the intended connection, which is unchanged.
        UnexpectedResponse: MailUp's name of the account can't be stored.
        Token.DoesNotExist: the row is gone.
    """
    _refuse_unstorable(info.uid)
    meant = _rows().filter(key=intended).first() if intended else None
    if meant is not None and meant.account_uid not in (None, info.uid):
        if find_duplicate(token, info.uid) is None:
            _rows().filter(key=token.key).delete()  # nobody asked for a connection to this account
        else:
            store_identity(token.key, info)  # it has a row, whose pair MailUp may have ended with this login
        raise AccountMismatch(
            f"You logged in to MailUp as {clean(info.username, 150)}, but the connection is that of {meant}."
            " Log out of MailUp and try again."
        )
    kept = store_identity(token.key, info)
    return kept, kept.key == token.key


def store_identity(key: UUID, info: AccountInfo) -> Token:
    """Store whose account a connection is. If its owner has another row of that account, move the newer pair there.

    The older row survives, so that whatever refers to its key stays right. If the pair can't be decrypted, nothing is
    changed: the account stays unknown until a call succeeds.

    Args:
        key: key of the connection.
        info: MailUp's answer to whose account it is.

    Returns:
        The row that holds the pair now.

    Raises:
        UnexpectedResponse: MailUp's name of the account can't be stored.
        Token.DoesNotExist: the row is gone, or another tenant's.
    """
    _refuse_unstorable(info.uid)
    using = router.db_for_write(Token)
    rows = _rows().select_related("registration", "user")
    token = rows.get(key=key)
    with transaction.atomic(using=using):
        # One at a time for a registration: a unique constraint doesn't notice that two rows of the site, whose user is
        # null, are one account. An UPDATE locks on every database; on SQLite only as the first statement of its block.
        registration = ClientRegistration.objects.using(using).filter(key=token.registration.key)
        registration.update(updated_at=F("updated_at"))
        # Nor can a renewal begin now: in the end it would find no row, or one with another pair, and lose its own.
        _rows().filter(key=key).update(company=F("company"))
        token = rows.get(key=key)
        older = find_duplicate(token, info.uid)
        if older is None:
            _write_identity(token, info)
            return token
        if token.claim_owner:  # a renewal is under way: the next call merges
            return token
        try:
            pair = _encrypted_for(older, token)
        except MailUpError as error:
            Event.ACCOUNT_UNKNOWN.log(token=token.key, error=error.code)
            return token
        columns = {name: getattr(token, name) for name in Token.MANAGED} | {
            **pair,
            **_NEXT_GENERATION,
            "connected_at": token.connected_at,
        }
        _rows().filter(key=key).delete()
        _rows().filter(key=older.key).update(**columns)
        older = rows.get(key=older.key)
        _write_identity(older, info)
        return older


def find_duplicate(token: Token, account_uid: str) -> Token | None:
    """Return the other row of the same owner, registration and account, if there is one."""
    tokens = _rows().filter(registration__key=token.registration.key, account_uid=account_uid)
    tokens = tokens.filter(user_id=token.user_id) if token.user_id is not None else tokens.filter(user__isnull=True)
    return tokens.exclude(key=token.key).first()


def _rows() -> TokenQuerySet:
    return Token.objects.using(router.db_for_write(Token))


def _encrypted_for(row: Token, token: Token) -> dict[str, Any]:
    """Return the columns of a token's pair, encrypted for another row. Raise what `Sealed.reveal` raises."""
    access_token = token.access_token.for_row(row.key)
    return {
        "access_token": access_token,
        "refresh_token": token.refresh_token.for_row(row.key),
        "encryption_key_id": access_token.key_id,
    }


def _refuse_unstorable(uid: str) -> None:
    """Raise UnexpectedResponse for a uid that doesn't fit. It isn't cut to fit: two accounts could become one."""
    if not uid or len(uid) > _length("account_uid") or not is_clean(uid):
        raise UnexpectedResponse(reason="bad_account", status=200)


def _length(column: str) -> int:
    return int(getattr(Token._meta.get_field(column), "max_length", None) or 0)


def _write_identity(token: Token, info: AccountInfo) -> None:
    token.account_uid = info.uid
    token.account_username = clean(info.username, _length("account_username"))
    token.company = clean(info.company, _length("company"))
    token.save(update_fields=["account_uid", "account_username", "company"])
