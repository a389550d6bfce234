"""What makes the tests' site a hardened one: its policy, and views that do what can't work there."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import include, path

from django_mailup.pages import keep_url_private

POLICY = "default-src 'self'; form-action 'self'; frame-ancestors 'none'"


def strict_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: send the policy with every response."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return middleware


def redirecting(request: HttpRequest) -> HttpResponse:
    """Answer a form with a redirect to another origin, which the query names."""
    return HttpResponseRedirect(request.GET["to"]) if request.method == "POST" else _form(request)


def without_referrer(request: HttpRequest) -> HttpResponse:
    """Show a form on a page without referrer."""
    return keep_url_private(_form(request))


def _form(request: HttpRequest) -> HttpResponse:
    token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return HttpResponse(f'<form method="post">{token}<button>Go</button></form>')


def inline(request: HttpRequest) -> HttpResponse:
    """Show a page with an inline style."""
    return HttpResponse('<p style="color: rgb(1, 2, 3)">Text</p>')


urlpatterns = [
    path("", include("tests.urls")),
    path("forbidden/redirect/", redirecting),
    path("forbidden/inline/", inline),
    path("forbidden/form/", without_referrer),
]
