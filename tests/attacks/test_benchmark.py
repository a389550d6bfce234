"""`python -m benchmarks.hostile` with a few hundred requests: also those that are bytes on a socket do no harm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
def test_bytes_on_a_socket_do_no_harm() -> None:
    command = [sys.executable, "-m", "benchmarks.hostile", "--requests", "300", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.strip().splitlines()[-1])

    assert result["requests"] == 300
    for name in ("server_errors", "wrong_rows", "led_away", "failed_journeys"):
        assert result[name] == 0, done.stdout
    assert result["journeys"] >= 15
    assert len(result["statuses"]) > 5
