"""The Celery tasks, run in this process by Celery's eager mode."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry
from django.utils import timezone

from django_mailup import tasks
from django_mailup.exceptions import ImportStopped, NotConnected
from django_mailup.models import AuthorizationRequest, Token
from django_mailup.sandbox import Sandbox

from .csv_import.files import rows, uploads, write

Connect = Callable[..., Token]


@pytest.fixture
def eager() -> Any:
    """Celery's eager mode: a task runs where it is sent, and its exceptions are raised there."""
    app = Celery("tests", set_as_current=True)
    app.conf.task_always_eager = True
    app.conf.task_eager_propagates = True
    yield app
    app.close()


def make_due(*pks: int) -> None:
    past = timezone.now() - timedelta(hours=1)
    Token.objects.filter(pk__in=pks).update(connected_at=past, expires_at=timezone.now(), refresh_at=past)


@pytest.mark.django_db
def test_the_periodic_task_renews_what_is_due(eager: Any, mailup_connection: Connect, mailup_sandbox: Sandbox) -> None:
    due, fresh = mailup_connection(None), mailup_connection(None, username="m67890")
    make_due(due.pk)
    tasks.refresh_expiring_tokens.delay()
    tasks.refresh_expiring_tokens.delay()

    due.refresh_from_db()
    fresh.refresh_from_db()
    assert (due.generation, fresh.generation) == (2, 1)
    assert mailup_sandbox.state.counters["refreshes"] == 1


@pytest.fixture
def queue(settings: Any) -> Iterator[Any]:
    """A queue of Celery's in memory, which no worker empties: what was sent to it can be read."""
    app = Celery("tests", broker="memory://", set_as_current=True)
    app.conf.task_default_queue = f"mailup-tests-{uuid.uuid4().hex}"
    with app.connection_for_read() as link, link.SimpleQueue(app.conf.task_default_queue) as queue:
        yield queue
    app.close()


@pytest.mark.django_db
def test_batches_wait_for_their_turn_and_expire_a_period_after_it(
    queue: Any, mailup_connection: Connect, settings: Any, user: Any, other_user: Any
) -> None:
    """A message that expired before its turn came would never be carried out."""
    settings.MAILUP = {**settings.MAILUP, "REFRESH_RATE": 1, "REFRESH_PERIOD": 250}
    tokens = [mailup_connection(owner) for owner in (None, user, other_user)]
    make_due(*[token.pk for token in tokens])
    began_at = timezone.now()
    tasks.refresh_expiring_tokens()
    ended_at = timezone.now()

    sent = [queue.get_nowait() for _ in tokens]
    assert sorted(key for message in sent for key in message.payload[0][0]) == sorted(str(each.key) for each in tokens)
    for countdown, message in enumerate(sent):
        turn = message.headers["eta"] and datetime.fromisoformat(message.headers["eta"])
        expires = datetime.fromisoformat(message.headers["expires"])
        if countdown == 0:
            assert turn is None
        else:
            assert began_at <= turn - timedelta(seconds=countdown) <= ended_at
            assert expires - turn == timedelta(seconds=250)
        assert began_at <= expires - timedelta(seconds=250 + countdown) <= ended_at


@pytest.mark.django_db
def test_the_periodic_task_clears_old_requests(eager: Any, mailup_registration: Any, user: Any) -> None:
    for hash_, minutes in (("old", -1), ("new", 1)):
        AuthorizationRequest.objects.create(
            state_hash=hash_, session_hash="s", user=user, registration=mailup_registration, redirect_uri="x",
            expires_at=timezone.now() + timedelta(minutes=minutes),
        )  # fmt: skip
    tasks.refresh_expiring_tokens.delay()

    assert AuthorizationRequest.objects.get().state_hash == "new"


@pytest.mark.django_db
def test_a_job_survives_a_token_that_fails(eager: Any, mailup_connection: Connect, mailup_sandbox: Sandbox) -> None:
    token = mailup_connection(None)
    make_due(token.pk)
    mailup_sandbox.fail_with("status", status=503, path="/Token")
    tasks.refresh_tokens.delay([str(token.key)])

    token.refresh_from_db()
    assert token.failure_count == 1


@pytest.mark.django_db
@pytest.mark.parametrize("refused_at", ["/Console/", "/List/1/Recipients"], ids=["at the start", "at a chunk"])
@pytest.mark.parametrize("kind", ["status", "html", "drop"])
def test_an_import_retries_by_itself_when_the_token_endpoint_is_away(
    eager: Any, mailup_connection: Connect, mailup_sandbox: Sandbox, tmp_path: Path, kind: str, refused_at: str
) -> None:
    """No chunk was sent, so that nobody has to decide whether to send it again."""
    token = mailup_connection(None)
    mailup_sandbox.fail_with("status", status=401, path=refused_at)
    mailup_sandbox.fail_with(kind, path="/Token")
    path = tmp_path / "people.csv"
    path.write_text("email\na@example.com\nb@example.com\n")

    with pytest.raises(Retry) as caught:
        tasks.import_csv.delay(str(path), str(token.key), list_id=1)
    assert caught.value.when == 60
    assert not caught.value.exc.may_have_arrived

    Token.objects.update(failed_at=timezone.now() - timedelta(seconds=60))
    outcome = caught.value.sig.apply_async().get()
    assert (outcome["sent"], outcome["rejected"], len(outcome["import_ids"])) == (2, 0, 1)


@pytest.mark.django_db
def test_an_import_that_has_sent_no_chunk_is_tried_again_whatever_failed(
    eager: Any, mailup_connection: Connect, mailup_sandbox: Sandbox, tmp_path: Path
) -> None:
    """What it reads from MailUp before the first chunk may be read again, also if its request has arrived."""
    token = mailup_connection(None)
    mailup_sandbox.fail_with("status", status=503, path="/DynamicFields")
    path = tmp_path / "people.csv"
    path.write_text("email\na@example.com\n")

    with pytest.raises(Retry) as caught:
        tasks.import_csv.delay(str(path), str(token.key), list_id=1)
    assert caught.value.sig.apply_async().get()["sent"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("refused_at", ["/DynamicFields", "/List/1/Recipients"], ids=["at the start", "at a chunk"])
def test_an_import_comes_back_when_mailup_wants_it(
    eager: Any, mailup_connection: Connect, mailup_sandbox: Sandbox, tmp_path: Path, refused_at: str
) -> None:
    token = mailup_connection(None)
    mailup_sandbox.fail_with("status", status=429, path=refused_at, retry_after=90)

    with pytest.raises(Retry) as caught:
        tasks.import_csv.delay(str(write(tmp_path / "a.csv", *rows(2))), str(token.key), list_id=1)
    assert caught.value.when == 90


@pytest.fixture
def retrying() -> Iterator[Any]:
    app = Celery("tests", set_as_current=True)
    app.conf.task_always_eager = True
    yield app
    app.close()


def test_the_task_comes_back_until_everything_is_sent(
    retrying: Any, site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.fail_with("status", status=429, path="/List/1/Recipients", times=5)
    path = write(tmp_path / "a.csv", *rows(25))
    result = tasks.import_csv.delay(str(path), str(site_token.key), list_id=1, chunk=10)

    assert result.get()["sent"] == 25
    assert [len(chunk) for chunk in uploads(mailup_sandbox)] == [10, 10, 5]


def test_the_task_takes_the_options_of_an_import(
    retrying: Any, site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    path = write(tmp_path / "a.csv", "Mail,Vorname", "ada@example.com,Ada")
    options = {"group_id": 9, "mapping": {"Vorname": "FirstName"}, "confirm": True}
    result = tasks.import_csv.delay(str(path), str(site_token.key), **options)

    (made,) = mailup_sandbox.state.users["m12345"].account.imports.values()
    assert result.get() == {"sent": 1, "rejected": 0, "import_ids": [made.id]}
    assert (made.group_id, made.sending_id is not None) == (9, True)


def test_the_task_says_that_the_connection_is_gone(retrying: Any, site_token: Token, tmp_path: Path) -> None:
    key = str(site_token.key)
    site_token.delete()

    with pytest.raises(NotConnected):
        tasks.import_csv.delay(str(write(tmp_path / "a.csv", *rows(1))), key, list_id=1).get()


def test_the_task_does_not_repeat_what_mailup_refuses(
    retrying: Any, site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.fail_with("status", status=400, path="/List/1/Recipients")
    result = tasks.import_csv.delay(str(write(tmp_path / "a.csv", *rows(5))), str(site_token.key), list_id=1)

    with pytest.raises(ImportStopped) as caught:
        result.get()
    assert not caught.value.may_have_arrived
    assert uploads(mailup_sandbox) == []


def test_the_task_leaves_what_is_unsure_to_a_person(
    retrying: Any, site_token: Token, tmp_path: Path, mailup_sandbox: Sandbox
) -> None:
    mailup_sandbox.fail_with("drop", path="/List/1/Recipients")
    result = tasks.import_csv.delay(str(write(tmp_path / "a.csv", *rows(5))), str(site_token.key), list_id=1)

    with pytest.raises(ImportStopped):
        result.get()
    assert uploads(mailup_sandbox) == []
