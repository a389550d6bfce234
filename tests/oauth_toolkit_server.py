"""A script, not a test: an authorization server of django-oauth-toolkit, at MailUp's paths and on a socket.

`python -m tests.oauth_toolkit_server '{"database": …, "redirect_uri": …, "clients": {id: whether PKCE is required}}'`

It is a Django project of its own, with its own user and an empty database. Each client has the secret "secret", the
user "m12345" the password "sandbox". When the server answers, it writes its base URL to standard output.
"""

from __future__ import annotations

import json
import os
import sys
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
LOGIN_PAGE = '<form method="post">{% csrf_token %}{{ form }}<button>Log in</button></form>'
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "loaders": [
                ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN_PAGE}),
                "django.template.loaders.app_directories.Loader",
            ],
        },
    }
]


def serve(database: str, redirect_uri: str, clients: dict[str, bool]) -> None:
    """Make the project, its tables, its user and its clients, and answer requests until the process ends."""
    settings.configure(
        SECRET_KEY=os.urandom(16).hex(),
        USE_TZ=True,
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        INSTALLED_APPS=APPS,
        MIDDLEWARE=MIDDLEWARE,
        TEMPLATES=TEMPLATES,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF=type("urls", (), {}),
        OAUTH2_PROVIDER={"PKCE_REQUIRED": clients.get, "SCOPES": {"all": "Everything"}},
    )
    django.setup()
    settings.ROOT_URLCONF.urlpatterns = urlpatterns()
    call_command("migrate", verbosity=0)
    _add_rows(redirect_uri, clients)
    with make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Handler) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


def urlpatterns() -> list[Any]:
    """Return the toolkit's own views at MailUp's paths, a login page, and the one call that identifies a user."""
    from django.contrib.auth.views import LoginView
    from oauth2_provider.decorators import protected_resource
    from oauth2_provider.views import AuthorizationView, TokenView

    @protected_resource(advertise_metadata=True)  # without it the toolkit answers an invalid token with 403
    def info(request: HttpRequest) -> HttpResponse:
        owner = request.resource_owner  # type: ignore[attr-defined]
        return JsonResponse({"Company": "Toolkit", "UID": str(owner.pk), "Username": owner.username})

    return [
        path("Authorization/OAuth/LogOn", AuthorizationView.as_view()),
        path("Authorization/OAuth/Token", TokenView.as_view()),
        path("API/v1.1/Rest/ConsoleService.svc/Console/Authentication/Info", info),
        path("accounts/login/", LoginView.as_view()),
        path("", include("oauth2_provider.urls")),
    ]


def _add_rows(redirect_uri: str, clients: dict[str, bool]) -> None:
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    User.objects.create_user("m12345", password="sandbox")
    for client_id in clients:
        Application.objects.create(
            client_id=client_id,
            client_secret="secret",
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            redirect_uris=redirect_uri,
        )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Write nothing."""


if __name__ == "__main__":
    serve(**json.loads(sys.argv[1]))
