"""Sends a response: as a whole if it is small, else in chunks, with an exception block for a late error."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import Any

from clickhouse.sql_guard.errors import DatabaseError
from local.embedded_clickhouse.compression import compressor

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HELD_BACK = 1 << 20
"""Bytes of a response that are held back, as in ClickHouse, so that an error can still set the status."""

_IN_MEMORY = 8 << 20
_SMALL = 1 << 14
STALL_TIMEOUT_S = 30.0
"""Limit of the time to send one part of a response, as in ClickHouse (`http_send_timeout`)."""

SHORT_STALL_TIMEOUT_S = 3.0
"""The same while other queries wait for a thread."""

_CHECK_S = 0.5

_CONTENT_TYPES = {
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "CSVWithNamesAndTypes": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "JSONCompactEachRow": "application/x-ndjson; charset=UTF-8",
    "Markdown": "text/markdown; charset=UTF-8",
    "Vertical": "text/plain; charset=UTF-8",
}


class ResponseAborted(Exception):
    """The response ends here, incomplete: the client does not read it, or its query failed late."""


def content_type(format_name: str) -> str:
    """Return the media type of a format, as in ClickHouse."""
    if format_name in _CONTENT_TYPES:
        return _CONTENT_TYPES[format_name]
    if format_name.startswith("JSON"):
        return "application/json; charset=UTF-8"
    if format_name.startswith(("TabSeparated", "TSV")):
        return "text/tab-separated-values; charset=UTF-8"
    return "text/plain; charset=UTF-8" if format_name.startswith("Pretty") else "application/octet-stream"


class ResponseWriter:
    """One response. `headers` are sent with results and errors; `hold_all` holds back the whole result."""

    def __init__(self, send: Send, headers: Mapping[str, str], encoding: str, *, hold_all: bool) -> None:
        self._send = send
        self._headers = dict(headers)
        self._encoding = encoding
        self._compressor = compressor(encoding) if encoding else None
        self._held = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (closed in `close`)
        self._hold_all = hold_all
        self.has_queued_queries: Callable[[], bool] = lambda: False
        """Returns whether other queries wait for a thread. Called while the client does not read."""
        self.started = False
        self.tag = secrets.token_hex(8)

    async def write(self, data: bytes, format_name: str) -> None:
        """Send or hold back the next bytes of the result."""
        if not self.started:
            self._held.write(data)
            if self._hold_all or self._held.tell() < HELD_BACK:
                return
            await self._begin(format_name, {"x-clickhouse-exception-tag": self.tag})
            data = self._take_held()
        await self._body(await self._compressed(data))

    async def end(self, format_name: str, summary: str) -> None:
        """Complete the response."""
        if self.started:
            await self._body(self._compressor.flush() if self._compressor else b"", more=False)
            return
        headers = {"x-clickhouse-summary": summary}
        if self._held.tell() > HELD_BACK:
            await self._begin(format_name, headers)
            self._held.seek(0)
            while chunk := self._held.read(HELD_BACK):
                await self._body(await self._compressed(chunk))
            await self._body(self._compressor.flush() if self._compressor else b"", more=False)
            return
        data = await self._compressed(self._take_held())
        data += self._compressor.flush() if self._compressor else b""
        await self._begin(format_name, headers | {"content-length": str(len(data))})
        await self._body(data, more=False)

    async def fail(self, error: DatabaseError, version: str) -> None:
        """Report an error: by the HTTP status if nothing was sent, else by an exception block.

        ClickHouse 25.11 and later send such a block. The connection is then closed, so that no client takes
        the incomplete result for the whole.

        Raises:
            ResponseAborted: after an exception block.
        """
        text = error.text(version).encode()
        if not self.started:
            self._headers |= {"x-clickhouse-exception-code": str(error.code)}
            headers = {"content-length": str(len(text)), "content-type": "text/plain; charset=UTF-8"}
            if error.name == "SOCKET_TIMEOUT":
                headers["connection"] = "close"  # the client may still send the rest of its body
            if error.status == 401:
                headers["www-authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
            self._compressor, self._encoding = None, ""
            await self._start(error.status, headers)
            await self._body(text, more=False)
            return
        block = b"\r\n__exception__\r\n%b\r\n%b\n%d %b\r\n__exception__\r\n"
        tag = self.tag.encode()
        await self._body(await self._compressed(block % (tag, text, len(text) + 1, tag)))
        if self._compressor:
            await self._body(self._compressor.flush())
        raise ResponseAborted

    def close(self) -> None:
        """Discard the bytes that are held back."""
        self._held.close()

    def _take_held(self) -> bytes:
        self._held.seek(0)
        data = self._held.read()
        self._held.seek(0)
        self._held.truncate()
        return data

    async def _compressed(self, data: bytes) -> bytes:
        if self._compressor is None or not data:
            return data
        if len(data) <= _SMALL:
            return self._compressor.compress(data)
        return await asyncio.to_thread(self._compressor.compress, data)

    async def _begin(self, format_name: str, extra: Mapping[str, str]) -> None:
        headers = {"content-type": content_type(format_name), "x-clickhouse-format": format_name, **extra}
        if self._encoding and self._encoding != "native":
            headers["content-encoding"] = self._encoding
        await self._start(200, headers)

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.started = True
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (name.encode(), value.encode()) for name, value in (self._headers | dict(headers)).items()
                ],
            }
        )

    async def _body(self, data: bytes, *, more: bool = True) -> None:
        if not data and more:
            return
        sending = asyncio.ensure_future(
            self._send({"type": "http.response.body", "body": data, "more_body": more})
        )
        waited_s = 0.0
        try:
            while not (await asyncio.wait({sending}, timeout=_CHECK_S))[0]:
                waited_s += _CHECK_S
                if waited_s >= (SHORT_STALL_TIMEOUT_S if self.has_queued_queries() else STALL_TIMEOUT_S):
                    raise ResponseAborted
            sending.result()
        finally:
            sending.cancel()
