"""The pages a user sees: their connections, connect, MailUp's callback, disconnect, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.sessions.backends import signed_cookies
from django.db import connections as database_connections
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from . import services
from .callback_origin import callback_url, is_at, origin_for
from .conf import app_settings
from .connections.answer import Answer
from .events import Event
from .exceptions import AccountMismatch, MailUpError
from .failures import FAILURES, name_of
from .frames import forgets_locals
from .malformed import refuse_malformed
from .models import CONNECT_SITE, DEFAULT_REGISTRATION, ClientRegistration, Token
from .pages import lead_on, private_page, private_url
from .request_secrets import CallbackURL, take_url
from .secret import Secret

RELOADED: Final = "reloaded"
"""Query parameter that marks the second request for the same callback."""

ViewFunction = TypeVar("ViewFunction", bound=Callable[..., HttpResponseBase])


def non_atomic(view: ViewFunction) -> ViewFunction:
    """Decorate a view so that ATOMIC_REQUESTS opens no transaction for it on any database.

    The rollback of a transaction would restore a state whose code is already spent.
    """
    for alias in database_connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


@method_decorator([private_page, refuse_malformed], name="dispatch")
class ConnectionsView(LoginRequiredMixin, TemplateView):
    """List the user's connections, with buttons to connect, reconnect and disconnect."""

    template_name = "django_mailup/connections.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tokens = (
            Token.objects.filter(user_id=cast(int, self.request.user.pk))
            .select_related("registration")
            .defer("access_token")
        )
        registrations = ClientRegistration.objects.filter(enabled=True).only("name", "slug")
        return super().get_context_data(tokens=tokens, registrations=registrations, **kwargs)


class AuthorizeForm(forms.Form):
    """The parameters of AuthorizeView; all are optional.

    Attributes:
        registration: slug of the client registration.
        reconnect: key of the connection to authorize again.
        for_site: whether the connection is to be the site's own.
        next: the URL on this site to go to afterwards.
    """

    registration = forms.SlugField(required=False)
    reconnect = forms.UUIDField(required=False)
    for_site = forms.BooleanField(required=False)
    next = forms.CharField(required=False)


@method_decorator([non_atomic, private_page, refuse_malformed, forgets_locals], name="dispatch")
class AuthorizeView(LoginRequiredMixin, View):
    """Start an authorization: GET shows a page with one button, POST answers with a page that leads to MailUp.

    On another host than that of CALLBACK_ORIGIN both lead to the page on that host: the session must be there to which
    MailUp sends the user back.

    A user needs the permission `django_mailup.connect_site` to connect the site itself, and gets 404 without it.
    """

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        form = AuthorizeForm(request.GET)
        parameters = form.cleaned_data if form.is_valid() else {}
        try:
            origin = origin_for(request)
        except MailUpError as error:
            return _redirect_to_failure(error.code)
        if not is_at(request, origin):
            return self._lead_to_origin(request, origin, parameters)
        hidden_fields = {name: value for name, value in parameters.items() if value}
        return render(request, "django_mailup/authorize.html", {"fields": hidden_fields})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AuthorizeForm(request.POST)
        if not form.is_valid():
            return _redirect_to_failure("error")
        parameters = form.cleaned_data
        try:
            origin = origin_for(request)
            if not is_at(request, origin):
                return self._lead_to_origin(request, origin, parameters)
            reconnect = self._token_to_reconnect(request, parameters["reconnect"])
            for_site = parameters["for_site"] or (reconnect is not None and reconnect.user_id is None)
            if for_site and not request.user.has_perm(CONNECT_SITE):
                raise _refusal(request, "connect_site", "no_permission")
            url = services.begin(
                user=request.user,
                session=session_secret(request),
                callback_url=callback_url(origin),
                registration=parameters["registration"] or DEFAULT_REGISTRATION,
                next_url=safe_next(request, parameters["next"]),
                reconnect=reconnect,
                for_site=for_site,
            )
        except MailUpError as error:
            return _redirect_to_failure(error.code)
        return lead_on(request, url)

    def _lead_to_origin(self, request: HttpRequest, origin: str, parameters: dict[str, Any]) -> HttpResponse:
        """Return a page that leads to this page on another origin. Of `next` it keeps path and query alone."""
        next_url = urlsplit(safe_next(request, parameters.get("next", "")))
        kept = {**parameters, "next": next_url._replace(scheme="", netloc="").geturl()}
        query = urlencode({name: value for name, value in kept.items() if value})
        return lead_on(request, f"{origin}{reverse('django_mailup:authorize')}{'?' if query else ''}{query}")

    def _token_to_reconnect(self, request: HttpRequest, key: UUID | None) -> Token | None:
        """Return the connection with this key. Raise Http404 if it is another user's."""
        if key is None:
            return None
        token = Token.objects.select_related("registration").filter(key=key).first()
        if token is None or token.user_id not in (request.user.pk, None):
            raise _refusal(request, "reconnect", "not_owner" if token else "not_found")
        return token


@method_decorator([login_not_required, non_atomic, private_url, refuse_malformed, forgets_locals], name="dispatch")
class CallbackView(View):
    """Receive the browser that MailUp sends back (RFC 6749 section 4.1.2), and connect the account.

    Every outcome redirects to a URL without code and state.
    """

    http_method_names = ["get"]

    url: CallbackURL

    def setup(self, request: HttpRequest, *args: Any, state: Secret | None = None, **kwargs: Any) -> None:
        """Take code and state off the request before anything can fail."""
        self.url = take_url(request, state)
        super().setup(request, *args, **kwargs)

    def get(self, request: HttpRequest, state: Secret | None = None) -> HttpResponse:
        if not request.user.is_authenticated:
            if self._may_lack_session_cookie(request):
                return self._reload(request)
            Event.CALLBACK_REJECTED.log(error="login_lost", reason="", user="", registration="")
            return _redirect_to_failure("login_lost")
        session, answer = session_secret(request), self._answer()
        try:
            if answer.lacks_state:
                return lead_on(request, services.begin_again(user=request.user, session=session))
            completed = services.complete(user=request.user, session=session, answer=answer, request=request)
        except AccountMismatch as error:
            messages.error(request, str(error), fail_silently=True)
            return _redirect_to_failure(error.code)
        except MailUpError as error:
            return _redirect_to_failure(error.code)
        message = _("MailUp account %(account)s is connected.") % {"account": completed.token}
        messages.success(request, message, fail_silently=True)  # the site may not have django.contrib.messages
        return HttpResponseRedirect(completed.next_url or resolve_url(app_settings.CONNECTED_URL))

    def _answer(self) -> Answer:
        parameters = self.url.parameters
        return Answer(
            code=parameters.get("code", ""),
            error=parameters.get("error", ""),
            state_in_path=self.url.state,
            state_in_query=parameters.get("state", ""),
            repeated=any(len(parameters.getlist(name)) > 1 for name in ("code", "error", "state")),
        )

    def _may_lack_session_cookie(self, request: HttpRequest) -> bool:
        """Return whether the browser may have kept back the session cookie because the request came from MailUp's site.

        Browsers do that with SameSite=Strict. They send the cookie when a page of this site asks for the same URL.
        """
        strict = str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict"
        return strict and settings.SESSION_COOKIE_NAME not in request.COOKIES and RELOADED not in request.GET

    def _reload(self, request: HttpRequest) -> HttpResponse:
        """Return a page of this site that leads the browser to the same URL again, once."""
        query = QueryDict(self.url.query, mutable=True, encoding="utf-8")
        query[RELOADED] = "1"
        return lead_on(request, f"{self.url.path}?{query.urlencode()}")


@method_decorator([private_page, refuse_malformed], name="dispatch")
class DisconnectView(LoginRequiredMixin, View):
    """Disconnect one of the user's accounts: GET asks for confirmation, POST deletes the connection."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, key: UUID) -> HttpResponse:
        return render(request, "django_mailup/disconnect.html", {"token": self._own_token(request, key)})

    def post(self, request: HttpRequest, key: UUID) -> HttpResponse:
        token = self._own_token(request, key)
        services.disconnect(token, request=request)
        message = _("%(account)s is disconnected. You can also withdraw your consent in MailUp's console.")
        messages.success(request, message % {"account": token}, fail_silently=True)
        return redirect("django_mailup:connections")

    def _own_token(self, request: HttpRequest, key: UUID) -> Token:
        token = Token.objects.select_related("registration").filter(key=key).first()
        if token is None or token.user_id != request.user.pk:
            raise _refusal(request, "disconnect", "not_owner" if token else "not_found")
        return token


@method_decorator([login_not_required, private_page, refuse_malformed], name="dispatch")
class FailedView(View):
    """Say what went wrong and what to do. The URL holds the reason and nothing else."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, reason: str) -> HttpResponse:
        if reason not in FAILURES:
            raise Http404
        failure = FAILURES[reason]
        return render(request, "django_mailup/failed.html", {"failure": failure}, status=failure.status)


def authorize_redirect(request: HttpRequest, *, registration: str = DEFAULT_REGISTRATION) -> HttpResponseRedirect:
    """Return a redirect to the page that starts an authorization. A GET is repeated after it, another method isn't."""
    parameters = {"next": request.get_full_path()} if request.method in ("GET", "HEAD") else {}
    if registration != DEFAULT_REGISTRATION:
        parameters["registration"] = registration
    query = f"?{urlencode(parameters)}" if parameters else ""
    return HttpResponseRedirect(reverse("django_mailup:authorize") + query)


def safe_next(request: HttpRequest, url: str) -> str:
    """Return the URL if it leads to this site, else ""."""
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return url if safe else ""


def session_secret(request: HttpRequest) -> str:
    """Return a secret of this browser session, creating the session if there is none.

    This is the session key, because a value inside the session would be overwritten by another tab that starts an
    authorization at the same time. A session in a signed cookie has no key, and gets a random value inside.
    """
    session = request.session
    if isinstance(session, signed_cookies.SessionStore):
        if "django_mailup" not in session:
            session["django_mailup"] = get_random_string(32)
        return str(session["django_mailup"])
    if session.session_key is None:
        session.create()
    return str(session.session_key)


def _refusal(request: HttpRequest, action: str, reason: str) -> Http404:
    """Log that a user may not do something, and return the exception that says there is no such page."""
    Event.ACTION_REFUSED.log(action=action, reason=reason, user=str(request.user.pk))
    return Http404()


def _redirect_to_failure(code: str) -> HttpResponse:
    """Return a redirect to the page that explains an exception's code."""
    return redirect("django_mailup:failed", reason=name_of(code))
