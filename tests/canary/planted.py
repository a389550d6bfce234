"""Recognisable secrets, and looking for them."""

from __future__ import annotations

import base64
import html
import secrets
from collections.abc import Iterable
from urllib.parse import quote

from django_mailup.sandbox import Sandbox


class Planted:
    """Secrets by kind. Their texts are made while the test runs: reports quote source code. `repr` hides them."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}

    def make(self, kind: str) -> str:
        """Return a new secret of a kind."""
        return self.add(kind, f"canary-{kind.replace(' ', '-')}-{secrets.token_hex(12)}")

    def make_key(self, kind: str) -> str:
        """Return a new encryption key: 32 bytes in URL-safe base64."""
        return self.add(kind, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def add(self, kind: str, text: str) -> str:
        """Add a secret that something else made, and return it."""
        assert len(text) >= 8, kind
        self._texts.setdefault(kind, []).append(text)
        return text

    def add_tokens(self, sandbox: Sandbox) -> None:
        """Add every token that a sandbox has issued."""
        for kind, pairs in (("access token", sandbox.state._by_access), ("refresh token", sandbox.state._by_refresh)):
            self._texts.setdefault(kind, []).extend(pairs)

    def kinds(self) -> set[str]:
        return set(self._texts)

    def found_in(self, *places: object) -> set[str]:
        """Return the kinds of the secrets that are in texts, as they are or as HTML, URLs and Python write them."""
        shown = "\n".join(place.decode("latin-1") if isinstance(place, bytes) else str(place) for place in places)
        return {kind for kind, texts in self._texts.items() if any(form in shown for form in _forms(texts))}


def _forms(texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        encoded = base64.b64encode(text.encode()).decode()
        yield from {text, html.escape(text), quote(text, safe=""), encoded}
