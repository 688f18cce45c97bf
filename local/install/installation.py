"""Installs everything that a run needs into one folder. It can be interrupted and repeated at any point.

A second installation waits for the first. Nothing is written outside the folder, and HOME is not used.
"""

import os
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from common.file_lock import file_lock
from local.install.environment import (
    PACKAGES,
    ROOT,
    TEST_PACKAGES,
    install_packages,
    is_usable,
    make_environment,
)


def installation_lock(install: Path) -> AbstractContextManager[None]:
    """Return the lock of an installation. It prints a message while it waits for another installation."""

    def report(pid: str) -> None:
        print(f"souk: waiting for another installation of this copy to end (process {pid})", file=sys.stderr)

    return file_lock(install / "souk.lock", report)  # not ".lock", which uv uses


def install(folder: Path, stamp: str) -> None:
    """Install everything into `folder`, unless it already has this `stamp`. The stamp is written last.

    Raises:
        CannotInstall: the message says why.
    """
    with installation_lock(folder):
        stamp_file = folder / "souk.stamp"
        if stamp_file.is_file() and stamp_file.read_text().rstrip("\n") == stamp:
            return
        print(f"souk: installing into {folder} (2 GB, once)", file=sys.stderr)
        if not is_usable(folder):
            make_environment(folder)
        install_packages(folder, TEST_PACKAGES if (folder / "bin" / "pytest").exists() else PACKAGES)
        fetch_jars(folder)
        (folder / "souk.stamp.new").write_text(stamp + "\n")
        (folder / "souk.stamp.new").replace(stamp_file)


def fetch_jars(folder: Path, *options: str) -> None:
    """Run `local.install.fetch` with the environment's own Python; it prints its progress.

    Raises:
        SystemExit: it failed and has printed why.
    """
    python = folder / "bin" / "python"
    for left_over in (folder / "share" / "souk").glob(".partial-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    command: list[str | Path] = [python, "-P", "-m", "local.install.fetch", folder, *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(2)
