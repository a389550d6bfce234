"""The pages a user sees: connections, connect, MailUp's callback, disconnect, and what went wrong."""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.sessions.backends import signed_cookies
from django.db import connections as database_connections
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.generic import TemplateView, View

from . import services
from .conf import app_settings
from .exceptions import AccountMismatch, MailUpError
from .failures import FAILURES, name_of
from .models import DEFAULT_REGISTRATION, ClientRegistration, Token

HOP: Final = "hop"


def non_atomic(view: Any) -> Any:
    """Keep a view out of ATOMIC_REQUESTS on every database: a rollback would forget a code that is spent."""
    for alias in database_connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


class ConnectionsView(LoginRequiredMixin, TemplateView):
    """What the user has connected, and buttons to connect, reconnect and disconnect."""

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
    """What a press of *Connect* may carry."""

    registration = forms.SlugField(required=False)
    reconnect = forms.IntegerField(required=False)
    for_site = forms.BooleanField(required=False)
    next = forms.CharField(required=False)


@method_decorator(non_atomic, name="dispatch")
class AuthorizeView(LoginRequiredMixin, View):
    """GET shows a page with one button; POST sends the browser to MailUp."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        form = AuthorizeForm(request.GET)
        fields = form.cleaned_data if form.is_valid() else {}
        return render(request, "django_mailup/authorize.html", {"fields": {k: v for k, v in fields.items() if v}})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AuthorizeForm(request.POST)
        if not form.is_valid():
            return _failed("error")
        asked = form.cleaned_data
        reconnect = self._reconnect(request, asked["reconnect"])
        for_site = asked["for_site"] or (reconnect is not None and reconnect.user_id is None)
        if for_site and not request.user.has_perm("django_mailup.connect_site"):
            raise Http404
        try:
            url = services.begin(
                user=request.user,
                session=session_secret(request),
                callback_url=request.build_absolute_uri(reverse("django_mailup:callback")),
                registration=asked["registration"] or DEFAULT_REGISTRATION,
                next_url=safe_next(request, asked["next"]),
                reconnect=reconnect,
                for_site=for_site,
            )
        except MailUpError as error:
            return _failed(error.code)
        return _sealed(HttpResponseRedirect(url))

    def _reconnect(self, request: HttpRequest, pk: int | None) -> Token | None:
        if pk is None:
            return None
        token = get_object_or_404(Token.objects.select_related("registration"), pk=pk)
        if token.user_id not in (request.user.pk, None):
            raise Http404
        return token


@method_decorator([login_not_required, non_atomic], name="dispatch")
class CallbackView(View):
    """Where MailUp sends the browser back to. Whatever happens, it redirects to an address without code and state."""

    http_method_names = ["get"]

    @method_decorator(sensitive_variables("code", "state", "received"))
    def get(self, request: HttpRequest, state: str = "") -> HttpResponse:
        received = request.GET.get("state", "")
        if not request.user.is_authenticated:
            if self._needs_hop(request):
                query = request.GET.copy()
                query[HOP] = "1"
                url = f"{request.path}?{query.urlencode()}"
                return _sealed(render(request, "django_mailup/hop.html", {"url": url}))
            return _sealed(_failed("login_lost"))
        if state and received and state != received:
            return _sealed(_failed("state_mismatch"))
        try:
            completed = services.complete(
                user=request.user,
                session=session_secret(request),
                received_state=state or received,
                code=request.GET.get("code", ""),
                error=request.GET.get("error", ""),
                request=request,
            )
        except AccountMismatch as error:
            messages.error(request, str(error), fail_silently=True)
            return _sealed(_failed(error.code))
        except MailUpError as error:
            return _sealed(_failed(error.code))
        sentence = _("MailUp account %(account)s is connected.") % {"account": completed.token}
        messages.success(request, sentence, fail_silently=True)  # a site may do without messages
        return _sealed(HttpResponseRedirect(completed.next_url or resolve_url(app_settings.CONNECTED_URL)))

    def _needs_hop(self, request: HttpRequest) -> bool:
        """A Strict session cookie doesn't come along from MailUp's site. From a page of ours it does: hop once."""
        strict = str(settings.SESSION_COOKIE_SAMESITE).lower() == "strict"
        return strict and settings.SESSION_COOKIE_NAME not in request.COOKIES and HOP not in request.GET


class DisconnectView(LoginRequiredMixin, View):
    """GET asks for confirmation, POST deletes the connection."""

    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return render(request, "django_mailup/disconnect.html", {"token": self._token(request, pk)})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        token = self._token(request, pk)
        services.disconnect(token, request=request)
        sentence = _("%(account)s is disconnected. You can also withdraw your consent in MailUp's console.")
        messages.success(request, sentence % {"account": token}, fail_silently=True)
        return redirect("django_mailup:connections")

    def _token(self, request: HttpRequest, pk: int) -> Token:
        return get_object_or_404(Token.objects.select_related("registration"), pk=pk, user=request.user)


@method_decorator(login_not_required, name="dispatch")
class FailedView(View):
    """Says what went wrong and what to do. The address holds the reason, and nothing else."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, reason: str) -> HttpResponse:
        if reason not in FAILURES:
            raise Http404
        failure = FAILURES[reason]
        return render(request, "django_mailup/failed.html", {"failure": failure}, status=failure.status)


def authorize_redirect(request: HttpRequest, *, registration: str = DEFAULT_REGISTRATION) -> HttpResponse:
    """Send a user to the page that starts an authorization, and afterwards back to where they are now."""
    fields = {"next": request.get_full_path()} if request.method in ("GET", "HEAD") else {}
    if registration != DEFAULT_REGISTRATION:
        fields["registration"] = registration
    return redirect(
        f"{reverse('django_mailup:authorize')}?{urlencode(fields)}" if fields else "django_mailup:authorize"
    )


def safe_next(request: HttpRequest, url: str) -> str:
    """Return the URL if it stays on this site, else nothing."""
    safe = url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return url if safe else ""


def session_secret(request: HttpRequest) -> str:
    """Return what only this browser session knows.

    The session's key, since ten tabs at once would overwrite each other's value inside the session. A session kept in a
    signed cookie has no key, so that one gets a value inside.
    """
    session = request.session
    if isinstance(session, signed_cookies.SessionStore):
        if "django_mailup" not in session:
            session["django_mailup"] = get_random_string(32)
        return str(session["django_mailup"])
    if session.session_key is None:
        session.create()
    return str(session.session_key)


def _failed(code: str) -> HttpResponse:
    return redirect("django_mailup:failed", reason=name_of(code))


def _sealed(response: HttpResponse) -> HttpResponse:
    """Forbid referrers, caches and frames: the address of this response may hold a code or a state."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Frame-Options"] = "DENY"
    return response
