"""A small site over MailUp: who am I, which lists have I, which groups are in them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.generic import TemplateView

from django_mailup.decorators import MailUpConnectionRequiredMixin, mailup_connection_required
from django_mailup.models import Token


def chosen_account(request: HttpRequest) -> Token | None:
    """Return the connection the user chose, if they have several."""
    return Token.objects.filter(user_id=request.user.pk, pk=request.session.get("connection")).first()


def home(request: HttpRequest) -> HttpResponse:
    """The front page, for everybody."""
    connected = request.user.is_authenticated and Token.objects.filter(user_id=request.user.pk).exists()
    return render(request, "newsletter/home.html", {"connected": connected})


@mailup_connection_required(account=chosen_account)
def account(request: HttpRequest) -> HttpResponse:
    """The account overview."""
    return render(request, "newsletter/account.html", {"account": request.mailup.account.details()})


class Lists(MailUpConnectionRequiredMixin, TemplateView):
    """The lists of the account."""

    template_name = "newsletter/lists.html"

    def get_mailup_account(self, request: HttpRequest) -> Token | None:
        return chosen_account(request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lists=list(self.request.mailup.lists.all()), **kwargs)


@mailup_connection_required(account=chosen_account)
def groups(request: HttpRequest, list_id: int) -> HttpResponse:
    """One list and its groups."""
    mailing_list = next((each for each in request.mailup.lists.all() if each.id == list_id), None)
    if mailing_list is None:
        raise Http404
    context = {"list": mailing_list, "groups": list(request.mailup.groups.all(list_id=list_id))}
    return render(request, "newsletter/groups.html", context)


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Let a user with several connections say which one this session is about."""
    connections = Token.objects.filter(user_id=request.user.pk)
    if request.method == "POST":
        request.session["connection"] = get_object_or_404(connections, pk=request.POST.get("connection")).pk
        return redirect("account")
    return render(request, "newsletter/choose.html", {"connections": connections})
