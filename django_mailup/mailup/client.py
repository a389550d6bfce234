"""MailUpClient: MailUp's REST API for one connection. Keeps to the limit of calls, repeats what is safe to repeat."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from json import detect_encoding
from typing import Any, Final, Protocol, TypeVar, cast

from ..exceptions import MailUpError, MailUpUnavailable, RateLimited
from . import classify
from .endpoints import Endpoints
from .flow import Answer, Call, Steps
from .paging import Page, Paged
from .resources.account import Account
from .resources.attachments import Attachments
from .resources.fields import Fields
from .resources.groups import Groups
from .resources.images import Images
from .resources.imports import Imports
from .resources.lists import Lists
from .resources.messages import Messages
from .resources.recipients import Recipients
from .resources.sendings import Sendings
from .resources.sms import Sms
from .resources.smtp_users import SmtpUsers
from .resources.statistics import Statistics
from .resources.tags import Tags
from .resources.templates import Templates
from .resources.trusted_senders import TrustedSenders
from .tokens import AccessToken
from .transport import Transport

T = TypeVar("T")

REPEATS_AFTER_429: Final = 5
REPEATS_OF_A_READ: Final = 2
_NUMBERS: Final = re.compile(r"(?<=/)\d+(?=/|$)")


class TokenSource(Protocol):
    """Where a client gets its access token: a row of a database, or a value in a script."""

    def get(self) -> AccessToken:
        """Return an access token that is good for now; renew it first when it is about to run out."""

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another access token than the refused one, by a renewal unless somebody made one meanwhile."""


class Throttle(Protocol):
    """Keeps calls within MailUp's limit, which counts each operation for itself."""

    def wait(self, operation: str) -> None:
        """Return when an operation (`GET /Console/List/{}/Groups`) may be called. Raises RateLimited instead."""


class MailUpClient:
    """What a site calls MailUp with.

    Args:
        source: gives access tokens.
        endpoints: where MailUp is.
        transport: how to get there.
        throttle: is asked before each request that is sent; None: MailUp's 429 is the only limit.
        patience: how many seconds a call may wait after MailUp's 429s before it raises RateLimited.
        on_success: called once, after the first call that succeeded.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        endpoints: Endpoints | None = None,
        transport: Transport,
        throttle: Throttle | None = None,
        patience: float = 30.0,
        on_success: Callable[[MailUpClient], None] | None = None,
    ) -> None:
        self._source = source
        self._endpoints = endpoints or Endpoints()
        self._transport = transport
        self._throttle = throttle
        self._patience = patience
        self._on_success = on_success

    @cached_property
    def account(self) -> Account:
        """Who this connection acts as."""
        return Account(self)

    @cached_property
    def lists(self) -> Lists:
        """The lists this MailUp user may see."""
        return Lists(self)

    @cached_property
    def groups(self) -> Groups:
        """The groups of lists."""
        return Groups(self)

    @cached_property
    def fields(self) -> Fields:
        """The personal fields of recipients."""
        return Fields(self)

    @cached_property
    def recipients(self) -> Recipients:
        """Recipients, one by one."""
        return Recipients(self, self.fields, self.imports)

    @cached_property
    def imports(self) -> Imports:
        """Recipients, many at once."""
        return Imports(self, self.fields)

    @cached_property
    def messages(self) -> Messages:
        """E-mail messages."""
        return Messages(self)

    @cached_property
    def templates(self) -> Templates:
        """Templates of messages."""
        return Templates(self)

    @cached_property
    def tags(self) -> Tags:
        """Tags of messages."""
        return Tags(self)

    @cached_property
    def attachments(self) -> Attachments:
        """Attachments of messages."""
        return Attachments(self)

    @cached_property
    def images(self) -> Images:
        """Images that messages may show."""
        return Images(self)

    @cached_property
    def sendings(self) -> Sendings:
        """Sending messages."""
        return Sendings(self, self.fields)

    @cached_property
    def sms(self) -> Sms:
        """Text messages."""
        return Sms(self, self.fields)

    @cached_property
    def statistics(self) -> Statistics:
        """What became of messages."""
        return Statistics(self)

    @cached_property
    def trusted_senders(self) -> TrustedSenders:
        """Addresses that may stand as sender."""
        return TrustedSenders(self)

    @cached_property
    def smtp_users(self) -> SmtpUsers:
        """SMTP+ users of lists."""
        return SmtpUsers(self)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call one REST operation and return its decoded JSON body: an object, a list, a number, text; None when empty.

        What did nothing at MailUp is repeated, whatever the method: once after a 401 (or a 400 that says so), with a
        renewed access token; after a 429 when MailUp says, else after a second and some. A GET is also repeated twice
        when no answer comes, or a 502, 503 or 504. Nothing else ever is: the first try may have worked.

        Args:
            method: `GET`, `POST`, `PUT` or `DELETE`.
            path: below the service, such as `/Console/List/1/Groups`.
            params: query parameters.
            json: the body, if any.
            headers: further request headers.

        Raises:
            ReauthorizationRequired: the connection is dead.
            MailUpUnavailable, RateLimited: try again later.
            APIError: MailUp refused; Unauthorized when even a renewed token is.
            TermsNotAccepted, UnexpectedResponse: as they say.
            ValueError: the path belongs to no service.
        """
        return self.run(_whole(Call(verb=method, path=path, params=params, json=json, headers=headers or {})))

    def run(self, steps: Steps[T]) -> T:
        """Send the calls that the steps yield, and return their result. An error of a call is thrown into them."""
        try:
            call = next(steps)
            while True:
                try:
                    answer = self._send(call.verb, call.path, params=call.params, json=call.json, headers=call.headers)
                except MailUpError as error:
                    call = steps.throw(error)
                else:
                    call = steps.send(answer)
        except StopIteration as end:
            return cast(T, end.value)

    def pages(self, page: Callable[[int], Steps[Page[T]]]) -> Paged[T]:
        """Return what follows the pages, given the steps that ask for one by its number."""
        return Paged(lambda number: self.run(page(number)))

    def _send(
        self, method: str, path: str, *, params: Mapping[str, Any] | None, json: Any, headers: Mapping[str, str]
    ) -> Answer:
        url = self._endpoints.service(path)
        operation = f"{method} {_NUMBERS.sub('{}', path)}"
        access_token = self._source.get()
        renewed, repeats, give_up_at = False, 0, time.monotonic() + self._patience
        while True:
            if self._throttle is not None:
                self._throttle.wait(operation)
            try:
                response = self._transport.send(method, url, access_token, params=params, json=json, headers=headers)
                if classify.refuses_access_token(response) and not renewed:
                    access_token, renewed = self._source.renew(access_token), True
                    continue
                if response.status_code == 200:
                    break
                raise classify.api_error(response)
            except MailUpUnavailable as outage:
                pause = _pause_before_repeat(method, outage, repeats)
                if pause is None or time.monotonic() + pause > give_up_at:
                    raise
                repeats += 1
                time.sleep(pause)
        answer = Answer(response.content.decode(detect_encoding(response.content), "replace"), 200, response.headers)
        if self._on_success is not None:
            once, self._on_success = self._on_success, None
            once(self)
        return answer


def _whole(call: Call) -> Steps[Any]:
    return (yield call).body


def _pause_before_repeat(method: str, outage: MailUpUnavailable, repeats: int) -> float | None:
    """Return how many seconds to wait before a call is repeated; None when it must not be."""
    if isinstance(outage, RateLimited):
        return float(outage.retry_after) + random.random() / 2 if repeats < REPEATS_AFTER_429 else None
    if method == "GET" and repeats < REPEATS_OF_A_READ and outage.status in (0, 502, 503, 504):
        return 0.2 * (repeats + 1)
    return None
