"""Directories that are written whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError


@contextmanager
def atomic_directory(directory: Path) -> Iterator[Path]:
    """A place beside the directory, where it is to be made, renamed to it at the end or removed by an error.

    Raises:
        UserError: something is there already.
    """
    if directory.exists():
        raise UserError(f"{directory} is there already: choose another directory, or remove it")
    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = directory.with_name(f".{directory.name}.{os.getpid()}")
    try:
        yield beside
        beside.rename(directory)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
