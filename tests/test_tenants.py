"""The tests of a site with django-tenants, in a process of their own: its settings and its database backend differ."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import connection

from .processes import ROOT


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.skipif(connection.vendor != "postgresql", reason="django-tenants needs PostgreSQL")
def test_tenants_never_meet() -> None:
    pytest.importorskip("django_tenants")
    arguments = ["-q", "-p", "no:cacheprovider", "--ds", "tests.tenants.settings", "tests/tenants"]
    run = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout + run.stderr
