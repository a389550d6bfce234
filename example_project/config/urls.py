"""The site's URLs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("newsletter.urls")),
    path("accounts/", include("django.contrib.auth.urls")),
    path("mailup/", include("django_mailup.urls")),
    path("admin/", admin.site.urls),
]
