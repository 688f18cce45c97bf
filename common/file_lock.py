"""Exclusive locks between processes, held on a file. The kernel releases one however its process ends."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from common.errors import UserError


@contextmanager
def file_lock(path: Path, on_wait: Callable[[str], object] = lambda _: None) -> Iterator[None]:
    """Hold an exclusive lock on `path` inside the `with` block, waiting until it is free.

    Creates the file and its folders. If another process holds the lock, `on_wait(pid)` is called once before
    waiting; `pid` is `?` if it is unknown.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(_owner(file))
            fcntl.flock(file, fcntl.LOCK_EX)
        _write_owner(file)
        yield


@contextmanager
def lock_if_free(path: Path) -> Iterator[str]:
    """Hold an exclusive lock on `path` inside the `with` block, if no process holds it.

    Yields the pid of the process that holds it, `?` if that is unknown; an empty string if this one does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield _owner(file)
        else:
            _write_owner(file)
            yield ""


@contextmanager
def single_instance(path: Path, what: str) -> Iterator[None]:
    """Hold an exclusive lock on `path` inside the `with` block, without waiting.

    Raises:
        UserError: another process holds the lock (the message says that `what` is already running), or the
            file can't be written.
    """
    with ExitStack() as stack:
        try:
            owner = stack.enter_context(lock_if_free(path))
        except OSError as error:
            raise UserError(
                f"{path.parent} can't be written ({error.strerror}): set SOUK_HOME to another directory"
            ) from error
        if owner:
            raise UserError(f"{what} is already running (process {owner}): wait for it, or stop it")
        yield


def _owner(file: TextIO) -> str:
    """Return the pid that the holder of the lock wrote."""
    file.seek(0)
    return file.read().strip() or "?"


def _write_owner(file: TextIO) -> None:
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
