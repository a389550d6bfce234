"""MailUp's URLs: which paths and which hosts are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_mailup.exceptions import Misconfigured
from django_mailup.mailup import Endpoints
from django_mailup.mailup.endpoints import is_loopback, may_be_insecure

URLS: list[Callable[[Endpoints], str]] = [
    lambda endpoints: endpoints.authorization,
    lambda endpoints: endpoints.token,
    lambda endpoints: endpoints.service("/Console/List"),
    lambda endpoints: endpoints.public("/Console/TrialActivation"),
]


@pytest.mark.parametrize(
    "part",
    [
        "..", ".", "../x", "a/..", "a/../b", "%2e%2e", "%2E.", ".%2e", "%2e", "%252e%252e", "a%2f..%2fb", "a%2F%2Fb",
        "", "/x", "?", "a?b=1", "a%3Fb", "#", "a#b", "a%23", "\\", "a\\..\\b", "a%5Cb", "a\nb", "a\r\nX: y", "a%0d%0ab",
        "\x00", "%00", "\x7f", "\x85", "a\tb", "\ud800",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_path_that_would_be_another_url_is_refused(part: str) -> None:
    for path in (f"/Console/List/{part}/Groups", *([f"/Console/{part}"] if part else [])):
        with pytest.raises(ValueError, match="path must have no"):
            Endpoints().service(path)


@pytest.mark.parametrize(
    "path",
    ["/Console/List", "/Console/List/", "/console/a.b/..c/d..", "/Console/...", "/Console/a%20b", "/Console/è@x.it"],
)
def test_other_paths_are_left_as_they_are(path: str) -> None:
    assert Endpoints().service(path) == f"https://services.mailup.com/API/v1.1/Rest/ConsoleService.svc{path}"


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "base_url", ["http://mailup.example", "HTTP://mailup.example:80", "http://127.0.0.1.nip.io", "http://localhost.x"]
)
def test_plain_http_to_another_machine_is_refused(url: Callable[[Endpoints], str], base_url: str) -> None:
    with pytest.raises(Misconfigured, match="plain http"):
        url(Endpoints(base_url, insecure_hosts=("example", "mailup.example:80")))


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "endpoints",
    [
        Endpoints("HTTPS://mailup.example"),
        Endpoints("http://localhost:8777"),
        Endpoints("http://127.0.0.2"),
        Endpoints("http://[::1]:8777"),
        Endpoints("http://Sandbox.internal:8777", insecure_hosts=("sandbox.Internal",)),
    ],
    ids=lambda endpoints: endpoints.base_url,
)
def test_plain_http_is_for_this_machine_and_the_hosts_that_are_named(
    url: Callable[[Endpoints], str], endpoints: Endpoints
) -> None:
    assert url(endpoints).startswith(endpoints.base_url)


def test_what_is_this_machine() -> None:
    assert [
        host for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1", "10.0.0.1", "", "x") if is_loopback(host)
    ] == ["localhost", "127.0.0.1", "127.1.2.3", "::1"]
    assert not may_be_insecure("x", ())
