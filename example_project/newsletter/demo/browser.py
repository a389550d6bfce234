"""A minimal browser with cookies and forms. It goes on by itself only when asked, so that each step can be checked."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Form:
    """A form of a page: its action, method, fields with their values, and text."""

    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.method = method
        self.fields: dict[str, str] = {}
        self.text = ""


class _Page(HTMLParser):
    """The forms of a page, and where it leads by itself: the URL of a meta refresh without delay."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.leads_to = ""
        self._open: Form | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._open)
        elif tag == "input" and self._open is not None and "name" in values:
            self._open.fields[values["name"]] = values.get("value", "")
        elif tag == "meta" and values.get("http-equiv") == "refresh" and values["content"].startswith("0;url="):
            self.leads_to = values["content"].removeprefix("0;url=")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.text += data


class Browser:
    """One person's browser."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, url: str) -> requests.Response:
        return self._session.get(url, allow_redirects=False, timeout=30)

    def leads_to(self, response: requests.Response) -> str:
        """Return the URL that a redirect or a meta refresh takes a browser to; "" if it stays on this page."""
        url = response.headers["Location"] if response.is_redirect else _Page(response.text).leads_to
        return urljoin(response.url, url) if url else ""

    def follow(self, response: requests.Response, *, most: int = 5) -> requests.Response:
        """Go where at most `most` responses lead, and return the last one."""
        while (url := self.leads_to(response)) and most:
            response, most = self.get(url), most - 1
        return response

    def form(self, page: requests.Response, button: str) -> Form | None:
        """Return the first form of a page whose text contains that of the button; None if there is none."""
        return next((form for form in _Page(page.text).forms if button in form.text), None)

    def submit(
        self, page: requests.Response, form: Form, files: dict[str, tuple[str, str]] | None = None, **fields: str
    ) -> requests.Response:
        """Submit a form. `fields` replace its values; `files` maps the name of a field to a file's name and content."""
        url = urljoin(page.url, form.action)
        headers = {"Referer": page.url}
        data = {**form.fields, **fields}
        for name in files or ():
            data.pop(name, None)
        return self._session.request(
            form.method, url, data=data, files=files, headers=headers, allow_redirects=False, timeout=30
        )
