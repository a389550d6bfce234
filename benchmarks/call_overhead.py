"""Measure the CPU time and the queries of one API call as sites make it, beside other ways to the same answer.

As sites make it: over TLS, through `client_for`, with the limit of calls kept by a cache on Redis, by a typed method.
Each of many users makes one call in each round, so that the limit makes nobody wait.

- `ratio`: the CPU time of such a call with a client that is kept, divided by that of a bare requests session.
- `ratio_new`: the same with a new client for each call, which includes a query.
- `ratio_bare`: the same without the limit, with a kept client's `request`, which returns the JSON.
- `ratio_mailupy`: that of mailupy, which opens a connection for each call.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from . import stage

PATH = "/Console/User/Lists"
CACHE = os.environ.get("BENCH_CACHE_REDIS", "rediscache://127.0.0.1:6379/12")
LIMIT = 5  # calls a second, the package's default
KEPT, NEW, BARE = "django_mailup, client kept", "django_mailup, client new", "django_mailup, request() without a limit"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=50, help="of each client in a round")
    parser.add_argument("--database", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    options = parser.parse_args()
    # A key prefix of its own, so that no cache that others use must be cleared.
    os.environ["BENCH_CACHE_URL"], os.environ["BENCH_CACHE_PREFIX"] = CACHE, uuid.uuid4().hex
    with stage.fast_server(plain=False) as url, stage.database(options.database):
        stage.set_up_django()
        ways, queries = prepare(url, options.calls)
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for name, call in ways.items():  # warm up: connecting and importing are not measured
            repeat(name, call, options.calls)
        for _ in range(options.rounds):
            for name, call in ways.items():
                spent[name].append(repeat(name, call, options.calls))
        measured(spent, options.rounds, queries)


def measured(spent: dict[str, list[float]], rounds: int, queries: tuple[int, int]) -> None:
    """Print the result."""
    base = spent["requests.Session"]
    # Rounds are interleaved, so that both sides of each ratio were measured under the same load.
    ratios = {
        name: round(statistics.median(ours / bare for ours, bare in zip(times, base, strict=True)), 3)
        for name, times in spent.items()
    }
    rows = [
        {"client": name, "CPU us a call": round(statistics.median(times) * 1e6), "ratio": ratios[name]}
        for name, times in spent.items()
    ]
    result = {
        "ratio": ratios[KEPT],
        "ratio_new": ratios[NEW],
        "ratio_bare": ratios[BARE],
        "ratio_mailupy": ratios["mailupy"],
        "bare_us": round(statistics.median(base) * 1e6),
        "queries_first": queries[0],
        "queries_then": queries[1],
    }
    stage.report(f"One call, CPU of the client, median of {rounds} interleaved rounds", rows, result)


def repeat(name: str, call: Callable[[], Any], times: int) -> float:
    """Make a call several times. Return the mean CPU time of one, in seconds."""
    from django.conf import settings

    settings.MAILUP["RATE_LIMIT"] = 0 if name == BARE else LIMIT
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) / times


def prepare(url: str, count: int) -> tuple[dict[str, Callable[[], Any]], tuple[int, int]]:
    """Connect two times `count` users. Return a call for each way, and the queries of a first and a second call."""
    import mailupy
    import requests
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from requests_oauthlib import OAuth2Session

    from django_mailup.sandbox import Sandbox
    from django_mailup.services import client_for

    users = connect(2 * count)
    full = f"{url}/API/v1.1/Rest/ConsoleService.svc{PATH}"

    bare = requests.Session()
    bare.headers["Authorization"] = "Bearer A"
    oauth = OAuth2Session(Sandbox.client_id, token={"access_token": "A", "token_type": "Bearer"})
    mailupy.Mailupy.AUTH_URL = f"{url}/Authorization/OAuth/Token"
    mailupy.Mailupy.BASE_URL = f"{url}/API/v1.1/Rest/ConsoleService.svc/Console"
    peer = mailupy.Mailupy("m12345", "sandbox", Sandbox.client_id, Sandbox.client_secret)
    with CaptureQueriesContext(connection) as first:
        ours = client_for(users[0])
        assert len(list(ours.lists.all())) == 20
    with CaptureQueriesContext(connection) as then:
        list(ours.lists.all())

    clients = itertools.cycle([client_for(user) for user in users[:count]])
    others = itertools.cycle(users[count:])
    return {
        "requests.Session": lambda: bare.get(full, timeout=30).json(),
        KEPT: lambda: list(next(clients).lists.all()),
        NEW: lambda: list(client_for(next(others)).lists.all()),
        BARE: lambda: ours.request("GET", PATH),
        "requests-oauthlib": lambda: oauth.get(full, timeout=30).json(),
        "mailupy": lambda: list(peer._download_all_pages(full)),
    }, (len(first), len(then))


def connect(count: int) -> list[Any]:
    """Create users, each with a connection to a MailUp account of its own. Return them."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from django_mailup.models import Token
    from django_mailup.sandbox import Sandbox
    from django_mailup.services import register

    registration, _ = register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    now, later = timezone.now(), timezone.now() + timedelta(days=1)
    users = User.objects.bulk_create(User(username=f"u{number}") for number in range(count))
    Token.objects.bulk_create(
        Token(
            registration=registration, user=user, account_uid=f"{number}", account_username="m12345",
            access_token="A", refresh_token="R", connected_at=now, expires_at=later, refresh_at=later,
        )
        for number, user in enumerate(users)
    )  # fmt: skip
    return users


if __name__ == "__main__":
    main()
