"""Kombu's filesystem transport, with messages that appear whole. For the demo; production has Redis or RabbitMQ."""

from __future__ import annotations

import os
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Kombu creates a message's file empty and fills it then; a worker that looks in between reads nothing and dies."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        path = os.path.join(self.data_folder_out, name)
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            file.write(dumps(payload))
        os.replace(f"{path}.part", path)


class Transport(filesystem.Transport):
    """`broker_transport = "config.broker:Transport"`."""

    Channel = Channel
