"""A script, not a test: asks OSV for known vulnerabilities of pinned packages. `tox -e audit` runs it.

`python -P tests/audit.py FILE [options of pip-audit]`, where FILE has a line `name==version` for each package. The
status is 0 if each was looked up and none has a known vulnerability, else 1.

pip-audit takes a source that knows nothing for one that knows of no vulnerability. So a release that has some is looked
up as well: if none is reported for it, nothing has been audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

VULNERABLE = ("jinja2", "2.10")


def main(packages: str, *options: str) -> str | None:
    """Return what is wrong, or None."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control.txt"
        control.write_text("==".join(VULNERABLE), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pip_audit", "--vulnerability-service=osv", "--format=json", "--desc=off"),
            *("--strict", "--no-deps", "--disable-pip", "--progress-spinner=off"),
            *("--requirement", packages, "--requirement", str(control), *options),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        answers = {each["name"]: each["vulns"] for each in json.loads(ended.stdout)["dependencies"]}
    except (ValueError, KeyError):
        return "\n".join(["NOT AUDITED: could not reach the vulnerability data.", *ended.stderr.splitlines()[-1:]])
    if not answers.pop(VULNERABLE[0], None):
        return f"NOT AUDITED: the vulnerability data knows nothing, not even of {' '.join(VULNERABLE)}."
    found = [f"{name}: {each['id']}" for name, vulnerabilities in answers.items() for each in vulnerabilities]
    if not found:
        sys.stdout.write(f"{len(answers)} packages were audited; none has a known vulnerability.\n")
    return "\n".join(found) or None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
