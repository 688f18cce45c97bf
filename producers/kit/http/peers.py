"""Requests of one commerce service to another, with a token that says which service asks."""

import asyncio
from typing import Any

import httpx
import structlog

from common.principal import platform
from common.principal_token import COMMERCE, HEADER, PrincipalTokens
from common.service_urls_file import ServiceUrlsFile, parse_service_urls
from common.settings import Settings
from producers.kit.http.problems import ServiceNotReady, require

TIMEOUT_S = 5.0

_LATER = (httpx.codes.UNAUTHORIZED, httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
"""The same request may succeed later: the clocks of the two processes differ, or there is much to do."""

_UNKNOWN_ROUTE = ("urn:souk:problem:not-found", "urn:souk:problem:method-not-allowed")

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
        return require(await self.find(service, path, body), ServiceNotReady(service))

    async def find(self, service: str, path: str, body: object = None) -> Any:
        """Return the same as `ask`; None if the service says that there is no such thing (404).

        Raises:
            ServiceNotReady: none of its addresses gives an answer.
        """
        response = await self.send(service, "GET" if body is None else "POST", path, body)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        try:
            return response.raise_for_status().json()
        except (httpx.HTTPStatusError, ValueError) as error:
            log.error("a service refused to answer another", service=service, status=response.status_code)
            raise ServiceNotReady(service) from error

    async def send(self, service: str, method: str, path: str, body: object = None) -> httpx.Response:
        """Return the response of a service to a request: its result, or why it refuses (4xx).

        It is no answer if there is no such route, as in a process without the service, or of an earlier
        version. A path may name a person, so no log has it.

        Raises:
            ServiceNotReady: none of its addresses gives an answer.
        """
        if self._file is not None:
            changed = await asyncio.to_thread(self._file.read_if_changed)
            self._urls = changed or self._urls
        headers = {HEADER: self._tokens.make(self._sender, COMMERCE)}
        for url in self._urls.get(service) or [self._default]:
            try:
                response = await self._http.request(method, f"{url}{path}", headers=headers, json=body)
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            else:
                if _is_answer(response):
                    return response
                reason = str(response.status_code)
            log.warning("a service did not answer another", service=service, url=url, reason=reason)
        raise ServiceNotReady(service)


def _is_answer(response: httpx.Response) -> bool:
    if response.is_server_error or response.status_code in _LATER:
        return False
    try:
        return not response.is_client_error or response.json()["type"] not in _UNKNOWN_ROUTE
    except (ValueError, KeyError, TypeError):
        return True
