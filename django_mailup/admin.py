"""Client registrations and connections in Django's admin. Secrets can be entered but are never shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import BigIntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import services
from .callback_origin import callback_url, origin_for
from .events import Event
from .exceptions import MailUpError, Misconfigured
from .frames import forgets_locals
from .malformed import fault_of
from .models import CONNECT_SITE, ClientRegistration, Token
from .request_secrets import hide_posted
from .secret import Secret
from .vault.sealed import MASK


def _private(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return an admin view whose faults show no secret: neither what was posted nor what it read from the database."""

    @wraps(view)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        fault = fault_of(request)
        try:
            hide_posted(request, "new_secret")  # also if it is refused: Django's debug page shows what was posted
        except (LookupError, OverflowError, ValueError):
            fault = fault or "The request's form can't be read."
        if fault:
            raise BadRequest(fault)
        return view(request, *args, **kwargs)

    return forgets_locals(call)


def _is_primary_key(text: str) -> bool:
    """Return whether a text is a number that a primary key can be. SQLite raises an OverflowError for larger ones."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= BigIntegerField.MAX_BIGINT


def _logs_refusal(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view of a ModelAdmin: it logs when it refuses its user."""

    @wraps(view)
    def wrapper(self: GuardedAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(self, request, *args, **kwargs)
        except PermissionDenied:
            self.log_refusal(request, view.__name__.removesuffix("_view"))
            raise

    return wrapper


class GuardedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin that logs which pages and actions it refuses to whom. Faults of its views show no secret."""

    def get_urls(self) -> list[Any]:
        urls = super().get_urls()
        for url in urls:
            url.callback = _private(url.callback)
        return urls

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a row. Django looks for a field without a name, and fails, if the parameter `_to_field` is empty."""
        return super().get_object(request, object_id, from_field or None)

    add_view = _logs_refusal(admin.ModelAdmin.add_view)
    change_view = _logs_refusal(admin.ModelAdmin.change_view)
    delete_view = _logs_refusal(admin.ModelAdmin.delete_view)
    history_view = _logs_refusal(admin.ModelAdmin.history_view)

    @_logs_refusal
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list, or do an action. Django passes over an action that needs another permission in silence."""
        if not all(map(_is_primary_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest("A row of an action must be named by its primary key.")
        known = {*(self.actions or ()), "delete_selected"}
        for action in known.intersection(request.POST.getlist("action")).difference(self.get_actions(request)):
            self.log_refusal(request, str(action))
        return super().changelist_view(request, extra_context)

    def log_refusal(self, request: HttpRequest, action: str) -> None:
        """Log that the user of a request may not do an action of this admin."""
        name = f"admin.{self.opts.model_name}.{action}"
        Event.ACTION_REFUSED.log(action=name, reason="no_permission", user=str(request.user.pk))


class ClientRegistrationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A client registration whose secret can be set and replaced, but is never shown."""

    new_secret = forms.Field(
        label=gettext_lazy("Client secret"),
        required=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("It is stored encrypted and never shown. Leave it blank to keep the present one."),
    )

    class Meta:
        model = ClientRegistration
        fields = ["name", "slug", "client_id", "enabled"]

    def clean_new_secret(self) -> Secret:
        entered = self.cleaned_data["new_secret"]
        secret = Secret((entered.value if isinstance(entered, Secret) else str(entered or "")).strip())
        ProhibitNullCharactersValidator()(secret.value)
        if not secret.value and not self.instance.client_secret:
            raise forms.ValidationError(_("A client secret is needed."), code="required")
        if secret.value:
            try:
                self.instance.client_secret = secret.value
            except MailUpError as error:  # the keys can't be had now, or the setting is wrong
                raise forms.ValidationError(str(error)) from None
        return secret

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["new_secret"].value or "client_id" in self.changed_data:
            services.clear_refusal(self.instance)
        return super().save(commit)


@admin.register(ClientRegistration)
class ClientRegistrationAdmin(GuardedAdmin):
    form = ClientRegistrationForm
    list_display = ["name", "slug", "client_id", "enabled", "state", "updated_at"]
    list_filter = ["enabled"]
    search_fields = ["name", "slug", "client_id"]
    actions = ["forget_form_of_state"]
    readonly_fields = [
        "stored_secret",
        "redirect_uri",
        "state",
        "error",
        "failed_at",
        "retry_at",
        "echoes_state",
        "created_at",
        "updated_at",
    ]
    fieldsets = [
        (None, {"fields": ["name", "slug", "enabled"]}),
        (gettext_lazy("At MailUp"), {"fields": ["client_id", "stored_secret", "new_secret", "redirect_uri"]}),
        (
            gettext_lazy("State"),
            {"fields": ["state", "error", "failed_at", "retry_at", "echoes_state", "created_at", "updated_at"]},
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [
                (name, {"fields": [each for each in options["fields"] if each != "new_secret"]})
                for name, options in self.fieldsets
            ]
        return self.fieldsets

    @admin.display(description=gettext_lazy("stored secret"))
    def stored_secret(self, registration: ClientRegistration) -> str:
        return MASK if registration.client_secret else "—"

    @admin.display(description=gettext_lazy("redirect URI, to copy"))
    def redirect_uri(self, registration: ClientRegistration) -> str:
        return str(getattr(registration, "redirect_uri", ""))

    @admin.action(description=gettext_lazy("Forget whether MailUp sends state back"), permissions=["change"])
    def forget_form_of_state(self, request: HttpRequest, registrations: QuerySet[ClientRegistration]) -> None:
        done = registrations.update(echoes_state=None)
        message = ngettext("Forgotten for %d registration.", "Forgotten for %d registrations.", done)
        self.message_user(request, message % done, messages.SUCCESS)

    @admin.display(description=gettext_lazy("state"))
    def state(self, registration: ClientRegistration) -> str:
        if not registration.enabled:
            return _("disabled")
        return _("refused by MailUp") if registration.failed_at else _("in order")

    @admin.display(description=gettext_lazy("last error"))
    def error(self, registration: ClientRegistration) -> str:
        return str(registration.last_error or "—")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra_context = {
            **(extra_context or {}),
            "may_connect_site": request.user.has_perm(CONNECT_SITE),
        }
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            uri = callback_url(origin_for(request))
        except (Misconfigured, NoReverseMatch) as error:
            uri = str(error)
        context["adminform"].form.instance.redirect_uri = uri  # the method of a readonly field gets no request
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Token)
class TokenAdmin(GuardedAdmin):
    list_display = ["account", "owner", "company", "registration", "status", "expires_at", "refreshed_at", "error"]
    list_filter = ["status", "registration"]
    list_select_related = ["registration", "user"]
    search_fields = ["account_uid", "account_username", "company"]
    actions = ["refresh_now", "test_connection", "disconnect"]
    fields = (
        "account",
        "account_uid",
        "company",
        "owner",
        "registration",
        "status",
        "error",
        "failure_count",
        "blocked_until",
        "failed_at",
        "masked_tokens",
        "expires_at",
        "refresh_at",
        "connected_at",
        "refreshed_at",
        "generation",
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a connection. Its fields are read-only; the permission to change it is for the actions."""
        if request.method == "POST":
            raise PermissionDenied
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """Return the actions without Django's deletion, which *Disconnect* replaces. Django 6.1 adds an argument."""
        actions = super().get_actions(request, *([] if action_location is None else [action_location]))
        actions.pop("delete_selected", None)
        return actions

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context.update(show_save=False, show_save_and_continue=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        assert isinstance(obj, Token)
        services.disconnect(obj, request=request)

    @admin.display(description=gettext_lazy("account"), ordering="account_username")
    def account(self, token: Token) -> str:
        return str(token)

    @admin.display(description=gettext_lazy("owner"), ordering="user")
    def owner(self, token: Token) -> str:
        return str(token.user) if token.user is not None else _("this site")

    @admin.display(description=gettext_lazy("last error"))
    def error(self, token: Token) -> str:
        return str(token.last_error or "—")

    @admin.display(description=gettext_lazy("tokens"))
    def masked_tokens(self, token: Token) -> str:
        return _("stored encrypted, never shown")

    @admin.action(description=gettext_lazy("Refresh now"), permissions=["change"])
    def refresh_now(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        done = self._each(request, tokens, services.refresh)
        self._report(request, done, ngettext("%d connection renewed.", "%d connections renewed.", done))

    @admin.action(description=gettext_lazy("Test connection"), permissions=["view"])
    def test_connection(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Call MailUp with each stored access token. Whoever may only view changes nothing: none is renewed."""

        def call(token: Token) -> object:
            return services.client_of(token, identify=False, renew=False).account.info()

        done = self._each(request, tokens, call)
        self._report(request, done, ngettext("%d connection works.", "%d connections work.", done))

    @admin.action(description=gettext_lazy("Disconnect"), permissions=["delete"])
    def disconnect(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        done = self._each(request, tokens, lambda token: services.disconnect(token, request=request))
        self._report(request, done, ngettext("%d account disconnected.", "%d accounts disconnected.", done))

    def _each(self, request: HttpRequest, tokens: QuerySet[Token], do: Callable[[Token], object]) -> int:
        """Call `do` with each row, and return for how many it succeeded. Show each error with its account's name."""
        done = 0
        for token in tokens:
            try:
                do(token)
                done += 1
            except MailUpError as error:
                sentence = _("Account %(account)s: %(error)s") % {"account": token, "error": error}
                self.message_user(request, sentence, messages.ERROR)
        return done

    def _report(self, request: HttpRequest, done: int, message: str) -> None:
        if done:
            self.message_user(request, message % done, messages.SUCCESS)
