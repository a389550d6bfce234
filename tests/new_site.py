"""A script, not a test: creates a Django site that uses the installed wheel. `tox -e package` runs it.

It fails if the checkout is imported, or if the wheel lacks a template, a migration or `py.typed`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path

import django_mailup

PACKAGE = Path(django_mailup.__file__).parent
CHECKOUT = Path(__file__).resolve().parent.parent
USE = """
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import find
from django.test import Client
from django.test.utils import setup_test_environment
from django_mailup.services import client_for, connect_with_password, register
from django_mailup.testing import use_sandbox

setup_test_environment()
user = get_user_model().objects.create_superuser("ada", password="x")
with use_sandbox() as sandbox:
    register(name="New", client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    connect_with_password(username="m12345", password="sandbox", user=user)
    assert [each.name for each in client_for(user).lists.all()] == ["Newsletter", "Recipes", "Press"]
browser = Client()
browser.force_login(user)
for path in ("/mailup/", "/mailup/connect/", "/mailup/failed/unavailable/", "/admin/django_mailup/token/"):
    answer = browser.get(path)
    assert answer.status_code in (200, 503), (path, answer.status_code)
assert "m12345" in browser.get("/mailup/").content.decode()
for name in ("styles.css", "admin.css"):
    assert find(f"django_mailup/{name}"), name
print("the new site works")
"""
SETTINGS = """
INSTALLED_APPS += ["django_mailup"]
"""
URLS = """
from django.urls import include
urlpatterns += [path("mailup/", include("django_mailup.urls"))]
"""


def run(*command: str, cwd: Path, given: str | None = None) -> None:
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, *command], cwd=cwd, env=env, input=given, text=True, check=True)


def main() -> None:
    assert CHECKOUT not in PACKAGE.parents or ".tox" in PACKAGE.parts, f"imported from {PACKAGE}"
    shipped = {str(each) for each in files("django-mailup-connect") or []}
    for source in (CHECKOUT / "django_mailup").rglob("*"):
        relative = source.relative_to(CHECKOUT).as_posix()
        if source.suffix in {".py", ".html", ".po", ".mo", ".typed", ".css"} and "__pycache__" not in relative:
            assert relative in shipped, f"the wheel lacks {relative}"
    site = Path("site")
    if not site.exists():
        run("-m", "django", "startproject", "fresh", cwd=Path.cwd())
        Path("fresh").rename(site)
        with (site / "fresh/settings.py").open("a", encoding="utf-8") as settings:
            settings.write(SETTINGS)
        with (site / "fresh/urls.py").open("a", encoding="utf-8") as urls:
            urls.write(URLS)
    (site / "db.sqlite3").unlink(missing_ok=True)
    run("manage.py", "check", cwd=site)
    run("manage.py", "migrate", "--verbosity=0", cwd=site)
    run("manage.py", "makemigrations", "--check", "--dry-run", cwd=site)
    run("manage.py", "shell", "--verbosity=0", cwd=site, given=USE)


if __name__ == "__main__":
    main()
