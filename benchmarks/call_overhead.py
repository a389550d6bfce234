"""Measure the CPU time and the queries of one API call, beside a bare requests session and two other clients."""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from . import stage

PATH = "/Console/User/Lists"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--database", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    options = parser.parse_args()
    with stage.fast_server() as url, stage.database(options.database):
        stage.set_up_django()
        ways, queries = prepare(url)
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for call in ways.values():  # warm up: connecting and importing are not measured
            repeat(call, options.calls)
        for _ in range(options.rounds):
            for name, call in ways.items():
                spent[name].append(repeat(call, options.calls))
    bare = statistics.median(spent["requests.Session"])
    # Rounds are interleaved, so that both sides of each ratio were measured under the same load.
    ratios = {
        name: statistics.median(ours / base for ours, base in zip(times, spent["requests.Session"], strict=True))
        for name, times in spent.items()
    }
    rows = [
        {"client": name, "CPU us a call": round(statistics.median(times) * 1e6), "ratio": round(ratios[name], 3)}
        for name, times in spent.items()
    ]
    result = {
        "ratio": round(ratios["django_mailup"], 3),
        "bare_us": round(bare * 1e6),
        "queries_first": queries[0],
        "queries_then": queries[1],
    }
    stage.report(f"One call, CPU of the client, median of {options.rounds} interleaved rounds", rows, result)


def repeat(call: Callable[[], Any], times: int) -> float:
    """Make a call several times. Return the mean CPU time of one, in seconds."""
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) / times


def prepare(url: str) -> tuple[dict[str, Callable[[], Any]], tuple[int, int]]:
    """Connect an account. Return a call for each client, and how many queries our first and second call sent."""
    import mailupy
    import requests
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from requests_oauthlib import OAuth2Session

    from django_mailup.sandbox import Sandbox
    from django_mailup.services import client_for_site, connect_with_password, register

    register(name="B", client_id=Sandbox.client_id, client_secret=Sandbox.client_secret)
    token = connect_with_password(username="m12345", password="sandbox")
    access_token = token.access_token.reveal()
    full = f"{url}/API/v1.1/Rest/ConsoleService.svc{PATH}"
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

    bare = requests.Session()
    bare.headers["Authorization"] = f"Bearer {access_token}"
    oauth = OAuth2Session(Sandbox.client_id, token={"access_token": access_token, "token_type": "Bearer"})
    mailupy.Mailupy.AUTH_URL = f"{url}/Authorization/OAuth/Token"
    mailupy.Mailupy.BASE_URL = f"{url}/API/v1.1/Rest/ConsoleService.svc/Console"
    peer = mailupy.Mailupy("m12345", "sandbox", Sandbox.client_id, Sandbox.client_secret)
    with CaptureQueriesContext(connection) as first:
        ours = client_for_site()
        ours.request("GET", PATH)
    with CaptureQueriesContext(connection) as then:
        ours.request("GET", PATH)

    def mailupy_call() -> Any:
        return peer._requests_wrapper("GET", full, headers=peer._default_headers()).json()

    return {
        "requests.Session": lambda: bare.get(full, timeout=30).json(),
        "django_mailup": lambda: ours.request("GET", PATH),
        "requests-oauthlib": lambda: oauth.get(full, timeout=30).json(),
        "mailupy": mailupy_call,
    }, (len(first), len(then))


if __name__ == "__main__":
    main()
