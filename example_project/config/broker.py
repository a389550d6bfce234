"""Kombu's filesystem transport with messages written atomically. For the demo; use Redis or RabbitMQ in production."""

from __future__ import annotations

import os
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes a message to a temporary file and renames it.

    Kombu creates the message's file first and then writes to it. A worker that reads it in between finds an empty file
    and stops with an error.
    """

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        path = os.path.join(self.data_folder_out, name)
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            file.write(dumps(payload))
        os.replace(f"{path}.part", path)


class Transport(filesystem.Transport):
    """The transport that the setting `CELERY_BROKER_TRANSPORT` names."""

    Channel = Channel
