"""Compresses and decompresses bodies in chunks: HTTP content encodings and ClickHouse's native blocks."""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import lz4.block
import lz4.frame
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from clickhouse.sql_guard.errors import DatabaseError

_HEADER = struct.Struct("<BII")
_HALVES = struct.Struct("<QQ")
_CHECKSUM = _HALVES.size
_LZ4, _ZSTD, _NONE = 0x82, 0x90, 0x02
_MAX_BLOCK = 1 << 26
"""Limit of a native block in bytes, compressed or not. Clients send at most 10 MB, ClickHouse 1 MB."""
_BLOCK = 1 << 20
_MAX_OUTPUT = 1 << 20
"""Limit of the output of one decompression step in bytes, whatever the compression ratio."""
_MAX_INPUT = 1 << 16
"""Limit of the input of one step in bytes."""
_MAX_ZSTD_INPUT = 1 << 10
"""The same for zstd, which can't limit its output: at worst, this input becomes 32 MB."""
_MAX_ZSTD_WINDOW = 1 << 23
"""Limit of the window of a zstd frame in bytes, as RFC 8878 recommends."""

RESPONSE_ENCODINGS = ("lz4", "gzip", "deflate", "zstd")
"""Content encodings of responses, in the server's order of preference."""


class Compressor(Protocol):
    """Compresses a response in chunks."""

    def compress(self, data: bytes, /) -> bytes:
        """Compress the next bytes, and return the output that is ready."""

    def flush(self) -> bytes:
        """Return the rest of the output."""


def choose_encoding(accept_encoding: str) -> str | None:
    """Return the preferred encoding among those of an Accept-Encoding header; None if there is none."""
    named = {part.partition(";")[0].strip().lower() for part in accept_encoding.split(",")}
    return next((name for name in RESPONSE_ENCODINGS if name in named), None)


class _Lz4Frames:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        begin = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(begin + self._frame.compress(data))

    def flush(self) -> bytes:
        return self.compress(b"") + bytes(self._frame.flush())


class _NativeBlocks:
    """Compresses into ClickHouse's native blocks."""

    def compress(self, data: bytes) -> bytes:
        return b"".join(native_block(data[at : at + _BLOCK]) for at in range(0, len(data), _BLOCK))

    def flush(self) -> bytes:
        return b""


def compressor(encoding: str) -> Compressor:
    """Return a compressor for one response: `native`, or a content encoding of `RESPONSE_ENCODINGS`."""
    if encoding == "native":
        return _NativeBlocks()
    if encoding == "lz4":
        return _Lz4Frames()
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=1).compressobj()
    return zlib.compressobj(3, zlib.DEFLATED, 31 if encoding == "gzip" else zlib.MAX_WBITS)


def native_block(data: bytes) -> bytes:
    """Return a block of ClickHouse's native compression: checksum, method, sizes, and data in LZ4."""
    packed: bytes = lz4.block.compress(data, store_size=False)
    body = _HEADER.pack(_LZ4, len(packed) + _HEADER.size, len(data)) + packed
    return _checksum(body) + body


def _checksum(body: bytes) -> bytes:
    """Return CityHash128, in the old version that ClickHouse uses: first half, then second, little-endian."""
    first, second = divmod(CityHash128(body), 1 << 64)
    return _HALVES.pack(first, second)


def decompress(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decompress `native` blocks or a content encoding: `gzip`, `deflate`, `lz4`, `zstd`, or none.

    Raises:
        DatabaseError: the encoding is unknown, or the data are corrupt or cut off.
    """
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding == "native":
        yield from _native_blocks(chunks)
        return
    if encoding not in _DECOMPRESSORS:
        raise DatabaseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {encoding}.")
    yield from _stream(chunks, *_DECOMPRESSORS[encoding])


class _Frame:
    """Decompresses one frame in steps."""

    def __init__(self, decompressor: Any, limit: tuple[int, ...]) -> None:
        self._object = decompressor
        self._limit = limit

    @property
    def ended(self) -> bool:
        """Whether the frame is complete."""
        return bool(self._object.eof)

    def step(self, data: bytes) -> tuple[bytes, bytes]:
        """Return some decompressed bytes, and the rest of `data` for the next step.

        Both are empty if the frame needs more data.
        """
        out = self._object.decompress(data, *self._limit)
        rest = self._object.unused_data if self.ended else getattr(self._object, "unconsumed_tail", b"")
        return out, rest or b""


def _zlib() -> Any:
    return zlib.decompressobj(47)


def _zstd() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW).decompressobj()


_DECOMPRESSORS: Mapping[str, tuple[Callable[[], Any], tuple[int, ...], int]] = {
    **dict.fromkeys(("gzip", "x-gzip", "deflate"), (_zlib, (_MAX_OUTPUT,), _MAX_INPUT)),
    "lz4": (lz4.frame.LZ4FrameDecompressor, (_MAX_OUTPUT,), _MAX_INPUT),
    "zstd": (_zstd, (), _MAX_ZSTD_INPUT),
}
"""Content encoding → its decompressor, and the limits of a step in bytes: output, if any, and input."""


def _stream(
    chunks: Iterable[bytes], new_decompressor: Callable[[], Any], limit: tuple[int, ...], size: int
) -> Iterator[bytes]:
    """Decompress a stream of one or more frames."""
    unpacker: _Frame | None = None
    try:
        for rest in (chunk[at : at + size] for chunk in chunks for at in range(0, len(chunk), size)):
            out = b""
            while rest or (out and unpacker and not unpacker.ended):
                if unpacker is None or unpacker.ended:
                    unpacker = _Frame(new_decompressor(), limit)
                out, rest = unpacker.step(rest)
                if out:
                    yield out
    except (zlib.error, RuntimeError, zstandard.ZstdError, EOFError) as error:
        raise DatabaseError(
            271, "CANNOT_DECOMPRESS", f"Cannot decompress the request's body: {error}."
        ) from None
    if unpacker is not None and not unpacker.ended:
        raise DatabaseError(271, "CANNOT_DECOMPRESS", "Cannot decompress the request's body: it is cut off.")


def _native_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while (size := _block_size(pending)) is not None and len(pending) >= size:
            yield _unpack(bytes(pending[:size]))
            del pending[:size]
    if pending:
        raise DatabaseError(271, "CANNOT_DECOMPRESS", "Cannot decompress the request's body: it is cut off.")


def _block_size(pending: bytearray) -> int | None:
    if len(pending) < _CHECKSUM + _HEADER.size:
        return None
    _, packed, plain = _HEADER.unpack_from(pending, _CHECKSUM)
    if not _HEADER.size <= packed <= _MAX_BLOCK or plain > _MAX_BLOCK:
        raise DatabaseError(
            39,
            "TOO_LARGE_SIZE_COMPRESSED",
            "Too large size_compressed_without_checksum: most likely corrupted data.",
        )
    return _CHECKSUM + int(packed)


def _unpack(block: bytes) -> bytes:
    body = block[_CHECKSUM:]
    if _checksum(body) != block[:_CHECKSUM]:
        raise DatabaseError(40, "CHECKSUM_DOESNT_MATCH", "Checksum doesn't match: corrupted data.")
    method, _, plain = _HEADER.unpack_from(body)
    data = body[_HEADER.size :]
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(data, uncompressed_size=plain))
        if method == _ZSTD:
            return bytes(zstandard.ZstdDecompressor().decompress(data, max_output_size=plain))
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise DatabaseError(
            271, "CANNOT_DECOMPRESS", f"Cannot decompress the request's body: {error}."
        ) from None
    if method == _NONE:
        return data
    raise DatabaseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method {method:#x}.")
