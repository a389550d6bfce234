"""A site's code that uses a connection. README shows it, two type checkers read it, and tests run it."""

from __future__ import annotations

import itertools
from pathlib import Path

from celery import Task, shared_task
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.generic import TemplateView

from django_mailup.decorators import MailUpConnectionRequiredMixin, MailUpRequest, mailup_connection_required
from django_mailup.exceptions import APIError, MailUpUnavailable, NotConnected, RateLimited, ReauthorizationRequired
from django_mailup.models import Token
from django_mailup.services import client_for, client_for_site, import_csv
from django_mailup.signals import reauthorization_required


@mailup_connection_required  # through login and consent, and back here
def newsletters(request: MailUpRequest) -> HttpResponse:
    return render(request, "newsletters.html", {"lists": request.mailup.lists.all()})


def chosen_account(request: HttpRequest) -> str | None:
    return request.GET.get("account")  # an account UID


@mailup_connection_required(account=chosen_account)  # for users who have several accounts
def groups(request: MailUpRequest, list_id: int) -> HttpResponse:
    names = [group.name for group in request.mailup.groups.all(list_id=list_id)]
    return render(request, "groups.html", {"names": names, "user": request.user.get_username()})


class Recipients(MailUpConnectionRequiredMixin, TemplateView):
    template_name = "recipients.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        subscribed = self.request.mailup.recipients.subscribed(list_id=1)  # asks for the next page when it is needed
        emails = [recipient.email for recipient in itertools.islice(subscribed, 50)]
        return super().get_context_data(emails=emails, **kwargs)


def cities(user: User) -> dict[str, str]:
    mailup = client_for(user)
    city = next(field.id for field in mailup.fields.all() if field.name == "City")
    return {recipient.email: recipient.fields.get(city, "") for recipient in mailup.recipients.subscribed(list_id=1)}


def import_file(user: User, path: Path) -> int:
    outcome = import_csv(path, client_for(user), list_id=1)
    return outcome.sent


def sign_up(email: str) -> str:
    try:
        mailup = client_for_site()  # the site's own connection
        recipient_id = mailup.recipients.add(list_id=1, email=email, confirm=True)
    except NotConnected:
        return "This site is not connected to MailUp yet."
    except APIError as error:
        return f"MailUp refused ({error.status}): {error.description}"
    return f"MailUp has asked recipient {recipient_id} to confirm."


@shared_task(bind=True, max_retries=None)
def subscribe(self: Task[[int], None], /, user_pk: int) -> None:
    user = User.objects.get(pk=user_pk)
    mailup = client_for_site(patience=0)  # raises RateLimited instead of waiting in the worker
    try:
        mailup.recipients.add(list_id=1, email=user.email, fields={"FirstName": user.first_name})
    except RateLimited as error:
        raise self.retry(countdown=error.retry_after, exc=error) from error
    except MailUpUnavailable as error:
        raise self.retry(countdown=60, exc=error) from error


@receiver(reauthorization_required)
def ask_to_connect_again(token: Token, error: ReauthorizationRequired, **kwargs: object) -> None:
    user = token.user  # None: the site's own connection
    if isinstance(user, User):
        send_mail("MailUp", f"Please connect {token.account_username} again: {error}", None, [user.email])
