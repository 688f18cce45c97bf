"""Sends HTTP requests as fast as a server answers them, or at a given rate, with little CPU of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

from common.errors import PartUnavailable

NO_RESPONSE = 0
"""Stands for the status of a request without a response."""

RESPONSE_TIMEOUT_S = 30.0
"""A paced request without a response after this time has failed."""


@dataclass(frozen=True)
class LoadRequest:
    """A request of the load. `statuses` are those of a successful response.

    `is_keyed`: the request is sent with another `Idempotency-Key` each time.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    statuses: frozenset[int] = frozenset({200})
    is_keyed: bool = False

    def encode(self, host: str) -> bytes:
        """Return the request in HTTP/1.1."""
        headers = (("Host", host), *self.headers)
        if self.is_keyed:
            headers += (("Idempotency-Key", str(uuid4())),)
        if self.body:
            headers += (("Content-Length", str(len(self.body))),)
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass
class LoadResult:
    """The seconds of each successful response, those of each other one, and the number of these by status."""

    seconds: list[float] = field(default_factory=list)
    failed_seconds: list[float] = field(default_factory=list)
    failed: dict[int, int] = field(default_factory=dict)
    elapsed_s: float = 0.0

    @property
    def rate(self) -> float:
        """Successful responses a second."""
        return len(self.seconds) / self.elapsed_s

    def add(self, request: LoadRequest, status: int, seconds: float) -> None:
        """Count a response."""
        if status in request.statuses:
            self.seconds.append(seconds)
        else:
            self.failed_seconds.append(seconds)
            self.failed[status] = self.failed.get(status, 0) + 1


class Connection(asyncio.Protocol):
    """A connection that is kept open. It sends one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._response: asyncio.Future[int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def open(self, host: str, port: int, local_address: str | None) -> None:
        """Connect from this local address."""
        local = (local_address, 0) if local_address else None
        await asyncio.get_running_loop().create_connection(lambda: self, host, port, local_addr=local)

    async def send(self, encoded: bytes) -> int:
        """Send a request and return the status of the response, after its last byte.

        Raises:
            ConnectionError: the server has closed the connection.
        """
        assert self._transport is not None
        if not self.is_open:
            raise ConnectionResetError
        self._received.clear()
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(encoded)
        return await self._response

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Resolve the response once its body is complete."""
        self._received += data
        if self._response is None or self._response.done():
            return
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].partition(b"\r\n")[0]) if start >= 0 else 0
        if len(self._received) >= end + 4 + length:
            if b"connection: close" in head and self._transport:
                self._transport.close()
            self._response.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the response that is under way."""
        if self._response is not None and not self._response.done():
            self._response.set_exception(exc or ConnectionResetError())


class Load:
    """Requests to one server over connections from as many loopback addresses.

    A limit by address then applies to each connection by itself, as to as many clients.
    """

    def __init__(self, url: str, connections: int) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._connections = connections

    async def saturate(
        self, requests: Sequence[LoadRequest], seconds: float, gate: asyncio.Event | None = None
    ) -> LoadResult:
        """Send the next request of each connection as soon as the last one is answered.

        While `gate` is not set, no request is sent. Whoever clears it sets it again before the end.

        Raises:
            PartUnavailable: the server closed a connection without a response.
        """
        result, begun = LoadResult(), perf_counter()
        await asyncio.gather(
            *(
                self._repeat(number, requests, begun + seconds, result, gate)
                for number in range(self._connections)
            )
        )
        result.elapsed_s = perf_counter() - begun
        return result

    async def paced(
        self, requests: Sequence[LoadRequest], rate: float, seconds: float, random: Random
    ) -> LoadResult:
        """Send requests at random times, on average `rate` a second. They don't wait for earlier responses.

        The time of a response begins when its request was due, also if all connections were in use. The
        server closes connections that are idle. A request on a connection that turns out to be closed is
        sent again on a new one, as browsers do. One whose new connection is lost, too, or that times out,
        counts with the status `NO_RESPONSE`.
        """
        result = LoadResult()
        free: asyncio.Queue[tuple[int, Connection]] = asyncio.Queue()
        for number in range(self._connections):
            free.put_nowait((number, await self._open(number)))

        async def send(request: LoadRequest, due: float) -> None:
            number, connection = await free.get()
            try:
                async with asyncio.timeout(RESPONSE_TIMEOUT_S):
                    encoded = request.encode(self._authority)
                    try:
                        status = await connection.send(encoded)
                    except ConnectionError:
                        connection = await self._open(number)
                        status = await connection.send(encoded)
            except OSError:  # a timeout is one, too
                connection.close()
                status = NO_RESPONSE
            finally:
                free.put_nowait((number, connection))
            result.add(request, status, perf_counter() - due)

        begun = due = perf_counter()
        number = 0
        async with asyncio.TaskGroup() as tasks:
            while due < begun + seconds:
                await asyncio.sleep(max(0.0, due - perf_counter()))
                tasks.create_task(send(requests[number % len(requests)], due))
                due += random.expovariate(rate)
                number += 1
        result.elapsed_s = perf_counter() - begun
        while not free.empty():
            free.get_nowait()[1].close()
        return result

    @property
    def _authority(self) -> str:
        return f"{self._host}:{self._port}"

    async def _open(self, number: int) -> Connection:
        connection = Connection()
        await connection.open(self._host, self._port, f"127.1.{number // 250}.{number % 250 + 1}")
        return connection

    async def _repeat(
        self,
        number: int,
        requests: Sequence[LoadRequest],
        until: float,
        result: LoadResult,
        gate: asyncio.Event | None,
    ) -> None:
        connection = await self._open(number)
        count = number * len(requests) // self._connections  # no two ask for the same at the same time
        try:
            while True:
                if gate is not None:
                    await gate.wait()
                if (begun := perf_counter()) >= until:
                    return
                request = requests[count % len(requests)]
                content = request.encode(self._authority)
                count += 1
                if not connection.is_open:
                    connection = await self._open(number)
                result.add(request, await connection.send(content), perf_counter() - begun)
        except OSError as error:
            raise PartUnavailable(f"{self._authority} closed a connection: {error}") from error
        finally:
            connection.close()
