"""Checks that the machine is supported and that the disk has enough space."""

import os
from pathlib import Path

from common.errors import UserError

NEEDED_BYTES = 3 * 1024**3
"""Free space that a first installation requires."""


class CannotInstall(UserError):
    """The installation can't continue. The message says why and what to do."""


def check_machine(system: str, machine: str, libc: str) -> None:
    """Check that this kind of machine is supported.

    Args:
        system: `platform.system()`.
        machine: `platform.machine()`.
        libc: `platform.libc_ver()[0]`.

    Raises:
        CannotInstall: it is not Linux x86-64 with glibc. The message says how to try anyway.
    """
    kind = f"{system} {machine}" + (" without glibc" if system == "Linux" and libc != "glibc" else "")
    if kind != "Linux x86_64" and os.environ.get("SOUK_ANY_MACHINE") != "1":
        raise CannotInstall(
            f"this machine is {kind}, and Souk was only tested on Linux x86-64 with glibc (such as Debian): "
            "use such a machine, or set SOUK_ANY_MACHINE=1 to try anyway (see the README for other machines)"
        )


def check_space(folder: Path, free: int) -> None:
    """Check that `free` bytes on the disk of `folder` are enough.

    Raises:
        CannotInstall: less than `NEEDED_BYTES` are free.
    """
    if free < NEEDED_BYTES:
        raise CannotInstall(
            f"an installation needs {NEEDED_BYTES / 1024**3:.0f} GB and {folder} has "
            f"{free / 1024**3:.1f} GB free: make room, or set SOUK_INSTALL to a folder on a larger disk"
        )
