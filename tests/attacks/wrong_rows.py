"""Which rows a request must not change: a snapshot before it, one after it, and what is wrong between them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.utils import timezone

from django_mailup.models import AuthorizationRequest, ClientRegistration, Token

from .people import Browser, World

MOST_PENDING: Final = 20
"""Authorizations that a user may have under way."""


@dataclass(frozen=True)
class Rows:
    """The site's rows, by key. Only columns that nobody may change without a right."""

    tokens: dict[Any, dict[str, Any]]
    registrations: dict[Any, dict[str, Any]]
    pending: dict[Any, dict[str, Any]]
    people: dict[Any, dict[str, Any]]


def snapshot() -> Rows:
    """Read the rows."""
    return Rows(
        tokens={
            row.key: {
                "pk": row.pk,
                "owner": row.user_id,
                "registration": row.registration_id,
                "account": row.account_uid,
                "status": row.status,
                "pair": (row.generation, row.access_token.ciphertext, row.refresh_token.ciphertext),
            }
            for row in Token.objects.all()
        },
        registrations={
            row.key: {
                "name": row.name,
                "slug": row.slug,
                "client_id": row.client_id,
                "secret": row.client_secret.ciphertext,
                "enabled": row.enabled,
            }
            for row in ClientRegistration.objects.all()
        },
        pending={
            row.key: {
                "user": row.user_id,
                "for_site": row.for_site,
                "token": row.token_key,
                "expires_at": row.expires_at,
            }
            for row in AuthorizationRequest.objects.all()
        },
        people={
            row.pk: {"username": row.username, "staff": row.is_staff, "superuser": row.is_superuser}
            for row in get_user_model().objects.all()
        },
    )


def wrong_rows(world: World, browser: Browser, before: Rows, after: Rows, exchanged: list[str]) -> list[str]:
    """Return a sentence for each row that a browser's request changed without a right to do so.

    Args:
        exchanged: the codes that were sent to MailUp's token endpoint meanwhile.
    """
    return [
        *_tokens(browser, before.tokens, after.tokens),
        *_registrations(browser, before.registrations, after.registrations),
        *_pending(world, browser, before, after),
        *_people(before.people, after.people),
        *_codes(world, browser, exchanged),
    ]


def _tokens(browser: Browser, before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> list[str]:
    wrong = []
    for key, row in before.items():
        mine = row["owner"] is not None and row["owner"] == browser.user_pk
        renews = mine or "change_token" in browser.may or (row["owner"] is None and "connect_site" in browser.may)
        if key not in after:
            if not (mine or "delete_token" in browser.may):
                wrong.append(f"{browser.name} deleted a connection of {row['owner']}")
            continue
        changed = {name for name in row if row[name] != after[key][name]}
        if changed - {"pair", "status"}:
            wrong.append(f"{browser.name} changed {sorted(changed)} of a connection of {row['owner']}")
        elif changed and not renews:
            wrong.append(f"{browser.name} renewed or ended a connection of {row['owner']}")
    for key in after.keys() - before.keys():
        owner = after[key]["owner"]
        if owner != browser.user_pk and not (owner is None and "connect_site" in browser.may):
            wrong.append(f"{browser.name} made a connection of {owner}")
        elif owner is None and "connect_site" not in browser.may:
            wrong.append(f"{browser.name} made a connection of the site")
    return wrong


def _registrations(browser: Browser, before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> list[str]:
    kept = before.keys() & after.keys()
    happened = {
        "add": after.keys() - before.keys(),
        "delete": before.keys() - after.keys(),
        "change": {key for key in kept if before[key] != after[key]},
    }
    return [
        f"{browser.name} did {act} a client registration"
        for act, keys in happened.items()
        if keys and f"{act}_clientregistration" not in browser.may
    ]


def _pending(world: World, browser: Browser, rows_before: Rows, rows_after: Rows) -> list[str]:
    wrong = []
    now = timezone.now()
    before, after = rows_before.pending, rows_after.pending
    made = after.keys() - before.keys()
    for key in made:
        row = after[key]
        if row["user"] != browser.user_pk:
            wrong.append(f"{browser.name} started an authorization of {row['user']}")
        if row["for_site"] and "connect_site" not in browser.may:
            wrong.append(f"{browser.name} started an authorization of the site")
        if row["token"] is not None:
            owner = rows_before.tokens[row["token"]]["owner"]
            if owner != browser.user_pk and not (owner is None and "connect_site" in browser.may):
                wrong.append(f"{browser.name} started to reconnect a connection of {owner}")
    per_user = Counter(row["user"] for row in after.values())
    wrong += [f"user {user} has {n} authorizations under way" for user, n in per_user.items() if n > MOST_PENDING]
    for key in before.keys() - after.keys():
        row = before[key]
        displaced = made and row["user"] == browser.user_pk and per_user[row["user"]] >= MOST_PENDING
        if world.requested_by[key] is not browser and not displaced and not _over(row["expires_at"], now):
            wrong.append(f"{browser.name} spent an authorization of {world.requested_by[key].name}")
    return wrong


def _over(expires_at: datetime, now: datetime) -> bool:
    return expires_at <= now


def _people(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> list[str]:
    return [] if before == after else ["a user was added, changed or deleted"]


def _codes(world: World, browser: Browser, exchanged: list[str]) -> list[str]:
    return [
        f"{browser.name} had a code exchanged that belongs to {world.codes[code].name}"
        for code in exchanged
        if code in world.codes and world.codes[code] is not browser
    ]
