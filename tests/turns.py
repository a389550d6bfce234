"""A process that takes turns of an operation without waiting for them; `test_throttle_redis` starts several.

`python -m tests.turns` reads CACHES, the limit and the number of turns as JSON from the first line of its input. It
prints "ready", waits for another line, and prints what `turns` returns as JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

from django.conf import settings


def turns(throttle: Any, count: int, operation: str = "GET /Console/List") -> list[tuple[float, float]]:
    """Take turns. Return for each the earliest and the latest moment that Redis can have meant, by `time.monotonic`.

    They are the further apart, the longer the answer took. Redis' own moment is between them.
    """
    from django_mailup.throttle import LATE

    taken = []
    for _ in range(count):
        asked = time.monotonic()
        moment = throttle.reserve(operation, patience=1_000_000)
        answered = time.monotonic()
        is_missed = answered - moment > LATE  # the answer took so long that the turn can't be used
        taken.append((asked, math.inf) if is_missed else (moment - (answered - asked), moment))
    return taken


def most_in_a_second(taken: list[tuple[float, float]]) -> int:
    """Return how many turns are in one second for sure, wherever between their bounds they are."""
    return max(sum(earliest >= other[0] and latest < other[0] + 1 for earliest, latest in taken) for other in taken)


def main() -> None:
    given = json.loads(sys.stdin.readline())
    settings.configure(CACHES=given["caches"], MAILUP={"RATE_LIMIT": given["rate"]})
    from django_mailup.throttle import CacheThrottle

    throttle = CacheThrottle("1")
    throttle.reserve("an operation of its own", patience=1_000_000)  # connects
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(turns(throttle, given["count"])))


if __name__ == "__main__":
    main()
