"""`python -m tests.mutation`: runs mutants in the project of the current folder. See docs/testing.md."""

from __future__ import annotations

import argparse
import importlib
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from .operators import Mutant
from .processes import FAILED, PASSED, TIMED_OUT, Chosen, Fork, InPlaceOf, fork, module_name
from .reach import Reach
from .results import KILLED, SURVIVED, Result, Store, equivalents, name_of, report
from .settings import Settings

GRACE, MULTIPLE = 15, 5
"""A mutant's run is killed after so many seconds, and so many times the time that its tests took without it."""


class Trial:
    """One mutant, while its tests run."""

    def __init__(self, mutant: Mutant, reach: Reach, budget: float, *, unchanged: bool) -> None:
        self.mutant = mutant
        self._reach, self._unchanged = reach, unchanged
        self._runs = reach.tests_for(mutant, budget)
        self._started = time.monotonic()
        self._fork: Fork | None = None
        self._ran = False

    def result(self) -> Result | None:
        """Return what came of it, or None if it isn't over. Begins the next run of tests when one has ended."""
        if self._fork:
            ended = self._fork.ended()
            if ended is None:
                return None
            note = self._fork.note()
            self._fork.close()
            self._fork = None
            self._ran = self._ran or ended == PASSED
            if ended == FAILED:
                return self._over(KILLED, note)
            if ended == TIMED_OUT:
                return self._over(TIMED_OUT, "")
        if not self._runs:
            return self._over(SURVIVED, "" if self._ran else "no test reaches it")
        self._fork = self._begin(self._runs.pop(0))
        return None

    def _begin(self, tests: list[str]) -> Fork:
        mutant, root = self.mutant, self._reach.settings.root
        source = mutant.original if self._unchanged else mutant.source()
        finder = InPlaceOf(module_name(mutant.path), root / mutant.path, source)
        limit = GRACE + MULTIPLE * sum(self._reach.times[test] for test in tests)
        return fork(
            [*self._reach.settings.pytest, "-x"], lambda folder: [Chosen(tests, root, folder / "note")], limit,
            finder=finder,
        )  # fmt: skip

    def _over(self, outcome: str, reason: str) -> Result:
        return Result(self.mutant.key, outcome, reason, round(time.monotonic() - self._started, 2))

    def close(self) -> None:
        """End it before it is over."""
        if self._fork:
            self._fork.close()


def run(todo: list[Mutant], reach: Reach, store: Store, options: argparse.Namespace) -> None:
    """Run mutants, and store what comes of each."""
    waiting = list(reversed(todo))
    trials: list[Trial] = []
    started, outcomes = time.monotonic(), Counter[str]()
    try:
        while waiting or trials:
            while waiting and len(trials) < options.workers:
                trials.append(Trial(waiting.pop(), reach, options.budget, unchanged=options.unchanged))
            for trial in list(trials):
                if result := trial.result():
                    trials.remove(trial)
                    store.add(trial.mutant, result)
                    outcomes[result.outcome] += 1
                    done = outcomes.total()
                    if done % 20 == 0 or done == len(todo):
                        each = (time.monotonic() - started) / done
                        figures = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
                        left = each * (len(todo) - done) / 60
                        say(f"{done} of {len(todo)}: {figures}; {each:.1f} s each, {left:.0f} min left")
            time.sleep(0.01)
    finally:
        for trial in trials:
            trial.close()


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__, allow_abbrev=False)
    parser.add_argument("--only", nargs="+", default=[""], metavar="PATH", help="files and folders, or file:line")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same mutants")
    parser.add_argument("--store", type=Path, default=Path(".mutation"), help="the folder for results")
    parser.add_argument("--floor", type=float, default=85, help="the percentage below which the command fails")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--budget", type=float, default=15, help="seconds of tests for a mutant, near and far each")
    parser.add_argument("--survivors", action="store_true", help="run nothing, report what is stored")
    parser.add_argument("--again-survivors", action="store_true", help="run those that survived once more")
    parser.add_argument(
        "--unchanged", action="store_true", help="check the tester: run the tests of each mutant without it"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run, report, and return the status to exit with."""
    options = options_of(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    settings = Settings.read(Path.cwd())
    known = equivalents(settings.root / settings.equivalents) if settings.equivalents else set()
    mutants = settings.mutants(options.only)
    counted = [each for each in mutants if name_of(each) not in known]
    if options.sample:
        counted = random.Random(options.seed).sample(counted, min(options.sample, len(counted)))
        counted.sort(key=lambda each: (each.path, each.start))
    options.store.mkdir(parents=True, exist_ok=True)
    store = Store(options.store / ("unchanged.jsonl" if options.unchanged else "results.jsonl"))
    again = SURVIVED if options.again_survivors else None
    todo = [each for each in counted if each.key not in store.results or store.results[each.key].outcome == again]
    say(f"{len(mutants)} mutants, {len(mutants) - len(counted)} of them equivalent or not drawn, {len(todo)} to run")
    if todo and not options.survivors:
        for name in settings.warm:
            importlib.import_module(name)
        say("all tests under coverage, unless nothing has changed since")
        reach = Reach.of(settings, options.store)
        for test in reach.failed:
            say(f"{test} fails without a mutant, so it is left out")
        run(todo, reach, store, options)
    text, noticed = report(counted, store.results, len([each for each in mutants if name_of(each) in known]))
    say(text)
    if options.unchanged:
        return 1 if noticed else 0
    return 0 if noticed >= options.floor else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
