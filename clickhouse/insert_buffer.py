"""Buffers the data of one INSERT before the engine reads them: in memory, or on disk if they are large."""

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse.sql_guard.errors import DatabaseError

MAX_IN_MEMORY = 16 << 20
"""A body of more bytes is buffered in an unnamed file on disk."""


@contextmanager
def buffered_body(chunks: Iterable[bytes], folder: Path) -> Iterator[str]:
    """Buffer the chunks, and yield the path of a file with them, which exists inside the `with` block.

    If `chunks` raises an error (the client disconnected, the data are corrupt), nothing is yielded.
    `folder` is for files on disk.

    Raises:
        DatabaseError: 243, the disk is full.
    """
    descriptor = os.memfd_create("insert", os.MFD_CLOEXEC)
    try:
        size = 0
        for chunk in chunks:
            if size <= MAX_IN_MEMORY < size + len(chunk):
                _move_to_disk(descriptor, size, folder)
            _write(descriptor, chunk)
            size += len(chunk)
        yield f"/proc/self/fd/{descriptor}"
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM):
            raise
        message = f"Cannot buffer the request's data: {error.strerror}."
        raise DatabaseError(243, "NOT_ENOUGH_SPACE", message) from None
    finally:
        os.close(descriptor)


def _move_to_disk(memory: int, size: int, folder: Path) -> None:
    """Move the contents of a memory file to an unnamed file on disk, under the same descriptor."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        at = 0
        while at < size:
            at += os.sendfile(file.fileno(), memory, at, size - at)
        os.dup2(file.fileno(), memory, inheritable=False)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
