"""Writes directories atomically."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """Yield a temporary path beside `directory`, which the caller creates and fills.

    At the end, the temporary path is renamed to `directory`. If the caller fails, it is removed.

    Raises:
        UserError: the directory exists already.
    """
    if directory.exists():
        raise UserError(f"{directory} exists already: choose another directory, or remove it")
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = directory.with_name(f".{directory.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.rename(directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
