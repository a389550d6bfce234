"""Hooks: functions of a test that the sandbox calls while it answers a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .api_call import Call
from .tokens import Pair


@dataclass
class Hooks:
    """Functions that the sandbox calls while it answers a request; None (the default) calls nothing.

    Use them to make MailUp wait in the middle of a renewal, or to change something at exactly that time:

        asked, go_on = threading.Event(), threading.Event()

        def hold(refresh_token):
            asked.set()
            go_on.wait(10)

        mailup_sandbox.hooks.before_refresh = hold

    The client waits for its answer until the hook returns; other requests are answered meanwhile. A hook is called for
    every such request until it is replaced: to act only once, it can first assign None in its own place.

    A hook runs in the thread that answers the request, which may not be the test's. If it uses the database, the test
    needs `transactional_db`, and the hook must end with `django.db.connections.close_all()`.

    Attributes:
        before_refresh: called with the refresh token that a client sent, before the token is checked and after the
            client has been authenticated. Raise OAuthError to refuse the renewal; the refresh token then stays unused.
        after_refresh: called with the new pair, which is valid by then, before it is sent to the client. Not called
            for a renewal that is refused.
        before_call: called with the Call of every operation of the REST API, before the operation acts. Token,
            rate limit and terms have been checked. Raise APIError to refuse the call.
    """

    before_refresh: Callable[[str], object] | None = None
    after_refresh: Callable[[Pair], object] | None = None
    before_call: Callable[[Call], object] | None = None
