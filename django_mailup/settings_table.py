"""The table of settings: one row for each key of the dict `MAILUP`. Works without configured Django settings.

`conf`, `environ`, the system checks and README's table are made from these rows.
`python -m django_mailup.settings_table` prints README's table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from .origins import Origin
from .setting_kinds import (
    CacheAlias,
    Choice,
    Count,
    DottedPath,
    Duration,
    Flag,
    HostNames,
    Keys,
    Number,
    Scope,
    Seconds,
    Setting,
    Text,
    WebAddress,
)


class MailUpSettings:
    """The values of the settings. Every key is optional, and read at each access.

    Args:
        read: a function that returns the dict `MAILUP`.
    """

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self.read = read

    BASE_URL = WebAddress(
        "https://services.mailup.com", help_text="Where MailUp is. In development, the address of the sandbox."
    )
    ENCRYPTION_KEYS = Keys(
        help_text="Keys that encrypt stored secrets, newest first; or the dotted path of a function that returns them,"
        " from a vault or KMS. It is called at first use. A key is 32 random bytes in URL-safe base64. Without any,"
        " a key derived from `SECRET_KEY` is used."
    )
    SECRET_KEY_READS = Flag(
        True,
        help_text="Whether what `SECRET_KEY` and `SECRET_KEY_FALLBACKS` encrypted stays readable when there are"
        " `ENCRYPTION_KEYS`. Turn it off once `mailup_rotate_keys --check` says that nothing needs them.",
    )
    CLIENT_AUTHENTICATION = Choice[Literal["body", "basic"]](
        "body", "basic",
        help_text="How the client ID and secret are sent to the token endpoint: in the form's body, or by HTTP Basic"
        " authentication.",
    )  # fmt: skip
    INSECURE_HOSTS = HostNames(
        help_text="Hosts that `BASE_URL` may name with plain http, such as a sandbox in another container. This machine"
        " always may be. Not for production."
    )
    TIMEOUT = Seconds(
        10,
        help_text="How long a request of an API call waits for the connection, and then for each piece of the answer."
        " A third of `RATE_PATIENCE`, so that a GET that isn't answered is in fact sent three times.",
    )
    API_DEADLINE = Seconds(
        60,
        help_text="How long a request of an API call may take in all, from connecting to the end of the answer; name"
        " resolution is not included. A call may send several requests.",
    )
    ANSWER_LIMIT = Count(
        32 * 1024 * 1024,
        help_text="The largest answer of the API that is read, in bytes, compressed or not. Of the token endpoint 1 MB"
        " is read at most.",
    )
    POOL_SIZE = Count(
        100,
        help_text="How many connections for API calls a process keeps open. It opens one when all are in use. A process"
        " with more threads that call at once than this closes the others after their call, which costs a handshake"
        " each time; urllib3 logs that its pool is full.",
    )
    TOKEN_DEADLINE = Seconds(
        15, help_text="How long a call of the token endpoint may take in all, name resolution included."
    )
    REFRESH_MARGIN = Duration(
        900,
        help_text="How long before it expires a token is renewed by the periodic task, though never in the first half"
        " of its lifetime. More than two `REFRESH_PERIOD`s.",
    )
    REFRESH_PERIOD = Duration(
        300, help_text="How often the periodic task runs: what `mailup_beat_schedule(MAILUP)` schedules."
    )
    REFRESH_BATCH_SIZE = Count(50, help_text="How many tokens the periodic task gives to one job.")
    REFRESH_CONCURRENCY = Count(10, help_text="How many tokens of its batch a job renews at once.")
    REFRESH_RATE = Number(
        50,
        help_text="How many tokens a second the periodic task hands out to jobs at most, so that MailUp is not flooded"
        " after an outage.",
    )
    PREPARE_CONNECTION = DottedPath(
        "django_mailup.renewal.preparation.copy_tenant",
        help_text="The function that prepares the database connection which a renewal opens for itself. It is called"
        " with the caller's connection, in the caller's thread, and returns a function that is called with the new one"
        " each time that has connected, in the renewal's thread. The default gives it django-tenants' tenant or, on"
        " PostgreSQL, the `search_path`.",
    )
    RATE_LIMIT = Count(
        5,
        minimum=0,
        help_text="How many calls a second of one operation a connection makes at most, all processes together."
        " MailUp allows 5. With 0 no limit is kept.",
    )
    RATE_PATIENCE = Seconds(
        30,
        minimum=0,
        help_text="How long a call waits for its turn under that limit, or after a 429, before it raises"
        " `RateLimited`.",
    )
    CACHE_ALIAS = CacheAlias(
        "default",
        help_text="The cache that keeps that limit. All processes must share it: Redis, Memcached or the database.",
    )
    CALLBACK_ORIGIN = Origin(
        help_text="The origin that MailUp sends users back to, such as `https://news.example`; or the dotted path of a"
        " function that gets the request and returns it, for tenants and brands with domains of their own. Without it,"
        " the request's host is used. Connect pressed on another host leads to this one first."
    )
    STATE_IN = Choice[Literal["auto", "query", "path"]](
        "auto", "query", "path",
        help_text="Where OAuth's `state` is sent: in the query alone, with an exact redirect URI; or in the path of the"
        " redirect URI as well, for a server that doesn't send it back. `auto` begins with the query, uses the path if"
        " a callback comes without `state`, and remembers which of them worked.",
    )  # fmt: skip
    STATE_LIFETIME = Duration(600, help_text="How long a user may take on MailUp's pages.")
    PKCE = Flag(
        False,
        help_text="Whether an authorization is protected by PKCE (RFC 7636, method S256). MailUp documents nothing"
        " about it.",
    )
    SCOPE = Scope("", help_text="The scopes to ask for, separated by spaces. MailUp documents none.")
    CONNECTED_URL = Text(
        "django_mailup:connections",
        help_text="Where a user is sent after connecting, if there is no `next`: a URL, or the name of one.",
    )


ROWS: Final[Mapping[str, Setting[Any]]] = {
    name: row for name, row in vars(MailUpSettings).items() if isinstance(row, Setting)
}


def readme_table() -> str:
    """Return README's table of settings, in Markdown."""
    lines = ["| key | value | default | what it is |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.name}` | {row.expects} | {row.default_text} | {row.help_text} |" for row in ROWS.values()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(readme_table())
