"""For the tests of sites: `use_sandbox` lets django_mailup use a local MailUp in the test's process.

The pytest fixtures of `django_mailup.pytest_plugin` do the same.
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
    """Let django_mailup use a sandbox in this process instead of MailUp, in all threads.

        with use_sandbox() as sandbox:
            ...

    It also decorates a function, or a `unittest.TestCase`, where it applies to each test:

        @use_sandbox(attr_name="sandbox")
        class NewsletterTests(TestCase):
            def test_lists(self):
                self.sandbox.fail_with("status", status=503)

    `RATE_LIMIT` is not applied meanwhile, and the new sandbox has no limit of calls. To test with MailUp's limit, call
    `sandbox.configure(rate_limit=5)`. Other processes, and clients that were made before, are not affected.

    Args:
        sandbox: the sandbox; by default a new one, without a limit of calls, for each block or test.
        attr_name: the attribute of a decorated test case that holds the sandbox.
        kwarg_name: the argument of a decorated function that gets the sandbox.

    Attributes:
        requests: the requests that were sent to the sandbox since the block or the test began, oldest first.
    """

    def __init__(
        self, sandbox: Sandbox | None = None, *, attr_name: str | None = None, kwarg_name: str | None = None
    ) -> None:
        super().__init__(attr_name=attr_name, kwarg_name=kwarg_name)
        self._sandbox = sandbox
        self._before: list[BaseAdapter | None] = []
        self.requests: list[requests.PreparedRequest] = []

    def enable(self) -> Sandbox:
        """Begin to use the sandbox, and return it."""
        adapter = SandboxAdapter(Sandbox(Options(rate_limit=0)) if self._sandbox is None else self._sandbox)
        self.requests = adapter.requests
        self._before.append(network.replace(adapter))
        return adapter.sandbox

    def disable(self) -> None:
        """Use what was used before `enable` again."""
        network.replace(self._before.pop())

    if TYPE_CHECKING:  # Django's stubs declare another result

        def __enter__(self) -> Sandbox: ...  # type: ignore[override]
