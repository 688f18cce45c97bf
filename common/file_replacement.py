"""Replaces a file in one step: who reads it sees the old content or the new one, and never a part."""

import os
import threading
from pathlib import Path


def replace_file(path: Path, content: str | bytes, mode: int = 0o666, *, syncs: bool = False) -> None:
    """Write a file beside `path`, and rename it to `path`. Several threads and processes may do so at once.

    If this fails, nothing has changed. The new file has its `mode` before it has any content. With `syncs`,
    the content is on the disk before the file has its name; the name itself may not be.

    Raises:
        OSError: the file can't be written, for example because the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    fresh.unlink(missing_ok=True)  # an earlier process with this id was killed
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if syncs:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
