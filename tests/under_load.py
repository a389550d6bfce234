"""A script, not a test: runs tests again and again in random order, while other processes keep the processors busy.

`python -m tests.under_load --runs 20 tests/mailup tests/renewal` ends at the first run that isn't green. `--seed`
repeats the order of a run. Other arguments go to pytest, for which this module is also the plugin that shuffles.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SEED = "SHUFFLE_SEED"
TIME_FACTOR = 10
"""By which the time limits of tests are multiplied: they are there to end what hangs, not what is slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests into the order that SHUFFLE_SEED gives, which is the same in each process of pytest-xdist."""
    random.Random(os.environ[SEED]).shuffle(items)


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Keep processors busy during the block, with this number of processes."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--busy", type=int, default=2 * (os.cpu_count() or 1), help="busy processes beside the tests")
    parser.add_argument("--seed", help="runs once, in the order of an earlier run")
    options, arguments = parser.parse_known_args()
    seeds = [options.seed] if options.seed else [f"{random.getrandbits(32):08x}" for _ in range(options.runs)]
    for number, seed in enumerate(seeds, start=1):
        sys.stdout.write(f"run {number} of {len(seeds)}, --seed {seed}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.under_load", *arguments]
        command += ["-o", f"faulthandler_timeout={360 * TIME_FACTOR}"]
        environment = {**os.environ, SEED: seed, "TIME_LIMIT_FACTOR": str(TIME_FACTOR)}
        with load(options.busy):
            ended = subprocess.run(command, env=environment, check=False)
        if ended.returncode:
            sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
