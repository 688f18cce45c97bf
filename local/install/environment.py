"""Installs everything that a run needs into one folder: an environment with the locked packages, and jars.

An installation can be interrupted and repeated at any point. A second one waits for the first. Nothing is
written outside the folder, and HOME is not used.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from common.file_lock import file_lock
from common.file_replacement import replace_file
from local.install.step import check_space, run

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "requirements.lock"
TEST_PACKAGES = ROOT / "requirements-test.lock"
INSTALLER = ROOT / "requirements-installer.lock"


def is_usable(install: Path) -> bool:
    """Return whether `install` has a complete environment of Python 3.11 that was created at this path."""
    python, pip = install / "bin" / "python", install / "bin" / "pip"
    if (install / "unfinished").exists() or not python.exists() or not pip.is_file():
        return False
    # Without pyvenv.cfg this Python would install into the Python that it was created from.
    check = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11) or sys.prefix == sys.base_prefix)"
    works = subprocess.run([python, "-I", "-c", check], capture_output=True, check=False).returncode == 0
    return works and f"{install}/bin/python" in pip.read_text()


def make_environment(install: Path) -> None:
    """Create a new virtual environment. Keeps downloads and complete groups of jars of an earlier attempt."""
    fresh = not (install / ".downloads").exists()
    unfinished = install / "unfinished"
    unfinished.touch()
    for entry in install.iterdir():
        if entry.name not in {"souk.lock", unfinished.name, ".downloads", "share"}:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    if fresh:
        check_space(install, shutil.disk_usage(install).free)
    run("Python environment", [sys.executable, "-m", "venv", install], install / "install.log")


def install_packages(install: Path, lock: Path) -> None:
    """Install exactly the packages of `lock`; every file is checked against its hash.

    pip installs uv, and uv downloads all other packages in parallel.

    Raises:
        CannotInstall: no network, no space, or a package whose hash differs from the lock.
    """
    python, log = install / "bin" / "python", install / "install.log"
    (install / "unfinished").touch()
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run(
        "installer",
        [*pip, "install", "--no-cache-dir", "--retries", "2", "--require-hashes", "-r", INSTALLER],
        log,
    )
    # Packages without a wheel are built with the locked setuptools. The hash of another one is not checked.
    sync_packages(
        "Python packages", install, install, lock, log, ("--no-build-isolation", "--compile-bytecode")
    )
    (install / "unfinished").unlink()


def sync_packages(
    step: str, install: Path, target: Path, lock: Path, log: Path, options: Sequence[str] = ()
) -> None:
    """Run the uv of `install` so that the environment `target` has exactly the packages of `lock`.

    If it fails, `<target>/.downloads` keeps the files that were downloaded.

    Raises:
        CannotInstall: no network, no space, or a package whose hash differs from the lock.
    """
    downloads = target / ".downloads"
    environment = (
        {"UV_CACHE_DIR": str(downloads), "UV_HTTP_TIMEOUT": "60"}
        | pip_indexes([install / "bin" / "python", "-m", "pip"])
        | dict(os.environ)
    )
    uv: list[str | Path] = [install / "bin" / "uv", "pip", "sync", "--python", target / "bin" / "python"]
    uv += ["--system-certs", "--no-progress", *options, "--require-hashes", lock]
    run(step, uv, log, environment)
    shutil.rmtree(downloads, ignore_errors=True)


def pip_indexes(pip: Sequence[str | Path]) -> dict[str, str]:
    """Return pip's configured package index as environment variables for uv."""
    return read_pip_config(
        subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    )


def read_pip_config(listing: str) -> dict[str, str]:
    """Return uv's environment variables for the output of `pip config list`.

    >>> read_pip_config("global.index-url='https://mirror.example/simple'")
    {'UV_DEFAULT_INDEX': 'https://mirror.example/simple'}
    """
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    found = re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listing, re.MULTILINE)
    return {names[option]: value.replace("\\n", " ").strip() for option, value in found if option in names}


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
        replace_file(stamp_file, stamp + "\n")


def fetch_jars(folder: Path, *options: str) -> None:
    """Run `local.install.fetch` with the environment's own Python; it prints its progress.

    Raises:
        SystemExit: it failed and has printed why.
    """
    python = folder / "bin" / "python"
    for left_over in (folder / "share" / "souk").glob(".partial-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    command: list[str | Path] = [python, "-P", "-m", "local.install.fetch", folder, *options]
    if subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False).returncode:
        raise SystemExit(2)
