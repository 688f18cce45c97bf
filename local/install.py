"""The first step of `./souk`, in plain Python: an environment with the locked packages.

An installation can be interrupted and repeated at any point, and two at once wait for each other.
Nothing is written outside its folder, and HOME is not used.
"""

import errno
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from common.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "requirements.lock"
TEST_PACKAGES = ROOT / "requirements-test.lock"
INSTALLER = ROOT / "requirements-installer.lock"

NEEDED_BYTES = 3 * 1024**3
"""Free space that a first installation is refused without."""

FULL_DISK = re.compile(r"No space left on device|os error 28|Disk quota exceeded|os error 122")
HASH_MISMATCH = re.compile(r"hash mismatch|DO NOT MATCH THE HASHES", re.IGNORECASE)
NO_NETWORK = re.compile(
    r"dns error|error sending request|name resolution|Failed to establish a new connection"
    r"|Network is unreachable|tcp connect error|Connection refused|ConnectionError|ProxyError"
    r"|operation timed out|ReadTimeout|Connection to .* timed out|error decoding response body",
    re.IGNORECASE,
)


class CannotInstall(UserError):
    """The installation stopped; the message says why and what to do."""


def check_machine(system: str, machine: str, libc: str) -> None:
    """Refuse a machine on which a part is known to be missing, or nothing is known.

    Args:
        system: `platform.system()`.
        machine: `platform.machine()`.
        libc: `platform.libc_ver()[0]`.

    Raises:
        CannotInstall: it is not Linux x86-64 with glibc; the message says how to try all the same.
    """
    found = f"{system} {machine}" + (" without glibc" if system == "Linux" and libc != "glibc" else "")
    if found != "Linux x86_64" and os.environ.get("SOUK_ANY_MACHINE") != "1":
        raise CannotInstall(
            f"this machine is {found}, and Souk is only known to run on Linux x86-64 with glibc (as Debian): "
            "use such a machine, or set SOUK_ANY_MACHINE=1 to try (the README says what is known of others)"
        )


def check_space(folder: Path, free: int) -> None:
    """Refuse to begin what would fill the disk of `folder`, with `free` bytes left.

    Raises:
        CannotInstall: less than `NEEDED_BYTES` are free.
    """
    if free < NEEDED_BYTES:
        raise CannotInstall(
            f"an installation needs {NEEDED_BYTES / 1024**3:.0f} GB and {folder} has "
            f"{free / 1024**3:.1f} GB free: make room, or set SOUK_INSTALL to a folder on a larger disk"
        )


def explain(step: str, output: str, log: Path) -> str:
    """One line for a failed step: what happened, by the output of pip, uv or venv, and what to do."""
    if "ensurepip" in output:
        return (
            "this Python cannot make virtual environments: install its venv module "
            "(Debian, Ubuntu: apt install python3.11-venv) and run this again"
        )
    if FULL_DISK.search(output):
        return (
            f"the disk is full: make room for {NEEDED_BYTES / 1024**3:.0f} GB and run this again, it goes on"
        )
    if HASH_MISMATCH.search(output):
        return f"a downloaded package is not the one that the lock names, nothing of it was kept: see {log}"
    if NO_NETWORK.search(output):
        return (
            "could not download the Python packages: connect to the internet "
            "(or set HTTPS_PROXY) and run this again, it goes on where it stopped"
        )
    errors = [line.strip() for line in output.splitlines() if "error" in line.lower()]
    return f"{step} failed ({errors[-1] if errors else 'no reason given'}): see {log}"


def run(
    step: str, command: Sequence[str | Path], log: Path, environment: dict[str, str] | None = None
) -> None:
    """Run one step with its output in `log`, telling on standard error how long it takes.

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
            raise CannotInstall(explain(step, output.read(), log))


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


def is_usable(install: Path) -> bool:
    """Whether there is a whole environment of Python 3.11 that was made at this very path."""
    python, pip = install / "bin" / "python", install / "bin" / "pip"
    if (install / "unfinished").exists() or not python.exists() or not pip.is_file():
        return False
    check = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"
    works = subprocess.run([python, "-I", "-c", check], capture_output=True, check=False).returncode == 0
    return works and f"{install}/bin/python" in pip.read_text()


def make_environment(install: Path) -> None:
    """A fresh virtual environment; downloads and whole groups of jars of an earlier attempt are kept."""
    fresh = not (install / ".downloads").exists()
    for entry in install.iterdir():
        if entry.name not in {"souk.lock", ".downloads", "share"}:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    if fresh:
        check_space(install, shutil.disk_usage(install).free)
    (install / "unfinished").touch()
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
    """Run `local.fetch` with the environment's own Python; it shows its progress itself.

    Raises:
        SystemExit: it failed, and has printed why.
    """
    python = folder / "bin" / "python"
    for left_over in (folder / "share" / "souk").glob(".partial-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    command: list[str | Path] = [python, "-P", "-m", "local.fetch", folder, *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(2)


def main() -> int:
    """`python -m local.install FOLDER STAMP`: exit code 2 after one line that says what to do."""
    folder, stamp = Path(sys.argv[1]), sys.argv[2]
    try:
        check_machine(platform.system(), platform.machine(), platform.libc_ver()[0])
        install(folder, stamp)
    except UserError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    except PermissionError as error:
        print(
            f"souk: {error.filename} is not yours to write: run this as its owner, "
            "or set SOUK_INSTALL (and SOUK_HOME) to folders of your own",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(f"souk: the disk of {folder} is full: make room and run this again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsouk: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
