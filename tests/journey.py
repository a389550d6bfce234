"""A user who connects an account: through our own functions, and MailUp's login and consent page between them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from django.utils import timezone

from django_mailup.connections.answer import Answer
from django_mailup.connections.callback import Completed
from django_mailup.renewal.stored_token import Clock
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter
from django_mailup.services import begin, complete

SESSION = "the key of a session"
CALLBACK = "https://site.example/mailup/callback/"


def led_to(page: Any) -> str:
    """Return the URL that a page of ours leads to. Its meta refresh and its link must name the same one."""
    assert page.status_code == 200
    text = page.content.decode()
    refresh = re.findall(r'<meta http-equiv="refresh" content="0;url=([^"]*)">', text)
    links = re.findall(r'<a [^>]*href="([^"]*)"', text)
    assert len(refresh) == 1
    assert refresh == links
    return unescape(refresh[0])


def consent(sandbox: Sandbox, url: str, username: str = "m12345", **fields: str) -> dict[str, str]:
    """Log in on the sandbox's page, as a browser would. Return the path and the parameters of its redirect."""
    with requests.Session() as browser:
        browser.mount("https://", SandboxAdapter(sandbox))
        form = {
            **{k: v[0] for k, v in parse_qs(urlsplit(url).query).items()},
            "username": username,
            "password": "sandbox",
        }
        answer = browser.post(url, data={**form, "decision": "allow", **fields}, allow_redirects=False)
    location = urlsplit(answer.headers["Location"])
    found = {name: values[0] for name, values in parse_qs(location.query).items()}
    found["path"] = location.path
    return found


def read(answer: dict[str, str]) -> Answer:
    """Return the path and the parameters of a redirect to our callback as an Answer."""
    in_path = answer["path"].removeprefix(urlsplit(CALLBACK).path).rstrip("/")
    code, error = answer.get("code", ""), answer.get("error", "")
    return Answer(code=code, error=error, state_in_path=in_path, state_in_query=answer.get("state", ""))


class Journey:
    """One user's way through begin, MailUp's page and complete."""

    def __init__(self, sandbox: Sandbox, user: Any) -> None:
        self.sandbox = sandbox
        self.user = user

    def begin(self, **options: Any) -> str:
        return begin(user=self.user, session=SESSION, callback_url=CALLBACK, **options)

    def complete(
        self,
        answer: dict[str, str],
        *,
        user: Any = None,
        session: str = SESSION,
        clock: Clock = timezone.now,
        **changed: str,
    ) -> Completed:
        """Complete with the parameters of a redirect, of which some may be `changed`."""
        answer_read = read({**answer, **changed})
        return complete(user=user or self.user, session=session, answer=answer_read, clock=clock)

    def complete_with(self, answer: Answer) -> Completed:
        return complete(user=self.user, session=SESSION, answer=answer)

    def connect(self, username: str = "m12345", **options: Any) -> Completed:
        return self.complete(consent(self.sandbox, self.begin(**options), username))
