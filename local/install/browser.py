"""Finds Chromium for the browser tests, or installs Debian's package if that needs no password."""

import os
import shutil
import subprocess

from rich.console import Console

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-liberation")
TOOLS_PATH = os.pathsep.join(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
STEP_TIMEOUT_S = 600


def chromium() -> str | None:
    """Return the path of Chromium, installing it if possible; None if there is none."""
    return find() or (find() if install() else None)


def find() -> str | None:
    """Return the first Chromium on PATH or in the usual folders."""
    path = os.environ.get("PATH", "") + os.pathsep + TOOLS_PATH
    return next((found for name in NAMES if (found := shutil.which(name, path=path))), None)


def install() -> bool:
    """Install Chromium with apt-get, as root or by sudo without a password. Returns whether it succeeded."""
    apt = shutil.which("apt-get", path=TOOLS_PATH)
    if apt is None:
        return False
    command = [apt] if os.geteuid() == 0 else ["sudo", "-n", apt]
    packages = ["install", "-y", "--no-install-recommends", *PACKAGES]
    with Console(stderr=True).status("installing Chromium"):
        # Update the package index only if the installation fails without it.
        return _run_quietly([*command, *packages]) or (
            _run_quietly([*command, "update"]) and _run_quietly([*command, *packages])
        )


def _run_quietly(command: list[str]) -> bool:
    """Run a command without output. Returns whether it succeeded."""
    environment = os.environ | {"PATH": TOOLS_PATH, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=STEP_TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
