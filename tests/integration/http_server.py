"""An HTTP server in the test's event loop, which records requests and sends the test's responses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from common.settings import LOOPBACK

Say = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""A handler of a request (head and body), with a writer for the response. Closing the writer disconnects."""


@dataclass
class Heard:
    """The requests that a server received, and the number of connections."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


def answered(status: str, body: bytes, *headers: str) -> Say:
    """Return a handler that always sends the same response."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])

    async def say(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)

    return say


@asynccontextmanager
async def serving(say: Say) -> AsyncIterator[Heard]:
    """A server on a free port while the block runs."""
    heard = Heard()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                heard.requests.append(head + body)
                await say(head + body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    heard.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    async with server:
        yield heard


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
