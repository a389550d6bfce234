"""Store whose MailUp account a connection is, and merge it with an older connection of the same account."""

from __future__ import annotations

from uuid import UUID

from django.db import router, transaction
from django.db.models import F

from ..exceptions import AccountMismatch, UnexpectedResponse
from ..mailup.resources.account import AccountInfo
from ..models import ClientRegistration, Token
from ..text import clean, is_clean


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
    meant = Token.objects.using(router.db_for_write(Token)).filter(key=intended).first() if intended else None
    if meant is not None and meant.account_uid not in (None, info.uid):
        if find_duplicate(token, info.uid) is None:
            token.delete()  # nobody asked for a connection to this account
        else:
            store_identity(token.pk, info)  # it has a row, whose pair MailUp may have ended with this login
        raise AccountMismatch(
            f"You logged in to MailUp as {clean(info.username, 150)}, but the connection is that of {meant}."
            " Log out of MailUp and try again."
        )
    kept = store_identity(token.pk, info)
    return kept, kept.pk == token.pk


def store_identity(pk: int, info: AccountInfo) -> Token:
    """Store whose account a connection is. If its owner has another row of that account, move the newer pair there.

    The older row survives, so that whatever refers to its key stays right.

    Returns:
        The row that holds the pair now.

    Raises:
        UnexpectedResponse: MailUp's name of the account can't be stored.
        Token.DoesNotExist: the row is gone.
    """
    _refuse_unstorable(info.uid)
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
        columns = {name: getattr(token, name) for name in Token.MANAGED} | {
            # A key is derived for each column, so ciphertext may move between its rows.
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
