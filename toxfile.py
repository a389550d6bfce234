"""A plugin that tox loads by itself: finds the supported Pythons that pyenv has installed, and says which are missing.

pyenv hides its interpreters behind shims, which tox-uv can't use. tox skips an environment without its interpreter, and
calls that a success. REQUIRE_INTERPRETERS in the environment, such as "3.11 3.12", names those whose lack is an error.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from tox.plugin import impl
from tox.report import HandledError

SUPPORTED = ("3.11", "3.12", "3.13", "3.14", "3.15")
NOT_TESTED = "NOT TESTED on Python {}: not on PATH, nor installed by pyenv"


@impl
def tox_register_tox_env(register: Any) -> None:
    """Do this plugin's work before tox looks for an interpreter."""
    missing = find_interpreters(os.environ)
    required = os.environ.get("REQUIRE_INTERPRETERS", "").split()
    if unknown := set(required) - set(SUPPORTED):
        raise HandledError(f"REQUIRE_INTERPRETERS: not among {', '.join(SUPPORTED)}: {', '.join(sorted(unknown))}")
    if lacking := [version for version in missing if version in required]:
        raise HandledError(NOT_TESTED.format(", ".join(lacking)))
    if missing:
        atexit.register(print, NOT_TESTED.format(", ".join(missing)))  # the last line, after tox's summary


def find_interpreters(environ: MutableMapping[str, str]) -> list[str]:
    """Put on PATH the folders of those supported Pythons that only pyenv has. Return the versions that are missing."""
    missing = []
    for version in SUPPORTED:
        if _runs(shutil.which(f"python{version}", path=environ["PATH"])):
            continue
        folders = _folders_of_pyenv(version, environ)
        if folders:
            environ["PATH"] = os.pathsep.join([str(folders[-1]), environ["PATH"]])
        else:
            missing.append(version)
    return missing


def _folders_of_pyenv(version: str, environ: MutableMapping[str, str]) -> list[Path]:
    """Return the folders with an interpreter of this version that runs, oldest release first."""
    root = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    releases = [each for each in root.glob(f"versions/{version}.*") if re.fullmatch(r"[\d.]+", each.name)]
    releases.sort(key=lambda each: [int(number) for number in each.name.split(".")])
    return [each / "bin" for each in releases if _runs(shutil.which(f"python{version}", path=each / "bin"))]


def _runs(program: str | None) -> bool:
    """Return whether this is an interpreter of which a virtual environment can be made. A shim of pyenv may not be."""
    if program is None:
        return False
    ended = subprocess.run([program, "-c", "import ssl, venv"], capture_output=True, check=False)  # noqa: S603
    return ended.returncode == 0
