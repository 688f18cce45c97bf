"""HTTP to a server that is asked hundreds of times a second: kept connections, and nothing but requests."""

from collections.abc import Sequence
from typing import NamedTuple

import aiohttp
from yarl import URL

MADE_UP = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add; whoever asks says what is sent."""


class NoAnswer(Exception):
    """There was none; the text is the kind of error. What was asked for may have been done or not."""


class TooSlow(NoAnswer):
    """A connection or an answer took longer than it may."""


class HungUp(NoAnswer):
    """The connection broke under the request: one that was kept may have been closed meanwhile."""


class HttpAnswer(NamedTuple):
    """An answer of any status. Header names are as they came."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


class HttpClient:
    """Asks one server over at most `connections` at once (0: any number), kept for `kept_for_s` when idle.

    Made in a running event loop, and closed in it. Cookies, redirects and proxies have no place in it.
    Nothing is sent twice but what is `repeatable`: only whoever asks can know whether that is right.
    """

    def __init__(
        self, url: str, connections: int, kept_for_s: float, connect_s: float, answer_s: float
    ) -> None:
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=kept_for_s),
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_s, sock_read=answer_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=MADE_UP,
            auto_decompress=False,
            middlewares=(_once,),
        )

    async def aclose(self) -> None:
        """Close its connections."""
        await self._session.close()

    async def ask(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        *,
        repeatable: bool = False,
    ) -> HttpAnswer:
        """The answer to one request. `target` is path and query, quoted already; it is sent as it is.

        What is `repeatable` is asked once more when the connection that was kept for it had been closed.

        Raises:
            TooSlow: no connection was free or made in time, or nothing came of the answer for too long.
            HungUp: the connection broke before the answer had ended.
            NoAnswer: there is nobody to connect to, or the answer is no HTTP.
        """
        try:
            return await self._ask(method, target, headers, body)
        except HungUp:
            if not repeatable:
                raise
            return await self._ask(method, target, headers, body)

    async def _ask(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None
    ) -> HttpAnswer:
        url = URL(self._url + target, encoded=True)
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as answer:
                return HttpAnswer(answer.status, answer.raw_headers, await answer.read())
        except (aiohttp.ClientError, OSError) as error:
            raise _no_answer(error) from error


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request. aiohttp itself would send a PUT again after an error of its own, but not after ours."""
    try:
        return await send(request)
    except (aiohttp.ClientError, OSError) as error:
        raise _no_answer(error) from error


def _no_answer(error: Exception) -> NoAnswer:
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return TooSlow(kind)
    if isinstance(error, aiohttp.ClientConnectorError):
        return NoAnswer(kind)
    broken = (OSError, aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError)
    return HungUp(kind) if isinstance(error, broken) else NoAnswer(kind)
