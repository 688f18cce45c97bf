"""Reads the files of a part's log: the current one and those that were rotated."""

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from local.supervision.log_rotation import rotated_files

_TAIL_BYTES = 1024 * 1024


def all_lines(path: Path) -> Iterator[str]:
    """Yield every line of a log, oldest first, those of rotated files included."""
    for each in [*reversed(rotated_files(path)), path]:
        try:
            with each.open("rb") as file:
                for line in file:
                    yield decoded(line)
        except FileNotFoundError:  # rotated meanwhile
            continue


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last `count` lines of a log's current file, reading at most its last megabyte."""
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
        return [decoded(line) for line in deque(file, maxlen=count)] if count else []


def decoded(line: bytes) -> str:
    """Return a line as text without its end; bytes that are no UTF-8 are replaced."""
    return line.decode(errors="replace").rstrip("\r\n")


class Follower:
    """Returns the lines that are added to a log, also after its rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")
        self._file.seek(0, os.SEEK_END)

    def new_lines(self) -> list[str]:
        """Return the lines that are complete since the last call."""
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)  # the log was rotated: its file begins anew
        lines = []
        while (line := self._file.readline()).endswith(b"\n"):
            lines.append(decoded(line))
        self._file.seek(-len(line), os.SEEK_CUR)
        return lines
