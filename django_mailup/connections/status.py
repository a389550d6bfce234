"""Report the state of registrations and connections to operators: which need attention, and why."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from ..exceptions import MailUpError
from ..models import ClientRegistration, Token
from ..renewal.stored_token import Clock
from ..vault.sealed import Sealed


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One registration (without owner and account) or connection, ready to print."""

    registration: str
    owner: str
    account: str
    state: str
    expires: str
    last_error: str
    well: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All rows; `troubles` counts those that aren't well."""

    rows: list[ReportRow]

    @property
    def troubles(self) -> int:
        return sum(not row.well for row in self.rows)


def status(*, clock: Clock = timezone.now) -> Report:
    """Return the state of every registration and connection. Ask MailUp nothing."""
    now = clock()
    rows = [_registration(registration) for registration in ClientRegistration.objects.all()]
    late = set(Token.objects.late(now=now).values_list("key", flat=True))
    for token in (
        Token.objects.select_related("registration", "user").order_by("registration__slug", "pk").iterator(500)
    ):
        state, well = _state(token, late=token.key in late)
        rows.append(
            ReportRow(
                registration=token.registration.slug,
                owner=str(token.user) if token.user is not None else "(site)",
                account=str(token),
                state=state,
                expires=token.expires_at.strftime("%Y-%m-%d %H:%M:%S %Z"),
                last_error=str(token.last_error or ""),
                well=well,
            )
        )
    return Report(rows)


def _registration(registration: ClientRegistration) -> ReportRow:
    if not _readable(registration.client_secret):
        state, well = "unreadable", False
    elif not registration.enabled:
        state, well = "disabled", True
    else:
        state, well = ("refused by MailUp", False) if registration.failed_at else ("in order", True)
    return ReportRow(registration.slug, "", "", state, "", str(registration.last_error or ""), well)


def _state(token: Token, *, late: bool) -> tuple[str, bool]:
    if not (_readable(token.access_token) and _readable(token.refresh_token)):
        return "unreadable", False
    if not token.is_active:
        return "must be reconnected", False
    if token.failure_count:
        return f"failing ({token.failure_count})", False
    if late:
        return "late", False
    return "active", True


def _readable(sealed: Sealed) -> bool:
    try:
        sealed.reveal()
    except MailUpError:  # no key opens it, or the keys can't be had now
        return False
    return True
