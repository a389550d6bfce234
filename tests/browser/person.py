"""A person with a browser: Chromium, driven by playwright in a thread of its own.

Playwright's synchronous API runs an event loop in its thread, where Django refuses to use the database.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

T = TypeVar("T")
FLAGS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",  # nothing reaches outside
]


def missing() -> str:
    """Return why there is no browser; empty if there is one."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    if shutil.which("chromium") is None:
        return "there is no program `chromium`"
    return ""


class Chromium:
    """A running Chromium. Everything that concerns it is called in its thread."""

    def __init__(self, thread: ThreadPoolExecutor, browser: Browser) -> None:
        self._thread = thread
        self._browser = browser

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in the browser's thread, and return what it returns."""
        return self._thread.submit(function).result()

    @contextmanager
    def person(self, site: str, *, javascript: bool) -> Iterator[Person]:
        """Yield a person who will visit a site, whose base URL is given."""

        def open_page() -> Page:
            context = self._browser.new_context(base_url=site, java_script_enabled=javascript)
            context.set_default_timeout(10_000)
            return context.new_page()

        page = self.call(open_page)
        try:
            yield Person(self, page, site)
        finally:
            self.call(page.context.close)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start Debian's Chromium, and end it after the block."""
    from playwright.sync_api import sync_playwright

    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright = thread.submit(sync_playwright().start).result()
        try:
            path = shutil.which("chromium")
            browser = thread.submit(lambda: playwright.chromium.launch(executable_path=path, args=FLAGS)).result()
            yield Chromium(thread, browser)
            thread.submit(browser.close).result()
        finally:
            thread.submit(playwright.stop).result()


class Person:
    """One person's browser.

    Attributes:
        complaints: what the browser wrote to its console: each violation of a policy, and each error. That the sites
            have no icon is left out.
    """

    def __init__(self, chromium: Chromium, page: Page, site: str) -> None:
        self._chromium = chromium
        self._page = page
        self._site = site
        self.complaints: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            if not message.location["url"].endswith("/favicon.ico"):
                self.complaints.append(message.text)

        def listen() -> None:
            page.on("console", hear)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))

        chromium.call(listen)

    def store_cookie(self, name: str, value: str, *, same_site: str) -> None:
        """Store a cookie of the site."""
        cookie: Any = {"name": name, "value": value, "url": self._site, "sameSite": same_site}
        self._chromium.call(lambda: self._page.context.add_cookies([cookie]))

    def open(self, path: str) -> None:
        """Open a page of the site."""
        self._chromium.call(lambda: self._page.goto(path))

    def press(self, button: str) -> None:
        """Press the button, or the link, with this text. The page must have one of them."""
        either = f"button:text-is('{button}'), a:text-is('{button}')"
        self._chromium.call(lambda: self._page.locator(either).click())

    def press_in_vain(self, button: str, complaint: str) -> None:
        """Press a button, and wait until the browser complains of it in its console with this text."""

        def press() -> None:
            with self._page.expect_console_message(lambda message: complaint in message.text):
                self._page.get_by_role("button", name=button).click()

        self._chromium.call(press)

    def wait_for(self, text: str) -> None:
        """Wait until the page shows a text."""
        self._chromium.call(lambda: self._page.get_by_text(text).wait_for())

    def log_in_to_mailup(self, decision: str = "Log in and allow") -> None:
        """Wait for the login page of the sandbox, fill it in, and press a button."""

        def fill() -> None:
            self._page.get_by_label("User name").fill("m12345")
            self._page.get_by_label("Password").fill("sandbox")
            self._page.get_by_role("button", name=decision).click()

        self._chromium.call(fill)

    def arrive(self, path: str) -> str:
        """Wait until the browser shows a path of the site, and return the page's text."""

        def wait() -> str:
            self._page.wait_for_url(f"{self._site}{path}")
            return self._page.inner_text("body")

        return self._chromium.call(wait)

    def style(self, selector: str, name: str) -> str:
        """Return a computed style of the first element that a selector finds."""
        read = f"element => getComputedStyle(element)['{name}']"
        return str(self._chromium.call(lambda: self._page.locator(selector).first.evaluate(read)))
