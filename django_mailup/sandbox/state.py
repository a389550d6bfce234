"""What a sandbox remembers between requests: users, clients, and the codes and pairs it has issued. No HTTP."""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
import string
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from .accounts import Account, User
from .errors import OAuthError
from .options import Options
from .recipients import OptIn, Recipient
from .results import set_results
from .seeds import create_users
from .tokens import AuthorizationCode, Pair

ALPHABET: Final = string.ascii_letters + string.digits
ROWS_AT_ONCE: Final = 200
"""So many rows of an import are carried out before others are answered."""
CLIENT_ID: Final = "5a9d3c1e-7b42-4e0f-9a61-d2c8e4f7b035"
CLIENT_SECRET: Final = "c0ffee00-5ec7-4e75-a11d-0123456789ab"


class State:
    """What one sandbox remembers. Its methods may be called from several threads.

    Args:
        clock: returns the current time in seconds, as `time.time` does.

    Attributes:
        lock: held while an operation of the REST API or a grant reads and writes.
        clients: client secrets, by client id.
        registered_redirect_uris: what `Options.redirect_uri="registered"` compares with, by client id.
        users: by user name.
        counters: how many `refreshes`, `exchanges`, `reuses` (of a used refresh token), `api_calls` and
            `too_many_requests` there have been.
        trials: how often the status of each trial account's activation was asked for, by the activation's id.
        gone_rows: with `Options.moving_rows="out"`, how many rows are gone from the beginning, by path.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.options = Options()
        self.clients: dict[str, str] = {CLIENT_ID: CLIENT_SECRET}
        self.registered_redirect_uris: dict[str, str] = {}
        self.users: dict[str, User] = {user.username: user for user in create_users()}
        self.counters = {"refreshes": 0, "exchanges": 0, "reuses": 0, "api_calls": 0, "too_many_requests": 0}
        self.trials: dict[str, int] = {}
        self.gone_rows: dict[str, int] = {}
        self._codes: dict[str, AuthorizationCode] = {}
        self._by_access: dict[str, Pair] = {}
        self._by_refresh: dict[str, Pair] = {}
        self._families = 0
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._calls_lock = threading.Lock()  # not `lock`: a slow operation must not delay the count of calls

    def now(self) -> float:
        """Return the time in seconds by MailUp's clock, which may be wrong (`Options.clock_error`)."""
        return self.clock() + self.options.clock_error

    # ---------------------------------------------------------------------------------------- grants

    def check_client(self, client_id: str, secret: str | None) -> None:
        """Raise OAuthError unless the client is known and the secret, if one is given, is its own."""
        if self.clients.get(client_id) is None or (secret is not None and self.clients[client_id] != secret):
            raise OAuthError("invalid_client", "Client credentials are invalid")

    def authenticate(self, username: str, password: str) -> User | None:
        """Return the user with this name and password, or None."""
        user = self.users.get(username.strip())
        return user if user is not None and secrets.compare_digest(user.password.encode(), password.encode()) else None

    def issue_code(self, user: User, client_id: str, redirect_uri: str, code_challenge: str = "") -> str:
        """Return a new authorization code for a user who has consented. `code_challenge` is that of PKCE, if any."""
        with self.lock:
            code = _random_text(48)
            expires_at = self.now() + self.options.code_lifetime
            self._codes[code] = AuthorizationCode(user, client_id, redirect_uri, expires_at, code_challenge)
            return code

    def redeem_code(
        self, code: str, client_id: str | None, redirect_uri: str | None, code_verifier: str | None = None
    ) -> Pair:
        """Return a new pair for an authorization code (RFC 6749 section 4.1.3).

        Raises:
            OAuthError: the code is unknown, expired or used, or belongs to another client, redirect URI or verifier.
        """
        with self.lock:
            found = self._codes.get(code)
            if found is None or found.expires_at <= self.now() or (found.used and self.options.code_single_use):
                raise OAuthError("invalid_grant", "The authorization code is invalid or expired")
            if client_id is not None and client_id != found.client_id:
                raise OAuthError("invalid_grant", "The authorization code belongs to another client")
            if self.options.redirect_uri != "any" and redirect_uri != found.redirect_uri:
                raise OAuthError("invalid_grant", "The redirect URI is another one")
            if self.options.pkce == "required" and challenge_of(code_verifier or "") != found.code_challenge:
                raise OAuthError("invalid_grant", "The code verifier is another one")
            found.used = True
            self.counters["exchanges"] += 1
            return self._new_pair(found.user, found.client_id)

    def redeem_password(self, username: str, password: str, client_id: str) -> Pair:
        """Return a new pair for a user name and password (RFC 6749 section 4.3).

        Raises:
            OAuthError: there is no such user, or the password is wrong.
        """
        with self.lock:
            user = self.authenticate(username, password)
            if user is None:
                raise OAuthError("invalid_grant", "User name or password is wrong")
            self.counters["exchanges"] += 1
            return self._new_pair(user, client_id)

    def refresh(self, refresh_token: str, client_id: str) -> Pair:
        """Return a new pair for a refresh token (RFC 6749 section 6), as the options say.

        Raises:
            OAuthError: the refresh token is unknown, revoked, expired, used before, or another client's.
        """
        with self.lock:
            pair = self._by_refresh.get(refresh_token)
            if pair is None or pair.revoked or pair.client_id != client_id or pair.refresh_expires_at <= self.now():
                raise OAuthError("invalid_grant", "The refresh token is invalid")
            reuse = self.options.refresh_reuse
            in_grace = (
                reuse == "grace" and pair.used_at is not None and self.now() - pair.used_at <= self.options.grace_period
            )
            if pair.used_at is not None and reuse != "accepted" and not in_grace:
                self.counters["reuses"] += 1
                if reuse == "revokes":
                    self.revoke(family=pair.family)
                raise OAuthError("invalid_grant", "The refresh token has been used")
            self.counters["refreshes"] += 1
            if self.options.refresh_ends_access:
                pair.access_expires_at = self.now()
            if self.options.rotate_refresh and pair.used_at is None:
                pair.used_at = self.now()
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
            access_token=_random_text(120),
            refresh_token=refresh_token or _random_text(120),
            user=user,
            client_id=client_id,
            family=family,
            access_expires_at=self.now() + self.options.access_lifetime,
            refresh_expires_at=self.now() + self.options.refresh_lifetime,
        )
        self._by_access[pair.access_token] = pair
        self._by_refresh[pair.refresh_token] = pair
        return pair

    # ---------------------------------------------------------------------------------------- tokens

    def find_pair(self, access_token: str) -> Pair | None:
        """Return the pair of an access token, live or not, or None."""
        return self._by_access.get(access_token)

    def is_live(self, pair: Pair) -> bool:
        """Return whether the pair's access token is valid now."""
        return not pair.revoked and pair.access_expires_at > self.now()

    def revoke(self, *, username: str | None = None, family: int | None = None) -> int:
        """Revoke the pairs of a user, as withdrawing consent in MailUp's console does, or of a family.

        Without arguments all pairs are revoked. Return how many were.
        """
        with self.lock:
            found = [
                pair
                for pair in self._by_access.values()
                if not pair.revoked
                and (username is None or pair.user.username == username)
                and (family is None or pair.family == family)
            ]
            for pair in found:
                pair.revoked = True
            return len(found)

    def expire_access(self, *, username: str | None = None) -> int:
        """Let the access tokens of a user, or all, expire now, earlier than `expires_in` said.

        MailUp then answers 401, and the refresh tokens still work. Return how many access tokens expired.
        """
        with self.lock:
            found = [
                pair
                for pair in self._by_access.values()
                if self.is_live(pair) and (username is None or pair.user.username == username)
            ]
            for pair in found:
                pair.access_expires_at = self.now()
            return len(found)

    def add_recipients(self, username: str, list_id: int, count: int) -> None:
        """Add this many new recipients to a list, subscribed to its e-mail channel."""
        with self.lock:
            account, now = self.users[username].account, self.now()
            for _ in range(count):
                number = next(account.ids)
                recipient = Recipient(number, f"recipient{number}@sandbox.example", f"Recipient {number}")
                recipient.email_opt_ins[list_id] = OptIn("subscribed", now)
                account.recipients.add(recipient)

    def carry_out_imports(self, account: Account) -> None:
        """Carry out the imports of an account that are due. In between, other threads get the lock and are answered.

        An import that another thread is carrying out is left to it.
        """
        with self.lock:
            due = account.claim_due_imports(self.now())
        for each in due:
            rows = iter(each.recipients)
            while piece := list(itertools.islice(rows, ROWS_AT_ONCE)):
                now = self.now()
                with self.lock:
                    for row in piece:
                        account.import_row(
                            each, row, now, exact=self.options.addresses == "exact",
                            confirm_makes_pending=self.options.confirm_makes_pending,
                        )  # fmt: skip
                if len(piece) == ROWS_AT_ONCE:
                    time.sleep(0.001)  # without it this thread would get the lock again before any other
            each.completed = True

    def set_results(self, username: str, message_id: int, **results: Mapping[str, int]) -> None:
        """Set the `opens`, `clicks`, `bounces` and `unsubscriptions` of a message: how often, by e-mail address.

        Raises:
            ValueError: see `results.set_results`.
        """
        with self.lock:
            set_results(self.users[username].account, message_id, results, self.now())

    def change_options(self, values: Mapping[str, Any]) -> None:
        """Change options, by their names in Options. Raise ValueError for an unknown name or an unusable value."""
        self.options = self.options.changed(values)

    def count_call(self, username: str, operation: str) -> int:
        """Count a call against the rate limit of this user and operation.

        Return 0 if the call is allowed, otherwise the number of calls in the window, with this one.
        """
        with self._calls_lock:
            if not self.options.rate_limit:
                return 0
            calls = self._calls.setdefault((username, operation), deque())
            now = self.now()
            while calls and calls[0] <= now - self.options.rate_window:
                calls.popleft()
            if len(calls) >= self.options.rate_limit:
                self.counters["too_many_requests"] += 1
                return len(calls) + 1
            calls.append(now)
            return 0

    def summary(self) -> dict[str, Any]:
        """Return the counters and the number of valid access tokens, for the control page."""
        with self.lock:
            return {
                "counters": dict(self.counters),
                "live_access_tokens": sum(map(self.is_live, self._by_access.values())),
            }


def challenge_of(code_verifier: str) -> str:
    """Return the code challenge of a verifier by the method S256 (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")


def _random_text(length: int) -> str:
    """Return random letters and digits. MailUp's tokens look like this and are 100 to 200 characters long."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
