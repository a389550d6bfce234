"""The whole tester, on a small project of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROJECT = {
    "pyproject.toml": """
[tool.mutation]
scope = ["shop"]
equivalents = "equivalent.md"
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["-p", "no:django", "-p", "no:django_mailup"]
""",
    "equivalent.md": "| `shop/price.py` | `same` | `return net + 0` | `return net - 0` | zero is zero |\n",
    "shop/__init__.py": "",
    "shop/price.py": """
import time

RATE = 2
NAMES = []


def total(net):
    return RATE * net


def unseen(net):
    return -net


def wait(waiting):
    while waiting:
        time.sleep(0.01)


def in_thread(net):
    return net == 7


def register(function):
    NAMES.append(function.__name__)
    return function


@register
def same(net):
    return net + 0
""",
    "tests/test_price.py": """
from shop.price import NAMES, same, total, wait


def test_total():
    assert total(3) == 6


def test_wait():
    wait([])


def test_same():
    assert same(3) == 3


def test_names():
    assert NAMES == ["same"]
""",
    # Whether parameters of a conftest.py come before those of a fixture depends on how pytest is started.
    "tests/far/conftest.py": """
def pytest_generate_tests(metafunc):
    metafunc.parametrize("first", ["a"])
""",
    "tests/far/test_threads.py": """
import subprocess, sys, threading
import pytest
from shop.price import in_thread


@pytest.fixture(params=["b"])
def second(request):
    return request.param


def test_in_thread(first, second):
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
    with open("started", "a") as file:
        print(sleeper.pid, file=file)
    found = []
    for number in (7, 8):
        thread = threading.Thread(target=lambda: found.append(in_thread(number)))
        thread.start()
        thread.join()
    assert found == [True, False]
    sleeper.kill()
    sleeper.wait()
""",
}
REPORT = """
shop/price.py:13 unseen (return; no test reaches it)
  - return -net
  + return None
shop/price.py:17 wait (condition)
  - while waiting:
  + while False:
shop/price.py:18 wait (statement; no test reaches it)
  - time.sleep(0.01)
  + pass
shop/price.py:18 wait (constant; no test reaches it)
  - time.sleep(0.01)
  + time.sleep(1.01)

 noticed   killed  timed out  survived
   75.0%       11          1         4  shop/price.py
   75.0%       11          1         4  all, without 1 equivalent
"""


def _run(project: Path, *arguments: str, status: int = 0) -> str:
    """Run the tester in the project, from this checkout, and return what it prints."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.mutation.__main__ import main"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}; sys.exit(main(sys.argv[1:]))", *arguments],
        cwd=project, capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COV", "DJANGO", "PYTEST"))},
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The project, and what a first run of the tester says of it."""
    project = tmp_path_factory.mktemp("project")
    for name, text in PROJECT.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return project, _run(project, "--floor", "75.1", status=1)


def test_a_run_says_what_was_noticed(run_once: tuple[Path, str]) -> None:
    _, said = run_once
    assert said.endswith(REPORT)


def test_a_run_leaves_no_process_behind(run_once: tuple[Path, str]) -> None:
    """Not even one that a failed test has started in a session of its own."""
    project, _ = run_once
    started = (project / "started").read_text(encoding="utf-8").split()
    assert len(started) >= 4  # one without a mutant, and one with each of three
    alive = [int(pid) for pid in started if Path(f"/proc/{pid}/cwd").resolve() == project]
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    assert not alive


def test_a_second_run_does_what_is_missing(run_once: tuple[Path, str]) -> None:
    """What has a result is not run again. The last line is half a line, as a run that is killed may leave it."""
    project, _ = run_once
    file = project / ".mutation" / "results.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines[:-1], lines[-1][:20]]), encoding="utf-8")
    said = _run(project, "--floor", "75")
    assert ", 1 to run\n" in said
    assert said.endswith(REPORT)
    assert ", 0 to run\n" in _run(project, "--floor", "75")


def test_survivors_are_run_again_when_there_is_a_new_test(run_once: tuple[Path, str]) -> None:
    project, _ = run_once
    new = "from shop.price import unseen\n\n\ndef test_unseen():\n    assert unseen(2) == -2\n"
    (project / "tests" / "test_unseen.py").write_text(new, encoding="utf-8")
    said = _run(project, "--again-survivors", "--floor", "81.2")
    assert ", 4 to run\n" in said
    assert "unseen" not in said
    assert "   81.2%       12          1         3  shop/price.py\n" in said


def test_without_its_change_no_mutant_is_noticed(run_once: tuple[Path, str]) -> None:
    project, _ = run_once
    said = _run(project, "--unchanged", "--only", "shop/price.py:4", "shop/price.py:9")
    assert "    0.0%        0          0         3  all, without 0 equivalent\n" in said
