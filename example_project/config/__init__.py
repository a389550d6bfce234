"""The example project. Celery's application is made with it, so that `shared_task`s find their broker."""

from .celery import app as celery_app

__all__ = ["celery_app"]
