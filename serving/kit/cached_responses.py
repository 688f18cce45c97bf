"""Writes public responses from the cache: JSON, CSV and pages, each with an ETag and its `Cache-Control`."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Request
from starlette.responses import Response

from serving.kit.cache.keys import CacheName
from serving.kit.cache.response_cache import CacheContent
from serving.kit.domain import opened
from serving.kit.http_caching import LANGUAGE_HEADERS, PUBLIC_DATA, PUBLIC_PAGE, etag_of, has_current
from serving.kit.responses import CSV, JSON, CsvFormat, csv_headers, prefers_csv, write_csv
from serving.kit.stores import Stores

HTML = "text/html; charset=utf-8"

T = TypeVar("T", bound=Mapping[str, Any])

Tags = Collection[str]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response as the cache has it. `cursor` is that of the next page of a list."""

    media_type: str
    etag: str
    cursor: str | None
    body: bytes

    def pack(self) -> bytes:
        """Return the response as bytes: a line of JSON, then the body."""
        return orjson.dumps((self.media_type, self.etag, self.cursor)) + b"\n" + self.body

    @classmethod
    def unpack(cls, packed: bytes) -> "StoredResponse":
        """Return the response that `pack` wrote."""
        head, _, body = packed.partition(b"\n")
        media_type, etag, cursor = orjson.loads(head)
        return cls(media_type, etag, cursor, body)


class CachedResponder:
    """Writes the response to one request. It contains nothing about who sent the request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._cache = opened(request, Stores).responses

    async def data(
        self,
        name: CacheName,
        parts: Sequence[object],
        load: Callable[[], Awaitable[T]],
        tags: Callable[[T], Tags],
        form: CsvFormat | None = None,
    ) -> Response:
        """Return what `load` returns as JSON, or as CSV if it has a CSV form that the client prefers.

        `parts` are the parameters of `load`. `tags` returns the tags of all that the response shows.
        """
        csv = form if form and prefers_csv(self._request.headers.get("Accept", "")) else None
        stored = await self._data(name, parts, load, tags, csv)
        headers = {"Cache-Control": PUBLIC_DATA} | ({"Vary": "Accept"} if form else {})
        if csv:
            headers |= csv_headers(self._request, {"next_cursor": stored.cursor})
        return self._response(stored, headers)

    async def content(
        self,
        name: CacheName,
        parts: Sequence[object],
        load: Callable[[], Awaitable[T]],
        tags: Callable[[T], Tags],
    ) -> Any:
        """Return what `load` returns, or the same from the cache, for a page that shows it."""
        return orjson.loads((await self._data(name, parts, load, tags, None)).body)

    async def page(
        self,
        name: CacheName,
        parts: Sequence[object],
        render: Callable[[], Awaitable[tuple[bytes, Tags]]],
    ) -> Response:
        """Return a page, or a part of a page. `render` returns it with the tags of all that it shows.

        `parts` has the language of the page, which depends on the headers `LANGUAGE_HEADERS`.
        """

        async def compute() -> CacheContent:
            body, tags = await render()
            return CacheContent(StoredResponse(HTML, etag_of(body), None, body).pack(), tags)

        stored = StoredResponse.unpack(await self._cache.get(name, parts, compute))
        return self._response(stored, {"Cache-Control": PUBLIC_PAGE, "Vary": LANGUAGE_HEADERS})

    async def _data(
        self,
        name: CacheName,
        parts: Sequence[object],
        load: Callable[[], Awaitable[T]],
        tags: Callable[[T], Tags],
        csv: CsvFormat | None,
    ) -> StoredResponse:
        async def compute() -> CacheContent:
            loaded = await load()
            body = write_csv(csv, loaded) if csv else orjson.dumps(loaded)
            stored = StoredResponse(CSV if csv else JSON, etag_of(body), loaded.get("next_cursor"), body)
            return CacheContent(stored.pack(), tags(loaded))

        return StoredResponse.unpack(await self._cache.get(name, (csv is not None, *parts), compute))

    def _response(self, stored: StoredResponse, headers: Mapping[str, str]) -> Response:
        headers = {**headers, "ETag": stored.etag}
        if has_current(self._request, stored.etag):
            return Response(status_code=304, headers=headers)
        return Response(stored.body, headers=headers, media_type=stored.media_type)


async def _cached_responder(request: Request) -> CachedResponder:
    return CachedResponder(request)


CachedResponderDep = Annotated[CachedResponder, Depends(_cached_responder)]
