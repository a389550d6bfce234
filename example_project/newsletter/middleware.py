"""Shows the errors of django_mailup to the site's users, whichever view raised them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from django_mailup.exceptions import APIError, MailUpError, MailUpUnavailable, MultipleConnections, NotFound


class MailUpErrors:
    """Answers a MailUpError that a view raises with a page that shows the error's message."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, MultipleConnections):
            return redirect("choose")
        if not isinstance(exception, MailUpError):
            return None
        if isinstance(exception, NotFound):
            status = 404
        elif isinstance(exception, MailUpUnavailable):
            status = 503
        else:
            status = 502 if isinstance(exception, APIError) else 503
        response = render(request, "newsletter/trouble.html", {"error": exception}, status=status)
        if isinstance(exception, MailUpUnavailable):
            response["Retry-After"] = "30"
        return response
