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
