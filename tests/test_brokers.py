"""Celery workers on Redis and RabbitMQ, killed and restarted: every due token is renewed once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from django_mailup.models import ClientRegistration, Token
from django_mailup.renewal import periodic
from django_mailup.sandbox import Sandbox
from django_mailup.services import register

from .processes import BROKERS, broker, eventually, reach, sender
from .stored import sealed

pytestmark = pytest.mark.brokers
ROOT = Path(__file__).resolve().parent.parent
TOKENS = 24
WORKER = """
import json, sys
from django.conf import settings
given = json.loads(sys.argv[1])
settings.DATABASES["default"].update(given["database"])
settings.MAILUP = given["mailup"]
import django
django.setup()
from celery import Celery
app = Celery("tests")
app.conf.update(given["conf"])
from django_mailup.beat import mailup_beat_schedule
app.conf.beat_schedule = mailup_beat_schedule(settings.MAILUP)
import django_mailup.tasks
app.worker_main(["worker", *given["arguments"], "-l", "ERROR", "--without-gossip", "--without-mingle"])
"""


@pytest.fixture(params=BROKERS)
def conf(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Celery's settings for a queue that no other test uses, on each broker."""
    with broker(request.param) as made:
        yield made


@pytest.fixture
def due(
    transactional_db: None, mailup_connection: Callable[..., Token], mailup_server: str, django_user_model: Any
) -> int:
    """TOKENS due connections, each with its own pair. Return TOKENS."""
    for number in range(TOKENS):
        mailup_connection(django_user_model.objects.create(username=f"u{number}"))
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    return TOKENS


@contextmanager
def worker(settings: Any, conf: dict[str, Any], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    given = {
        "database": reach(),
        "mailup": settings.MAILUP,
        "conf": conf,
        "arguments": arguments,
    }
    process = subprocess.Popen([sys.executable, "-c", WORKER, json.dumps(given)], cwd=ROOT, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def renewed() -> int:
    return Token.objects.filter(generation=2).count()


@pytest.mark.parametrize("acks_late", [False, True], ids=["acks_early", "acks_late"])
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_every_due_token_is_renewed_once_although_a_worker_is_killed(
    conf: dict[str, Any], due: int, mailup_sandbox: Sandbox, settings: Any, pool: str, acks_late: bool
) -> None:
    mailup_sandbox.configure(refresh_reuse="grace", token_latency=0.05)
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1, "REFRESH_BATCH_SIZE": 4}
    conf = {**conf, "task_acks_late": acks_late}

    def hand_out() -> None:
        for batch in periodic.hand_out_due():
            app.send_task("django_mailup.refresh_tokens", [[str(key) for key in batch.keys]])

    arguments = ("-P", pool, "-c", "2")
    with sender(conf) as app:
        hand_out()
        hand_out()  # as a second beat would: nothing is due any more
        with worker(settings, conf, *arguments) as first:
            eventually(lambda: renewed() >= 4)
            os.killpg(first.pid, 9)
        assert renewed() < due, "the worker was killed too late to prove anything"
        with worker(settings, conf, *arguments):
            # What the dead worker held comes due again two periods later. The test doesn't wait for that.
            Token.objects.filter(generation=1).update(refresh_at=timezone.now(), claimed_until=timezone.now())
            hand_out()
            eventually(lambda: renewed() == due)
    assert not Token.objects.exclude(status=Token.Status.ACTIVE).exists()
    assert not Token.objects.filter(generation__gt=2).exists()


def test_beats_and_workers_that_are_killed_together_go_on_when_they_are_back(
    conf: dict[str, Any], due: int, mailup_sandbox: Sandbox, settings: Any, tmp_path: Path
) -> None:
    mailup_sandbox.configure(refresh_reuse="grace", token_latency=0.2)
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1, "REFRESH_BATCH_SIZE": 1, "REFRESH_PERIOD": 1}

    @contextmanager
    def two_sites() -> Iterator[list[subprocess.Popen[bytes]]]:
        """Run two process groups, each with a worker, its pool and a beat: one beat more than there should be."""
        with ExitStack() as stack:
            yield [
                stack.enter_context(
                    worker(settings, conf, "-P", "prefork", "-c", "2", "-B", "-s", str(tmp_path / str(number)))
                )
                for number in range(2)
            ]

    with two_sites() as groups:
        eventually(lambda: renewed() >= 4)
        for group in groups:
            os.killpg(group.pid, 9)
    assert renewed() < due, "they were killed too late to prove anything"
    with two_sites():
        eventually(lambda: renewed() == due)  # what the killed workers held comes due again by itself
    assert not Token.objects.exclude(status=Token.Status.ACTIVE, generation=2).exists()


def test_a_rejected_client_is_said_once_and_a_corrected_secret_resumes_by_itself(
    conf: dict[str, Any], due: int, mailup_sandbox: Sandbox, settings: Any, tmp_path: Path
) -> None:
    settings.MAILUP = {**settings.MAILUP, "REFRESH_BATCH_SIZE": 4, "REFRESH_PERIOD": 1}
    registration = ClientRegistration.objects.get()
    right = registration.client_secret
    ClientRegistration.objects.update(**sealed(registration, client_secret="wrong"))
    arguments = ("-P", "threads", "-c", "2", "-B", "-s", str(tmp_path / "beat"))
    with worker(settings, conf, *arguments):
        eventually(lambda: ClientRegistration.objects.filter(failed_at__isnull=False).exists())
        assert not Token.objects.filter(failure_count__gt=0).exists(), "the message is the registration's"
        register(name="Sandbox", client_id=registration.client_id, client_secret=right.reveal())
        eventually(lambda: renewed() == due)
    assert ClientRegistration.objects.get().failed_at is None
    assert not Token.objects.filter(failure_count__gt=0).exists()
