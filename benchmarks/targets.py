"""Run the benchmarks, and fail if one of them misses a target. `tox -e targets` does it each night.

Targets are figures of README's section "Figures", with room for a machine that is a little slower. Those that must be
0 or 1 have none. The machine must be quiet: no figure that is a time means anything on a busy one.
"""

from __future__ import annotations

import argparse
import json
import operator
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

COMPARISONS = {"=": operator.eq, "<=": operator.le, ">=": operator.ge}
RACE = ["refreshes = 1", "failed = 0", "lost = 0"]
HARMLESS = ["server_errors = 0", "wrong_rows = 0", "led_away = 0", "failed_journeys = 0"]
TARGETS = {
    "single_flight --database sqlite": RACE,
    "single_flight --database postgres": RACE,
    "single_flight --database mariadb": RACE,
    "churn --seconds 30 --kill": ["lenient.failed = 0", "lenient.lost = 0", "strict.lost_silently = 0"],
    "sweep --tokens 10000": ["speedup >= 15", "queries_per_token <= 2"],
    "outage": ["live = 10000", "busiest_second <= 50"],
    "throttle --processes 8": [
        "redis.share >= 0.95",
        "redis.too_many_requests = 0",
        "database.too_many_requests = 0",
        "locmem.too_many_requests = 0",
    ],
    "export --recipients 100000": ["too_many_requests = 0", "ratio <= 1.05", "peak_mb <= 100"],
    "hostile --requests 10000 --database sqlite": HARMLESS,
    "hostile --requests 10000 --database postgres": HARMLESS,
    "records": ["ratio <= 1.6", "ratio_short <= 3", "mb_per_100000 <= 100"],
    "sandbox_import": ["seconds <= 20"],
    "call_overhead": ["ratio <= 1.1", "queries_first <= 1", "queries_then = 0"],
}
"""For each benchmark: its module with arguments, and for keys of its JSON object what they must be."""


def missed(result: dict[str, Any], targets: list[str]) -> Iterator[str]:
    """Yield the targets that a result misses, each with the figure that was measured.

    Raises:
        KeyError: the result lacks a figure.
    """
    for target in targets:
        key, comparison, figure = target.split()
        value: Any = result
        for part in key.split("."):
            value = value[part]
        if not COMPARISONS[comparison](value, float(figure)):
            yield f"{target}: it is {value}"


def main() -> None:
    """Run the benchmarks whose command contains a word that is given, or all. Exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="run the benchmarks with one of these in their command, not all")
    words = parser.parse_args().words
    failed = []
    for command, targets in TARGETS.items():
        if words and not any(word in command for word in words):
            continue
        ended = subprocess.run(
            [sys.executable, "-m", *f"benchmarks.{command}".split()], stdout=subprocess.PIPE, text=True, check=False
        )
        print(ended.stdout, flush=True)
        if ended.returncode:
            failed.append(f"{command}: ended with {ended.returncode}")
        else:
            failed += [f"{command}: {each}" for each in missed(json.loads(ended.stdout.splitlines()[-1]), targets)]
    print("\n".join(["Missed:", *failed] if failed else ["All targets are reached."]))
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
