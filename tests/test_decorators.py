"""mailup_connection_required and its mixin: through login and consent, and back to the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import iscoroutine
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views.generic import View

from django_mailup.decorators import MailUpConnectionRequiredMixin, MailUpRequest, mailup_connection_required
from django_mailup.exceptions import MultipleConnections, NotConnected
from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_for_site, connect_with_password, register

pytestmark = pytest.mark.django_db


@mailup_connection_required
def plain(request: MailUpRequest) -> HttpResponse:
    return HttpResponse(request.mailup.account.info().username)


@mailup_connection_required(account=lambda request: request.GET.get("account"))
def chosen(request: MailUpRequest) -> HttpResponse:
    return HttpResponse(request.mailup.account.info().username)


class PageOfAccount(MailUpConnectionRequiredMixin, View):
    def get_mailup_account(self, request: HttpRequest) -> str | None:
        return request.GET.get("account")

    def get(self, request: MailUpRequest) -> HttpResponse:
        return HttpResponse(request.mailup.account.info().username)


class Page(MailUpConnectionRequiredMixin, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return plain(request)


class PageWithMethod(View):
    @method_decorator(mailup_connection_required)
    def get(self, request: MailUpRequest) -> HttpResponse:
        return HttpResponse(request.mailup.account.info().username)


@method_decorator(mailup_connection_required(), name="dispatch")
class PageWithDispatch(View):
    def get(self, request: MailUpRequest) -> HttpResponse:
        return HttpResponse(request.mailup.account.info().username)


VIEWS = pytest.mark.parametrize(
    "view",
    [plain, Page.as_view(), PageWithMethod.as_view(), PageWithDispatch.as_view()],
    ids=["decorator", "mixin", "method", "dispatch"],
)


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


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_post_is_not_repeated_by_a_redirect(mailup_registration: Any, user: Any, method: str) -> None:
    assert ask(plain, user, method)["Location"] == "/mailup/connect/"


def test_a_head_leads_where_a_get_does(mailup_registration: Any, user: Any) -> None:
    assert ask(plain, user, "head")["Location"] == ask(plain, user)["Location"]


@VIEWS
def test_an_anonymous_user_logs_in_first(view: Any, mailup_registration: Any) -> None:
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
    for view in (chosen, PageOfAccount.as_view()):
        assert ask(view, user, path="/?account=8765").content == b"m67890"


@mailup_connection_required(registration="second")
def of_second(request: MailUpRequest) -> HttpResponse:
    return HttpResponse(request.mailup.account.info().username)


class PageOfSecond(MailUpConnectionRequiredMixin, View):
    mailup_registration = "second"

    def get(self, request: MailUpRequest) -> HttpResponse:
        return HttpResponse(request.mailup.account.info().username)


@pytest.mark.parametrize("view", [of_second, PageOfSecond.as_view()], ids=["decorator", "mixin"])
def test_another_registration_is_used_and_named_on_the_way(
    view: Any, mailup_connection: Callable[..., Token], mailup_sandbox: Sandbox, user: Any
) -> None:
    connect_page = "/mailup/connect/?next=%2Fpage%2F%3Fa%3D1%26b%3D2&registration=second"
    mailup_connection(user)
    assert ask(view, user)["Location"] == connect_page  # a connection through the default one doesn't count

    mailup_sandbox.state.clients["second-id"] = "second-secret"
    register(slug="second", name="Second", client_id="second-id", client_secret="second-secret")
    connect_with_password(username="m67890", password="sandbox", user=user, registration="second")
    assert ask(view, user).content == b"m67890"

    mailup_sandbox.state.revoke()
    assert ask(view, user)["Location"] == connect_page  # it ended while the view ran
    assert ask(view, user)["Location"] == connect_page  # it has ended


def test_nobody_is_asked_for_the_account_of_an_anonymous_user(db: None) -> None:
    def account(request: HttpRequest) -> str:
        raise AssertionError("an anonymous user has no account")

    view = mailup_connection_required(account=account)(lambda request: HttpResponse())
    assert ask(view, AnonymousUser())["Location"] == "/admin/login/?next=/page/%3Fa%3D1%26b%3D2"


def test_a_view_that_lacks_another_connection_fails_by_itself(
    mailup_connection: Callable[..., Token], user: Any
) -> None:
    mailup_connection(user)
    view = mailup_connection_required(lambda request: HttpResponse(client_for_site().account.info().uid))

    with pytest.raises(NotConnected):
        ask(view, user)


def test_what_is_no_user_can_not_own_a_connection(user: Any) -> None:
    group = Group(name="editors")
    group.is_authenticated = True  # type: ignore[attr-defined]

    with pytest.raises(TypeError, match="belongs to a user, not to Group"):
        ask(plain, group)


def test_arguments_and_names_of_a_view_are_kept(mailup_connection: Callable[..., Token], user: Any) -> None:
    @mailup_connection_required
    def of_list(request: MailUpRequest, list_id: int, *, page: int = 0) -> HttpResponse:
        """Show a page of a list."""
        return HttpResponse(f"{list_id} {page}")

    mailup_connection(user)
    request = RequestFactory().get("/")
    request.user = user

    assert (of_list.__name__, of_list.__doc__) == ("of_list", "Show a page of a list.")
    assert of_list(request, 7, page=2).content == b"7 2"


async def asynchronous(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class AsynchronousPage(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


@pytest.mark.parametrize("view", [asynchronous, AsynchronousPage.as_view()], ids=["function", "class"])
@pytest.mark.parametrize(
    "decorate", [mailup_connection_required, mailup_connection_required()], ids=["without arguments", "with arguments"]
)
def test_an_asynchronous_view_is_refused_when_decorated(decorate: Any, view: Any) -> None:
    with pytest.raises(TypeError, match=r"is asynchronous.*define it with `def`"):
        decorate(view)


@pytest.mark.parametrize("name", ["get", "post", "dispatch"])
def test_the_mixin_refuses_an_asynchronous_handler_when_the_class_is_defined(name: str) -> None:
    with pytest.raises(TypeError, match=r"asynchronous is asynchronous.*define it with `def`"):
        type("Page", (MailUpConnectionRequiredMixin, View), {name: asynchronous})


@method_decorator(mailup_connection_required, name="dispatch")
class AsynchronousDispatch(AsynchronousPage):
    pass


class AsynchronousMethod(View):
    @method_decorator(mailup_connection_required)
    async def get(self, request: MailUpRequest) -> HttpResponse:
        return HttpResponse()


@pytest.mark.parametrize(
    "view",
    [
        AsynchronousMethod.as_view(),
        AsynchronousDispatch.as_view(),
        mailup_connection_required(lambda request: asynchronous(request)),
    ],
    ids=["method", "dispatch", "callable"],
)
def test_an_asynchronous_view_that_can_not_be_told_is_refused_when_called(
    mailup_connection: Callable[..., Token], user: Any, view: Any
) -> None:
    mailup_connection(user)

    with pytest.raises(TypeError, match=r"is asynchronous.*define it with `def`"):
        drain(ask(view, user))


def drain(response: Any) -> None:
    """Await a response that is a coroutine: Django 6.0 and later call an asynchronous method inside one."""
    if iscoroutine(response):
        asyncio.run(response)
