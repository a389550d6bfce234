"""Starting Django."""

from __future__ import annotations

import os
import subprocess
import sys


def test_setup_imports_no_library_of_http_oauth_or_encryption() -> None:
    code = (
        "import sys, django\n"
        "django.setup()\n"
        "print({'requests', 'oauthlib', 'requests_oauthlib', 'cryptography', 'werkzeug'} & set(sys.modules))"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "sqlite://:memory:"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


SETUP = """
import sys, django
from django.conf import settings
apps = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "messages", "sessions")]
databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
settings.configure(SECRET_KEY="x", USE_TZ=True, INSTALLED_APPS=apps + sys.argv[1:], DATABASES=databases)
django.setup()
print(*sys.modules)
"""
SPEAKS_HTTP = ("mailup", "sandbox", "registrations", "renewal", "connections", "csv_import", "network", "throttle")


def modules_after_setup(*apps: str) -> set[str]:
    command = [sys.executable, "-c", SETUP, *apps]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_setup_imports_only_modules_of_ours_and_none_that_speaks_http() -> None:
    added = modules_after_setup("django_mailup") - modules_after_setup() - {"__future__"}  # if nothing else did
    ours = {name for name in added if name.partition(".")[0] == "django_mailup"}

    assert added == ours
    assert "django_mailup.models" in ours
    assert not {name for name in ours if name.removeprefix("django_mailup.").partition(".")[0] in SPEAKS_HTTP}
