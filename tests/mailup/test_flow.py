"""The flow of one call, driven without I/O: by a loop in this file, and by a minimal asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from django_mailup.exceptions import (
    BadRequest,
    MailUpError,
    MailUpUnavailable,
    RateLimited,
    ReauthorizationRequired,
    Unauthorized,
    UnexpectedResponse,
)
from django_mailup.mailup import AccessToken
from django_mailup.mailup.flow import (
    Action,
    Answer,
    Call,
    Flow,
    GetToken,
    Pause,
    ReadClock,
    RenewToken,
    Send,
    TakeTurn,
    call_flow,
)
from django_mailup.settings_table import MailUpSettings

T = TypeVar("T")
READ = Call(verb="GET", path="/Console/List/12/Groups")
WRITE = Call(verb="POST", path="/Console/Email/Send", json={"a": 1})
FIRST, SECOND = AccessToken("A1"), AccessToken("A2")


@dataclass(frozen=True)
class Raw:
    """An HTTP response: a `classify.HTTPResponse` that was made without an HTTP library."""

    status_code: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    encoding = None


class World:
    """Performs actions without I/O. Each request gets the next answer, and only pauses move the clock.

    Attributes:
        performed: the actions, oldest first.
    """

    def __init__(self, *answers: Raw | Exception, get: Exception | None = None, renew: Exception | None = None) -> None:
        self.performed: list[Action] = []
        self.now = 1000.0
        self._answers = list(answers)
        self._get, self._renew = get, renew

    def perform(self, action: Action) -> Any:
        self.performed.append(action)
        match action:
            case GetToken():
                return self._given(self._get or FIRST)
            case RenewToken():
                return self._given(self._renew or SECOND)
            case Send():
                return self._given(self._answers.pop(0))
            case Pause():
                self.now += action.seconds
            case ReadClock():
                return self.now
        return None

    def _given(self, value: T | Exception) -> T:
        if isinstance(value, Exception):
            raise value
        return value

    def kinds(self) -> list[str]:
        return [type(action).__name__ for action in self.performed if not isinstance(action, ReadClock)]


def drive(call: Call, world: World, patience: float = 10) -> Answer:
    return _drive(call_flow(call, url="https://x/", patience=patience), world.perform)


def _drive(flow: Generator[Any, Any, T], perform: Callable[[Any], Any]) -> T:
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
        return end.value


def outage(status: int = 503, **more: Any) -> MailUpUnavailable:
    return MailUpUnavailable("The token endpoint is away.", status=status, headers={"Server": "IIS"}, **more)


def test_a_call_that_succeeds_gets_the_token_takes_a_turn_and_sends() -> None:
    world = World(Raw(200, b"[1]", {"X-More": "y"}))
    answer = drive(READ, world)

    assert (answer.body, answer.status, answer.headers) == ([1], 200, {"X-More": "y"})
    assert world.performed == [
        GetToken(),
        ReadClock(),
        TakeTurn("GET /Console/List/{}/Groups", 10),
        Send(READ, "https://x/", FIRST),
    ]


def test_the_patience_of_the_call_goes_before_that_of_the_client() -> None:
    world = World(Raw(200))
    drive(Call(verb="GET", path="/Console/List", patience=0.5), world, patience=30)

    assert TakeTurn("GET /Console/List", 0.5) in world.performed


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
def test_a_refused_token_is_renewed_and_the_call_sent_again_in_a_turn_of_its_own(call: Call) -> None:
    world = World(Raw(401), Raw(200, b"7"))

    assert drive(call, world).body == 7
    assert world.kinds() == ["GetToken", "TakeTurn", "Send", "RenewToken", "TakeTurn", "Send"]
    assert [action.access_token for action in world.performed if isinstance(action, Send)] == [FIRST, SECOND]
    assert RenewToken(refused=FIRST) in world.performed


def test_a_second_refusal_is_told() -> None:
    world = World(Raw(401), Raw(401))

    with pytest.raises(Unauthorized):
        drive(READ, world)
    assert world.kinds().count("RenewToken") == 1


def test_a_token_that_is_not_renewed_leaves_the_answer_as_it_is() -> None:
    refusal = Raw(401, b'{"ErrorCode":"401","ErrorDescription":"Not this operation","ErrorStackTrace":""}')
    world = World(refusal, renew=Unauthorized(reason="renewed"))

    with pytest.raises(Unauthorized, match="MailUp refused with status 401: Not this operation"):
        drive(READ, world)
    assert world.kinds() == ["GetToken", "TakeTurn", "Send", "RenewToken"]


def test_a_429_is_repeated_after_what_it_asks_for_until_patience_ends() -> None:
    world = World(*[Raw(429, b"", {"Retry-After": "3"})] * 9)

    with pytest.raises(RateLimited) as caught:
        drive(WRITE, world, patience=10)
    pauses = [action.seconds for action in world.performed if isinstance(action, Pause)]
    assert len(pauses) in (2, 3)  # each pause is 3 to 3.5 s, of 10 s in all
    assert all(3 <= pause <= 3.5 for pause in pauses)
    assert caught.value.retry_after == 3
    assert not caught.value.may_have_arrived


def test_a_429_is_repeated_five_times_at_most() -> None:
    world = World(*[Raw(429)] * 9)

    with pytest.raises(RateLimited):
        drive(WRITE, world, patience=1000)
    assert world.kinds().count("Send") == 6


@pytest.mark.parametrize(
    "fault", [MailUpUnavailable(), Raw(502), Raw(503), Raw(504)], ids=["none", "502", "503", "504"]
)
def test_only_a_read_is_repeated_after_an_outage(fault: Raw | Exception) -> None:
    world = World(fault, fault, Raw(200, b"1"))

    assert drive(READ, world).body == 1
    assert [action.seconds for action in world.performed if isinstance(action, Pause)] == [0.2, 0.4]
    with pytest.raises(MailUpUnavailable) as caught:
        drive(WRITE, world := World(fault))
    assert caught.value.may_have_arrived
    assert world.kinds().count("Send") == 1


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
def test_what_was_not_sent_is_repeated_whatever_the_verb(call: Call) -> None:
    unsent = MailUpUnavailable(reason="connection", may_have_arrived=False)

    assert drive(call, World(unsent, unsent, Raw(200, b"1"))).body == 1
    with pytest.raises(MailUpUnavailable):
        drive(call, world := World(unsent, unsent, unsent, Raw(200)))
    assert world.kinds().count("Send") == 3


def test_by_default_a_read_of_a_silent_server_is_sent_three_times() -> None:
    """TIMEOUT leaves time for the repeats: none of them begins after RATE_PATIENCE."""
    settings = MailUpSettings(dict)

    class Silent(World):
        def perform(self, action: Action) -> Any:
            if isinstance(action, Send):
                self.now += settings.TIMEOUT
            return super().perform(action)

    world = Silent(*[MailUpUnavailable(reason="timeout")] * 9)
    with pytest.raises(MailUpUnavailable):
        drive(READ, world, patience=settings.RATE_PATIENCE)
    assert world.kinds().count("Send") == 3


@pytest.mark.parametrize("status", [408, 500])
def test_an_outage_that_time_does_not_cure_is_told(status: int) -> None:
    with pytest.raises(MailUpUnavailable):
        drive(READ, World(Raw(status)))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Raw(400), BadRequest), (Raw(302), UnexpectedResponse)],
    ids=["400", "302"],
)
def test_other_answers_are_told_at_once(fault: Raw, expected: type[MailUpError]) -> None:
    world = World(fault)

    with pytest.raises(expected):
        drive(READ, world)
    assert world.kinds() == ["GetToken", "TakeTurn", "Send"]


@pytest.mark.parametrize("call", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize(
    ("world", "kinds"),
    [
        (lambda: World(get=outage()), ["GetToken"]),
        (lambda: World(Raw(401), renew=outage()), ["GetToken", "TakeTurn", "Send", "RenewToken"]),
    ],
    ids=["get", "renew"],
)
def test_an_outage_of_the_token_endpoint_says_that_the_request_did_not_arrive(
    call: Call, world: Callable[[], World], kinds: list[str]
) -> None:
    with pytest.raises(MailUpUnavailable) as caught:
        drive(call, here := world())

    assert type(caught.value) is MailUpUnavailable
    assert not caught.value.may_have_arrived
    assert (caught.value.status, caught.value.headers) == (503, {"Server": "IIS"})
    assert str(caught.value) == "The token endpoint is away."
    assert here.kinds() == kinds  # no retry here: the token's own schedule decides when to renew again


def test_the_outage_as_the_token_endpoint_had_it_is_the_cause() -> None:
    original = outage()
    original.grant_may_be_spent = True
    with pytest.raises(MailUpUnavailable) as caught:
        drive(READ, World(get=original))

    assert caught.value.__cause__ is original
    assert original.may_have_arrived
    assert caught.value.grant_may_be_spent


@pytest.mark.parametrize(
    "error", [RateLimited(retry_after=600), ReauthorizationRequired("dead"), outage(may_have_arrived=False)]
)
def test_other_failures_of_the_token_leave_as_they_are(error: MailUpError) -> None:
    with pytest.raises(type(error)) as caught:
        drive(WRITE, World(Raw(401), renew=error))

    assert caught.value is error


def test_a_turn_that_comes_too_late_is_told_and_nothing_sent() -> None:
    world = World()
    late = RateLimited(retry_after=4)

    def perform(action: Action) -> Any:
        if isinstance(action, TakeTurn):
            raise late
        return world.perform(action)

    with pytest.raises(RateLimited) as caught:
        _drive(call_flow(READ, url="https://x/", patience=1), perform)
    assert caught.value is late
    assert world.kinds() == ["GetToken"]


def test_data_shows_no_secret_and_no_body() -> None:
    call = Call(verb="GET", path="/Console/List", params={"p": "hidden"}, json="hidden", headers={"If-Match": "hidden"})
    shown = repr([Send(call, "https://x/", AccessToken("hidden")), Answer("hidden", 200, {"Set-Cookie": "hidden"})])

    assert "hidden" not in shown


# ----------------------------------------------------------------------------------- asynchronous


class Toy:
    """An asynchronous client. It uses the flows of `MailUpClient`, so that only the loop is written again."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self, steps: Flow[T]) -> T:
        return await self._drive(steps, self._answer)

    async def _answer(self, call: Call) -> Answer:
        return await self._drive(call_flow(call, url="https://x/", patience=10), self._perform)

    async def _perform(self, action: Action) -> Any:
        await asyncio.sleep(0)
        return self._world.perform(action)

    async def _drive(self, flow: Generator[Any, Any, T], perform: Callable[[Any], Any]) -> T:
        try:
            asked = next(flow)
            while True:
                try:
                    got = await perform(asked)
                except Exception as error:
                    asked = flow.throw(error)
                else:
                    asked = flow.send(got)
        except StopIteration as end:
            return end.value


def add_up() -> Flow[int]:
    """Return the sum of two calls' answers; a write that fails counts as 0. A flow as a resource's method has it."""
    first = yield READ
    try:
        second = yield WRITE
    except MailUpUnavailable:
        return int(first.body)
    return int(first.body) + int(second.body)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([Raw(200, b"1"), Raw(200, b"2")], 3),
        ([Raw(401), Raw(200, b"1"), Raw(503)], 1),
        ([Raw(503), Raw(200, b"1"), Raw(429), Raw(200, b"5")], 6),
    ],
    ids=["success", "401 and an outage", "repeats"],
)
def test_an_asynchronous_client_needs_only_a_loop_of_its_own(answers: list[Raw], expected: int) -> None:
    asynchronous, synchronous = World(*answers), World(*answers)

    assert asyncio.run(Toy(asynchronous).run(add_up())) == expected
    assert _drive(add_up(), lambda call: drive(call, synchronous)) == expected
    assert asynchronous.kinds() == synchronous.kinds()


def test_asynchronous_calls_overlap() -> None:
    async def both() -> list[int]:
        return list(await asyncio.gather(Toy(first).run(add_up()), Toy(second).run(add_up())))

    first, second = World(Raw(200, b"1"), Raw(200, b"2")), World(Raw(200, b"3"), Raw(200, b"4"))
    assert asyncio.run(both()) == [3, 7]
