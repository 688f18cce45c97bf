"""Requests of one commerce service to another, with a token that says which service asks."""

import asyncio
from typing import Any

import httpx
import structlog

from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.service_urls_file import ServiceUrlsFile, parse_service_urls
from common.settings import Settings
from producers.http.problems import ServiceNotReady

TIMEOUT_S = 5.0

log = structlog.get_logger()


class Peers:
    """Asks other services. `process` is the name of the service that asks.

    Create it where an event loop runs or will run. Its connections end with the process.
    """

    def __init__(self, settings: Settings, process: str) -> None:
        self._tokens = PrincipalTokens(settings)
        self._sender = platform(process)
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        self._default = settings.commerce
        self._file = ServiceUrlsFile(settings.service_urls_file) if settings.service_urls_file else None
        self._urls = self._file.read() if self._file else parse_service_urls(settings.service_urls)

    async def ask(self, service: str, path: str, body: object = None) -> Any:
        """Return the JSON that a service answers to GET, or to POST with a body.

        Ask outside a transaction: the answer may take seconds.

        Raises:
            ServiceNotReady: none of its addresses gives an answer.
        """
        answer = await self.find(service, path, body)
        if answer is None:
            raise ServiceNotReady(service)
        return answer

    async def find(self, service: str, path: str, body: object = None) -> Any:
        """Return the same as `ask`; None if the service says that there is no such thing (404).

        Raises:
            ServiceNotReady: none of its addresses gives an answer.
        """
        if self._file is not None:
            changed = await asyncio.to_thread(self._file.read_if_changed)
            self._urls = changed or self._urls
        headers = {HEADER: self._tokens.make(self._sender, COMMERCE)}
        method = "GET" if body is None else "POST"
        for url in self._urls.get(service) or [self._default]:
            try:
                response = await self._http.request(method, f"{url}{path}", headers=headers, json=body)
                if response.status_code == httpx.codes.NOT_FOUND:
                    return None
                return response.raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                log.warning("a service did not answer another", service=service, url=url, reason=str(error))
        raise ServiceNotReady(service)
