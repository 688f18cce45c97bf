"""The load of `./souk bench gateway` against a small server."""

import asyncio
from random import Random

import pytest

from bench.http_load import NO_RESPONSE, Load, LoadRequest, LoadResult
from common.errors import PartUnavailable
from tests.integration.http_server import Say, answered, serving

REQUESTS = [
    LoadRequest("GET", "/a", (("Accept", "text/csv"),)),
    LoadRequest("POST", "/b", body=b"{}", statuses=frozenset({202})),
]


async def by_method(request: bytes, writer: asyncio.StreamWriter) -> None:
    is_get = request.startswith(b"GET")
    await (answered("200 OK", b"x" * 100_000) if is_get else answered("202 Accepted", b""))(request, writer)


async def close_after_answer(request: bytes, writer: asyncio.StreamWriter) -> None:
    await answered("200 OK", b"{}", "Connection: close")(request, writer)
    writer.close()


async def close_at_once(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def saturated(say: Say, *requests: LoadRequest, connections: int = 4) -> tuple[LoadResult, list[bytes]]:
    async with serving(say) as server:
        return await Load(server.url, connections).saturate(requests, 0.2), server.requests


def test_requests_are_sent_in_turn_and_successes_are_counted() -> None:
    result, requests = asyncio.run(saturated(by_method, *REQUESTS))
    assert not result.failed
    assert len(result.seconds) == len(requests)
    assert {request.split(b"\r\n")[0] for request in requests} == {b"GET /a HTTP/1.1", b"POST /b HTTP/1.1"}
    assert all(b"Accept: text/csv" in request for request in requests if request.startswith(b"GET"))


def test_another_status_is_no_success() -> None:
    result, _ = asyncio.run(saturated(answered("429 Too Many Requests", b""), REQUESTS[0]))
    assert set(result.failed) == {429}
    assert not result.seconds


def test_a_connection_that_the_server_ends_after_a_response_is_replaced() -> None:
    result, requests = asyncio.run(saturated(close_after_answer, REQUESTS[0], connections=1))
    assert len(result.seconds) == len(requests) > 1


def test_a_server_that_does_not_answer_ends_the_measurement() -> None:
    with pytest.raises(PartUnavailable, match="closed a connection"):
        asyncio.run(saturated(close_at_once, REQUESTS[0]))


def test_no_request_is_sent_while_the_gate_is_closed_or_after_the_end() -> None:
    async def send() -> tuple[list[int], LoadResult]:
        gate = asyncio.Event()
        async with serving(by_method) as server:
            running = asyncio.create_task(Load(server.url, 4).saturate(REQUESTS, 0.6, gate))
            sent = []
            for change in (gate.set, gate.clear, lambda: None):
                await asyncio.sleep(0.15)
                sent.append(len(server.requests))
                change()
            await asyncio.sleep(0.3)
            gate.set()
            return [*sent, len(server.requests)], await running

    (closed_first, opened, closed, ended), result = asyncio.run(send())
    assert closed_first == 0
    assert 0 < opened <= closed <= opened + 4  # each connection may wait for one response
    assert len(result.seconds) == ended == closed


def test_paced_requests_come_at_the_given_rate() -> None:
    async def send() -> LoadResult:
        async with serving(by_method) as server:
            return await Load(server.url, 4).paced(REQUESTS, 100, 2.0, Random(1))

    result = asyncio.run(send())
    assert not result.failed
    assert 120 < len(result.seconds) < 280


def test_a_paced_request_whose_connection_is_lost_has_failed_and_the_next_one_is_sent() -> None:
    async def send() -> tuple[LoadResult, int]:
        async with serving(close_at_once) as server:
            result = await Load(server.url, 4).paced(REQUESTS, 100, 0.5, Random(1))
            return result, len(server.requests)

    result, received = asyncio.run(send())
    assert set(result.failed) == {NO_RESPONSE}
    # The first request of each of the four connections is sent again on a new one, which ends, too.
    assert len(result.failed_seconds) + 4 == received > 20
