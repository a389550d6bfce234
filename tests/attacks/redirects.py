"""URLs that lead away from a site, though some of them look as if they stayed, and where browsers go with them."""

from __future__ import annotations

import re
from typing import Final

LEAVES_THE_SITE: Final[tuple[str, ...]] = (
    # another host, with and without scheme
    "https://evil.example", "https://evil.example/", "http://evil.example/", "HTTPS://EVIL.EXAMPLE/", "//evil.example",
    "//evil.example/%2e%2e", "///evil.example", "////evil.example", "//evil.example//", "https:evil.example",
    "https:/evil.example", "https:///evil.example",
    # the site's own name, but not as the host
    "//testserver@evil.example/", "https://testserver@evil.example/", "https://testserver:80@evil.example/",
    "https://testserver.evil.example/", "https://evil.example/testserver", "https://evil.example?testserver",
    "https://evil.example#testserver", "https://evil.example\\@testserver/", "https://testserver%40evil.example/",
    "http://testserver:8000/", "https://testserver:8000/", "ftp://testserver/",
    "//evil.example@testserver:81", "//testserver:81", "http:/\\evil.example",
    # backslashes, which browsers read as slashes
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/\\\\evil.example",
    "https:\\\\evil.example",
    # white space and control characters, which browsers drop
    " //evil.example", "\t//evil.example", "\n//evil.example", "\r\n//evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "ht\ttps://evil.example", "https:\n//evil.example", "\x00//evil.example",
    "\x0b//evil.example", "\x1f//evil.example",
    # other alphabets' slashes and full stops
    "//evil。example", "//evil．example", "//ｅvil.example", "https://еvil.example/",
    # other schemes
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "javascript://testserver/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "blob:https://testserver/x", "file:///etc/passwd",
    "about:blank", "mailto:ada@example.com", "view-source:https://evil.example", "ws://testserver/",
    # brackets, ports and numbers as hosts
    "//[::1]/", "//[::1", "http://[evil.example]/", "//1.1.1.1", "//16843009", "//0x1010101", "//evil.example:443/",
    "//evil.example:x/",
    # very long
    "//evil.example/" + "a" * 5000, "https://" + "a" * 3000 + ".example/",
)  # fmt: skip
"""A browser that follows one of these leaves the site http://testserver or https://testserver, or runs a script."""

LOOKS_LIKE_LEAVING: Final[tuple[str, ...]] = (
    "http:evil.example", "\u2028//evil.example", "\u00a0//evil.example", "\u3000//evil.example", "／／evil.example",
    "\u200b//evil.example", "\ufeff//evil.example", "\\evil.example\\", "//testserver\\@evil.example", "//", "https://:80",
)  # fmt: skip
"""Browsers stay with these, or can't follow them. Whoever strips white space first, or normalises, is led away."""

STAYS_ON_THE_SITE: Final[tuple[str, ...]] = (
    "/there/", "/", "/there/?next=//evil.example", "/there/#//evil.example", "there/", "?page=2", "/%2f%2fevil.example",
    "/%5cevil.example", "/%09/evil.example", "/./evil.example", "/@evil.example", "/a//evil.example", "/https://evil.example",
    "%2f%2fevil.example", "http%3a%2f%2fevil.example", "/città/", "http://testserver/there/",
)  # fmt: skip
"""These are followed, and a browser that follows them stays on the site."""

SPECIAL_SCHEMES: Final = ("http", "https", "ws", "wss", "ftp", "file")
OUR_HOSTS: Final = ("testserver", "127.0.0.1")


def destination(location: str, scheme: str = "http") -> str:
    """Return where a browser on our site goes, as the URL Standard of WHATWG says; "" if it stays.

    Args:
        location: what a header Location, a link or a refresh says.
        scheme: that of the page it is on.
    """
    seen = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33)))))
    found = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", seen, re.DOTALL)
    target, rest = (found[1].lower(), found[2]) if found else (scheme, seen)
    if target not in SPECIAL_SCHEMES:
        return target
    rest = rest.replace("\\", "/")
    if not rest.startswith("//") and target == scheme:
        return ""  # a path
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    host, _, port = authority.rpartition("@")[2].partition(":")
    ours = host.lower() in OUR_HOSTS and target in ("http", "https") and port in ("", "80", "443")
    return "" if ours or not host else f"{target}://{authority}"  # without a host it is no URL
