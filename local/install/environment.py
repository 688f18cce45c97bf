"""The virtual environment of an installation, with exactly the locked packages in it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.install.machine import check_space
from local.install.step import run

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "requirements.lock"
TEST_PACKAGES = ROOT / "requirements-test.lock"
INSTALLER = ROOT / "requirements-installer.lock"


def is_usable(install: Path) -> bool:
    """Whether there is a whole environment of Python 3.11 that was made at this very path."""
    python, pip = install / "bin" / "python", install / "bin" / "pip"
    if (install / "unfinished").exists() or not python.exists() or not pip.is_file():
        return False
    # Without its pyvenv.cfg it runs as the Python that it was made with, and would install into that.
    check = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11) or sys.prefix == sys.base_prefix)"
    works = subprocess.run([python, "-I", "-c", check], capture_output=True, check=False).returncode == 0
    return works and f"{install}/bin/python" in pip.read_text()


def make_environment(install: Path) -> None:
    """A fresh virtual environment; downloads and whole groups of jars of an earlier attempt are kept."""
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
    """Bring the environment to exactly what `lock` says, every file checked against its hash.

    pip, which every Python has, fetches uv; uv fetches the rest at once and in parallel.

    Raises:
        CannotInstall: no network, no space, or a package that is not the locked one.
    """
    python, log = install / "bin" / "python", install / "install.log"
    (install / "unfinished").touch()
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run(
        "installer",
        [*pip, "install", "--no-cache-dir", "--retries", "2", "--require-hashes", "-r", INSTALLER],
        log,
    )
    downloads = install / ".downloads"
    uv: list[str | Path] = [
        install / "bin" / "uv",
        "pip",
        "sync",
        "--python",
        python,
        "--system-certs",
        "--no-progress",
    ]
    # The few packages without a wheel are built with the locked setuptools, not with one fetched unchecked.
    uv += ["--no-build-isolation", "--compile-bytecode", "--require-hashes", lock]
    environment = (
        {"UV_CACHE_DIR": str(downloads), "UV_HTTP_TIMEOUT": "60"} | pip_indexes(pip) | dict(os.environ)
    )
    run("Python packages", uv, log, environment)
    (install / "unfinished").unlink()
    shutil.rmtree(downloads, ignore_errors=True)


def pip_indexes(pip: Sequence[str | Path]) -> dict[str, str]:
    """The package index that pip is configured for, as uv's settings: whoever set up one has set up both."""
    listing = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    return read_pip_config(listing)


def read_pip_config(listing: str) -> dict[str, str]:
    """uv's environment variables for what `pip config list` prints.

    >>> read_pip_config("global.index-url='https://mirror.example/simple'")
    {'UV_DEFAULT_INDEX': 'https://mirror.example/simple'}
    """
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    found = re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listing, re.MULTILINE)
    return {names[option]: value.replace("\\n", " ").strip() for option, value in found if option in names}
