"""Settings of the tests: a site with django_mailup and nothing else. `DATABASE_URL` names the database."""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

import environ

from . import servers

env = environ.Env()
# Django can't start without the driver. SQLite takes its place then, and tests/conftest.py skips everything.
NO_DATABASE = servers.missing(env.str("DATABASE_URL", ""))

SECRET_KEY = "tests"
DEBUG = False
USE_TZ = True
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
ROOT_URLCONF = "tests.urls"
DATABASES = {
    "default": env.db_url_config("sqlite://:memory:" if NO_DATABASE else env.str("DATABASE_URL", "sqlite://:memory:"))
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, since threads have their own connections: these wait for each other's locks only in a file.
    folder = tempfile.TemporaryDirectory(prefix="django-mailup-tests-")
    atexit.register(folder.cleanup)
    DATABASES["default"]["TEST"] = {"NAME": str(Path(folder.name) / "tests.sqlite3")}
    # Tests kill processes, not the machine: nothing needs to wait for the disk.
    DATABASES["default"]["OPTIONS"] = {"init_command": "PRAGMA synchronous=OFF"}
else:
    # Each test process has a database of its own, also when two runs use the same server.
    DATABASES["default"]["TEST"] = {"NAME": f"test_{DATABASES['default']['NAME']}_{os.getpid()}"}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django_mailup",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/admin/login/"
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}  # Django 6.1 warns without it
MAILUP = {"ENCRYPTION_KEYS": ["bm9uZSBvZiB5b3VyIGJ1c2luZXNzLCBvZiBjb3Vyc2U="], "TOKEN_DEADLINE": 5, "RATE_LIMIT": 0}
