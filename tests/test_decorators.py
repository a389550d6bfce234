"""mailup_connection_required and its mixin: through login and consent, and back to the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views.generic import View

from django_mailup.decorators import MailUpConnectionRequiredMixin, mailup_connection_required
from django_mailup.exceptions import MultipleConnections
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@mailup_connection_required
def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.mailup.account.info().username)  # type: ignore[attr-defined]


@mailup_connection_required(account=lambda request: request.GET.get("account"))
def chosen(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.mailup.account.info().username)  # type: ignore[attr-defined]


class Page(MailUpConnectionRequiredMixin, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return plain(request)


VIEWS = pytest.mark.parametrize("view", [plain, Page.as_view()], ids=["decorator", "mixin"])


def ask(view: Any, user: Any, method: str = "get", path: str = "/page/?a=1&b=2") -> HttpResponse:
    request = getattr(RequestFactory(), method)(path)
    request.user = user
    response: HttpResponse = view(request)
    return response


@VIEWS
def test_a_connected_user_gets_the_page(view: Any, mailup_connection: Callable[..., Token], user: Any) -> None:
    mailup_connection(user)

    assert ask(view, user).content == b"m12345"


@VIEWS
def test_an_unconnected_user_is_sent_through_consent_and_back(view: Any, mailup_registration: Any, user: Any) -> None:
    assert ask(view, user)["Location"] == "/mailup/connect/?next=%2Fpage%2F%3Fa%3D1%26b%3D2"


def test_a_post_is_not_repeated_by_a_redirect(mailup_registration: Any, user: Any) -> None:
    assert ask(plain, user, "post")["Location"] == "/mailup/connect/"


@VIEWS
def test_an_anonymous_user_logs_in_first(view: Any, mailup_registration: Any) -> None:
    from django.contrib.auth.models import AnonymousUser

    assert ask(view, AnonymousUser())["Location"].startswith("/admin/login/?next=/page/")


@VIEWS
def test_a_dead_connection_leads_to_consent(view: Any, mailup_connection: Callable[..., Token], user: Any) -> None:
    mailup_connection(user)
    Token.objects.update(status=Token.Status.REAUTHORIZATION_REQUIRED)

    assert ask(view, user)["Location"].startswith("/mailup/connect/?next=")


@VIEWS
def test_a_connection_that_dies_on_the_way_does_too(
    view: Any, mailup_connection: Callable[..., Token], user: Any, mailup_sandbox: Sandbox
) -> None:
    mailup_connection(user)
    mailup_sandbox.state.revoke()

    assert ask(view, user)["Location"].startswith("/mailup/connect/?next=")


def test_several_accounts_are_the_views_to_choose(mailup_connection: Callable[..., Token], user: Any) -> None:
    mailup_connection(user)
    mailup_connection(user, username="m67890")

    with pytest.raises(MultipleConnections):
        ask(plain, user)
    assert ask(chosen, user, path="/?account=8765").content == b"m67890"


def test_another_registration_is_named_on_the_way(user: Any, db: None) -> None:
    view = mailup_connection_required(registration="second")(lambda request: HttpResponse())

    assert "registration=second" in ask(view, user)["Location"]
