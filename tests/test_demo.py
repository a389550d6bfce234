"""The demo with its real processes: a step that fails is named, and no process stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.demo
PROJECT = Path(__file__).resolve().parent.parent / "example_project"


def demo(*arguments: str, var: Path, **options: Any) -> subprocess.Popen[str]:
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAILUP_", "DJANGO_", "DATABASE_"))
    }
    env |= {"EXAMPLE_VAR_DIR": str(var), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(PROJECT / "manage.py"), "demo", *arguments]
    return subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_heed_sigint,
        **options,
    )


def _heed_sigint() -> None:
    """End at SIGINT also if the tests run in the background, where a shell lets processes ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# .ci/run runs `demo --check` without sabotage. Here it is tested that each step can fail.
@pytest.mark.parametrize("step", ["register", "callback", "ciphertext", "renewed-by-beat", "disconnected"])
def test_a_sabotaged_step_fails_and_is_named(tmp_path: Path, step: str) -> None:
    process = demo("--check", "--sabotage", step, var=tmp_path)
    said, _ = process.communicate()
    lines = said.strip().splitlines()

    assert process.returncode == 1
    assert any(line.startswith(f"FAILED {step}: ") for line in lines), said
    assert lines[-1].endswith(" steps passed, 1 failed"), said


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_demo(tmp_path: Path, ending: signal.Signals) -> None:
    process = demo("--port=0", "--sandbox-port=0", var=tmp_path)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C stops everything" in line:
                break
        children = children_of(process.pid)
        assert len(children) == 4
        process.send_signal(ending)
        process.wait()
        while any(map(is_running, children)):
            time.sleep(0.1)
        if ending is not signal.SIGKILL:
            assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_sabotage_needs_check(tmp_path: Path) -> None:
    process = demo("--sabotage", "register", var=tmp_path)
    said, _ = process.communicate()

    assert process.returncode == 1
    assert "--sabotage goes with --check." in said
