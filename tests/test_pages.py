"""The page that leads on: where to, whatever characters the URL has; and templates without inline style or script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import DisallowedRedirect
from django.http import HttpRequest
from django.test import Client, RequestFactory

from django_mailup.pages import lead_on

from .journey import led_to

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = [
    each for folder in ("django_mailup", "example_project") for each in sorted((ROOT / folder).rglob("*.html"))
]
MAILUP = "https://services.mailup.com/Authorization/OAuth/LogOn"
STATICFILES = "django.contrib.staticfiles"


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.post("/mailup/connect/")


@pytest.mark.parametrize(
    ("url", "leads_to"),
    [
        (f"{MAILUP}?a=1&b=2", f"{MAILUP}?a=1&b=2"),
        (f"{MAILUP}?a=1;url=https://evil.example/", f"{MAILUP}?a=1;url=https://evil.example/"),
        (f"{MAILUP}?a='b'", f"{MAILUP}?a='b'"),
        (f"{MAILUP}?a=%22%3E%3Cb", f"{MAILUP}?a=%22%3E%3Cb"),
        (f'{MAILUP}?a="><script>', f"{MAILUP}?a=%22%3E%3Cscript%3E"),
        (f"{MAILUP}?a=b c\\d", f"{MAILUP}?a=b%20c%5Cd"),
        (f"{MAILUP}?a=caffè", f"{MAILUP}?a=caff%C3%A8"),
        ("http://127.0.0.1:8001/login", "http://127.0.0.1:8001/login"),
        ("/mailup/callback/?code=1&state=2", "/mailup/callback/?code=1&state=2"),
        ("//evil.example/mailup/callback/", "/%2Fevil.example/mailup/callback/"),
    ],
)
def test_it_leads_to_the_url(request_: HttpRequest, url: str, leads_to: str) -> None:
    page = lead_on(request_, url)

    assert led_to(page) == leads_to
    assert len(re.findall("<meta ", page.content.decode())) == 3


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://example.com/", "evil", "", "\\\\evil.example/", " /x"]
)
def test_it_leads_to_http_and_to_this_site_alone(request_: HttpRequest, url: str) -> None:
    with pytest.raises(DisallowedRedirect):
        lead_on(request_, url)


def test_the_exception_does_not_repeat_the_url(request_: HttpRequest) -> None:
    with pytest.raises(DisallowedRedirect) as caught:
        lead_on(request_, "ftp://example.com/?state=planted")

    assert "planted" not in str(caught.value)


@pytest.mark.django_db
@pytest.mark.parametrize("with_staticfiles", [True, False])
def test_styles_are_found_with_and_without_staticfiles(client: Client, settings: Any, with_staticfiles: bool) -> None:
    settings.STATIC_URL = "/assets/"
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, *([STATICFILES] if with_staticfiles else [])]
    pages = [client.get("/mailup/failed/error/"), lead_on(client.get("/mailup/failed/error/").wsgi_request, "/x/")]

    for page in pages:
        assert '<link rel="stylesheet" href="/assets/django_mailup/styles.css">' in page.content.decode()


class _Inline(HTMLParser):
    """Collects what `default-src 'self'` forbids in a template: inline styles and scripts, and URLs that run code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found += [f"{tag} {name}" for name in values if name == "style" or name.startswith("on")]
        self.found += [f"{tag} {value}" for value in values.values() if (value or "").strip().startswith("javascript:")]
        if tag == "style" or (tag == "script" and "src" not in values):
            self.found.append(tag)


def inline_in(template: str) -> list[str]:
    """Return what a strict Content Security Policy would block in a template. Django's tags are left out."""
    parser = _Inline()
    parser.feed(re.sub(r"{%.*?%}", "", template))
    return parser.found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_has_an_inline_style_or_script(template: Path) -> None:
    assert inline_in(template.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "template",
    [
        "<style>b {}</style>",
        '<p style="color:red">',
        "<script>1</script>",
        '<a href="javascript:x()">',
        '<p {% if x %}class="y"{% endif %} onclick="x()">',
    ],
)
def test_what_a_strict_policy_blocks_is_seen(template: str) -> None:
    assert len(inline_in(template)) == 1
