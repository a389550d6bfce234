"""Settings of a site with django-tenants. `public` has the same tables, so that a renewal could land there."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
DATABASES["default"]["TEST"] = {"NAME": f"test_tenants_{os.getpid()}"}
DATABASES["default"]["OPTIONS"] = {"options": "-c synchronous_commit=off"}  # nothing needs to wait for the disk
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_APPS = INSTALLED_APPS
SHARED_APPS = ["django_tenants", "tests.tenants", *TENANT_APPS]
INSTALLED_APPS = SHARED_APPS
