"""The loop that drives flows, and the resources over it. `client` and `with_response` say how a call is answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from functools import cached_property
from typing import Any, TypeVar

from .flow import Answer, Call, Flow
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

T = TypeVar("T")
Asked = TypeVar("Asked")
Got = TypeVar("Got")


class SynchronousClient(ABC):
    """The resources, and the loop that drives their flows. Subclasses say how one call is answered."""

    @abstractmethod
    def _answer(self, call: Call) -> Answer:
        """Return MailUp's answer to a call, or raise a MailUpError."""

    @abstractmethod
    def _note_success(self) -> None:
        """Take note that a flow returned its result."""

    def run(self, steps: Flow[T]) -> T:
        """Drive the flow of a resource's method to its end, and return its result.

        Raises:
            MailUpError: a call failed, and the flow didn't catch the error.
        """
        result = drive(steps, self._answer)
        self._note_success()
        return result

    def pages(self, page: Callable[[int], Flow[Page[T]]]) -> Paged[T]:
        """Return an iterator over the items of all pages, which asks for each page when it is needed.

        Args:
            page: gets a page number, from zero, and returns the flow that gets this page.
        """
        return Paged(lambda number: self.run(page(number)))

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
        """Call one REST operation and return its decoded JSON body: an object, a list, a number, text; None when empty.

        Retries only requests that can't have had an effect: once after a 401 (or a 400 that says so), with a renewed
        token; after a 429, following Retry-After (1 s by default, plus at most 0.5 s), up to `patience`; a GET twice
        after a connection error, 502, 503 or 504.

        Args:
            method: `GET`, `POST`, `PUT` or `DELETE`.
            path: below the service, such as `/Console/List/1/Groups`.
            params: query parameters.
            json: the body, if any.
            timeout: seconds to connect, and for each read; the client's unless given.
            patience: seconds that this call may wait for its turn, and after 429s; the client's unless given.
            headers: further request headers.

        Raises:
            ReauthorizationRequired: the connection is dead.
            MailUpUnavailable: no answer, or an outage: try again later. `may_have_arrived` says whether MailUp may
                have got the request; it is false when the access token could not be renewed.
            RateLimited: MailUp's limit of calls leaves no turn within `patience`.
            TermsNotAccepted: the MailUp user has not accepted the terms of service.
            APIError: MailUp refused; it is Unauthorized when MailUp refuses even a renewed token.
            UnexpectedResponse: the answer is neither a success in JSON nor a documented error.
            ValueError: the path belongs to no service; nothing was sent.
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
        return Recipients(self, self._field_names, self.imports)

    @cached_property
    def imports(self) -> Imports:
        """Recipients, many at once."""
        return Imports(self, self._field_names)

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
        return Sendings(self, self._field_names)

    @cached_property
    def sms(self) -> Sms:
        """Text messages."""
        return Sms(self, self._field_names)

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

    @property
    def _field_names(self) -> Fields:
        """The personal fields by which names are looked up, once for each client."""
        return self.fields


def _body(call: Call) -> Flow[Any]:
    """Return the decoded body of a call's answer."""
    answer = yield call
    return answer.body


def drive(flow: Generator[Asked, Got, T], perform: Callable[[Asked], Got]) -> T:
    """Run a flow to its end and return its result: perform what it yields, send back the result or throw the error."""
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
