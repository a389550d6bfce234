"""What this MailUp remembers: accounts, clients, codes and token pairs. Thread-safe; knows no HTTP."""

from __future__ import annotations

import secrets
import string
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .memory import Memory, Person, Standing
from .options import Options

ALPHABET: Final = string.ascii_letters + string.digits
CLIENT_ID: Final = "5a9d3c1e-7b42-4e0f-9a61-d2c8e4f7b035"
CLIENT_SECRET: Final = "c0ffee00-5ec7-4e75-a11d-0123456789ab"


@dataclass
class MailingList:
    """A list with its groups, as (id, name, notes, deletable)."""

    id: int
    name: str
    description: str = ""
    groups: list[tuple[int, str, str, bool]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    ready_at: float = 0.0


@dataclass
class Account:
    """A MailUp account."""

    uid: str
    company: str
    lists: list[MailingList] = field(default_factory=list)
    email: str = ""
    is_trial: bool = False
    memory: Memory = field(default_factory=Memory, repr=False)


@dataclass
class User:
    """A console user of an account: who logs in, and whom a token stands for."""

    username: str
    password: str = field(repr=False)
    account: Account
    accepted_terms: bool = True


@dataclass
class Code:
    """An authorization code that waits for its exchange."""

    user: User
    client_id: str
    redirect_uri: str
    ends_at: float
    used: bool = False


@dataclass
class Pair:
    """One access and refresh token; all pairs that descend from one login share a family."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    user: User
    client_id: str
    family: int
    access_ends_at: float
    refresh_ends_at: float
    used_at: float | None = None
    revoked: bool = False


class Refused(Exception):
    """The token endpoint says no, with an OAuth error code and a sentence."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class State:
    """The memory of one sandbox, with two accounts that everybody may log in to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self._limiting = threading.Lock()
        self.options = Options()
        self.clients: dict[str, str] = {CLIENT_ID: CLIENT_SECRET}
        self.registered_redirect_uris: dict[str, str] = {}
        self.users: dict[str, User] = {}
        self.counters = {"refreshes": 0, "exchanges": 0, "reuses": 0, "api_calls": 0, "too_many_requests": 0}
        self.trials: dict[str, int] = {}
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Pair] = {}
        self._by_refresh: dict[str, Pair] = {}
        self._families = 0
        self._calls: dict[tuple[str, str], deque[float]] = {}
        for user in _seeds():
            self.users[user.username] = user

    # ---------------------------------------------------------------------------------------- grants

    def check_client(self, client_id: str, secret: str | None) -> None:
        if self.clients.get(client_id) is None or (secret is not None and self.clients[client_id] != secret):
            raise Refused("invalid_client", "Client credentials are invalid")

    def log_in(self, username: str, password: str) -> User | None:
        user = self.users.get(username.strip())
        return user if user is not None and secrets.compare_digest(user.password.encode(), password.encode()) else None

    def issue_code(self, user: User, client_id: str, redirect_uri: str) -> str:
        with self.lock:
            code = _token(48)
            self._codes[code] = Code(user, client_id, redirect_uri, self.clock() + self.options.code_lifetime)
            return code

    def redeem_code(self, code: str, client_id: str | None, redirect_uri: str | None) -> Pair:
        with self.lock:
            found = self._codes.get(code)
            if found is None or found.ends_at <= self.clock() or (found.used and self.options.code_single_use):
                raise Refused("invalid_grant", "The authorization code is invalid or expired")
            if client_id is not None and client_id != found.client_id:
                raise Refused("invalid_grant", "The authorization code belongs to another client")
            if self.options.redirect_uri != "any" and redirect_uri != found.redirect_uri:
                raise Refused("invalid_grant", "The redirect URI is another one")
            found.used = True
            self.counters["exchanges"] += 1
            return self._new_pair(found.user, found.client_id)

    def redeem_password(self, username: str, password: str, client_id: str) -> Pair:
        with self.lock:
            user = self.log_in(username, password)
            if user is None:
                raise Refused("invalid_grant", "User name or password is wrong")
            self.counters["exchanges"] += 1
            return self._new_pair(user, client_id)

    def refresh(self, refresh_token: str, client_id: str) -> Pair:
        with self.lock:
            pair = self._by_refresh.get(refresh_token)
            if pair is None or pair.revoked or pair.client_id != client_id or pair.refresh_ends_at <= self.clock():
                raise Refused("invalid_grant", "The refresh token is invalid")
            reuse = self.options.refresh_reuse
            in_grace = (
                reuse == "grace"
                and pair.used_at is not None
                and self.clock() - pair.used_at <= self.options.grace_period
            )
            if pair.used_at is not None and reuse != "accepted" and not in_grace:
                self.counters["reuses"] += 1
                if reuse == "revokes":
                    self.revoke(family=pair.family)
                raise Refused("invalid_grant", "The refresh token has been used")
            self.counters["refreshes"] += 1
            if self.options.refresh_ends_access:
                pair.access_ends_at = self.clock()
            if self.options.rotate_refresh and pair.used_at is None:
                pair.used_at = self.clock()
            return self._new_pair(
                pair.user, client_id, pair.family, None if self.options.rotate_refresh else pair.refresh_token
            )

    def _new_pair(
        self, user: User, client_id: str, family: int | None = None, refresh_token: str | None = None
    ) -> Pair:
        if family is None:
            self._families += 1
            family = self._families
        pair = Pair(
            access_token=_token(120),
            refresh_token=refresh_token or _token(120),
            user=user,
            client_id=client_id,
            family=family,
            access_ends_at=self.clock() + self.options.access_lifetime,
            refresh_ends_at=self.clock() + self.options.refresh_lifetime,
        )
        self._by_access[pair.access_token] = pair
        self._by_refresh[pair.refresh_token] = pair
        return pair

    # ---------------------------------------------------------------------------------------- tokens

    def find_access(self, access_token: str) -> Pair | None:
        return self._by_access.get(access_token)

    def is_live(self, pair: Pair) -> bool:
        return not pair.revoked and pair.access_ends_at > self.clock()

    def revoke(self, *, username: str | None = None, family: int | None = None) -> int:
        """Withdraw consent, as a user does in MailUp's console, or a whole family of pairs. Returns how many died."""
        with self.lock:
            ended = [
                pair
                for pair in self._by_access.values()  # every pair is filed under its own access token
                if not pair.revoked
                and (username is None or pair.user.username == username)
                and (family is None or pair.family == family)
            ]
            for pair in ended:
                pair.revoked = True
            return len(ended)

    def expire_access(self, *, username: str | None = None) -> int:
        """Let access tokens run out now, although their holders were told otherwise. Returns how many."""
        with self.lock:
            ended = [
                pair
                for pair in self._by_access.values()
                if self.is_live(pair) and (username is None or pair.user.username == username)
            ]
            for pair in ended:
                pair.access_ends_at = self.clock()
            return len(ended)

    def add_recipients(self, username: str, list_id: int, count: int) -> None:
        """Subscribe so many made-up recipients to a list."""
        with self.lock:
            memory, now = self.users[username].account.memory, self.clock()
            for _ in range(count):
                number = next(memory.ids)
                person = Person(number, f"recipient{number}@sandbox.example", f"Recipient {number}")
                person.email[list_id] = Standing("subscribed", now)
                memory.people[number] = person

    def over_limit(self, username: str, operation: str) -> int:
        """Count a call. Returns 0, or how many calls are in the window when that is too many."""
        with self._limiting:  # of its own: a slow answer must not hold up the counting
            if not self.options.rate_limit:
                return 0
            calls = self._calls.setdefault((username, operation), deque())
            now = self.clock()
            while calls and calls[0] <= now - self.options.rate_window:
                calls.popleft()
            if len(calls) >= self.options.rate_limit:
                self.counters["too_many_requests"] += 1
                return len(calls) + 1
            calls.append(now)
            return 0

    def summary(self) -> dict[str, Any]:
        with self.lock:
            return {
                "counters": dict(self.counters),
                "live_access_tokens": sum(map(self.is_live, self._by_access.values())),
            }


def _token(length: int) -> str:
    """MailUp's tokens are opaque, some 100 to 200 ASCII letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _seeds() -> list[User]:
    bakery = Account(
        uid="4321",
        company="Fornaio Rossi",
        email="ada@fornaio.example",
        lists=[
            MailingList(
                1,
                "Newsletter ",
                "Monthly news from the bakery",
                [(9, "Regulars", "", True), (10, "Wholesale", "Shops and restaurants", True), (11, "Test", "", False)],
            ),
            MailingList(2, "Recipes", "One recipe a week", [(21, "Bread", "", True), (22, "Pastry", "", True)]),
            MailingList(3, "Press", "Journalists", []),
        ],
    )
    museum = Account(
        uid="8765",
        company="Museo del Mare",
        email="leo@museo.example",
        lists=[MailingList(1, "Friends of the museum", "Members", [(31, "Volunteers", "", True)])],
        is_trial=True,
    )
    return [User("m12345", "sandbox", bakery), User("m67890", "sandbox", museum)]
