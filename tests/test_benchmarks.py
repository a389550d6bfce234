"""What all benchmarks share: workers that die say why, and results say how they were found."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import stage


def test_the_result_of_a_worker_is_its_last_line() -> None:
    code = "import json; print('ready', flush=True); input(); print('more'); print(json.dumps({'calls': 3}))"
    with stage.workers(2, "-c", code) as workers:
        for worker in workers:
            worker.wait_for_line()
        for worker in workers:
            worker.send_line()
        assert [worker.result(timeout=60) for worker in workers] == [{"calls": 3}] * 2


@pytest.mark.parametrize("code", ["import no_such_driver", "import sys; sys.stderr.write('no_such_driver')"])
def test_a_worker_without_a_result_is_told_with_what_it_wrote_to_standard_error(code: str) -> None:
    with stage.workers(1, "-c", code) as (worker,), pytest.raises(stage.WorkerFailed, match="no_such_driver"):
        worker.result(timeout=60)
    with stage.workers(1, "-c", code) as (worker,), pytest.raises(stage.WorkerFailed, match="no_such_driver"):
        worker.wait_for_line()


def test_the_other_workers_end_when_one_has_failed() -> None:
    with stage.workers(2, "-c", "input()") as workers:
        workers[0].process.kill()
        with pytest.raises(stage.WorkerFailed):
            workers[0].result(timeout=60)
        assert workers[1].process.poll() is None
    assert all(worker.process.poll() is not None for worker in workers)


def test_a_process_that_fails_is_told_with_what_it_wrote_to_standard_error() -> None:
    with pytest.raises(stage.WorkerFailed, match="no_such_driver"):
        stage.run("-c", "import no_such_driver")
    with stage.process("-c", "raise SystemExit(3)") as child:
        child.wait()
        with pytest.raises(stage.WorkerFailed, match="status 3"):
            stage.check_running([child])


def test_cpu_seconds_are_those_of_the_process() -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    with stage.workers(1, "-c", code) as (worker,):
        worker.wait_for_line()
        assert 0.2 < stage.cpu_seconds(worker.process.pid) < 30


@pytest.mark.parametrize(("load", "warns"), [(0.1, False), (7.0, True)])
def test_a_result_says_how_it_was_found(
    load: float, warns: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(stage, "LOAD_BEFORE", load)
    settings.MAILUP = {"BASE_URL": "http://127.0.0.1", "ENCRYPTION_KEYS": ["x"], "RATE_LIMIT": 5, "REFRESH_RATE": 100}
    stage.report("Calls", [{"calls": 3}], {"calls": 3})
    said = capsys.readouterr().out
    result = json.loads(said.splitlines()[-1])

    assert ("WARNING" in said) is warns
    assert result.pop("cores") >= 1
    assert result == {"calls": 3, "load_before": load, "deviations": {"REFRESH_RATE": 100}}


def test_a_benchmark_without_django_has_no_deviations() -> None:
    code = "from benchmarks import stage; print(stage.deviations())"
    said = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": ""}, cwd=stage.ROOT, capture_output=True, text=True
    )
    assert said.stdout.strip() == "{}"
