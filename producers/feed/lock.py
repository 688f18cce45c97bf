"""Keeps a second sender of the same thing out while the first one runs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError


@contextmanager
def only_one(file: Path, what: str) -> Iterator[None]:
    """Hold the lock `file`; the system lets it go however this process ends.

    Raises:
        UserError: another process holds it (the message says that `what` is running), or its directory
            can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.open("w")
    except OSError as error:
        raise UserError(
            f"{file.parent} can't be written ({error.strerror}): set SOUK_HOME to another directory"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"{what} is already running: wait for it, or stop it") from error
        yield
