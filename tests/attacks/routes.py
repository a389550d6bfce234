"""Our URLs, as they are declared, and the parameters that each of them reads."""

from __future__ import annotations

import re
from typing import Final

from django.contrib import admin
from django.urls import URLPattern

from django_mailup.urls import urlpatterns

PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
"""A parameter in a route's path, such as `<int:pk>`."""

CHANGELIST: Final = (
    "q", "o", "p", "all", "e", "_facets", "_popup", "_to_field", "status__exact", "registration__id__exact",
    "enabled__exact", "action", "index", "select_across", "_selected_action", "post", "csrfmiddlewaretoken",
)  # fmt: skip
REGISTRATION: Final = (
    "name", "slug", "client_id", "new_secret", "client_secret", "enabled", "key", "echoes_state", "redirect_uri",
    "_save", "_continue", "_addanother", "_saveasnew", "_popup", "_to_field", "_changelist_filters",
    "csrfmiddlewaretoken",
)  # fmt: skip
CONNECTION: Final = (
    "user", "registration", "account_uid", "company", "status", "generation", "access_token", "refresh_token", "key",
    "_save", "_popup", "_to_field", "_changelist_filters", "csrfmiddlewaretoken",
)  # fmt: skip
DELETION: Final = ("post", "_popup", "_to_field", "csrfmiddlewaretoken")

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "mailup/": ("next", "page"),
    "mailup/connect/": ("registration", "reconnect", "for_site", "next", "csrfmiddlewaretoken"),
    "mailup/callback/": ("code", "state", "error", "error_description", "error_uri", "iss", "reloaded"),
    "mailup/callback/<mailup_secret:state>/": ("code", "state", "error", "error_description", "iss", "reloaded"),
    "mailup/disconnect/<uuid:key>/": ("next", "key", "csrfmiddlewaretoken"),
    "mailup/failed/<slug:reason>/": ("reason", "next"),
    "admin/django_mailup/clientregistration/": CHANGELIST,
    "admin/django_mailup/clientregistration/add/": REGISTRATION,
    "admin/django_mailup/clientregistration/<path:object_id>/": ("_popup",),
    "admin/django_mailup/clientregistration/<path:object_id>/change/": REGISTRATION,
    "admin/django_mailup/clientregistration/<path:object_id>/delete/": DELETION,
    "admin/django_mailup/clientregistration/<path:object_id>/history/": ("p", "all"),
    "admin/django_mailup/token/": CHANGELIST,
    "admin/django_mailup/token/add/": CONNECTION,
    "admin/django_mailup/token/<path:object_id>/": ("_popup",),
    "admin/django_mailup/token/<path:object_id>/change/": CONNECTION,
    "admin/django_mailup/token/<path:object_id>/delete/": DELETION,
    "admin/django_mailup/token/<path:object_id>/history/": ("p", "all"),
}
"""Names of the parameters that each route reads, or that an attacker may hope it reads."""


RECIPES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "mailup/connect/": (("registration", "next"), ("reconnect",), ("for_site",), ("reconnect", "for_site", "next")),
    "mailup/callback/": (("code", "state"), ("state", "error"), ("code",), ("code", "state", "error")),
    "mailup/callback/<mailup_secret:state>/": (("code",), ("error",), ("code", "state")),
    "admin/django_mailup/clientregistration/": (("action", "_selected_action"), ("q", "o", "enabled__exact")),
    "admin/django_mailup/clientregistration/add/": (("name", "slug", "client_id", "enabled", "new_secret"),),
    "admin/django_mailup/clientregistration/<path:object_id>/change/": (("name", "slug", "client_id", "enabled"),),
    "admin/django_mailup/clientregistration/<path:object_id>/delete/": (("post",),),
    "admin/django_mailup/token/": (
        ("action", "_selected_action"),
        ("action", "_selected_action"),
        ("q", "status__exact"),
    ),
    "admin/django_mailup/token/<path:object_id>/delete/": (("post",),),
}
"""Parameters that do something together, for the routes that do something."""
OFTEN: Final = (
    *("mailup/connect/",) * 4, *("mailup/callback/", "mailup/callback/<mailup_secret:state>/") * 3,
    *("mailup/disconnect/<uuid:key>/",) * 2, *("admin/django_mailup/token/",) * 2,
)  # fmt: skip
"""Routes that are attacked more often than the others."""


def declared_routes() -> list[str]:
    """Return the path of each URL of ours: the pages', and those of our models in the admin."""
    found = [("mailup/", pattern) for pattern in urlpatterns]
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "django_mailup":
            prefix = f"admin/django_mailup/{model._meta.model_name}/"
            found += [(prefix, pattern) for pattern in model_admin.get_urls()]
    routes = []
    for prefix, pattern in found:
        if not isinstance(pattern, URLPattern):
            raise TypeError(f"{pattern} includes further URLs: let declared_routes() look into it")
        routes.append(prefix + str(pattern.pattern))
    return routes
