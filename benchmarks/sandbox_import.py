"""Measure how long the sandbox takes to import many recipients, and how long others wait meanwhile.

- `seconds`: from the call that starts the import until it is completed. The target for 100,000 is 20.
- `slowest_other`: the longest that a call of another user, made again and again meanwhile, took, in seconds.
- `others`: how many such calls were answered.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from typing import Any

import requests

from django_mailup.sandbox import Options, Sandbox
from django_mailup.sandbox.server import serving

SERVICE = "/API/v1.1/Rest/ConsoleService.svc"


def session_of(sandbox: Sandbox, username: str) -> requests.Session:
    """Return a session that sends a user's access token."""
    pair = sandbox.state.redeem_password(username, "sandbox", sandbox.client_id)
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {pair.access_token}"
    return session


def measure(recipients: int) -> dict[str, Any]:
    """Import so many recipients into a new sandbox, and return the figures."""
    sandbox = Sandbox(Options(rate_limit=0, import_seconds=0.0))
    rows = [{"Email": f"p{number}@example.com", "Name": f"P {number}"} for number in range(recipients)]
    body = json.dumps(rows)
    waits: list[float] = []
    with serving(sandbox) as base_url, session_of(sandbox, "m12345") as importer:
        is_over = threading.Event()

        def others() -> None:
            with session_of(sandbox, "m67890") as other:
                while not is_over.is_set():
                    began_at = time.perf_counter()
                    other.get(f"{base_url}{SERVICE}/Console/User/Lists", timeout=60).raise_for_status()
                    waits.append(time.perf_counter() - began_at)
                    time.sleep(0.01)

        thread = threading.Thread(target=others)
        thread.start()
        began_at = time.perf_counter()
        path = f"{base_url}{SERVICE}/Console"
        import_id = importer.post(f"{path}/List/1/Recipients", data=body, timeout=60).json()
        done: dict[str, Any] = {"Completed": False}
        while not done["Completed"]:
            done = importer.get(f"{path}/Import/{import_id}", timeout=60).json()
        seconds = time.perf_counter() - began_at
        is_over.set()
        thread.join()
    return {
        "recipients": done["CreatedRecipients"], "seconds": round(seconds, 2), "slowest_other": round(max(waits), 3),
        "others": len(waits),
    }  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipients", type=int, default=100_000)
    figures = measure(parser.parse_args().recipients)
    for name, value in figures.items():
        print(f"{name:<14} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
