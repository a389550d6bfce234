"""The people whose browsers send hostile requests, what they may do, and the site's rows that could be spoiled."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from django_mailup import services
from django_mailup.models import AuthorizationRequest, ClientRegistration, Token
from django_mailup.sandbox import Sandbox
from tests.journey import consent

PERMISSIONS: Final[dict[str, tuple[str, ...]]] = {
    "ada": (),
    "leo": (),
    "viewer": ("view_token", "view_clientregistration"),
    "editor": ("view_clientregistration", "change_clientregistration", "view_token", "change_token"),
    "officer": ("connect_site",),
}
"""Permissions of each user who isn't a superuser. The last three are staff."""
NAMES: Final = ("nobody", "root", *PERMISSIONS)
ACCOUNTS: Final = ("m12345", "m67890")
PAGE_LEADS_TO: Final = re.compile(r'content="0;\s*url=([^"]+)"')


@dataclass(frozen=True, eq=False)
class Browser:
    """One browser session. `user_pk` is None and `may` empty for somebody who isn't logged in."""

    name: str
    user_pk: int | None
    is_staff: bool
    may: frozenset[str]
    cookie: str


@dataclass(frozen=True)
class Answer:
    """MailUp's answer on its way back to our callback: the browser that it belongs to, path and parameters."""

    browser: Browser
    path: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def code(self) -> str:
        return dict(self.parameters)["code"]


@dataclass
class World:
    """A site with connections of two users and its own, and a browser for each kind of person.

    Attributes:
        answers: answers of MailUp that haven't arrived at the callback yet.
        codes: the browser that each code of these answers belongs to, also after the code was used.
        requested_by: the browser that each AuthorizationRequest belongs to, by its key.
        token_pks, registration_pks, token_keys: primary keys and keys for requests to name.
    """

    sandbox: Sandbox
    browsers: list[Browser] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    codes: dict[str, Browser] = field(default_factory=dict)
    requested_by: dict[Any, Browser] = field(default_factory=dict)
    token_pks: list[str] = field(default_factory=list)
    token_keys: list[str] = field(default_factory=list)
    registration_pks: list[str] = field(default_factory=list)

    def populate(self) -> None:
        """Create the users, the registration, the connections, and some authorizations that are under way."""
        users = get_user_model().objects
        people = [users.create_superuser("root", password="x")]
        for name, codenames in PERMISSIONS.items():
            person = users.create_user(name, password="x", is_staff=name not in ("ada", "leo"))
            person.user_permissions.set(
                Permission.objects.filter(codename__in=codenames, content_type__app_label="django_mailup")
            )
            people.append(person)
        self.browsers = [Browser("nobody", None, False, frozenset(), "")]
        for person in [*people, *people[1:3]]:  # Ada and Leo have a second browser each
            client = Client()
            client.force_login(person)
            may = frozenset(name.partition(".")[2] for name in person.get_all_permissions() if "mailup" in name)
            cookie = client.cookies["sessionid"].value
            self.browsers.append(Browser(person.username, person.pk, person.is_staff, may, cookie))
        self.registration, _ = services.register(
            name="Sandbox", client_id=self.sandbox.client_id, client_secret=self.sandbox.client_secret
        )
        self.users = {person.username: person for person in people}
        self.mend()
        for browser in self.browsers[1:]:
            self.press(browser)

    def mend(self) -> None:
        """Put back what somebody with the right to do so has changed, so that there is always something to spoil."""
        self.registration.save()
        ClientRegistration.objects.filter(pk=self.registration.pk).update(failed_at=None, retry_at=None, error_code="")
        ClientRegistration.objects.exclude(pk=self.registration.pk).delete()
        Token.objects.exclude(status=Token.Status.ACTIVE).delete()
        for name in ("ada", "leo", None):
            owner = self.users[name] if name else None
            for account in ACCOUNTS:
                if not Token.objects.of(user=owner).filter(account_username=account).exists():
                    services.connect_with_password(username=account, password="sandbox", user=owner)
        for browser in self.browsers[1:]:
            mine = AuthorizationRequest.objects.filter(user_id=browser.user_pk).order_by("-expires_at", "-pk")
            AuthorizationRequest.objects.filter(pk__in=[row.pk for row in mine[20:]]).delete()
        self.token_pks = [str(pk) for pk in Token.objects.order_by("pk").values_list("pk", flat=True)]
        self.token_keys = [str(key) for key in Token.objects.order_by("pk").values_list("key", flat=True)]
        self.registration_pks = [str(self.registration.pk)]
        waiting = set(AuthorizationRequest.objects.values_list("key", flat=True))
        self.requested_by = {key: each for key, each in self.requested_by.items() if key in waiting}

    def note_requests(self, browser: Browser, keys: Iterable[Any]) -> None:
        """Remember that these AuthorizationRequests were made by a browser."""
        self.requested_by = {**self.requested_by, **dict.fromkeys(keys, browser)}

    def press(self, browser: Browser, account: str = ACCOUNTS[0], **fields: Any) -> Answer:
        """Press Connect and consent on MailUp's page. Return MailUp's answer, which is kept in `answers`."""
        before = set(AuthorizationRequest.objects.values_list("key", flat=True))
        response = self.client(browser).post("/mailup/connect/", fields)
        self.note_requests(browser, set(AuthorizationRequest.objects.values_list("key", flat=True)) - before)
        found = consent(self.sandbox, leads_to(response), account)
        answer = Answer(browser, found.pop("path"), tuple(found.items()))
        self.answers = [*self.answers[-30:], answer]
        self.codes[answer.code] = browser
        return answer

    def come_back(self, answer: Answer) -> str:
        """Follow MailUp's answer to the callback with the browser it belongs to. Return where it leads, or ""."""
        response = self.client(answer.browser).get(f"{answer.path}?{urlencode(answer.parameters)}")
        return leads_to(response) if response.status_code < 400 else ""

    def client(self, browser: Browser) -> Client:
        """Return a test client with a browser's session."""
        client = Client(raise_request_exception=False)
        if browser.cookie:
            client.cookies["sessionid"] = browser.cookie
        return client


def leads_to(response: Any) -> str:
    """Return the URL that an answer leads to: a redirect's, or that of a page that leads on by itself.

    Raises:
        AssertionError: the answer leads nowhere.
    """
    if "Location" in response:
        return str(response["Location"])
    found = PAGE_LEADS_TO.search(response.content.decode())
    assert found is not None, f"status {response.status_code} leads nowhere"
    return html.unescape(found[1])
