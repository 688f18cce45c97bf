"""Rotates the logs that have become too large: `python -IS log_rotation.py FOLDER BYTES`.

The parts write to their logs directly, so that they survive the supervisor. A log is therefore copied and
then emptied, as logrotate's `copytruncate` does: every writer appends, and continues at the new start. Lines
that a part writes in the microseconds between the end of the copy and the truncation are lost.

supervisord runs this as an event listener: it sends an event every 5 seconds. It uses the standard library
only, so that it needs little memory.
"""

import os
import shutil
import sys
from pathlib import Path

KEPT_FILES = 2
"""Rotated files of each log: `<part>.log.1` is the newer one."""


def rotated_files(path: Path) -> list[Path]:
    """Return the rotated files of a log that exist, the newest first."""
    return [
        file
        for file in [path.with_name(f"{path.name}.{number}") for number in range(1, KEPT_FILES + 1)]
        if file.exists()
    ]


def rotate(path: Path, limit_bytes: int) -> bool:
    """Move a log that is larger than the limit to `<part>.log.1`; return whether it was larger."""
    if path.stat().st_size <= limit_bytes:
        return False
    fresh = path.with_name(f"{path.name}.new")
    with (
        path.open("rb") as log,
        os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy,
    ):
        shutil.copyfileobj(log, copy, 1024 * 1024)
        copy.flush()
        while rest := log.read():  # lines that were written meanwhile
            copy.write(rest)
            copy.flush()
        os.truncate(path, 0)
    for number in range(KEPT_FILES - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    fresh.replace(path.with_name(f"{path.name}.1"))
    return True


def rotate_all(folder: Path, limit_bytes: int) -> None:
    """Rotate every log of a folder that is too large."""
    for path in folder.glob("*.log"):
        try:
            rotate(path, limit_bytes)
        except OSError as error:  # such as a full disk; the next event tries again
            print(f"{path.name} is not rotated: {error}", file=sys.stderr)


def listen(folder: Path, limit_bytes: int) -> None:
    """Rotate at each of supervisord's events, in its protocol for event listeners."""
    while True:
        print("READY", flush=True)
        header = sys.stdin.readline()
        if not header:
            return  # the supervisor has ended
        fields = dict(pair.split(":", 1) for pair in header.split())
        sys.stdin.read(int(fields["len"]))
        rotate_all(folder, limit_bytes)
        print("RESULT 2\nOK", end="", flush=True)


if __name__ == "__main__":
    listen(Path(sys.argv[1]), int(sys.argv[2]))
