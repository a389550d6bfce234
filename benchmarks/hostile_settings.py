"""Settings of the site that `benchmarks.hostile` attacks: that of the other benchmarks, with pages and the admin."""

from __future__ import annotations

from tests.settings import TEMPLATES as TEMPLATES

from .settings import *  # noqa: F403
from .settings import DATABASES
from .settings import INSTALLED_APPS as OF_THE_OTHERS

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Thousands of small transactions: nothing needs to wait for the disk.
    DATABASES["default"]["OPTIONS"] = {"timeout": 30, "init_command": "PRAGMA synchronous=OFF"}
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.urls"
LOGIN_URL = "/admin/login/"
STATIC_URL = "/static/"
INSTALLED_APPS = [
    *OF_THE_OTHERS,
    "django.contrib.admin",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the accounts live for a few minutes
LOGGING = {
    "version": 1,
    "handlers": {"none": {"class": "logging.NullHandler"}},
    "loggers": {
        name: {"handlers": ["none"], "propagate": False} for name in ("django", "django.server", "django_mailup")
    },
}
