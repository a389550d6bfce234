"""MailUp's own samples and gem, and other people's clients, get from the sandbox what they read from MailUp.

Each call of `other_clients` is made over a real socket as the client makes it. What a client gets wrong is there too,
with what comes back. The published mailupy is run itself, in `test_mailupy.py`.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from django_mailup.sandbox import Account, Options, Sandbox
from django_mailup.sandbox.accounts import Group, Import, Message, Sending
from django_mailup.sandbox.recipients import OptIn, Recipient
from django_mailup.sandbox.seeds import create_users
from django_mailup.sandbox.server import serving

from .other_clients.call import CONSOLE, EMPTY, PAIR, REFUSED, Call, OtherClient, World, basic, holds, replay
from .other_clients.community import CLIENTS
from .other_clients.gem import GEM
from .other_clients.samples import (
    CODE,
    CSHARP,
    JAVA,
    PHP,
    PHP_2013,
    PYTHON,
    READ_GROUPS,
    REFRESH,
    headers,
    logon_target,
)

pytestmark = pytest.mark.slow

NOW = 1_900_000_000.0  # 2030-03-17 17:46:40 UTC
CALLBACK = "http://127.0.0.1:5000/"
REPLAYED = [
    pytest.param(client, call, id=f"{client.name}: {call.name}")
    for client in (GEM, PHP, PYTHON, CSHARP, JAVA, PHP_2013, *CLIENTS)
    for call in client.calls
]


def fill(account: Account) -> dict[str, Any]:
    """Put into an account what the clients ask for. Return the ids, by the names that calls have for them.

    Ada is subscribed by both channels and in a group; Leo is unsubscribed, Zoe pending. There is a message that Ada has
    opened and clicked, and an import whose confirmations wait.
    """
    account.lists[0].groups.append(Group(12, "test import", "test import"))
    ada = Recipient(next(account.ids), "ada@example.com", "Ada", "+39", "333", {1: "Ada"}, group_ids={9, 12})
    leo = Recipient(next(account.ids), "leo@example.com", "Leo", "+39", "555")
    zoe = Recipient(next(account.ids), "zoe@example.com", "Zoe")
    ada.email_opt_ins[1] = ada.sms_opt_ins[1] = leo.sms_opt_ins[1] = OptIn("subscribed", NOW)
    leo.email_opt_ins[1] = OptIn("unsubscribed", NOW, opted_out_at=NOW)
    zoe.email_opt_ins[1] = OptIn("pending", NOW, requested_at=NOW)
    for each in (ada, leo, zoe):
        account.recipients.add(each)

    tag = {"Enabled": True, "Id": next(account.ids), "Name": "promo"}
    account.tags[1] = {tag["Id"]: tag}
    account.images = {number: [f"https://sandbox.example/images/{number}/a.png"] for number in (0, 1)}
    body = {"Subject": "News", "Content": "<p>Hi</p>", "Tags": [tag]}
    message = Message(next(account.ids), 1, body, NOW, {1: "a.txt"}, visible=True, deliveries=Counter({ada.id: 1}))
    message.results = {
        "Views": {ada.id: 2}, "Clicks": {ada.id: 3}, "Bounces": {ada.id: 1}, "Unsubscriptions": {ada.id: 1},
    }  # fmt: skip
    message.send_history.append({"Recipients": 1, "StartDate": "2030-03-17 17:46:40Z", "idMessage": message.id})
    account.messages[message.id] = message
    text = Message(next(account.ids), 1, {"Subject": "Hi", "Content": "Hello"}, NOW)
    account.text_messages[text.id] = text
    sending = Sending(next(account.ids), "email", message, [zoe.id], None, notes="confirmation")
    account.sendings[sending.id] = sending
    job = Import(
        next(account.ids), 1, None, "email", [], {}, NOW, NOW, is_running=True, completed=True, sending_id=sending.id
    )
    account.imports[job.id] = job
    return {
        "ada": ada.id, "leo": leo.id, "group": 12, "tag": tag["Id"], "message": message.id, "text": text.id,
        "sending": sending.id, "job": job.id,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, str]]:
    """A sandbox on a socket, for all calls. Each test has a user and an account of its own in it."""
    sandbox = Sandbox(Options(rate_limit=0), clock=lambda: NOW)
    with serving(sandbox) as base_url:
        yield sandbox, base_url


@pytest.fixture
def world(served: tuple[Sandbox, str]) -> World:
    sandbox, base_url = served
    user = create_users()[0]
    user.username = f"m{len(sandbox.state.users)}"
    sandbox.state.users[user.username] = user
    pair = sandbox.state.redeem_password(user.username, "sandbox", sandbox.client_id)
    trial = f"trial-{user.username}"
    sandbox.state.trials[trial] = 0
    names = {
        **fill(user.account), "username": user.username, "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret, "basic": basic(sandbox.client_id, sandbox.client_secret),
        "access_token": pair.access_token, "refresh_token": pair.refresh_token, "trial": trial,
        "code": sandbox.state.issue_code(user, sandbox.client_id, CALLBACK),
    }  # fmt: skip
    return World(base_url, {name: str(value) for name, value in names.items()})


@pytest.mark.parametrize(("client", "call"), REPLAYED)
def test_a_client_gets_what_it_reads(world: World, client: OtherClient, call: Call) -> None:
    answer = replay(world, client, call)

    assert answer.status == call.status, answer
    if call.gives is EMPTY:
        assert answer.body == b""
    else:
        assert answer.content_type == "application/json"
        assert holds(json.loads(answer.body), call.gives), answer


def test_calls_that_are_refused_are_those_with_a_bug() -> None:
    """No call is expected to fail without a reason, and names are given once."""
    for client, calls in itertools.groupby(REPLAYED, key=lambda each: each.values[0]):
        names = [each.values[1].name for each in calls]
        assert len(names) == len(set(names)), client
    refused = [each.values[1] for each in REPLAYED if each.values[1].status != 200]
    assert [call.name for call in refused if not call.bug] == ["login with a wrong password"]


def test_what_a_client_reads_must_be_there() -> None:
    assert holds({"a": [{"b": 1, "c": None}, 2]}, {"a": [{"b": 1}]})
    for expected in ({"d": 1}, {"a": [{"b": 2}]}, {"a": [{"b": "1"}]}, {"a": [{"b": True}]}, {"a": [dict, int, int]}):
        assert not holds({"a": [{"b": 1, "c": None}, 2]}, expected)


@pytest.mark.parametrize("client", [PHP, PYTHON, CSHARP, JAVA], ids=lambda client: client.name)
def test_the_samples_connect_by_a_code(world: World, client: OtherClient) -> None:
    """The browser is sent to LogOn with the secret; the user consents; the code comes back and is exchanged by GET."""
    target = world.fill(logon_target(CALLBACK))
    page = world.send("GET", target, {"Accept": "text/html"})
    assert (page.status, page.content_type) == (200, "text/html")
    assert world.names["client_secret"].encode() not in page.body

    asked = dict(item.split("=", 1) for item in urlsplit(target).query.split("&"))
    form = urlencode(
        {**asked, "username": world.names["username"], "password": "sandbox", "decision": "allow"}
    ).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(form))}
    location = world.send("POST", target, kind, form).location
    assert location.startswith(CALLBACK)
    code = parse_qs(urlsplit(location).query)["code"][0]

    answer = replay(World(world.base_url, {**world.names, "code": code}), client, CODE)
    assert holds(json.loads(answer.body), PAIR)


def test_the_samples_renew_and_call_again_after_401(served: tuple[Sandbox, str], world: World) -> None:
    served[0].state.expire_access(username=world.names["username"])
    refused = replay(world, PHP, READ_GROUPS)
    assert refused.status == 401
    assert holds(json.loads(refused.body), REFUSED)

    pair = json.loads(replay(world, PHP, REFRESH).body)
    renewed = World(world.base_url, {**world.names, **{name: str(value) for name, value in pair.items()}})
    assert replay(renewed, PHP, READ_GROUPS).status == 200

    # The Python sample sends MailUp's refusal as the body of its second try.
    content = refused.body.decode()
    again = Call("1: import, again", "POST", f"{CONSOLE}/Group/$group/Recipients", content)
    assert replay(renewed, OtherClient("python", headers, []), again).status == 400
