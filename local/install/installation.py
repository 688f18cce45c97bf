"""One installation from nothing to usable: it can be interrupted and repeated at any point.

Two at once wait for each other. Nothing is written outside its folder, and HOME is not used.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.install.environment import (
    PACKAGES,
    ROOT,
    TEST_PACKAGES,
    install_packages,
    is_usable,
    make_environment,
)


@contextmanager
def alone(install: Path) -> Iterator[None]:
    """Hold the installation's lock; says so when another one has it and waits for it."""
    install.mkdir(parents=True, exist_ok=True)
    with (install / "souk.lock").open("w") as lock:  # not ".lock": that is uv's own
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("souk: waiting for another installation of this copy to end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(folder: Path, stamp: str) -> None:
    """Install all that a run needs into `folder`, unless someone else just did; `stamp` is written last.

    Raises:
        CannotInstall: see the message.
    """
    with alone(folder):
        done = folder / "souk.stamp"
        if done.is_file() and done.read_text().rstrip("\n") == stamp:
            return
        print(f"souk: installing into {folder} (2 GB, once)", file=sys.stderr)
        if not is_usable(folder):
            make_environment(folder)
        install_packages(folder, TEST_PACKAGES if (folder / "bin" / "pytest").exists() else PACKAGES)
        fetch_jars(folder)
        (folder / "souk.stamp.new").write_text(stamp + "\n")
        (folder / "souk.stamp.new").replace(done)


def fetch_jars(folder: Path, *options: str) -> None:
    """Run `local.install.fetch` with the environment's own Python; it shows its progress itself.

    Raises:
        SystemExit: it failed, and has printed why.
    """
    python = folder / "bin" / "python"
    for left_over in (folder / "share" / "souk").glob(".partial-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    command: list[str | Path] = [python, "-P", "-m", "local.install.fetch", folder, *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(2)
