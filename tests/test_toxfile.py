"""tox finds the interpreters that pyenv has installed, and says which are missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tox")

from toxfile import SUPPORTED, find_interpreters

ROOT = Path(__file__).resolve().parent.parent


def interpreter(folder: Path, version: str, *, status: int = 0) -> Path:
    """Write a program that stands for an interpreter, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"python{version}"
    program.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


@pytest.fixture
def pyenv(tmp_path: Path) -> Path:
    """The folder of pyenv's versions. Its shims, which are on PATH, run nothing."""
    for version in SUPPORTED:
        interpreter(tmp_path / "shims", version, status=127)
    return tmp_path / "versions"


@pytest.fixture
def environ(pyenv: Path) -> dict[str, str]:
    return {"PATH": str(pyenv.parent / "shims"), "PYENV_ROOT": str(pyenv.parent)}


def test_pyenvs_newest_release_of_each_is_found(pyenv: Path, environ: dict[str, str]) -> None:
    for name in ("3.11.9", "3.11.10", "3.12.1", "3.13.0", "3.13.1rc1", "3.14.3", "3.15.0"):
        interpreter(pyenv / name / "bin", name.rpartition(".")[0])
    found = [str(pyenv / name / "bin") for name in ("3.15.0", "3.14.3", "3.13.0", "3.12.1", "3.11.10")]

    assert find_interpreters(environ) == []
    assert environ["PATH"].split(os.pathsep) == [*found, str(pyenv.parent / "shims")]


def test_one_that_runs_is_left_where_it_is(pyenv: Path, environ: dict[str, str]) -> None:
    for version in SUPPORTED:
        interpreter(pyenv / f"{version}.1" / "bin", version)
    environ["PATH"] = str(interpreter(pyenv.parent / "own", "3.12")) + os.pathsep + environ["PATH"]

    assert find_interpreters(environ) == []
    assert str(pyenv / "3.12.1" / "bin") not in environ["PATH"]


def test_what_is_missing_is_named(pyenv: Path, environ: dict[str, str]) -> None:
    interpreter(pyenv / "3.12.1" / "bin", "3.12")
    interpreter(pyenv / "3.13.1" / "bin", "3.13", status=1)  # built without ssl, for example

    assert find_interpreters(environ) == ["3.11", "3.13", "3.14", "3.15"]


def tox_list(environ: dict[str, str], required: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tox", "list", "--no-desc"],
        cwd=ROOT, env={**environ, "REQUIRE_INTERPRETERS": required}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("required", ["", "3.12"])
def test_tox_says_last_what_is_missing(pyenv: Path, environ: dict[str, str], required: str) -> None:
    interpreter(pyenv / "3.12.1" / "bin", "3.12")

    ended = tox_list(environ, required)

    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.splitlines()[-1].endswith(
        "NOT TESTED on Python 3.11, 3.13, 3.14, 3.15: not on PATH, nor installed by pyenv"
    )
    assert "py311-dj52" in ended.stdout


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ("3.11 3.12 3.15", "NOT TESTED on Python 3.11, 3.15: not on PATH, nor installed by pyenv"),
        ("3.12 3.1", "REQUIRE_INTERPRETERS: not among 3.11, 3.12, 3.13, 3.14, 3.15: 3.1"),
    ],
)
def test_tox_fails_without_one_that_is_required(
    pyenv: Path, environ: dict[str, str], required: str, message: str
) -> None:
    interpreter(pyenv / "3.12.1" / "bin", "3.12")

    ended = tox_list(environ, required)

    assert ended.returncode != 0
    assert ended.stdout.splitlines()[-1].endswith(message)
    assert "py311-dj52" not in ended.stdout
