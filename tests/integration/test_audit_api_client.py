"""The audit's client of the API, against a server that is busy for a moment."""

import asyncio
import itertools

import pytest

from audit.sources.api import ApiClient, ApiRequest
from common.errors import PartUnavailable
from common.principal_token import PlatformToken
from common.settings import Settings
from tests.integration.http_server import answered, serving


async def rows_from(*statuses: str) -> list[dict[str, int]]:
    """Return the rows that the audit reads from a server with these responses, the last one for ever."""
    says = itertools.chain(statuses, itertools.repeat(statuses[-1]))

    async def say(request: bytes, writer: asyncio.StreamWriter) -> None:
        await answered(next(says), b'[{"units": 2}]')(request, writer)

    async with serving(say) as server:
        client = ApiClient(server.url, PlatformToken(Settings.load(), "audit"), lambda *_: None)
        return await asyncio.to_thread(client.fetch, [ApiRequest("/v1/figures")], lambda parsed: parsed)


@pytest.mark.parametrize("busy", ["429 Too Many Requests", "503 Unavailable", "504 Gateway Timeout"])
def test_a_request_that_a_busy_api_refuses_is_sent_again(busy: str) -> None:
    assert asyncio.run(rows_from(busy, busy, "200 OK")) == [{"units": 2}]


def test_another_error_ends_the_audit_with_what_the_api_says() -> None:
    with pytest.raises(PartUnavailable, match=r"answered 404 to .*/v1/figures: .*units"):
        asyncio.run(rows_from("404 Not Found", "200 OK"))
