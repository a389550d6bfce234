"""Views that need a MailUp connection: a decorator and a mixin that send the user to connect, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast, overload

from asgiref.sync import iscoroutinefunction
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.views.generic import View

from . import services
from .exceptions import NotConnected, ReauthorizationRequired
from .http import MailUpRequest
from .models import DEFAULT_REGISTRATION, Token
from .views import authorize_redirect

if TYPE_CHECKING:
    from django.views.generic.base import TemplateResponseMixin

    class _AnyView(TemplateResponseMixin[Any], View[Any]):
        """What the mixin is mixed into. Both bases declare `request`; so mypy accepts the mixin's narrower type."""

else:
    _AnyView = object

__all__ = ["MailUpConnectionRequiredMixin", "MailUpRequest", "mailup_connection_required"]

P = ParamSpec("P")
Response = TypeVar("Response", bound=HttpResponseBase)
SiteView = Callable[Concatenate[MailUpRequest, P], Response]
"""A view that needs a connection."""
DecoratedView = Callable[Concatenate[HttpRequest, P], Response | HttpResponseRedirect]
"""The same as Django calls it: with any request. It may redirect to the login page or to the page that connects."""
ChooseAccount = Callable[[HttpRequest], Token | str | None]

_ASYNC: Final = (
    "{name} is asynchronous, which isn't supported yet for views with a MailUp connection: define it with `def` instead"
    " of `async def`. Under ASGI, Django runs such a view in a thread."
)


@overload
def mailup_connection_required(
    view: SiteView[P, Response], /, *, registration: str = ..., account: ChooseAccount | None = ...
) -> DecoratedView[P, Response]: ...


@overload
def mailup_connection_required(
    *, registration: str = ..., account: ChooseAccount | None = ...
) -> Callable[[SiteView[P, Response]], DecoratedView[P, Response]]: ...


def mailup_connection_required(
    view: Callable[..., Any] | None = None,
    /,
    *,
    registration: str = DEFAULT_REGISTRATION,
    account: ChooseAccount | None = None,
) -> Callable[..., Any]:
    """Decorate a view that needs a MailUp connection: it gets `request.mailup`, a client that acts for `request.user`.

    An anonymous user is redirected to the login page. A user without an active connection is redirected to the page
    that connects, and comes back afterwards; so is one whose connection MailUp ends while the view runs.

    Methods are decorated by Django's `method_decorator`.

    Args:
        view: a synchronous view. Its first argument is a `MailUpRequest`.
        registration: slug of the client registration.
        account: is called with the request, and returns which MailUp account is meant, for users who have several:
            a Token, an account UID, or None for the only one.

    Raises:
        TypeError: when decorating, if the view is asynchronous (a method under `method_decorator`: when it is called);
            from the view, if `request.user` can't own a connection.
        MultipleConnections: from the view, if the user has several accounts and `account` names none.
        DecryptionFailed: from the view, if the stored token can't be read with the configured keys.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        _refuse_async(view)

        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return _call(view, request, args, kwargs, registration, account)

        return wrapper

    return decorate if view is None else decorate(view)


class MailUpConnectionRequiredMixin(_AnyView):
    """Do the same as `mailup_connection_required` for a class-based view: `self.request.mailup` is the client.

    Defining a class with an asynchronous handler raises TypeError.

    For mypy and pyright, `self.request` is a MailUpRequest. Pyright's rule reportIncompatibleVariableOverride rejects
    every Django view that narrows the type of `request`: switch it off if you use pyright and this mixin.
    """

    request: MailUpRequest
    mailup_registration = DEFAULT_REGISTRATION
    """Slug of the client registration."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("dispatch", *View.http_method_names):
            _refuse_async(getattr(cls, name, None))

    def get_mailup_account(self, request: HttpRequest) -> Token | str | None:
        """Return which MailUp account is meant, for users who have several: a Token, an account UID, or None."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _call(super().dispatch, request, args, kwargs, self.mailup_registration, self.get_mailup_account)


def _call(
    view: Callable[..., HttpResponseBase],
    request: HttpRequest,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    registration: str,
    account: ChooseAccount | None,
) -> HttpResponseBase:
    """Call a view with `request.mailup`, or redirect a user who can't have it."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    chosen = account(request) if account is not None else None
    try:
        client = services.client_for(request.user, account=chosen, registration=registration)
    except (NotConnected, ReauthorizationRequired):
        return authorize_redirect(request, registration=registration)
    cast(MailUpRequest, request).mailup = client
    try:
        response = view(request, *args, **kwargs)
    except ReauthorizationRequired:
        return authorize_redirect(request, registration=registration)
    if iscoroutine(response):  # `_refuse_async` can't look into every callable
        response.close()
        raise TypeError(_ASYNC.format(name=_name_of(view)))
    return response


def _refuse_async(view: object) -> None:
    if iscoroutinefunction(view):
        raise TypeError(_ASYNC.format(name=_name_of(view)))


def _name_of(view: object) -> str:
    return getattr(view, "__qualname__", None) or repr(view)
