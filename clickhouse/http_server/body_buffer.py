"""Buffers the data of one INSERT before the engine reads them: in memory, or on disk if they are large."""

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse.http_server.errors import DatabaseError

IN_MEMORY = 16 << 20
"""Bytes that are buffered in memory; a larger body goes to a nameless file in `folder`."""


@contextmanager
def buffered_body(chunks: Iterable[bytes], folder: Path) -> Iterator[str]:
    """Buffer the chunks, and return the path of a file with them that exists inside the `with` block.

    An error of `chunks` (a client that went away, a broken compression) comes before anything is yielded.

    Raises:
        DatabaseError: 243, the disk is full.
    """
    held = os.memfd_create("insert", os.MFD_CLOEXEC)
    try:
        size = 0
        for chunk in chunks:
            if size <= IN_MEMORY < size + len(chunk):
                _move(held, size, folder)
            _write(held, chunk)
            size += len(chunk)
        yield f"/proc/self/fd/{held}"
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM):
            raise
        message = f"Cannot keep the request's data: {error.strerror}."
        raise DatabaseError(243, "NOT_ENOUGH_SPACE", message) from None
    finally:
        os.close(held)


def _move(memory: int, size: int, folder: Path) -> None:
    """Move what a memory file holds into a nameless file, under the same descriptor."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        at = 0
        while at < size:
            at += os.sendfile(file.fileno(), memory, at, size - at)
        os.dup2(file.fileno(), memory, inheritable=False)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
