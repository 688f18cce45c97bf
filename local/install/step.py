"""Runs one step of an installation. A failure is explained in one line, with what to do."""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local.install.machine import NEEDED_BYTES, CannotInstall

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
