"""The types of records and of methods, as two checkers see them: both report exactly the lines marked as mistakes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_name("records_mistakes.py")
MARKED = [number for number, line in enumerate(FILE.read_text().splitlines(), 1) if "  # mistake" in line]


@pytest.mark.slow
def test_mypy_sees_each_mistake_and_nothing_else(tmp_path: Path) -> None:
    options = [
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        "--no-error-summary",
        "--cache-dir",
        str(tmp_path),
    ]
    command = [sys.executable, "-m", "mypy", *options, str(FILE)]
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env).stdout
    reported = re.findall(rf"{FILE.name}:(\d+): error: ", told)

    assert sorted({int(number) for number in reported}) == MARKED, told


@pytest.mark.slow
def test_pyright_sees_each_mistake_and_nothing_else() -> None:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(FILE)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout
    errors = [each for each in json.loads(told)["generalDiagnostics"] if each["severity"] == "error"]

    assert sorted({each["range"]["start"]["line"] + 1 for each in errors}) == MARKED, told
