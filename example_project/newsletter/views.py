"""The pages of the newsletter site: account, lists and groups, recipients, imports, statistics, and a sign-up form."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView

from django_mailup.decorators import MailUpConnectionRequiredMixin, MailUpRequest, mailup_connection_required
from django_mailup.exceptions import BadFile, NotConnected
from django_mailup.mailup import Field
from django_mailup.models import Token
from django_mailup.services import client_for_site, import_csv


def chosen_account(request: HttpRequest) -> Token | None:
    """Return the connection that the user has chosen in this session, or None."""
    return Token.objects.filter(user_id=request.user.pk, pk=request.session.get("connection")).first()


def home(request: HttpRequest) -> HttpResponse:
    """Show the front page to anybody."""
    connected = request.user.is_authenticated and Token.objects.filter(user_id=request.user.pk).exists()
    return render(request, "newsletter/home.html", {"connected": connected})


@mailup_connection_required(account=chosen_account)
def account(request: MailUpRequest) -> HttpResponse:
    """Show an overview of the account."""
    return render(request, "newsletter/account.html", {"account": request.mailup.account.details()})


class Lists(MailUpConnectionRequiredMixin, TemplateView):
    """Shows the lists of the account."""

    template_name = "newsletter/lists.html"

    def get_mailup_account(self, request: HttpRequest) -> Token | None:
        return chosen_account(request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lists=list(self.request.mailup.lists.all()), **kwargs)


@mailup_connection_required(account=chosen_account)
def groups(request: MailUpRequest, list_id: int) -> HttpResponse:
    """Show a list and its groups."""
    mailing_list = next((each for each in request.mailup.lists.all() if each.id == list_id), None)
    if mailing_list is None:
        raise Http404
    context = {"list": mailing_list, "groups": list(request.mailup.groups.all(list_id=list_id))}
    return render(request, "newsletter/groups.html", context)


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Let a user with several connections choose the one for this session."""
    connections = Token.objects.filter(user_id=request.user.pk)
    if request.method == "POST":
        request.session["connection"] = get_object_or_404(connections, pk=request.POST.get("connection")).pk
        return redirect("account")
    return render(request, "newsletter/choose.html", {"connections": connections})


class RecipientForm(forms.Form):
    """A recipient to subscribe."""

    email = forms.EmailField(label="E-mail")
    name = forms.CharField(label="Name", required=False, max_length=100)


class UploadForm(forms.Form):
    """A CSV file of recipients."""

    file = forms.FileField(label="CSV file with the columns email and name")


class SignUpForm(forms.Form):
    """A visitor's request for the newsletter."""

    email = forms.EmailField(label="Your e-mail")
    name = forms.CharField(label="Your name", required=False, max_length=100)


@mailup_connection_required(account=chosen_account)
def recipients(request: MailUpRequest, list_id: int) -> HttpResponse:
    """Show the first 50 subscribers of a list: all, or those whose address contains the searched text."""
    wanted = request.GET.get("q", "").strip()
    where = Field("Email").contains(wanted) if wanted else None
    found = request.mailup.recipients.subscribed(list_id=list_id, where=where, page_size=50)
    context = {
        "list": request.mailup.lists.get(list_id=list_id),
        "recipients": list(itertools.islice(found, 50)),
        "wanted": wanted,
        "form": RecipientForm(),
        "upload": UploadForm(),
    }
    return render(request, "newsletter/recipients.html", context)


@require_POST
@mailup_connection_required(account=chosen_account)
def subscribe(request: MailUpRequest, list_id: int) -> HttpResponse:
    """Subscribe one address."""
    form = RecipientForm(request.POST)
    if form.is_valid():
        request.mailup.recipients.add(list_id=list_id, **form.cleaned_data)
        messages.success(request, f"{form.cleaned_data['email']} is subscribed.")
    else:
        messages.error(request, "Enter a valid e-mail address, and a name of at most 100 characters.")
    return redirect("recipients", list_id)


@require_POST
@mailup_connection_required(account=chosen_account)
def unsubscribe(request: MailUpRequest, list_id: int, recipient_id: int) -> HttpResponse:
    """Unsubscribe one recipient."""
    request.mailup.recipients.unsubscribe(list_id=list_id, recipient_id=recipient_id)
    messages.success(request, "The recipient is unsubscribed.")
    return redirect("recipients", list_id)


@require_POST
@mailup_connection_required(account=chosen_account)
def upload(request: MailUpRequest, list_id: int) -> HttpResponse:
    """Send a CSV file to MailUp, and redirect to the page that shows the import's progress."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, "Choose a CSV file.")
        return redirect("recipients", list_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.csv"
        path.write_bytes(form.cleaned_data["file"].read())
        try:
            outcome = import_csv(path, request.mailup, list_id=list_id)
        except BadFile as error:
            messages.error(request, str(error))
            return redirect("recipients", list_id)
    if outcome.rejected:
        messages.error(request, f"Lines left out because their address is not valid: {outcome.rejected}.")
    if not outcome.import_ids:
        return redirect("recipients", list_id)
    return redirect("import", list_id, outcome.import_ids[0])


@mailup_connection_required(account=chosen_account)
def watch_import(request: MailUpRequest, list_id: int, import_id: int) -> HttpResponse:
    """Show the progress of an import. The page refreshes itself every 2 seconds until the import is complete."""
    found = request.mailup.imports.get(import_id=import_id)
    response = render(request, "newsletter/import.html", {"import": found, "list_id": list_id})
    if not found.completed:
        response["Refresh"] = "2"
    return response


@mailup_connection_required(account=chosen_account)
def statistics(request: MailUpRequest, list_id: int) -> HttpResponse:
    """Show how many recipients opened and clicked the 5 newest messages of a list."""
    stats = request.mailup.statistics
    rows = []
    for message in itertools.islice(request.mailup.messages.all(list_id=list_id, order=["-idMessage"]), 5):
        sent = stats.message_recipients_count(message_id=message.id)
        opened = stats.message_views_count(message_id=message.id)
        clicked = stats.message_clicks_count(message_id=message.id)
        rows.append(
            {
                "message": message, "sent": sent, "opened": opened, "clicked": clicked,
                "opened_share": round(100 * opened / sent) if sent else 0,
                "clicked_share": round(100 * clicked / sent) if sent else 0,
            }
        )  # fmt: skip
    return render(request, "newsletter/statistics.html", {"rows": rows, "list_id": list_id})


def sign_up(request: HttpRequest) -> HttpResponse:
    """Show the sign-up form. It adds a visitor to a list of the site's own account, and MailUp asks them to confirm."""
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            client_for_site().recipients.add(list_id=settings.NEWSLETTER_LIST, confirm=True, **form.cleaned_data)
        except NotConnected:
            form.add_error(None, "Nobody can sign up yet. Please contact this site's administrator.")
        else:
            return render(request, "newsletter/signed_up.html", {"email": form.cleaned_data["email"]})
    return render(request, "newsletter/sign_up.html", {"form": form})
