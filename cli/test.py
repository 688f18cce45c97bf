"""`./souk test`: installs what the tests need, checks the code, then runs pytest."""

import hashlib
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile

import typer

from common.settings import ROOT, Settings
from local.install.browser import chromium
from local.install.environment import TEST_PACKAGES, install_packages
from local.install.installation import alone, fetch_jars
from local.install.jars import groups, is_complete

CONTEXT_SETTINGS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Whatever is not ours is pytest's."""

CHECKS = {
    "ruff": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "mypy": ["mypy"],
    "imports": ["lint-imports", "--no-logo"],
    "shellcheck": ["shellcheck", "souk", ".ci/run"],
}
"""What must pass besides the tests."""

BESIDE = ["tests/integration/commerce", "tests/integration/serving", "tests/e2e"]
RUNS = [
    ["tests/unit", "tests/contracts", "tests/integration", *(f"--ignore={folder}" for folder in BESIDE)],
    BESIDE,
]
"""Beside each other: most of the time a test waits for a server. The halves take about as long."""


def command(
    context: typer.Context,
    nightly: bool = typer.Option(False, "--nightly", help="Run the long campaigns, too."),
) -> None:
    """Run the tests; pytest's own arguments may follow. Without any, check style, types and imports too."""
    install_for_tests(Settings.load().install)
    browser = chromium()
    if browser is None:
        print("Chromium is not here and can't be installed: the browser tests will skip", flush=True)
    broken = [] if context.args else [name for name, check in CHECKS.items() if not passes(name, check)]
    campaign = ["--hypothesis-profile=nightly"] if nightly else ["-m", "not nightly"]
    environment = os.environ | ({"SOUK_TEST_CHROMIUM": browser} if browser else {})
    pytest = [sys.executable, "-P", "-m", "pytest", *campaign]
    runs = [context.args] if context.args else RUNS
    codes = run_all([[*pytest, *which] for which in runs], environment)
    raise typer.Exit(next(filter(None, codes), int(bool(broken))))


def install_for_tests(install: Path) -> None:
    """Add the test packages and the JDBC driver, unless they are there.

    Raises:
        CannotInstall: no network, no space.
    """
    stamp = install / "souk-tests.stamp"
    wanted = hashlib.sha256(TEST_PACKAGES.read_bytes()).hexdigest()
    packages = stamp.is_file() and stamp.read_text() == wanted
    jars = all(is_complete(install, group) for group in groups().values())
    if packages and jars:
        return
    with alone(install):
        if not packages:
            install_packages(install, TEST_PACKAGES)
            stamp.write_text(wanted)
        if not jars:
            fetch_jars(install, "--tests")


def passes(name: str, check: list[str]) -> bool:
    """Run one check with the installation's tools, and say how it went in one line after what it found."""
    tool = Path(sys.executable).with_name(check[0])
    passed = run([str(tool), *check[1:]], dict(os.environ)) == 0
    print(f"{name}: {'passed' if passed else 'FAILED'}", flush=True)
    return passed


def run_all(commands: list[list[str]], environment: dict[str, str]) -> list[int]:
    """Run commands beside each other; the first's output is shown as it comes, the others' at the end."""
    first, *others = commands
    with ExitStack() as files:
        said = [files.enter_context(TemporaryFile()) for _ in others]
        beside = [
            subprocess.Popen(
                other, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
            for other, file in zip(others, said, strict=True)
        ]
        try:
            codes = [run(first, environment)]
        finally:  # Ctrl-C told them, too: they stop their servers
            codes_beside = [process.wait() for process in beside]
        for file in said:
            file.seek(0)
            sys.stdout.write(file.read().decode(errors="replace"))
            sys.stdout.flush()
    return codes + codes_beside


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command in the checkout, without standard input; returns its exit code."""
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode
