"""Report to operators how many connections are in which state, and which need attention. Nothing is decrypted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count
from django.utils import timezone

from ..models import ClientRegistration, Token, TokenQuerySet
from ..renewal.stored_token import Clock
from ..verdict import NEEDS_ATTENTION, State, can_open


@dataclass(frozen=True, slots=True)
class RegistrationRow:
    """One client registration, ready to print.

    Attributes:
        state: "in order", "off", "refused by MailUp" or "unreadable".
        counts: the number of its connections in each state.
    """

    slug: str
    state: str
    counts: Counter[State]
    last_error: str
    well: bool


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One connection that needs attention, ready to print."""

    registration: str
    owner: str
    account: str
    state: State
    expires: str
    last_error: str


@dataclass(frozen=True, slots=True)
class Report:
    """The state of all registrations and connections.

    Attributes:
        connections: those that need attention, the longest failing of each state first; as many as were asked for.
    """

    registrations: list[RegistrationRow]
    connections: list[ConnectionRow]

    @property
    def total(self) -> int:
        """The number of registrations and connections."""
        return len(self.registrations) + sum(row.counts.total() for row in self.registrations)

    @property
    def troubles(self) -> int:
        """How many of them need attention."""
        counts = sum((row.counts for row in self.registrations), Counter[State]())
        return sum(not row.well for row in self.registrations) + sum(counts[state] for state in NEEDS_ATTENTION)


def status(*, limit: int | None = 100, clock: Clock = timezone.now) -> Report:
    """Return how many connections are in which state, and those that need attention. Ask MailUp nothing.

    Args:
        limit: how many connections of each state to return; None for all.
        clock: returns the current time, aware.
    """
    now = clock()
    states = {state: Token.objects.in_state(state, now=now) for state in State if state != State.WELL}
    totals = _per_registration(Token.objects.all())
    counts = {state: _per_registration(tokens) for state, tokens in states.items()}
    registrations = []
    for registration in ClientRegistration.objects.all():
        own: Counter[State] = Counter({state: found[registration.pk] for state, found in counts.items()})
        own[State.WELL] = totals[registration.pk] - own.total()
        registrations.append(_registration(registration, own))
    connections = [
        _connection(token, state)
        for state in NEEDS_ATTENTION
        for token in states[state].select_related("registration", "user")[:limit].iterator(500)
    ]
    return Report(registrations, connections)


def _per_registration(tokens: TokenQuerySet) -> Counter[int]:
    """Return the number of connections of each registration, by its primary key."""
    return Counter(dict(tokens.order_by().values_list("registration").annotate(Count("pk"))))


def _registration(registration: ClientRegistration, counts: Counter[State]) -> RegistrationRow:
    if not can_open(registration.client_secret.key_id):
        state, well = "unreadable", False
    elif not registration.enabled:
        state, well = "off", True
    else:
        state, well = ("refused by MailUp", False) if registration.failed_at else ("in order", True)
    return RegistrationRow(registration.slug, state, counts, str(registration.last_error or ""), well)


def _connection(token: Token, state: State) -> ConnectionRow:
    return ConnectionRow(
        registration=token.registration.slug,
        owner=str(token.user) if token.user is not None else "(site)",
        account=str(token),
        state=state,
        expires=token.expires_at.strftime("%Y-%m-%d %H:%M:%S %Z"),
        last_error=str(token.last_error or ""),
    )
