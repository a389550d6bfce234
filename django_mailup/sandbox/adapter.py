"""SandboxAdapter: requests of this process get to a sandbox in this process, without a network."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from .app import Sandbox
from .faults import ConnectionDropped


class SandboxAdapter(BaseAdapter):
    """An adapter for the library requests. It lets a sandbox answer every request. Mount it on a session.

    Attributes:
        sandbox: answers the requests.
        requests: every request that was sent, oldest first.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.requests.append(request)
        url = urlsplit(request.url or "")
        body = request.body.encode() if isinstance(request.body, str) else request.body
        builder = EnvironBuilder(
            path=url.path,
            query_string=url.query,
            base_url=f"{url.scheme}://{url.netloc}/",
            method=request.method or "GET",
            headers=list(request.headers.items()),
            input_stream=BytesIO(body or b""),
            content_length=len(body or b""),
        )
        try:
            chunks, status, headers = run_wsgi_app(self.sandbox, builder.get_environ(), buffered=True)
        except ConnectionDropped:
            raise requests.ConnectionError("dropped on demand", request=request) from None
        raw = HTTPResponse(
            body=BytesIO(b"".join(chunks)),
            headers=dict(headers),
            status=int(status.split()[0]),
            preload_content=False,
        )
        response = requests.Response()
        response.status_code = int(status.split()[0])
        response.headers = requests.structures.CaseInsensitiveDict(headers)
        response.raw = raw
        response.url = request.url or ""
        response.request = request
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        return response

    def close(self) -> None:
        """Do nothing: there is no connection to close."""
