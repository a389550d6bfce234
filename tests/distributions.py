"""A script, not a test: builds the sdist and the wheel, twice each, and judges them. `tox -e distributions` runs it.

It fails if the same files give other bytes, if an index would refuse the description, or if metadata is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
MOMENT = {"SOURCE_DATE_EPOCH": "1767225600"}


def run(*command: str) -> None:
    subprocess.run([sys.executable, "-m", *command], env={**os.environ, **MOMENT}, check=True)


def build(source: Path, into: str) -> dict[str, bytes]:
    """Build both from a source folder, and return their bytes by name."""
    run("build", "--installer", "uv", "--outdir", into, str(source))
    return {path.name: path.read_bytes() for path in Path(into).iterdir()}


def unpacked(sdist: Path) -> Path:
    """Return a folder with the files of an sdist as another clone has them: with other times and modes."""
    with tarfile.open(sdist) as archive:
        archive.extractall("unpacked", filter="data")
    (folder,) = Path("unpacked").iterdir()
    for name in ("PKG-INFO", "setup.cfg"):
        (folder / name).unlink()
    shutil.rmtree(*folder.glob("*.egg-info"))
    for path in folder.rglob("*"):
        os.utime(path)
        path.chmod(path.stat().st_mode & 0o700)  # another umask
    return folder


def main() -> None:
    for name in ("first", "second", "unpacked"):
        shutil.rmtree(name, ignore_errors=True)
    first = build(CHECKOUT, "first")
    (sdist,) = Path("first").glob("*.tar.gz")
    second = build(unpacked(sdist), "second")
    assert len(first) == 2, first.keys()
    assert first.keys() == second.keys()
    for name in first:
        assert first[name] == second[name], f"{name} has other bytes each time"
    run("twine", "check", "--strict", *map(str, Path("first").iterdir()))
    run("pyroma", "--min=10", str(sdist))


if __name__ == "__main__":
    main()
