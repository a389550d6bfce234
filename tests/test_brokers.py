"""Celery for real: worker processes on Redis and on RabbitMQ, killed and restarted; every due token is renewed once.

They run where the broker answers on this machine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.db import connection
from django.utils import timezone

from django_mailup.models import Token
from django_mailup.sandbox import Sandbox
from django_mailup.services import sweep

pytestmark = pytest.mark.brokers
ROOT = Path(__file__).resolve().parent.parent
BROKERS = {
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/13"),
    "rabbitmq": os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
TOKENS = 24
WORKER = """
import json, sys
from django.conf import settings
given = json.loads(sys.argv[1])
settings.DATABASES["default"]["NAME"] = given["database"]
settings.MAILUP = given["mailup"]
import django
django.setup()
from celery import Celery
app = Celery("tests", broker=given["broker"])
app.conf.update(given["conf"])
import django_mailup.tasks
app.worker_main(["worker", *given["arguments"], "-l", "ERROR", "--without-gossip", "--without-mingle"])
"""


def answers(name: str) -> bool:
    port = {"redis": 6379, "rabbitmq": 5672}[name]
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return name != "redis" or importlib.util.find_spec("redis") is not None


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    if not answers(request.param):
        pytest.skip(f"{request.param} does not answer on this machine, or its client is not installed")
    return BROKERS[request.param]


@pytest.fixture
def due(
    transactional_db: None, mailup_connection: Callable[..., Token], mailup_server: str, django_user_model: Any
) -> int:
    """So many connections, each with a pair of its own, all due."""
    for number in range(TOKENS):
        mailup_connection(django_user_model.objects.create(username=f"u{number}"))
    past = timezone.now() - timedelta(hours=1)
    Token.objects.update(connected_at=past, expires_at=past, refresh_at=past)
    return TOKENS


@contextmanager
def worker(settings: Any, broker: str, conf: dict[str, Any], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    mailup = {key: value for key, value in settings.MAILUP.items() if key != "ADAPTER"}
    given = {
        "database": str(connection.settings_dict["NAME"]),
        "mailup": mailup,
        "broker": broker,
        "conf": conf,
        "arguments": arguments,
    }
    process = subprocess.Popen([sys.executable, "-c", WORKER, json.dumps(given)], cwd=ROOT, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def renewed() -> int:
    return Token.objects.filter(generation=2).count()


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"{renewed()} of {TOKENS} were renewed"
        time.sleep(0.05)


@pytest.mark.parametrize("acks_late", [False, True], ids=["acks_early", "acks_late"])
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_every_due_token_is_renewed_once_although_a_worker_is_killed(
    broker: str, due: int, mailup_sandbox: Sandbox, settings: Any, pool: str, acks_late: bool
) -> None:
    mailup_sandbox.configure(refresh_reuse="grace", token_latency=0.05)
    settings.MAILUP = {**settings.MAILUP, "TOKEN_DEADLINE": 1, "REFRESH_BATCH_SIZE": 4}
    queue = f"mailup-{uuid.uuid4().hex[:8]}"
    conf = {"task_default_queue": queue, "task_acks_late": acks_late, "task_ignore_result": True}
    app = Celery("sender", broker=broker, set_as_current=False)
    app.conf.update(conf)

    def hand_out() -> None:
        for batch in sweep.take_due():
            app.send_task("django_mailup.refresh_tokens", [batch.pks])

    arguments = ("-P", pool, "-c", "2")
    try:
        hand_out()
        hand_out()  # a second beat: nothing is due any more
        with worker(settings, broker, conf, *arguments) as first:
            until(lambda: renewed() >= 4)
            os.killpg(first.pid, 9)
        assert renewed() < due, "the worker was killed too late to prove anything"
        with worker(settings, broker, conf, *arguments):
            # What the dead worker held comes due again: two periods later, which the test doesn't wait for.
            Token.objects.filter(generation=1).update(refresh_at=timezone.now(), claimed_until=timezone.now())
            hand_out()
            until(lambda: renewed() == due)
    finally:
        with app.connection_for_write() as link:
            link.default_channel.queue_delete(queue)
        app.close()
    assert not Token.objects.exclude(status=Token.Status.ACTIVE).exists()
    assert not Token.objects.filter(generation__gt=2).exists()
