"""Send hostile requests to every URL of ours, and count answers of 500 and rows that they must not have changed.

Half of them go through Django's handler without the check of CSRF, half as bytes over a socket, where some are cut or
changed on the way. In between the right people connect, reconnect and disconnect, so that there are rows to spoil.
The same `--seed` makes the same requests, but for the random states and codes in them.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from typing import Any

from . import stage

AT_ONCE = 10
"""Hostile requests between two valid journeys, which are to one route."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgres", "mariadb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with stage.database(options.database):
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.hostile_settings"
        stage.set_up_django()
        result = attack(options.requests, options.seed)
    details = result.pop("details")
    rows = [{"what": what, "times": times} for what, times in details] or [{"what": "nothing", "times": 0}]
    stage.report(f"{result['requests']} hostile requests on {options.database}", rows, result)


def attack(number: int, seed: int) -> dict[str, Any]:
    """Send so many hostile requests to an empty site, and return what they did."""
    from django.test.utils import setup_test_environment, teardown_test_environment

    from django_mailup.testing import use_sandbox
    from tests.attacks.drivers import InProcess, on_socket, watching_for_faults
    from tests.attacks.hunt import Hunt
    from tests.attacks.people import World

    in_use = use_sandbox()
    setup_test_environment()
    try:
        with in_use as sandbox, watching_for_faults() as faults, on_socket(faults) as wire:
            world = World(sandbox)
            world.populate()
            hunt = Hunt(world, faults, in_use.requests)
            started = time.perf_counter()
            _send(hunt, number, seed, InProcess(faults), wire)
            seconds = time.perf_counter() - started
    finally:
        teardown_test_environment()
    found = hunt.findings
    lists = {
        "server_errors": found.server_errors,
        "wrong_rows": found.wrong_rows,
        "led_away": found.led_away,
        "failed_journeys": found.failed_journeys,
        "other_errors": found.other_errors,
    }
    for line in {*found.server_errors, *found.wrong_rows}:
        print(f"{line}\n    {found.examples[line][:2000]}")
    return {
        "requests": found.requests,
        **{name: len(lines) for name, lines in lists.items()},
        "journeys": found.journeys,
        "statuses": {str(status): count for status, count in sorted(found.statuses.items())},
        "seconds": round(seconds, 1),
        "details": [
            (f"{name}: {line[:150]}", times)
            for name, lines in lists.items()
            for line, times in Counter(lines).most_common()
        ],
    }  # fmt: skip


def _send(hunt: Any, number: int, seed: int, handler: Any, wire: Any) -> None:
    """Send the requests, with valid journeys in between."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as of_hypothesis
    from hypothesis import strategies as st

    from tests.attacks.hostile_requests import hostile_requests
    from tests.attacks.routes import FIELDS, OFTEN

    chance = random.Random(seed)
    quick = settings(
        max_examples=AT_ONCE,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    def send_some(route: str, browser: Any) -> None:
        """Send a few requests to one route. In longer runs hypothesis repeats itself."""

        @of_hypothesis(chance.getrandbits(64))
        @quick
        @given(data=st.data())
        def send_one(data: Any) -> None:
            request = data.draw(hostile_requests(hunt.world, route, browser))
            if hunt.send(handler if chance.random() < 0.5 else _Wire(wire, chance), browser, request):
                hunt.world.mend()

        send_one()

    while hunt.findings.requests < number:
        _travel(hunt, chance)
        route = chance.choice([*FIELDS, *OFTEN])
        staff = [each for each in hunt.world.browsers if each.is_staff]
        # The admin sends everybody else to its login page.
        only_staff = route.startswith("admin/") and chance.random() < 0.75
        send_some(route, chance.choice(staff if only_staff else hunt.world.browsers))


class _Wire:
    """Sends over a socket, and changes or cuts one request in ten on the way."""

    def __init__(self, wire: Any, chance: random.Random) -> None:
        self.wire, self.chance = wire, chance

    def send(self, request: Any) -> Any:
        content = bytearray(request.on_the_wire())
        if self.chance.random() < 0.1:
            for _ in range(self.chance.randrange(1, 4)):
                content[self.chance.randrange(len(content))] = self.chance.randrange(256)
        if self.chance.random() < 0.05:
            content = content[: self.chance.randrange(1, len(content))]
        return self.wire.send_bytes(bytes(content))


def _travel(hunt: Any, chance: random.Random) -> None:
    """Let somebody connect, reconnect or disconnect, as they may, or leave on MailUp's page."""
    from django_mailup.models import Token
    from tests.attacks.people import ACCOUNTS
    from tests.attacks.redirects import LEAVES_THE_SITE, destination

    world = hunt.world
    payloads = [url for url in LEAVES_THE_SITE if "\0" not in url]  # the form refuses NUL
    browser = chance.choice([each for each in world.browsers if each.user_pk is not None])
    account = chance.choice(ACCOUNTS)
    mine = Token.objects.filter(user_id=browser.user_pk, account_username=account).first()
    what = chance.choice(["connect", "for site", "reconnect", "disconnect", "leave"])
    if what == "disconnect" and mine is not None:
        world.client(browser).post(f"/mailup/disconnect/{mine.key}/")
        done = not Token.objects.filter(pk=mine.pk).exists()
    elif what == "leave":
        world.press(browser, account)
        done = True
    else:
        # A third of them bring a `next` that must not be followed.
        fields: dict[str, Any] = {"next": chance.choice(payloads)} if chance.random() < 0.33 else {}
        if what == "for site" and "connect_site" in browser.may:
            fields["for_site"] = "on"
        elif what == "reconnect" and mine is not None:
            fields["reconnect"] = mine.key
        owner = None if "for_site" in fields else browser.user_pk
        landed = world.come_back(world.press(browser, account, **fields))
        if destination(landed):
            hunt.findings.led_away.append(landed)
        done = (
            landed != ""
            and "failed" not in landed
            and Token.objects.filter(user_id=owner, account_username=account).count() == 1
        )
    hunt.findings.journeys += 1
    if not done:
        hunt.findings.failed_journeys.append(f"{browser.name} could not {what}")
    world.mend()


if __name__ == "__main__":
    main()
