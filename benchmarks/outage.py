"""Simulate an hour without MailUp. Counts the connections that live afterwards, and token calls by second."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import stage

if TYPE_CHECKING:
    from django_mailup.sandbox import Sandbox

HOUR = timedelta(hours=1)


class Clock:
    """A clock that stands still until `now` is set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@dataclass
class Seen:
    """What happened during the simulation.

    Attributes:
        by_second: token calls in each second of simulated time (seconds since the epoch).
        failed: renewals that failed.
        recovered_after: time from the end of the outage until the last connection was renewed whose renewal had failed.
    """

    by_second: Counter[int] = field(default_factory=Counter)
    failed: int = 0
    recovered_after: timedelta = timedelta(0)

    @property
    def busiest_second(self) -> int:
        return max(self.by_second.values())


def populate(count: int, sandbox: Sandbox, clock: Clock, make_user: Callable[[int], Any]) -> None:
    """Connect `count` users, each with a pair of its own.

    The ages of the pairs are spread evenly, from new to 16 minutes before expiry, so that none is due yet.
    """
    from django_mailup.models import Token
    from django_mailup.services import connect_with_password

    first = connect_with_password(username="m12345", password="sandbox", user=make_user(0), clock=clock)
    lifetime = first.expires_at - first.connected_at
    rows = []
    for number in range(1, count):
        pair = sandbox.state.redeem_password("m12345", "sandbox", sandbox.client_id)
        connected_at = clock() - (lifetime - timedelta(minutes=16)) * (number / count)
        pair.access_expires_at = (connected_at + lifetime).timestamp()
        rows.append(
            Token(
                registration=first.registration, user=make_user(number), account_uid=first.account_uid,
                account_username=first.account_username, access_token=pair.access_token,
                refresh_token=pair.refresh_token, connected_at=connected_at, expires_at=connected_at + lifetime,
                refresh_at=connected_at + lifetime - timedelta(minutes=15),
            )
        )  # fmt: skip
    Token.objects.bulk_create(rows, batch_size=500)


def endure(sandbox: Sandbox, clock: Clock) -> Seen:
    """Run the periodic renewal every REFRESH_PERIOD: for an hour, an hour while MailUp answers 503, and two hours."""
    from django_mailup.conf import app_settings
    from django_mailup.models import Token
    from django_mailup.renewal import periodic

    seen, begin = Seen(), clock()
    while clock() < begin + 4 * HOUR:
        started = clock()
        down = begin + HOUR <= started < begin + 2 * HOUR
        sandbox.faults.clear()
        if down:
            sandbox.fail_with("status", status=503, path="/Token", times=-1)
        for batch in periodic.hand_out_due(clock=clock):
            clock.now = started + timedelta(seconds=batch.countdown)
            tally = periodic.refresh_many(batch.keys, clock=clock)
            seen.by_second[int(clock.seconds())] += tally.refreshed + tally.failed
            seen.failed += tally.failed
            if not down and seen.failed and not seen.recovered_after and not Token.objects.failing().exists():
                seen.recovered_after = clock() - (begin + 2 * HOUR)
            clock.now = started
        clock.now = started + app_settings.REFRESH_PERIOD
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10000)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with stage.database("sqlite"):
        stage.set_up_django()
        from django.conf import settings
        from django.contrib.auth.models import User

        from django_mailup.conf import app_settings
        from django_mailup.models import Token
        from django_mailup.services import register
        from django_mailup.testing import use_sandbox

        clock = Clock()
        settings.MAILUP = {"ENCRYPTION_KEYS": settings.MAILUP["ENCRYPTION_KEYS"]}
        with use_sandbox() as sandbox:
            sandbox.clock = clock.seconds
            register(name="B", client_id=sandbox.client_id, client_secret=sandbox.client_secret)
            users = User.objects.bulk_create(User(username=f"u{number}") for number in range(options.connections))
            populate(options.connections, sandbox, clock, users.__getitem__)
            seen = endure(sandbox, clock)
        live = Token.objects.filter(status=Token.Status.ACTIVE, failure_count=0, expires_at__gt=clock()).count()
        rate = app_settings.REFRESH_RATE
    result = {
        "connections": options.connections,
        "live": live,
        "failed_tries": seen.failed,
        "busiest_second": seen.busiest_second,
        "allowed": rate,
        "recovered_after_s": seen.recovered_after.total_seconds(),
    }
    stage.report("An hour without MailUp, simulated; REFRESH_RATE limits the token calls a second", [result], result)


if __name__ == "__main__":
    main()
