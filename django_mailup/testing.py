"""For tests of sites that use django_mailup: `use_sandbox` lets all of it talk to a MailUp inside the process.

With pytest, the fixtures of `django_mailup.pytest_plugin` do the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.test.utils import TestContextDecorator

from . import network

try:
    from .sandbox import Options, Sandbox
    from .sandbox.adapter import SandboxAdapter
except ImportError:
    raise ImportError('The sandbox needs werkzeug: pip install "django-mailup-connect[sandbox]"') from None

if TYPE_CHECKING:
    import requests
    from requests.adapters import BaseAdapter


class use_sandbox(TestContextDecorator):  # noqa: N801 - named like Django's override_settings, and used like it
    """Let django_mailup talk to a sandbox in this process instead of MailUp, in all threads.

        with use_sandbox() as sandbox:
            ...

    It also decorates a function, or a `unittest.TestCase`, for each of its tests:

        @use_sandbox(attr_name="sandbox")
        class NewsletterTests(TestCase):
            def test_lists(self):
                self.sandbox.fail_with("status", status=503)

    The client keeps no `RATE_LIMIT` meanwhile. To meet MailUp's limit, turn it on: `sandbox.configure(rate_limit=5)`.
    Processes that are started meanwhile are not affected, nor are clients that were made before.

    Args:
        sandbox: the sandbox; a new one without a limit of calls each time, if None is given.
        attr_name: the attribute of a decorated test case that holds the sandbox.
        kwarg_name: the argument of a decorated function that gets the sandbox.

    Attributes:
        requests: what was sent to the sandbox since the block or the test began, oldest first.
    """

    def __init__(
        self, sandbox: Sandbox | None = None, *, attr_name: str | None = None, kwarg_name: str | None = None
    ) -> None:
        super().__init__(attr_name=attr_name, kwarg_name=kwarg_name)
        self._sandbox = sandbox
        self._before: list[BaseAdapter | None] = []
        self.requests: list[requests.PreparedRequest] = []

    def enable(self) -> Sandbox:
        """Put the sandbox in place, and return it."""
        adapter = SandboxAdapter(Sandbox(Options(rate_limit=0)) if self._sandbox is None else self._sandbox)
        self.requests = adapter.requests
        self._before.append(network.replace(adapter))
        return adapter.sandbox

    def disable(self) -> None:
        """Put back what was in place before."""
        network.replace(self._before.pop())

    if TYPE_CHECKING:  # Django's stubs promise something else for every context

        def __enter__(self) -> Sandbox: ...  # type: ignore[override]
