"""The Python client against the real application in this process."""

from __future__ import annotations

import httpx

from tests.http_support import Api

URL = "http://backbone.test"


class InProcess(httpx.BaseTransport):
    """Hands each request to the application; one thread only."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.api.request(
            request.method,
            request.url.raw_path.decode(),
            raw=request.read() or None,
            headers={name.title(): value for name, value in request.headers.items()},
            root=True,
        )
        headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
        return httpx.Response(answer.status, headers=headers, text=answer.text)
