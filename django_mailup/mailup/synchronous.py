"""SynchronousClient: the resources, and the loop that drives their flows. MailUpClient is one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from functools import cached_property
from typing import Any, TypeVar

from .flow import Answer, Call, Flow
from .paging import Paged, PageSource
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

T = TypeVar("T")
Asked = TypeVar("Asked")
Got = TypeVar("Got")


class SynchronousClient(ABC):
    """The resources, and the loop that drives their flows. Subclasses define how one call is answered."""

    @abstractmethod
    def _answer(self, call: Call) -> Answer:
        """Return MailUp's answer to a call, or raise a MailUpError."""

    @abstractmethod
    def _note_success(self) -> None:
        """Called each time that a flow has returned its result."""

    def run(self, flow: Flow[T]) -> T:
        """Drive the flow of a resource's method to its end, and return its result.

        Raises:
            MailUpError: a call failed, and the flow didn't catch the error.
        """
        result = drive(flow, self._answer)
        self._note_success()
        return result

    def pages(self, source: PageSource[T]) -> Paged[T]:
        """Return an iterator over the items of all pages, which asks for each page when it is needed."""
        return Paged(source, self.run)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: float | None = None,
        patience: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call a REST operation. Return its decoded JSON: an object, a list, a number or a text; None if it is empty.

        Repeats only requests that can't have had an effect: once after status 401 (or 400 with an authorization error),
        with a renewed token; up to five times within `patience` after status 429, after the seconds of Retry-After (1
        by default) and at most half a second more; twice after a connection error before anything was sent, and a GET
        twice after any connection error and after status 502, 503 or 504. No repeat begins after `patience`.

        Args:
            method: `GET`, `POST`, `PUT` or `DELETE`.
            path: the path below the service, such as `/Console/List/1/Groups`, without `..`, `//`, `?`, `#`, backslash
                and control characters, also percent-encoded.
            params: query parameters.
            json: the request's body, if any.
            timeout: seconds to connect, and for each read; by default the client's. The request's deadline is the
                client's, or this if it is later.
            patience: seconds to wait for its turn, and after status 429, at most; by default the client's.
            headers: additional request headers.

        Raises:
            ReauthorizationRequired: the connection's owner must connect again.
            MailUpUnavailable: there was no answer, or MailUp answers with an outage; try again later.
                `may_have_arrived` says whether MailUp may have got the request. It is false if the access token could
                not be renewed.
            RateLimited: MailUp's limit of calls doesn't allow the call within `patience`.
            TermsNotAccepted: the MailUp user has not accepted the terms of service.
            APIError: MailUp refuses the call; Unauthorized, if MailUp refuses the renewed token too.
            UnexpectedResponse: the answer is neither a success in JSON nor a documented error, or is larger than the
                limit.
            ValueError: the path is none of MailUp's REST API, or a header or the JSON can't be sent. Nothing was sent.
        """
        call = Call(
            verb=method,
            path=path,
            params=params,
            json=json,
            headers=headers or {},
            timeout=timeout,
            patience=patience,
        )
        return self.run(_body(call))

    @cached_property
    def account(self) -> Account:
        """The account and user that this connection acts for."""
        return Account(self)

    @cached_property
    def lists(self) -> Lists:
        """The lists that the MailUp user may see."""
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
        """Recipients, and their subscriptions by e-mail."""
        return Recipients(self, self._field_names, self.imports)

    @cached_property
    def imports(self) -> Imports:
        """Imports of many recipients."""
        return Imports(self, self._field_names)

    @cached_property
    def messages(self) -> Messages:
        """E-mail messages."""
        return Messages(self)

    @cached_property
    def templates(self) -> Templates:
        """Templates of e-mail messages."""
        return Templates(self)

    @cached_property
    def tags(self) -> Tags:
        """Tags of e-mail messages."""
        return Tags(self)

    @cached_property
    def attachments(self) -> Attachments:
        """Attachments of e-mail messages."""
        return Attachments(self)

    @cached_property
    def images(self) -> Images:
        """Images for messages."""
        return Images(self)

    @cached_property
    def sendings(self) -> Sendings:
        """Sending e-mail messages, and the queues."""
        return Sendings(self, self._field_names)

    @cached_property
    def sms(self) -> Sms:
        """Text messages: recipients, messages and sending them."""
        return Sms(self, self._field_names)

    @cached_property
    def statistics(self) -> Statistics:
        """Statistics by message and by recipient."""
        return Statistics(self)

    @cached_property
    def trusted_senders(self) -> TrustedSenders:
        """Addresses that may be the sender of messages."""
        return TrustedSenders(self)

    @cached_property
    def smtp_users(self) -> SmtpUsers:
        """SMTP+ users of lists."""
        return SmtpUsers(self)

    @property
    def _field_names(self) -> Fields:
        """The Fields that look up names: one for the client, so that it looks them up once."""
        return self.fields


def _body(call: Call) -> Flow[Any]:
    """Return the flow of a single call; its result is the decoded body."""
    answer = yield call
    return answer.body


def drive(flow: Generator[Asked, Got, T], perform: Callable[[Asked], Got]) -> T:
    """Drive a flow to its end, and return its result.

    Args:
        flow: a generator.
        perform: does what the flow yields. Its result is sent into the flow; its exception is thrown into the flow.
    """
    try:
        asked = next(flow)
        while True:
            try:
                got = perform(asked)
            except Exception as error:
                asked = flow.throw(error)
            else:
                asked = flow.send(got)
    except StopIteration as end:
        result: T = end.value
        return result
