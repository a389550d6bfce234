"""The journey: seventeen steps in the life of a connection, from registering the client to disconnecting.

Each step checks what it did. `--sabotage` breaks one of them on purpose, to show that its check can fail.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.services import client_for, client_for_site

from .browser import Browser, Form

STEPS = (
    "register",
    "press-connect",
    "login-and-consent",
    "callback",
    "ciphertext",
    "account",
    "lists",
    "recipients",
    "renewed-by-beat",
    "renewed-on-demand",
    "401-intercepted",
    "outage-survived",
    "grant-withdrawn",
    "reconnected",
    "site-connection",
    "sign-up",
    "disconnected",
)
TOKEN_ENDPOINT = "/Authorization/OAuth/Token"
CALL_MARGIN = timedelta(seconds=30)  # a call renews a token that expires sooner than this


class Wrong(Exception):
    """A check of a step failed."""


def require(condition: object, sentence: str) -> None:
    """Raise Wrong with this sentence if the condition is false."""
    if not condition:
        raise Wrong(sentence)


class Journey:
    """Runs the steps against a demo whose processes are running. `sabotage` is the step to break, if any."""

    def __init__(self, sabotage: str | None = None) -> None:
        self._sabotage = sabotage
        self._site = os.environ["DEMO_SITE"]
        self._mailup = settings.MAILUP["BASE_URL"]
        self._ada, self._admin = Browser(), Browser()
        self._step = ""

    def play(self, say: Callable[[str], None]) -> tuple[int, int]:
        """Run the steps until one fails, and pass a line for each to `say`. Return how many passed and failed."""
        for passed, self._step in enumerate(STEPS):
            try:
                seen = getattr(self, "_" + self._step.replace("-", "_").replace("401", "unauthorized"))()
            except (Wrong, requests.RequestException) as error:
                say(f"FAILED {self._step}: {error}")
                return passed, 1
            except Exception as error:
                say(f"FAILED {self._step}: {type(error).__name__}: {error}")
                return passed, 1
            say(f"ok     {self._step}: {seen}")
        return len(STEPS), 0

    @property
    def _sabotaged(self) -> bool:
        return self._sabotage == self._step

    # ----------------------------------------------------------------------------------- the steps

    def _register(self) -> str:
        out = io.StringIO()
        for _ in range(2):
            call_command("mailup_register", interactive=False, stdout=out)
        if self._sabotaged:
            ClientRegistration.objects.all().delete()
        registrations = list(ClientRegistration.objects.all())
        require(len(registrations) == 1, f"there are {len(registrations)} registrations instead of one")
        require(os.environ["MAILUP_CLIENT_SECRET"] not in out.getvalue(), "the secret was printed")
        self._turn(access_lifetime=16)  # seconds, so that beat soon finds it due
        return f"client {registrations[0].client_id} is “{registrations[0].slug}”, once although registered twice"

    def _press_connect(self) -> str:
        self._log_in(self._ada, "ada")
        page = self._ada.follow(self._ada.get(f"{self._site}/account/"))
        form = self._form(self._ada, page, "Connect MailUp")
        if self._sabotaged:
            form.fields.pop("csrfmiddlewaretoken")
        answer = self._ada.submit(page, form)
        require(answer.status_code == 200, f"pressing Connect returned status {answer.status_code}")
        self._authorize_url = self._ada.leads_to(answer)
        url = urlsplit(self._authorize_url)
        require(self._authorize_url.startswith(self._mailup), "the browser was not sent to MailUp")
        require("client_secret" not in url.query, "the client secret is in the URL that the browser was sent to")
        return f"POST, then a page that leads to {url.hostname}:{url.port}{url.path}"

    def _login_and_consent(self) -> str:
        self._callback_url = self._consent(self._ada, self._authorize_url, wrong=self._sabotaged)
        return f"m12345 logged in and allowed; redirected to {urlsplit(self._callback_url).hostname} with a code"

    def _callback(self) -> str:
        url = self._callback_url.replace("/callback/", "/callback/x") if self._sabotaged else self._callback_url
        answer = self._ada.get(url)
        where = answer.headers.get("Location", "")
        require(
            answer.status_code == 302 and "code=" not in where,
            "the callback did not redirect, or kept the code in the URL",
        )
        page = self._ada.follow(answer)
        require(
            page.status_code == 200, f"the callback led to {urlsplit(page.url).path} with status {page.status_code}"
        )
        self._key = Token.objects.get(user__username="ada").key
        again = self._ada.follow(self._ada.get(url))
        require(again.status_code == 400, f"the same callback again returned status {again.status_code}")
        return f"redirected to {urlsplit(page.url).path}; the same callback again returned 400"

    def _ciphertext(self) -> str:
        token = self._token()
        secret = token.access_token.reveal()
        if self._sabotaged:
            with database.cursor() as cursor:
                cursor.execute("UPDATE django_mailup_token SET access_token = %s", [secret])
        with database.cursor() as cursor:
            cursor.execute("SELECT access_token, refresh_token FROM django_mailup_token")
            stored = " ".join(cursor.fetchone())
            cursor.execute("SELECT client_secret FROM django_mailup_clientregistration")
            stored += " " + cursor.fetchone()[0]
        for plain in (secret, token.refresh_token.reveal(), os.environ["MAILUP_CLIENT_SECRET"]):
            require(plain not in stored, "the database holds a secret in plain text")
        return f"the database holds {stored[:12]}…, and no secret in plain text"

    def _account(self) -> str:
        if self._sabotaged:
            self._fault(status=500, path="Authentication/Details")
        page = self._page("/account/")
        require("Fornaio Rossi" in page.text, "the page does not name the company")
        return "m12345 of Fornaio Rossi, UID 4321"

    def _lists(self) -> str:
        if self._sabotaged:
            body = '{"Items":[],"PageNumber":0,"PageSize":100,"TotalElementsCount":0}'
            self._fault(kind="body", status=200, body=body, path="User/Lists")
        lists, groups = self._page("/lists/"), self._page("/lists/1/")
        for name in ("Newsletter", "Recipes", "Press"):
            require(name in lists.text, f"the list {name} is missing")
        require("Regulars" in groups.text and "Wholesale" in groups.text, "a group is missing")
        return "3 lists, and 3 groups in the first list"

    def _recipients(self) -> str:
        path = "/lists/1/recipients/"
        page = self._page(path)
        self._ada.submit(page, self._form(self._ada, page, "Subscribe"), email="zoe@example.com", name="Zoe")
        page = self._page(f"{path}?q=zoe@")
        require("zoe@example.com" in page.text, "the new subscriber can't be found")
        file = ("people.csv", "email,name\nbo@example.com,Bo\ncy@example.com,Cy\nnonsense,No\n")
        form = self._form(self._ada, page, "Import")
        answer = self._ada.submit(page, form, files={"file": file})
        require("/imports/" in answer.headers.get("Location", ""), "the import did not begin")
        give_up_at = time.monotonic() + 20
        while "is complete" not in (page := self._page(answer.headers["Location"])).text:
            require(time.monotonic() < give_up_at, "the import did not end within 20 seconds")
            time.sleep(0.1)
        page = self._page(path)
        require("bo@example.com" in page.text and "cy@example.com" in page.text, "an imported recipient is missing")
        if not self._sabotaged:
            self._ada.submit(page, self._form(self._ada, page, "Unsubscribe"))  # the first recipient, Zoe
        require("zoe@example.com" not in self._page(path).text, "the unsubscribed recipient is still there")
        client = client_for(Token.objects.get(key=self._key).user)
        message = client.messages.create(list_id=1, subject="Bread", content="<p>Bread")
        sent = client.sendings.to_list(list_id=1, message_id=message.id)
        require(f"Sent to {sent.sent} recipient" in self._page("/lists/1/statistics/").text, "statistics are missing")
        return "one subscribed, found and unsubscribed; two of three lines imported; a message in the statistics"

    def _sign_up(self) -> str:
        visitor = Browser()
        page = visitor.get(f"{self._site}/sign-up/")
        email = "nonsense" if self._sabotaged else "guest@example.com"
        answer = visitor.submit(page, self._form(visitor, page, "Sign up"), email=email)
        require("Almost done" in answer.text, "the form was not accepted")
        waiting = [each.email for each in client_for_site().recipients.pending(list_id=1)]
        require(email in waiting, f"{email} is not waiting for confirmation")
        return f"MailUp asked {email} to confirm"

    def _renewed_by_beat(self) -> str:
        if self._sabotaged:
            Token.objects.update(refresh_at=timezone.now() + timedelta(hours=1))
        before = self._token()
        self._turn(access_lifetime=36)  # seconds, so that a call must renew it 6 seconds later
        after = self._until_generation(before.generation + 1, seconds=25)
        return f"generation {before.generation} became {after.generation} without a request to the site"

    def _renewed_on_demand(self) -> str:
        before = self._token()
        self._turn(access_lifetime=3600)
        while timezone.now() < before.expires_at - CALL_MARGIN:
            time.sleep(0.1)
        before = self._token()
        require(before.refresh_at > timezone.now(), "the token was already due, so beat would have renewed it")
        if self._sabotaged:
            self._fault(status=503, path=TOKEN_ENDPOINT)
        self._page("/account/")
        after = self._token()
        require(after.generation == before.generation + 1, f"generation {before.generation} became {after.generation}")
        return f"generation {before.generation} became {after.generation} when a page needed it"

    def _unauthorized_intercepted(self) -> str:
        before = self._token()
        require(before.expires_at > timezone.now() + CALL_MARGIN, "the token is about to expire anyway")
        self._door("expire", username="m12345")
        if self._sabotaged:
            self._fault(status=503, path=TOKEN_ENDPOINT)
        self._page("/account/")
        after = self._token()
        require(after.generation == before.generation + 1, f"generation {before.generation} became {after.generation}")
        return f"MailUp answered 401, generation {before.generation} became {after.generation}, the page was shown"

    def _outage_survived(self) -> str:
        before = self._token()
        self._door("revoke" if self._sabotaged else "outage", username="m12345")
        self._door("expire", username="m12345")
        page = self._ada.follow(self._ada.get(f"{self._site}/account/"))
        require(page.status_code == 503, f"the page returned status {page.status_code} instead of 503")
        during = self._refresh_in_admin()
        require(during.is_active and during.generation == before.generation, "the outage changed the connection")
        require(during.failure_count > 0 and during.last_error, "the failure was not stored")
        self._door("recover")
        after = self._refresh_in_admin()
        require(after.generation == before.generation + 1, "the token was not renewed after the outage")
        self._page("/account/")
        return f"the page returned 503; the connection stayed active ({during.error_code}) and was renewed afterwards"

    def _grant_withdrawn(self) -> str:
        if not self._sabotaged:
            self._door("revoke", username="m12345")
        answer = self._ada.get(f"{self._site}/account/")
        asked = answer.status_code == 302 and "/mailup/connect/" in answer.headers["Location"]
        require(asked, "the user was not asked to connect again")
        connections = self._page("/mailup/")
        require("Must be reconnected" in connections.text, "the connections page does not ask to reconnect")
        status = self._token().status
        require(status == Token.Status.REAUTHORIZATION_REQUIRED, f"the connection's status is {status}")
        return "the page redirected to Connect; the connection's status is reauthorization_required"

    def _reconnected(self) -> str:
        page = self._page("/mailup/")
        answer = self._ada.submit(page, self._form(self._ada, page, "Reconnect"))
        username = "m67890" if self._sabotaged else "m12345"
        ended = self._ada.follow(self._ada.get(self._consent(self._ada, self._ada.leads_to(answer), username)))
        require(ended.status_code == 200, f"reconnecting ended with status {ended.status_code}")
        token = Token.objects.get(user__username="ada")
        require(token.key == self._key and token.is_active, "the same connection is not active again")
        self._page("/account/")
        return f"the same connection is active again, generation {token.generation}"

    def _site_connection(self) -> str:
        browser = self._ada if self._sabotaged else self._admin
        registration = ClientRegistration.objects.get()
        page = browser.follow(
            browser.get(f"{self._site}/admin/django_mailup/clientregistration/{registration.pk}/change/")
        )
        answer = browser.submit(page, self._form(browser, page, "Connect this site"))
        ended = browser.follow(browser.get(self._consent(browser, browser.leads_to(answer), "m67890")))
        require(ended.status_code == 200, f"connecting the site ended with status {ended.status_code}")
        info = client_for_site(registration="default").account.info()
        require(info.username == "m67890", f"the site acts as {info.username}")
        return f"the site acts as {info.username} of {info.company}, by a connection without a user"

    def _disconnected(self) -> str:
        page = self._page(f"/mailup/disconnect/{self._key}/")
        form = self._form(self._ada, page, "Disconnect")
        if not self._sabotaged:
            self._ada.follow(self._ada.submit(page, form))
        require(not Token.objects.filter(user__username="ada").exists(), "the connection was not deleted")
        require(Token.objects.filter(user__isnull=True).count() == 1, "the site's own connection was deleted too")
        return "the user's connection is deleted; the site's own remains"

    # ------------------------------------------------------------------------------------- helpers

    def _token(self) -> Token:
        return Token.objects.get(key=self._key)

    def _until_generation(self, generation: int, *, seconds: float) -> Token:
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            token = self._token()
            if token.generation >= generation:
                return token
            time.sleep(0.1)
        raise Wrong(f"generation {generation} was not stored within {seconds:.0f} seconds")

    def _log_in(self, browser: Browser, username: str) -> None:
        page = browser.get(f"{self._site}/accounts/login/")
        form = self._form(browser, page, "Log in")
        answer = browser.submit(page, form, username=username, password="demo")
        require(answer.status_code == 302, f"{username} could not log in to the site")

    def _form(self, browser: Browser, page: requests.Response, button: str) -> Form:
        form = browser.form(page, button)
        if form is None:
            raise Wrong(f"{urlsplit(page.url).path} ({page.status_code}) has no button “{button}”")
        return form

    def _page(self, path: str) -> requests.Response:
        page = self._ada.get(urljoin(self._site, path))
        require(page.status_code == 200, f"{path} returned status {page.status_code}")
        return page

    def _consent(self, browser: Browser, url: str, username: str = "m12345", *, wrong: bool = False) -> str:
        """Log in and allow on the sandbox's page. Return the URL that it redirects the browser to."""
        page = browser.get(url)
        form = self._form(browser, page, "Log in and allow")
        password = "wrong" if wrong else "sandbox"
        answer = browser.submit(page, form, username=username, password=password, decision="allow")
        require(answer.status_code == 302, f"MailUp's login page answered with {answer.status_code}")
        return urljoin(page.url, answer.headers["Location"])

    def _refresh_in_admin(self) -> Token:
        """Press *Refresh now* in the admin, as an operator would. Return the token as it is stored afterwards."""
        url = f"{self._site}/admin/django_mailup/token/"
        page = self._admin.get(url)
        if page.is_redirect:
            self._log_in(self._admin, "admin")
            page = self._admin.get(url)
        form = self._form(self._admin, page, "Refresh now")
        self._admin.follow(
            self._admin.submit(
                page, form, action="refresh_now", _selected_action=str(Token.objects.get(key=self._key).pk), index="0"
            )
        )
        return self._token()

    def _door(self, action: str, **values: object) -> None:
        """Call one of the sandbox's control endpoints."""
        response = requests.post(f"{self._mailup}/_sandbox/{action}", json=values, timeout=10)
        require(response.status_code == 200, f"/_sandbox/{action} returned status {response.status_code}")

    def _turn(self, **options: object) -> None:
        self._door("options", **options)

    def _fault(self, **fault: object) -> None:
        self._door("fault", **{"kind": "status", "times": -1, **fault})
