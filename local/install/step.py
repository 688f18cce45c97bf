"""Checks the machine, and runs a step of an installation. A failure is one line that says what to do."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
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


FULL_DISK = re.compile(r"No space left on device|os error 28|Disk quota exceeded|os error 122")
HASH_MISMATCH = re.compile(r"hash mismatch|DO NOT MATCH THE HASHES", re.IGNORECASE)
NO_NETWORK = re.compile(
    r"dns error|error sending request|name resolution|Failed to establish a new connection"
    r"|Network is unreachable|tcp connect error|Connection refused|ConnectionError|ProxyError"
    r"|operation timed out|ReadTimeout|Connection to .* timed out|error decoding response body",
    re.IGNORECASE,
)


def failure_reason(step: str, output: str, log: Path) -> str:
    """Return one line about a failed step: the cause, from the output of pip, uv or venv, and what to do."""
    if "ensurepip" in output:
        return (
            "this Python cannot make virtual environments: install its venv module "
            "(Debian, Ubuntu: apt install python3.11-venv) and run this again"
        )
    if FULL_DISK.search(output):
        return f"the disk is full: make room for {NEEDED_BYTES / 1024**3:.0f} GB; run this again to continue"
    if HASH_MISMATCH.search(output):
        return f"a downloaded package does not have the hash in the lock and was discarded: see {log}"
    if NO_NETWORK.search(output):
        return (
            "could not download the Python packages: connect to the internet "
            "(or set HTTPS_PROXY) and run this again, it continues where it stopped"
        )
    errors = [line.strip() for line in output.splitlines() if "error" in line.lower()]
    return f"{step} failed ({errors[-1] if errors else 'no reason given'}): see {log}"


def run(
    step: str, command: Sequence[str | Path], log: Path, environment: dict[str, str] | None = None
) -> None:
    """Run one step with its output in `log`; print its duration to standard error.

    Raises:
        CannotInstall: it failed.
    """
    started = time.monotonic()
    live = sys.stderr.isatty()
    with log.open("w+") as output:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            while child.poll() is None:
                if live:
                    print(
                        f"\r  {step} ... {time.monotonic() - started:.0f} s",
                        end="",
                        file=sys.stderr,
                        flush=True,
                    )
                time.sleep(0.1)
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
        start = "\r" if live else ""
        print(f"{start}  {step}: {time.monotonic() - started:.0f} s    ", file=sys.stderr)
        if child.returncode:
            output.seek(0)
            raise CannotInstall(failure_reason(step, output.read(), log))
