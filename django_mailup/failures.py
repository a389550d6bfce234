"""The page that a user sees when connecting fails: by the exception's code, a status, a headline and advice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Failure:
    """One such page. `status` is its HTTP status."""

    status: int
    headline: _StrPromise
    advice: _StrPromise


FAILURES: Final[dict[str, Failure]] = {
    "authorization_denied": Failure(
        403,
        _("You did not allow the connection"),
        _("Nothing was connected. If that was a mistake, start again and choose to allow it."),
    ),
    "authorization_failed": Failure(
        503,
        _("MailUp reported an error"),
        _(
            "MailUp sent you back without connecting the account. Nothing was connected. Start again in a few minutes;"
            " if it happens every time, tell the administrator of this site."
        ),
    ),
    "permission_missing": Failure(
        403,
        _("You may not connect this site"),
        _("Nothing was connected. An administrator must give you the permission to connect the site itself."),
    ),
    "state_mismatch": Failure(
        400,
        _("This answer from MailUp can't be used"),
        _(
            "It is too old, was used before, or was started in another browser or by another user."
            " Nothing was connected. Start again."
        ),
    ),
    "login_lost": Failure(
        403,
        _("You are not logged in to this site any more"),
        _("Nothing was connected. Log in here, then start again."),
    ),
    "code_refused": Failure(
        400,
        _("The connection could not be completed"),
        _("Please start again. If this keeps happening, contact this site's administrator."),
    ),
    "account_mismatch": Failure(
        409,
        _("That was another MailUp account"),
        _(
            "You logged in to another MailUp account than the one to be reconnected, which was left as it is."
            " Log out of MailUp, then start again."
        ),
    ),
    "registration_unavailable": Failure(
        404,
        _("This site is not set up for MailUp"),
        _(
            "There is no enabled client registration for this connection."
            " The administrator of this site must add or enable one."
        ),
    ),
    "client_rejected": Failure(
        503,
        _("MailUp does not accept this site"),
        _(
            "The client ID or secret of this site is wrong. Its administrator must correct the client registration;"
            " then start again."
        ),
    ),
    "terms_not_accepted": Failure(
        403,
        _("MailUp's terms of service are not accepted"),
        _("Log in to MailUp's console, accept the terms of service, then start again."),
    ),
    "unavailable": Failure(
        503,
        _("MailUp can't be reached"),
        _("Nothing was connected. Start again in a few minutes."),
    ),
    "unexpected_response": Failure(
        503,
        _("MailUp's answer could not be understood"),
        _(
            "Nothing was connected. Start again in a few minutes; if it happens every time, tell the administrator of"
            " this site."
        ),
    ),
    "misconfigured": Failure(
        503,
        _("This site's MailUp settings are wrong"),
        _("The administrator of this site must run “manage.py check” and correct what it reports."),
    ),
    "decryption_failed": Failure(
        503,
        _("This site can't read its stored secrets"),
        _("The encryption keys of this site have changed. Its administrator must restore them."),
    ),
    "error": Failure(
        503,
        _("The connection could not be made"),
        _(
            "Nothing was connected. Start again in a few minutes; if it happens every time, tell the administrator of"
            " this site."
        ),
    ),
}
ALIASES: Final = {"rate_limited": "unavailable"}


def name_of(code: str) -> str:
    """Return the name of the page for an exception's code. A code without a page of its own has the page “error”."""
    code = ALIASES.get(code, code)
    return code if code in FAILURES else "error"
