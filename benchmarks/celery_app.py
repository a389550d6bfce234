"""The Celery application of the benchmarks' site.

A worker that shuts down appends the number of SQL statements it has sent to the file that BENCH_STATEMENTS names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_shutdown
from django.db.backends.signals import connection_created

from . import stage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

app = Celery("benchmarks")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
statements = stage.Statements()
connection_created.connect(statements.watch)


@worker_shutdown.connect
def tell(**kwargs: Any) -> None:
    with Path(os.environ["BENCH_STATEMENTS"]).open("a") as file:
        file.write(f"{statements.count}\n")
