"""Settings of the site that is measured. `stage` sets the environment variables for its database and its MailUp."""

from __future__ import annotations

import environ

env = environ.Env()

SECRET_KEY = "benchmarks"
USE_TZ = True
DATABASES = {"default": env.db("BENCH_DATABASE_URL", default="sqlite:///:memory:")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {"timeout": 30}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django_mailup"]
CACHES = {"default": env.cache_url("BENCH_CACHE_URL", default="locmemcache://")}
# Not in the URL: django-environ gives Django's Redis cache a prefix from there under a name that Django doesn't read.
CACHES["default"]["KEY_PREFIX"] = env.str("BENCH_CACHE_PREFIX", default="")
MAILUP = {
    "BASE_URL": env.str("BENCH_MAILUP_URL", "https://services.mailup.com"),
    "REFRESH_RATE": 1_000_000,
    "REFRESH_CONCURRENCY": env.int("BENCH_REFRESH_CONCURRENCY", 10),
    "RATE_LIMIT": env.int("BENCH_RATE_LIMIT", 0),
    "TOKEN_DEADLINE": env.float("BENCH_TOKEN_DEADLINE", 15.0),
    "ENCRYPTION_KEYS": ["YmVuY2htYXJrcyBuZWVkIGEga2V5LCBidXQgbm9uZSA="],
}
CELERY_BROKER_URL = env.str("BENCH_BROKER_URL", "memory://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
