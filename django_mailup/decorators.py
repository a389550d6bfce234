"""For site views that need a MailUp connection: a decorator and a mixin that send the user through consent and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from . import services
from .exceptions import NotConnected, ReauthorizationRequired
from .models import DEFAULT_REGISTRATION, Token
from .views import authorize_redirect

View = Callable[..., HttpResponseBase]
ChooseAccount = Callable[[HttpRequest], "Token | str | None"]


def mailup_connection_required(
    view: View | None = None, *, registration: str = DEFAULT_REGISTRATION, account: ChooseAccount | None = None
) -> Any:
    """Give a view `request.mailup`, a client for the user who asks. Who has no living connection is sent to make one.

    An anonymous user goes to the login page. A connection that MailUp ends while the view runs leads to consent too.

    Args:
        view: a synchronous view.
        registration: slug of the client registration.
        account: gets the request and says which account is meant, for users who have several.

    Raises:
        MultipleConnections: from the view, when the user has several accounts and `account` names none.
    """

    def decorate(inner: View) -> View:
        @wraps(inner)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = _prepare(request, registration, account)
            if response is not None:
                return response
            try:
                return inner(request, *args, **kwargs)
            except ReauthorizationRequired:
                return authorize_redirect(request, registration=registration)

        return wrapper

    return decorate if view is None else decorate(view)


class MailUpConnectionRequiredMixin:
    """The same for class-based views: `self.request.mailup` is the client."""

    mailup_registration = DEFAULT_REGISTRATION

    def get_mailup_account(self, request: HttpRequest) -> Token | str | None:
        """Say which account is meant, for users who have several."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        inner: View = super().dispatch  # type: ignore[misc]
        guarded = mailup_connection_required(
            inner, registration=self.mailup_registration, account=self.get_mailup_account
        )
        response: HttpResponseBase = guarded(request, *args, **kwargs)
        return response


def _prepare(request: HttpRequest, registration: str, account: ChooseAccount | None) -> HttpResponse | None:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    chosen = account(request) if account is not None else None
    try:
        request.mailup = services.client_for(request.user, account=chosen, registration=registration)  # type: ignore[attr-defined]
    except (NotConnected, ReauthorizationRequired):
        return authorize_redirect(request, registration=registration)
    return None
