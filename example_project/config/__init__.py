"""The example project. Importing it creates the Celery application, so that each `shared_task` finds its broker."""

from .celery import app as celery_app

__all__ = ["celery_app"]
